//! What the store's thread keeps in memory; all of it can be read back from the file.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bulkhead_core::{Route, Timestamp};

use crate::{Held, LeaseId, TaskSeq, WorkerId};

use super::agenda::Agenda;
use super::attached::Attached;
use super::dice::Dice;
use super::events::Desk;
use super::interned::{Names, Routes};
use super::kind_limits::KindLimits;
use super::leases::Leases;
use super::many_hosts::ManyHosts;
use super::ready_index::ReadyIndex;
use super::retention::Walk;
use super::settings::QueueSettings;
use super::shared::Shared;
use super::slot::{Rank, RouteId};

/// A due task that runs alone, in the order in which such tasks are claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lone {
    pub(super) rank: Rank,
    pub(super) due: Timestamp,
    pub(super) seq: TaskSeq,
    pub(super) route: RouteId,
}

/// The thread's memory.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) settings: QueueSettings,
    /// What this host knows of others on the same database; `None` where there can be none.
    pub(super) many_hosts: Option<ManyHosts>,
    pub(super) shared: Arc<Shared>,
    pub(super) routes: Routes,
    /// Tasks that wait in the queue, of all routes.
    pub(super) pending: i64,
    pub(super) ready: ReadyIndex,
    /// Few: tasks over which workers were lost.
    pub(super) alone: BTreeSet<Lone>,
    pub(super) leases: Leases,
    pub(super) workers: BTreeMap<WorkerId, Attached>,
    pub(super) names: Names,
    /// Running tasks that were cancelled, and when.
    pub(super) cancelled: HashMap<TaskSeq, Timestamp>,
    /// Routes whose parked tasks become due, each with the last task that was looked at.
    pub(super) unparking: VecDeque<(RouteId, TaskSeq)>,
    /// A catalogue has changed, so that what was parked before it was paused is no longer.
    pub(super) new_catalogue: bool,
    pub(super) next_delayed: Option<Timestamp>,
    pub(super) next_expiry: Option<Timestamp>,
    /// When something happens to a task that waits.
    pub(super) next_wake: Option<Timestamp>,
    /// When schedules are looked at.
    pub(super) agenda: Agenda,
    /// What of events is subscribed.
    pub(super) events: Desk,
    pub(super) limits: KindLimits,
    /// What operators hold back.
    pub(super) held: Held,
    /// Whether any task ever had children; where none had, nobody looks for parents.
    pub(super) has_kin: bool,
    /// Whether there are workflows; where there are none, nobody looks for steps.
    pub(super) has_steps: bool,
    /// Whether any run ever told anything of itself.
    pub(super) has_told: bool,
    /// Whether any task is to be paused when it comes back to the queue.
    pub(super) has_pausing: bool,
    pub(super) next_name_sweep: Timestamp,
    /// Over what has ended, to remove it in time.
    pub(super) retention_walk: Walk,
    pub(super) dice: Dice,
    /// A rollback left the index behind the file; it is loaded anew before the next claim.
    pub(super) stale: bool,
    next_seq: i64,
    next_lease: i64,
    next_worker: i64,
}

impl Memory {
    /// An empty memory. `latest` is the number of the newest task; leases are numbered from a random generation, so
    /// that no number of an earlier holder of the file is given again.
    pub(super) fn new(
        settings: QueueSettings,
        shared: Arc<Shared>,
        latest: TaskSeq,
        many_hosts: Option<ManyHosts>,
        now: Timestamp,
    ) -> Self {
        let mut dice = Dice::seeded();
        // 31 bits of generation, then 32 of count: positive, and it grows while this process lives.
        let generation = i64::try_from(dice.throw() >> 33).unwrap_or(0) << 32;
        let limits = KindLimits::new(&settings.limits, now);
        Self {
            settings,
            many_hosts,
            shared,
            routes: Routes::default(),
            pending: 0,
            ready: ReadyIndex::default(),
            alone: BTreeSet::new(),
            leases: Leases::default(),
            workers: BTreeMap::new(),
            names: Names::default(),
            cancelled: HashMap::new(),
            unparking: VecDeque::new(),
            new_catalogue: false,
            next_delayed: None,
            next_expiry: None,
            next_wake: None,
            agenda: Agenda::default(),
            events: Desk::default(),
            limits,
            held: Held::default(),
            has_kin: false,
            has_steps: false,
            has_told: false,
            has_pausing: false,
            next_name_sweep: now,
            retention_walk: Walk::from(now),
            dice,
            stale: true,
            next_seq: latest.0 + 1,
            next_lease: generation,
            next_worker: generation,
        }
    }

    /// The number of the next task; one that is rolled back is not given again.
    pub(super) fn new_seq(&mut self) -> TaskSeq {
        let seq = self.next_seq;
        self.next_seq += 1;
        TaskSeq(seq)
    }

    /// The routes that a worker may be given tasks of.
    pub(super) fn served_by(&self, worker: WorkerId) -> Vec<RouteId> {
        let Some(served) = self.workers.get(&worker).and_then(|attached| attached.routes.as_ref()) else {
            return Vec::new();
        };
        let may_run = |route: &Route| (served.serves)(route) && !self.is_held(route);
        let known = self.routes.iter().filter(|(_, known)| may_run(&known.route));
        known.map(|(id, _)| id).collect()
    }

    /// The routes that a worker serves and that hold tasks, held back or not.
    pub(super) fn waiting_for(&self, worker: WorkerId) -> Vec<RouteId> {
        let Some(served) = self.workers.get(&worker).and_then(|attached| attached.routes.as_ref()) else {
            return Vec::new();
        };
        let waits = self.routes.iter().filter(|(_, known)| known.pending > 0 && (served.serves)(&known.route));
        waits.map(|(id, _)| id).collect()
    }

    /// The routes that any worker serves, held back or not.
    pub(super) fn routable(&self) -> HashSet<RouteId> {
        let serves = |route: &Route| {
            let served = self.workers.values().filter_map(|attached| attached.routes.as_ref());
            served.into_iter().any(|served| (served.serves)(route))
        };
        self.routes.iter().filter(|(_, known)| serves(&known.route)).map(|(id, _)| id).collect()
    }

    /// Whether an operator holds the route's tasks back, or their kind is at its limit.
    pub(super) fn is_held(&self, route: &Route) -> bool {
        self.held.all || self.held.kinds.contains(&route.kind) || self.limits.is_closed(route)
    }

    /// Serves every worker anew, since what is held back has changed.
    pub(super) fn serve_anew(&mut self) {
        for worker in self.workers.keys().copied().collect::<Vec<_>>() {
            let served = self.served_by(worker);
            self.ready.serve(worker, served.into_iter());
        }
    }

    pub(super) fn new_lease(&mut self) -> LeaseId {
        self.next_lease += 1;
        LeaseId(self.next_lease)
    }

    pub(super) fn new_worker(&mut self) -> WorkerId {
        self.next_worker += 1;
        WorkerId(self.next_worker)
    }
}

/// The earlier of a moment and one that may be known.
pub(super) fn earlier(known: Option<Timestamp>, moment: Timestamp) -> Option<Timestamp> {
    Some(known.map_or(moment, |known| known.min(moment)))
}
