//! A handler with what the operator says of it.

use std::sync::Arc;

use bulkhead_core::{Ceilings, Extras, JsonText, Options, Overrides, Sources, TagSet};

use crate::{Handler, WorkspaceGrant};

/// One live version of a handler, and everything a run of it needs to know.
#[derive(Debug)]
pub struct LiveHandler {
    /// The version.
    pub handler: Handler,
    /// The tags it provides: what the operator says, else what it exports.
    pub provides: TagSet,
    /// `[handler.NAME]`.
    pub operator: Overrides,
    /// What holds for a task that asks for nothing.
    pub options: Arc<Options>,
    /// Static settings for the guest.
    pub settings: Option<JsonText>,
    /// What it may do in the workspace of its task.
    pub workspace: Option<WorkspaceGrant>,
    pub(crate) ceilings: Arc<Ceilings>,
    pub(crate) defaults: Arc<Overrides>,
}

impl LiveHandler {
    /// Everyone who has a say in the options of a task.
    pub fn sources<'a>(&'a self, task: Option<&'a Extras>) -> Sources<'a> {
        Sources {
            ceilings: &self.ceilings,
            task: task.map(|task| &task.options),
            parent: task.and_then(|task| task.inherited.as_ref()),
            operator: &self.operator,
            handler: self.handler.defaults(),
            defaults: &self.defaults,
        }
    }

    /// What holds for a task that asks for this; made anew only where the task asks for something.
    pub fn options_for(&self, task: Option<&Extras>) -> Arc<Options> {
        match task {
            Some(_) => Arc::new(self.sources(task).resolve()),
            None => Arc::clone(&self.options),
        }
    }
}
