//! What the guest threads and the host's side of a worker have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bulkhead_delegates::Delegates;
use bulkhead_sandbox::{Catalogue, Sandbox};
use bulkhead_store::Store;
use tokio::sync::Semaphore;

use crate::concurrency::Concurrency;
use crate::guest_queue::GuestQueue;
use crate::in_flight::InFlight;
use crate::lease_guard::LeaseGuard;
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::progress::Reports;
use crate::settings::WorkerSettings;
use crate::status::WorkerState;
use crate::workspaces::{Bindings, Workspaces};

/// One worker's parts.
pub(crate) struct Shared {
    pub(crate) settings: WorkerSettings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sandbox: Sandbox,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) delegates: Arc<Delegates>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) queue: GuestQueue,
    pub(crate) outbox: Outbox,
    pub(crate) in_flight: InFlight,
    pub(crate) concurrency: Concurrency,
    pub(crate) reports: Arc<Reports>,
    pub(crate) workspaces: Arc<Workspaces>,
    /// One permit for each sandbox in flight.
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) lease: LeaseGuard,
    state: AtomicU8,
}

impl Shared {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        sandbox: Sandbox,
        catalogue: Arc<Catalogue>,
        delegates: Arc<Delegates>,
        settings: WorkerSettings,
        metrics: Arc<Metrics>,
        bindings: Option<Arc<Bindings>>,
    ) -> Self {
        let max_concurrent = settings.max_concurrent.max(1) as usize;
        Self {
            queue: GuestQueue::new(settings.cpu_slots.max(1) as usize),
            outbox: Outbox::new(max_concurrent),
            slots: Arc::new(Semaphore::new(max_concurrent)),
            in_flight: InFlight::default(),
            concurrency: Concurrency::default(),
            reports: Arc::default(),
            workspaces: Arc::new(Workspaces::new(settings.workspaces.clone(), bindings)),
            lease: LeaseGuard::default(),
            state: AtomicU8::new(WorkerState::Running as u8),
            settings,
            store,
            sandbox,
            catalogue,
            delegates,
            metrics,
        }
    }

    pub(crate) fn state(&self) -> WorkerState {
        match self.state.load(Ordering::Acquire) {
            state if state == WorkerState::Running as u8 => WorkerState::Running,
            state if state == WorkerState::Draining as u8 => WorkerState::Draining,
            state if state == WorkerState::CutOff as u8 => WorkerState::CutOff,
            state if state == WorkerState::Paused as u8 => WorkerState::Paused,
            _ => WorkerState::Drained,
        }
    }

    /// Goes to the next state from any of these; false where it was in none of them.
    pub(crate) fn change_state(&self, from: &[WorkerState], next: WorkerState) -> bool {
        from.iter().any(|state| {
            let changed = self.state.compare_exchange(*state as u8, next as u8, Ordering::AcqRel, Ordering::Acquire);
            changed.is_ok()
        })
    }

    pub(crate) fn set_state(&self, state: WorkerState) {
        self.state.store(state as u8, Ordering::Release);
    }
}
