//! What a run may answer.

use crate::JsonText;
use crate::submission::NewTask;

/// The work is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The result, kept with the task.
    pub result: JsonText,
    /// About the result; an empty object where the handler said nothing.
    pub metadata: JsonText,
    /// Tasks submitted in the same commit; nobody waits for them.
    pub then: Vec<Child>,
}

/// A task that a handler asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// Its name among its siblings, where it has one.
    pub name: Option<String>,
    /// The task itself.
    pub task: NewTask,
}

/// Progress worth keeping: the task runs again at once, one stage on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// What the next run finds as its state.
    pub state: JsonText,
    /// Items done so far.
    pub processed: u64,
    /// Items in all, where known.
    pub total: Option<u64>,
}
