//! What becomes of requests from outside.

use bulkhead_core::{State, TaskId};

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
            Self::Taken { index, .. } | Self::Refused { index, .. } => *index,
        }
    }
}

/// What became of a request to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelFate {
    /// Cancelled.
    Cancelled,
    /// It runs; its sandbox was told, and the task will be cancelled unless it ends within the grace.
    Cancelling,
    /// It had already ended in this state.
    Ended(State),
    /// There is no such task.
    Unknown,
}

/// What became of a request to requeue a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequeueFate {
    /// Ready again, in a new epoch.
    Requeued,
    /// It is not dead but in this state.
    NotDead(State),
    /// There is no such task.
    Unknown,
}
