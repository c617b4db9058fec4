//! What becomes of requests from outside.

use bulkhead_core::{JsonText, State, TaskId};

/// A task that was accepted, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Its public name.
    pub id: TaskId,
    /// Its state when it was accepted; for a duplicate, its state now.
    pub state: State,
    /// The same key, or the same own id, with the same body was there before.
    pub duplicate: bool,
}

/// Why a whole batch was refused; nothing of it was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchRefusal {
    /// The same key or own id was there before with another body.
    #[error("the {what} `{name}` is taken by task `{holder}`, which has another body")]
    Taken {
        /// The place in the batch, from 0.
        index: usize,
        /// `key` or `id`.
        what: &'static str,
        /// The key or id.
        name: String,
        /// The task that has it.
        holder: TaskId,
    },
    /// More wait already than may; there is room again once some have run.
    #[error(
        "{waiting} tasks wait already, and at most {most} may (store.max_pending): try again later, or send fewer at once"
    )]
    QueueFull {
        /// The place in the batch of the first that has no room, from 0.
        index: usize,
        /// How many the batch has.
        size: usize,
        /// How many wait.
        waiting: u64,
        /// How many may.
        most: u64,
    },
    /// The database refused this one task.
    #[error("the store refused it: {message}")]
    Refused {
        /// The place in the batch, from 0.
        index: usize,
        /// The database's words.
        message: String,
    },
}

impl BatchRefusal {
    /// The place in the batch of the task that was refused, from 0.
    pub fn index(&self) -> usize {
        match self {
            Self::Taken { index, .. } | Self::QueueFull { index, .. } | Self::Refused { index, .. } => *index,
        }
    }
}

/// What is asked of tasks that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Remove a dead letter for good; a child stays until its parent goes.
    Remove,
    /// Cancel it, and its children; one that runs may still end well within the grace.
    Cancel,
    /// Make a dead letter ready again, in a new epoch with its attempts from 1.
    Requeue,
    /// Hold it back; one that runs is held back once it comes back to the queue.
    Pause,
    /// Let a paused task go on, or give one that is suspended this answer; `null` where none is given.
    Resume(Option<JsonText>),
    /// Close a dead letter or a blocked step by hand.
    Resolve(Resolution),
}

/// With what a task is closed by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Its result.
    pub result: JsonText,
    /// The places of the steps that run behind it, where it is a decision.
    pub chosen: Option<Vec<u32>>,
}

impl From<JsonText> for Resolution {
    fn from(result: JsonText) -> Self {
        Self { result, chosen: None }
    }
}

/// What became of such a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is done.
    Done,
    /// The task runs: it was told, and what was asked happens when its run is over.
    Underway,
    /// A pause that was to come was taken back; the task stays in this state.
    Stays(State),
    /// It cannot be done to a task in this state.
    Refused(State),
    /// The task waits for its children; nobody can answer for them.
    OnChildren,
    /// There is no such task.
    Unknown,
}
