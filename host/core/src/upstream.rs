//! How a task that another one waited for ended.

use crate::{JsonText, TaskError, TaskId};

/// A task that another one waited for, as its run sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamTask {
    /// The step's or child's name; the child's index in decimal where it has none.
    pub name: String,
    /// Its public name.
    pub id: TaskId,
    /// How it ended.
    pub end: UpstreamEnd,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamEnd {
    /// Well, with this result.
    Succeeded(JsonText),
    /// Closed by hand, with this result.
    Resolved(JsonText),
    /// Badly, or not yet when the waiting was over.
    Failed(Box<TaskError>),
    /// Cancelled before it ended.
    Cancelled,
    /// It never ran.
    Skipped,
}

impl UpstreamTask {
    /// Bytes of text in it.
    pub fn size(&self) -> usize {
        let end = match &self.end {
            UpstreamEnd::Succeeded(result) | UpstreamEnd::Resolved(result) => result.len(),
            UpstreamEnd::Failed(error) => {
                error.code.len() + error.message.len() + error.details.as_ref().map_or(0, JsonText::len)
            }
            UpstreamEnd::Cancelled | UpstreamEnd::Skipped => 0,
        };
        self.name.len() + self.id.as_str().len() + end
    }
}
