//! What a run may answer.

use std::time::Duration;

use crate::submission::NewTask;
use crate::{Join, JsonText};

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

/// Children to be created; the task runs again, one stage on, when they have ended as `join` asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Spawn {
    /// The children, 1 to 10,000, in their order.
    pub children: Vec<Child>,
    /// When to run again.
    pub join: Join,
    /// What the next run finds as its state.
    pub state: Option<JsonText>,
}

/// Waiting for a person or a system outside; the task runs again, one stage on, with the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// Why, for whoever is to answer.
    pub reason: String,
    /// What whoever is to answer must know.
    pub metadata: JsonText,
    /// What the next run finds as its state.
    pub state: Option<JsonText>,
    /// The longest wait; none, as long as it takes.
    pub timeout: Option<Duration>,
}

/// What a task that waited for an answer is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This, by whoever answered.
    Given(JsonText),
    /// Nobody answered in time.
    TimedOut,
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
