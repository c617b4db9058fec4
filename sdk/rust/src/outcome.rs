//! What a handler may answer.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::Failure;

/// How a run ended without failing.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The work is done.
    Complete {
        /// The result.
        result: Value,
        /// About the result.
        metadata: Value,
        /// Tasks submitted in the same commit; nobody waits for them.
        then: Vec<Child>,
    },
    /// Not for this handler: the task goes to another. The reason is kept.
    Skip(String),
    /// Create children and run again, one stage on, when they have ended as `join` asks.
    Spawn {
        /// The children.
        children: Vec<Child>,
        /// When to run again.
        join: Join,
        /// What the next stage finds as its state.
        state: Option<Value>,
    },
    /// Wait for a person or a system outside, then run again with its answer.
    Suspend(Suspension),
    /// Keep this progress and run again at once, one stage on.
    Checkpoint {
        /// What the next stage finds as its state.
        state: Value,
        /// Items done so far.
        processed: u64,
        /// Items in all, where known.
        total: Option<u64>,
    },
    /// Decision steps only: these steps run, the others are skipped.
    Decide {
        /// The names of the steps.
        steps: Vec<String>,
        /// The result.
        result: Value,
        /// About the result.
        metadata: Value,
    },
    /// Batch analyzers only.
    Batch(BatchPlan),
}

/// When a task that spawned children runs again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Join {
    /// When all have ended, with the errors in hand.
    #[default]
    BestEffort,
    /// When all have succeeded; the first bad child ends the parent.
    Strict,
    /// When so many have succeeded.
    AtLeast(u32),
    /// When these have succeeded.
    Critical(Vec<String>),
}

/// A task that a handler asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// Its kind.
    pub kind: String,
    /// Its payload.
    pub payload: Value,
    /// The tags it requires.
    pub requires: Vec<String>,
    /// Its name among its siblings.
    pub name: Option<String>,
    /// Not before so long from now.
    pub delay: Option<Duration>,
    /// Idempotency key.
    pub key: Option<String>,
    /// Options of its own, by the published schema, such as `{"timeout": "5s", "priority": 3}`.
    pub options: Option<Value>,
}

impl Child {
    /// A child of this kind.
    pub fn new(kind: impl Into<String>, payload: impl Serialize) -> Result<Self, Failure> {
        Ok(Self {
            kind: kind.into(),
            payload: serde_json::to_value(payload)?,
            requires: Vec::new(),
            name: None,
            delay: None,
            key: None,
            options: None,
        })
    }

    /// Names it.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Asks for capability tags.
    #[must_use]
    pub fn requiring<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.requires = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Delays it.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }
}

/// Waiting for a person or a system outside.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Suspension {
    /// Why, for people.
    pub reason: String,
    /// For whoever answers.
    pub metadata: Value,
    /// What the next stage finds as its state.
    pub state: Option<Value>,
    /// How long to wait at most.
    pub timeout: Option<Duration>,
}

/// Ranges of work for batch workers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BatchPlan {
    /// The ranges.
    pub cursors: Vec<Cursor>,
    /// The result.
    pub result: Value,
    /// About the result.
    pub metadata: Value,
}

/// The half-open range [start, end).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cursor {
    /// The first item.
    pub start: u64,
    /// The item after the last.
    pub end: u64,
    /// About the range.
    pub metadata: Value,
}

/// The work is done, with this result.
pub fn complete(result: impl Serialize) -> Result<Outcome, Failure> {
    Ok(Outcome::Complete {
        result: serde_json::to_value(result)?,
        metadata: Value::Object(serde_json::Map::new()),
        then: Vec::new(),
    })
}

impl Outcome {
    /// Keep this progress and run again at once.
    pub fn checkpoint(state: impl Serialize, processed: u64, total: Option<u64>) -> Result<Self, Failure> {
        Ok(Self::Checkpoint { state: serde_json::to_value(state)?, processed, total })
    }

    /// Not for this handler.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::Skip(reason.into())
    }

    /// Says something about the result; only a completion, a decision and a batch plan have metadata.
    pub fn with_metadata(mut self, about: impl Serialize) -> Result<Self, Failure> {
        let about = serde_json::to_value(about)?;
        match &mut self {
            Self::Complete { metadata, .. } | Self::Decide { metadata, .. } => *metadata = about,
            Self::Batch(plan) => plan.metadata = about,
            Self::Skip(_) | Self::Spawn { .. } | Self::Suspend(_) | Self::Checkpoint { .. } => {}
        }
        Ok(self)
    }

    /// Submits tasks in the same commit as this completion.
    #[must_use]
    pub fn then(mut self, children: impl IntoIterator<Item = Child>) -> Self {
        if let Self::Complete { then, .. } = &mut self {
            then.extend(children);
        }
        self
    }
}
