//! What a run may answer.

use std::time::Duration;

use crate::submission::NewTask;
use crate::{Cursor, Join, JsonText};

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

/// Which of the steps that depend on a decision step run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Names of steps that depend on it, at most 100; none, none of them runs.
    pub steps: Vec<String>,
    /// The same as places in the plan, once they are known to be there.
    pub chosen: Vec<u32>,
    /// The step's result.
    pub result: JsonText,
    /// About the result; an empty object where the handler said nothing.
    pub metadata: JsonText,
}

/// The ranges into which a batch analyzer cut the work.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchPlan {
    /// The ranges, at most 10,000; none, there is nothing to do.
    pub cursors: Vec<Cursor>,
    /// The step's result.
    pub result: JsonText,
    /// About the result; an empty object where the handler said nothing.
    pub metadata: JsonText,
}

/// Where a batch plan is kept beside the analyzer's result.
const CURSORS: &str = "cursors";

impl BatchPlan {
    /// The plan with its ranges in its metadata, from where the batch's workers get them.
    pub fn with_cursors_kept(mut self) -> Self {
        let mut object = read_object(&self.metadata);
        object.insert(CURSORS.to_owned(), serde_json::to_value(&self.cursors).unwrap_or_default());
        if let Ok(metadata) = JsonText::from_value(&object) {
            self.metadata = metadata;
        }
        self
    }

    /// The ranges in the metadata of an analyzer; none where it cut nothing.
    pub fn kept_cursors(metadata: &JsonText) -> Vec<Cursor> {
        let kept = read_object(metadata).remove(CURSORS).unwrap_or_default();
        serde_json::from_value(kept).unwrap_or_default()
    }
}

fn read_object(text: &JsonText) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_str(text.as_str()).unwrap_or_default()
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
