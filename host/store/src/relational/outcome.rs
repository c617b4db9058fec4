//! What one cycle has done, to be shown after its commit, or taken back.

use std::sync::Arc;
use std::time::Instant;

use bulkhead_core::{DeadReason, Route, Timestamp, WorkflowState};

use crate::{
    BatchRefusal, Claimed, CommitFate, Fate, LeaseId, LiveEvent, ScheduleFate, Submitted, TaskSeq, WorkerId,
    WorkflowFate,
};

use super::events::{EventReply, Noted};
use super::joining::ChildEnd;
use super::leases::Lease;
use super::slot::RouteId;
use super::workflow::{BeginAnswer, StepChange};

/// A batch that was claimed.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) id: LeaseId,
    pub(super) lease: Lease,
    pub(super) tasks: Vec<Claimed>,
}

/// The effects of a cycle. The first group is undone in part when a savepoint is, the second is not written inside one.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) counts: Vec<(RouteId, i64)>,
    pub(super) done: Vec<(LeaseId, TaskSeq)>,
    pub(super) new_routes: Vec<RouteId>,
    pub(super) ended: Vec<TaskSeq>,
    /// Tasks that have come somewhere, of which workflows are told at the end of the cycle.
    pub(super) step_changes: Vec<StepChange>,
    /// Children that have ended, of which their parents are told before anything is claimed.
    pub(super) child_ends: Vec<ChildEnd>,
    pub(super) died: Vec<(RouteId, DeadReason)>,
    /// How workflows stand in which nothing goes on since this cycle.
    pub(super) standings: Vec<WorkflowState>,
    /// Tasks of limited kinds, perhaps, that run no more.
    pub(super) freed: Vec<RouteId>,
    /// Claims counted towards the limits of kinds.
    pub(super) limited: Vec<(Arc<Route>, i64)>,
    /// Cancelled tasks that have ended or were given back.
    pub(super) settled: Vec<TaskSeq>,
    /// Running tasks that are to be told that they are cancelled.
    pub(super) marked: Vec<(Option<WorkerId>, TaskSeq)>,
    /// The same of tasks that were cancelled by way of another host.
    pub(super) heard: Vec<(WorkerId, TaskSeq)>,
    /// Whether the leases of those who renewed were still valid.
    pub(super) renewed: Vec<bool>,
    /// The rows of cycles before this one are gone.
    pub(super) forgotten: Option<i64>,
    /// Up to where what was parked has been looked at.
    pub(super) parked_seen: Option<(Timestamp, TaskSeq)>,
    /// Whether the depths are written as they are now.
    pub(super) counts_saved: bool,
    /// When it was.
    pub(super) now: Option<Timestamp>,
    /// Routes whose depth was looked at.
    pub(super) seen: Vec<RouteId>,
    /// Events to be kept or told.
    pub(super) events: Vec<Noted>,

    pub(super) fates: Vec<(WorkerId, Vec<(TaskSeq, CommitFate)>)>,
    pub(super) submitted: Vec<Result<Vec<Submitted>, BatchRefusal>>,
    pub(super) begun: Vec<BeginAnswer>,
    pub(super) workflow_fates: Vec<WorkflowFate>,
    pub(super) fates_of_changes: Vec<Vec<Fate>>,
    pub(super) fates_of_schedules: Vec<ScheduleFate>,
    pub(super) claims: Vec<Claim>,
    /// When the first of them was looked for.
    pub(super) claiming_since: Option<Instant>,
    /// Events that are told and not kept.
    pub(super) live: Vec<LiveEvent>,
    /// The number of the next event that is kept, where that was looked at.
    pub(super) next_event: Option<i64>,
    /// Whether webhooks were changed.
    pub(super) events_changed: bool,
    pub(super) event_replies: Vec<EventReply>,
    /// Leases that are over.
    pub(super) over: Vec<LeaseId>,
    /// Workers whose leases ran out.
    pub(super) lost: Vec<WorkerId>,
    /// Workers that left.
    pub(super) detached: Vec<WorkerId>,
    /// `counts` before this place belong to an outer savepoint.
    pub(super) floor: usize,
}

/// How far an outcome had come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) counts: usize,
    pub(super) done: usize,
    pub(super) new_routes: usize,
    pub(super) ended: usize,
    pub(super) step_changes: usize,
    pub(super) child_ends: usize,
    pub(super) died: usize,
    pub(super) standings: usize,
    pub(super) settled: usize,
    pub(super) marked: usize,
    pub(super) heard: usize,
    pub(super) freed: usize,
    pub(super) limited: usize,
    pub(super) events: usize,
}

impl Outcome {
    pub(super) fn mark(&self) -> Mark {
        Mark {
            counts: self.counts.len(),
            done: self.done.len(),
            new_routes: self.new_routes.len(),
            ended: self.ended.len(),
            step_changes: self.step_changes.len(),
            child_ends: self.child_ends.len(),
            died: self.died.len(),
            standings: self.standings.len(),
            settled: self.settled.len(),
            marked: self.marked.len(),
            heard: self.heard.len(),
            freed: self.freed.len(),
            limited: self.limited.len(),
            events: self.events.len(),
        }
    }
}

impl Mark {
    /// Before anything was done.
    pub(super) const START: Self = Self {
        counts: 0,
        done: 0,
        new_routes: 0,
        ended: 0,
        step_changes: 0,
        child_ends: 0,
        died: 0,
        standings: 0,
        settled: 0,
        marked: 0,
        heard: 0,
        freed: 0,
        limited: 0,
        events: 0,
    };
}
