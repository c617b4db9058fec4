//! The templates at one moment.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bulkhead_core::TemplateRef;

use super::find::{self, NoTemplate};
use crate::Template;

/// The templates of a folder at one moment.
#[derive(Debug, Default)]
pub struct ShelfSnapshot {
    generation: u64,
    files: Vec<ShelfFile>,
    /// By name, then by namespace, the newest version first.
    pub(super) by_name: BTreeMap<String, BTreeMap<String, Vec<Arc<Template>>>>,
}

/// A file of the folder, and what became of it.
#[derive(Debug, Clone)]
pub struct ShelfFile {
    /// The file's name.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What is wrong with it as it is.
    pub error: Option<String>,
    /// What of it is live: the newest version that was good.
    pub template: Option<Arc<Template>>,
}

impl ShelfSnapshot {
    pub(super) fn new(generation: u64, files: Vec<ShelfFile>) -> Self {
        let mut by_name: BTreeMap<String, BTreeMap<String, Vec<Arc<Template>>>> = BTreeMap::new();
        for template in files.iter().filter_map(|file| file.template.as_ref()) {
            let plan = template.plan();
            let versions = by_name.entry(plan.name.clone()).or_default().entry(plan.namespace.clone()).or_default();
            versions.push(Arc::clone(template));
        }
        for versions in by_name.values_mut().flat_map(BTreeMap::values_mut) {
            // A version that is not yet released is older than any that is.
            let age = |template: &Template| (template.version().pre.is_empty(), template.version().clone());
            versions.sort_by_key(|template| std::cmp::Reverse(age(template)));
        }
        Self { generation, files, by_name }
    }

    /// How many changes there were before.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Every file, with what became of it.
    pub fn files(&self) -> &[ShelfFile] {
        &self.files
    }

    /// The live templates by name and namespace, the newest version of each first.
    pub fn templates(&self) -> impl Iterator<Item = &Arc<Template>> {
        self.by_name.values().flat_map(BTreeMap::values).flatten()
    }

    /// The live template of a reference; the newest version where none is asked for.
    pub fn find(&self, reference: &TemplateRef) -> Result<Arc<Template>, NoTemplate> {
        find::find(self, reference)
    }
}
