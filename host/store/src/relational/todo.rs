//! What waits to be written.

use std::sync::Arc;

use bulkhead_core::Kind;

use crate::{Commit, LeaseId, ProgressNote, TaskSeq, WorkLine, WorkerId};

use super::events::AskedEvents;
use super::request::{Answer, Asked, AskedSchedule, Submit};
use super::workflow::{AskedWorkflow, BeginWorkflow};

/// Tasks that a worker gives back, and whom to tell.
type Release = (WorkerId, Vec<(LeaseId, TaskSeq)>, Answer<()>);

/// Everything that waits to be written.
#[derive(Debug, Default)]
pub(super) struct Todo {
    pub(super) commits: Vec<(WorkerId, Vec<Commit>)>,
    pub(super) releases: Vec<Release>,
    /// How far running tasks say they have come.
    pub(super) reports: Vec<(WorkerId, Vec<(TaskSeq, ProgressNote)>)>,
    pub(super) detached: Vec<WorkerId>,
    pub(super) changes: Vec<Asked>,
    pub(super) holds: Vec<(Option<Kind>, bool, Answer<()>)>,
    pub(super) schedules: Vec<AskedSchedule>,
    pub(super) submits: Vec<Submit>,
    pub(super) begins: Vec<BeginWorkflow>,
    pub(super) workflow_changes: Vec<AskedWorkflow>,
    pub(super) events: Vec<AskedEvents>,
    /// Workers that come, where others must know of them.
    pub(super) attaches: Vec<(WorkerId, Arc<str>, Answer<WorkLine>)>,
    /// Workers that renew their leases, likewise.
    pub(super) renewals: Vec<(WorkerId, Answer<bool>)>,
    /// What other hosts have done is looked at.
    pub(super) look: bool,
    /// Claims are made, and what is due is promoted.
    pub(super) claim: bool,
}

impl Todo {
    pub(super) fn is_empty(&self) -> bool {
        self.commits.is_empty()
            && self.releases.is_empty()
            && self.reports.is_empty()
            && self.detached.is_empty()
            && self.changes.is_empty()
            && self.holds.is_empty()
            && self.schedules.is_empty()
            && self.submits.is_empty()
            && self.begins.is_empty()
            && self.workflow_changes.is_empty()
            && self.events.is_empty()
            && self.attaches.is_empty()
            && self.renewals.is_empty()
    }
}
