//! What can be asked about schedules, and asked of them.

use bulkhead_core::{
    Kind, MissedRule, OverlapRule, ScheduleError, ScheduleName, ScheduleSubmission, Span, Submission, TaskId, TickSkip,
    Timestamp,
};
use serde::Serialize;

/// The most schedules of one store: a list of all of them is one answer, and all may tick in the same second.
pub const MAX_SCHEDULES: u32 = 1_000;

/// A schedule as callers see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScheduleView {
    /// What it is called.
    pub name: ScheduleName,
    /// Its pattern, as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The zone of the pattern, as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The distance of two ticks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// The kind of its tasks.
    pub kind: Kind,
    /// The task that each tick makes; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Submission>,
    /// What becomes of ticks that were missed.
    pub missed: MissedRule,
    /// What becomes of a tick while the task of an earlier one has not ended.
    pub overlap: OverlapRule,
    /// Whether it makes no tasks for now.
    pub paused: bool,
    /// When it was made: from where `every` is counted.
    pub made_at: Timestamp,
    /// When it ticks next; none while it is paused.
    pub next_tick: Option<Timestamp>,
    /// Ticks that will be tasks once the earlier ones have ended, the oldest first.
    pub waiting: Vec<Timestamp>,
    /// The last tick that was handled.
    pub last: Option<LastTick>,
    /// The task of a tick, while it has not ended.
    pub running: Option<TaskId>,
}

/// A tick that was handled, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct LastTick {
    /// The tick.
    pub tick: Timestamp,
    /// What became of it.
    #[serde(flatten)]
    pub fate: TickFate,
}

/// What became of a tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(tag = "became", rename_all = "snake_case")]
pub enum TickFate {
    /// It is a task.
    Task {
        /// The task.
        task: TaskId,
    },
    /// It was passed over.
    Skipped {
        /// Why.
        reason: TickSkip,
    },
    /// The store refused its task; the host's log says why.
    Refused,
}

/// What is asked about one schedule.
#[derive(Debug, Clone, PartialEq)]
pub enum ScheduleChange {
    /// Have it as it is written here.
    Put {
        /// The schedule.
        submission: Box<ScheduleSubmission>,
        /// Whether one of this name that was written otherwise gives way.
        replace: bool,
    },
    /// Make no tasks until it is resumed.
    Pause(ScheduleName),
    /// Make tasks again; the ticks since the pause never were.
    Resume(ScheduleName),
    /// Forget it; a task of it that is there goes on.
    Remove(ScheduleName),
}

/// What became of such a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleFate {
    /// It is there from now on.
    Added,
    /// It was there before, written the same, and is as it was.
    Same,
    /// It took the place of one that was written otherwise.
    Replaced,
    /// It is paused, resumed or removed.
    Done,
    /// There is none of that name.
    Unknown,
    /// One of that name is there, written otherwise.
    Taken,
    /// There are [`MAX_SCHEDULES`] already.
    TooMany,
    /// It is not acceptable.
    Unacceptable(ScheduleError),
    /// The database refuses it, in these words.
    Refused(String),
}
