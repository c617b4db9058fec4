//! Which template a reference means.

use std::sync::Arc;

use bulkhead_core::TemplateRef;

use super::ShelfSnapshot;
use crate::problem::nearest;
use crate::read::parse_version;
use crate::shape::quoted;
use crate::{Template, shown};

/// As many names are told.
const TOLD: usize = 10;

/// Why there is no template of a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {hint}")]
pub struct NoTemplate {
    /// What is not there.
    pub message: String,
    /// What there is.
    pub hint: String,
}

pub(super) fn find(shelf: &ShelfSnapshot, reference: &TemplateRef) -> Result<Arc<Template>, NoTemplate> {
    let (namespace, name, version) = reference.parts();
    let unknown = || {
        let names = || {
            let both = |template: &Arc<Template>| {
                let plan = template.plan();
                [plan.name.clone(), format!("{}/{}", plan.namespace, plan.name)]
            };
            shelf.templates().flat_map(both).collect::<std::collections::BTreeSet<_>>()
        };
        let asked = namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"));
        let all = names();
        let hint = match nearest(&asked, all.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if all.is_empty() => "there are no templates: put one into the folder of workflow.dir".to_owned(),
            None => {
                let full = all.iter().map(String::as_str).filter(|name| name.contains('/'));
                format!("there are {}", quoted(full.take(TOLD)))
            }
        };
        NoTemplate { message: format!("unknown template: `{}`", shown(&asked)), hint }
    };
    let namespaces = shelf.by_name.get(name).ok_or_else(unknown)?;
    let versions = match namespace {
        Some(namespace) => namespaces.get(namespace).ok_or_else(unknown)?,
        None if namespaces.len() > 1 => {
            let full: Vec<String> = namespaces.keys().map(|namespace| format!("{namespace}/{name}")).collect();
            return Err(NoTemplate {
                message: format!("several templates are called `{}`", shown(name)),
                hint: format!("say which: {}", quoted(full.iter().map(String::as_str).take(TOLD))),
            });
        }
        None => namespaces.values().next().ok_or_else(unknown)?,
    };
    let asked = match version {
        None => return versions.first().cloned().ok_or_else(unknown),
        Some(version) => version,
    };
    let wanted = parse_version(asked);
    let same = |template: &&Arc<Template>| Some(template.version()) == wanted.as_ref();
    versions.iter().find(same).cloned().ok_or_else(|| {
        let there: Vec<String> = versions.iter().take(TOLD).map(|template| template.version().to_string()).collect();
        NoTemplate {
            message: format!("the template `{}` has no live version `{}`", shown(name), shown(asked)),
            hint: format!("there is {}", quoted(there.iter().map(String::as_str))),
        }
    })
}
