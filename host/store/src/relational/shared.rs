//! What the store's thread shows to everybody else.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bulkhead_core::{DeadReason, Kind, Route, Timestamp, WorkflowState};

use crate::{DeadCount, Held, RouteDepth};

use super::events::Channel;
use super::slot::RouteId;
use super::waiters::Waiters;

/// Written by the store's thread after each commit, read by anyone.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) waiters: Waiters,
    pub(super) events: Channel,
    depths: Mutex<BTreeMap<RouteId, Depth>>,
    served: RwLock<Served>,
    deaths: Mutex<BTreeMap<(Kind, DeadReason), u64>>,
    settled: [AtomicU64; WorkflowState::ALL.len()],
    held: Mutex<Held>,
}

/// How much of one route waits.
#[derive(Debug)]
pub(super) struct Depth {
    pub(super) route: Arc<Route>,
    pub(super) pending: u64,
    pub(super) oldest_due: Option<Timestamp>,
}

/// Which routes some worker serves.
#[derive(Debug, Default)]
struct Served {
    /// Whether any worker has said what it serves.
    known: bool,
    routes: HashSet<RouteId>,
}

impl Shared {
    pub(super) fn depths(&self) -> Vec<RouteDepth> {
        let depths = self.depths.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = |depth: &Depth| RouteDepth {
            route: (*depth.route).clone(),
            pending: depth.pending,
            oldest_due: depth.oldest_due,
        };
        depths.values().map(shown).collect()
    }

    /// Counts tasks that became dead letters.
    pub(super) fn count_deaths(&self, died: impl Iterator<Item = (Kind, DeadReason)>) {
        let mut died = died.peekable();
        if died.peek().is_some() {
            let mut deaths = self.deaths.lock().unwrap_or_else(PoisonError::into_inner);
            died.for_each(|death| *deaths.entry(death).or_default() += 1);
        }
    }

    pub(super) fn deaths(&self) -> Vec<DeadCount> {
        let deaths = self.deaths.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = |((kind, reason), count): (&(Kind, DeadReason), &u64)| DeadCount {
            kind: kind.clone(),
            reason: *reason,
            count: *count,
        };
        deaths.iter().map(shown).collect()
    }

    /// Counts workflows in which nothing goes on any more.
    pub(super) fn count_settled(&self, states: &[WorkflowState]) {
        for (count, state) in self.settled.iter().zip(WorkflowState::ALL) {
            let more = states.iter().filter(|settled| **settled == state).count() as u64;
            count.fetch_add(more, Ordering::Relaxed);
        }
    }

    pub(super) fn settled(&self) -> Vec<(WorkflowState, u64)> {
        let counts = self.settled.iter().map(|count| count.load(Ordering::Relaxed));
        WorkflowState::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    /// What operators hold back.
    pub(super) fn held(&self) -> Held {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn show_held(&self, held: Held) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }

    /// Replaces what is known of some routes.
    pub(super) fn show(&self, changed: impl Iterator<Item = (RouteId, Depth)>) {
        self.depths.lock().unwrap_or_else(PoisonError::into_inner).extend(changed);
    }

    /// Forgets a route that holds nothing.
    pub(super) fn forget(&self, route: RouteId) {
        self.depths.lock().unwrap_or_else(PoisonError::into_inner).remove(&route);
    }

    /// Tasks that are ready in any way.
    pub(super) fn pending(&self) -> u64 {
        self.depths.lock().unwrap_or_else(PoisonError::into_inner).values().map(|depth| depth.pending).sum()
    }

    pub(super) fn show_served(&self, known: bool, routes: HashSet<RouteId>) {
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Served { known, routes };
    }

    pub(super) fn show_served_also(&self, route: RouteId) {
        self.served.write().unwrap_or_else(PoisonError::into_inner).routes.insert(route);
    }

    /// Takes back what was shown of a route whose number was not given after all; the next route has it.
    pub(super) fn hide_served(&self, route: RouteId) {
        self.served.write().unwrap_or_else(PoisonError::into_inner).routes.remove(&route);
    }

    /// The routes that are served; `None` while nobody has said.
    pub(super) fn served(&self) -> Option<HashSet<RouteId>> {
        let served = self.served.read().unwrap_or_else(PoisonError::into_inner);
        served.known.then(|| served.routes.clone())
    }

    /// Whether a route waits for a worker or handler that is not there.
    pub(super) fn is_unroutable(&self, route: RouteId) -> bool {
        let served = self.served.read().unwrap_or_else(PoisonError::into_inner);
        served.known && !served.routes.contains(&route)
    }
}
