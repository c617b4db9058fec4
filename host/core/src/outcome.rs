//! What a run may answer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

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
        let kept = to_raw_value(&self.cursors).and_then(|cursors| {
            let mut object = read_object(&self.metadata);
            object.insert(CURSORS.to_owned(), cursors);
            JsonText::from_value(&object)
        });
        if let Ok(metadata) = kept {
            self.metadata = metadata;
        }
        self
    }

    /// The ranges in the metadata of an analyzer; none where it cut nothing.
    pub fn kept_cursors(metadata: &JsonText) -> Vec<Cursor> {
        let kept = serde_json::from_str::<KeptCursors>(metadata.as_str());
        kept.map(|kept| kept.cursors).unwrap_or_default()
    }
}

/// The part of an analyzer's metadata that is read again.
#[derive(Deserialize)]
struct KeptCursors {
    cursors: Vec<Cursor>,
}

/// The members as they are written: not every text that is JSON has a value here.
fn read_object(text: &JsonText) -> BTreeMap<String, Box<RawValue>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_kept_whatever_their_metadata_holds() {
        let deep = format!("{}{}", "{\"a\":".repeat(127), "{}".to_owned() + &"}".repeat(127));
        for metadata in ["{}", r#"{"x":1e999}"#, &deep] {
            let metadata = JsonText::parse(metadata, 4 << 10).unwrap();
            let cursors = vec![Cursor { start: 0, end: 7, metadata: metadata.clone() }];
            let plan = BatchPlan { cursors, result: JsonText::null(), metadata };
            let cursors = plan.cursors.clone();
            assert_eq!(BatchPlan::kept_cursors(&plan.with_cursors_kept().metadata), cursors);
        }
        assert_eq!(BatchPlan::kept_cursors(&JsonText::empty_object()), []);
    }
}
