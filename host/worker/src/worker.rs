//! A worker's life: attach, serve, lose its leases and attach again, drain.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_delegates::Delegates;
use bulkhead_sandbox::{Catalogue, Sandbox, Stop};
use bulkhead_store::{Delivery, LEASE_RENEW_EVERY, LeaseId, ServedRoutes, Store, StoreError, WorkLine, WorkSender};
use tokio::sync::{OnceCell, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::clock::since_boot;
use crate::guest_thread;
use crate::metrics::Metrics;
use crate::outbox::LINGER;
use crate::progress::send_reports;
use crate::settings::{WorkerError, WorkerSettings};
use crate::shared::Shared;
use crate::status::{DrainReport, WorkerState, WorkerStatus};
use crate::workspaces::{Bindings, Workspaces, look_after_bindings, sweep};

/// How often a worker that was cut off tries to attach again.
const ATTACH_AGAIN: Duration = Duration::from_secs(1);

/// How often the lease is looked at, so that a cut-off worker stops in time.
const WATCH_LEASE: Duration = Duration::from_millis(250);

/// How long interrupted runs may take to be committed at the end of a drain.
const LAST_COMMITS: Duration = Duration::from_secs(5);

/// A running worker. Dropping it without [`Worker::drain`] leaves its tasks to the lease.
pub struct Worker {
    shared: Arc<Shared>,
    /// The line in use; `None` while cut off.
    line: watch::Receiver<Option<Arc<dyn WorkSender>>>,
    /// Asks the pump to answer once it has handed on everything that the store has sent so far.
    barriers: mpsc::Sender<oneshot::Sender<()>>,
    services: JoinSet<()>,
    drained: OnceCell<DrainReport>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Worker").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Worker {
    /// Attaches to the store, starts the guest threads, and claims.
    pub async fn start(
        store: Arc<dyn Store>,
        sandbox: Sandbox,
        catalogue: Arc<Catalogue>,
        delegates: Arc<Delegates>,
        settings: WorkerSettings,
        metrics: Arc<Metrics>,
    ) -> Result<Self, WorkerError> {
        let bindings = Bindings::of(&store, &settings.workspaces, &settings.name).map_err(WorkerError::Workspaces)?;
        let asked_at = since_boot();
        let line = store.attach(&settings.name).await.map_err(WorkerError::Attach)?;
        let shared = Arc::new(Shared::new(
            Arc::clone(&store),
            sandbox,
            catalogue,
            delegates,
            settings,
            metrics,
            bindings.clone(),
        ));
        shared.lease.confirm(asked_at);
        for number in 0..shared.settings.cpu_slots.max(1) {
            guest_thread::start(Arc::clone(&shared), number).map_err(WorkerError::Thread)?;
        }
        let (line_changed, current) = watch::channel(Some(Arc::clone(&line.sender)));
        let mut services = JoinSet::new();
        services.spawn(flush_lingering(Arc::clone(&shared)));
        services.spawn(tell_routes(Arc::clone(&shared), current.clone()));
        services.spawn(send_reports(Arc::clone(&shared.reports), current.clone()));
        services.spawn(renew(Arc::clone(&shared), current.clone()));
        services.spawn(sweep(Arc::clone(&shared.workspaces), Arc::clone(&store)));
        if let Some(bindings) = bindings {
            services.spawn(look_after_bindings(bindings));
        }
        let (barriers, asked) = mpsc::channel(1);
        services.spawn(live(Arc::clone(&shared), store, line, line_changed, asked));
        Ok(Self { shared, line: current, barriers, services, drained: OnceCell::new() })
    }

    /// How the worker is.
    pub fn status(&self) -> WorkerStatus {
        let shared = &self.shared;
        let max_concurrent = shared.settings.max_concurrent;
        let in_flight = (max_concurrent.max(1) as usize).saturating_sub(shared.slots.available_permits());
        shared.metrics.show_slots(in_flight, max_concurrent.max(1) as usize);
        WorkerStatus {
            name: shared.settings.name.clone(),
            state: shared.state(),
            held: shared.outbox.held(),
            in_flight,
            max_concurrent,
            cpu_slots: shared.settings.cpu_slots,
            lease_confirmed: shared.lease.left().is_some(),
        }
    }

    /// The folders that its tasks share with this host.
    pub fn workspaces(&self) -> &Arc<Workspaces> {
        &self.shared.workspaces
    }

    /// Claims nothing more until [`Worker::resume`]; what it holds goes on. False where it drains or has.
    pub async fn pause(&self) -> Result<bool, StoreError> {
        if !self.shared.change_state(&[WorkerState::Running, WorkerState::CutOff], WorkerState::Paused) {
            return Ok(self.shared.state() == WorkerState::Paused);
        }
        self.shared.outbox.stop_claiming();
        let line = self.line.borrow().clone();
        if let Some(line) = line {
            line.stop_claiming().await?;
        }
        Ok(true)
    }

    /// Claims again after a pause. False where it drains or has.
    pub fn resume(&self) -> bool {
        if self.shared.change_state(&[WorkerState::Paused], WorkerState::Running) {
            self.shared.outbox.start_claiming();
        }
        matches!(self.shared.state(), WorkerState::Running | WorkerState::CutOff)
    }

    /// Claims nothing more, lets running work end within the drain's time, interrupts the rest and gives it back.
    ///
    /// Heartbeats go on all the while. Whoever calls it while another does waits with it, and hears the same.
    pub async fn drain(&self) -> DrainReport {
        *self.drained.get_or_init(|| self.drain_once()).await
    }

    async fn drain_once(&self) -> DrainReport {
        let shared = &self.shared;
        shared.set_state(WorkerState::Draining);
        shared.outbox.stop_claiming();
        let mut current = self.line.clone();
        let line = current.borrow_and_update().clone();
        let mut report = DrainReport { released: 0, interrupted: 0 };
        if let Some(line) = line {
            tokio::select! {
                () = self.empty(&*line, &mut report) => {}
                // Cut off: what it ran is stopped, and nobody is there to take what it held.
                _ = current.wait_for(Option::is_none) => {}
            }
        }
        shared.set_state(WorkerState::Drained);
        shared.queue.close();
        report
    }

    /// Has the store send nothing more, and waits until nothing is held.
    async fn empty(&self, line: &dyn WorkSender, report: &mut DrainReport) {
        let shared = &self.shared;
        if let Err(error) = line.stop_claiming().await {
            tracing::warn!(%error, "the store did not confirm that claiming stopped");
        }
        // A batch that was claimed before the stop may still be on its way to the queue.
        let (answer, handed_on) = oneshot::channel();
        if self.barriers.send(answer).await.is_ok() {
            let _ = handed_on.await;
        }
        report.released += give_back(shared, line).await;
        let deadline = tokio::time::Instant::now() + shared.settings.drain_timeout;
        if !emptied(shared, line, deadline, report).await {
            report.interrupted = shared.in_flight.stop_all(LeaseId(i64::MAX), Stop::Drain);
            tracing::warn!(interrupted = report.interrupted, "the drain's time is over; running work is interrupted");
            let deadline = tokio::time::Instant::now() + LAST_COMMITS;
            emptied(shared, line, deadline, report).await;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.services.abort_all();
        self.shared.in_flight.stop_all(LeaseId(i64::MAX), Stop::LeaseLost);
        self.shared.queue.clear();
        self.shared.queue.close();
    }
}

/// Gives back what no guest thread has begun.
async fn give_back(shared: &Shared, line: &dyn WorkSender) -> usize {
    let unstarted: Vec<_> = shared.queue.clear().iter().map(|task| (task.lease, task.seq)).collect();
    let count = unstarted.len();
    if count > 0 {
        if let Err(error) = line.release(unstarted).await {
            tracing::warn!(%error, count, "tasks could not be given back; they wait for the lease to end");
        }
        shared.outbox.released(count);
    }
    count
}

/// Waits until everything held is committed or given back; false where the deadline came first.
async fn emptied(
    shared: &Shared,
    line: &dyn WorkSender,
    deadline: tokio::time::Instant,
    report: &mut DrainReport,
) -> bool {
    loop {
        let emptied = shared.outbox.emptied.notified();
        report.released += give_back(shared, line).await;
        shared.outbox.flush();
        if shared.outbox.is_empty() {
            return true;
        }
        // The short step covers a notification that fell between the look and the wait.
        let step = deadline.min(tokio::time::Instant::now() + Duration::from_millis(50));
        let _ = tokio::time::timeout_at(step, emptied).await;
        if tokio::time::Instant::now() >= deadline {
            return shared.outbox.is_empty();
        }
    }
}

/// Serves one line after the other, for as long as the worker lives.
async fn live(
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    first: WorkLine,
    line_changed: watch::Sender<Option<Arc<dyn WorkSender>>>,
    mut barriers: mpsc::Receiver<oneshot::Sender<()>>,
) {
    let mut line = first;
    loop {
        shared.outbox.open(Arc::clone(&line.sender), || claims(&shared));
        pump(&shared, &mut line.deliveries, &mut barriers).await;
        cut_off(&shared);
        line_changed.send_replace(None);
        drop(line);
        line = loop {
            tokio::time::sleep(ATTACH_AGAIN).await;
            // Its guest threads have ended: nobody would run what it claims.
            if shared.state() == WorkerState::Drained {
                return;
            }
            let asked_at = since_boot();
            match store.attach(&shared.settings.name).await {
                Ok(line) => {
                    shared.lease.confirm(asked_at);
                    break line;
                }
                Err(StoreError::Closed) => return,
                Err(error) => tracing::warn!(%error, "cannot attach to the store; trying again"),
            }
        };
        shared.change_state(&[WorkerState::CutOff], WorkerState::Running);
        line_changed.send_replace(Some(Arc::clone(&line.sender)));
        tracing::info!("attached to the store again");
    }
}

/// Whether a worker in this state asks for tasks, once it has a line.
fn claims(shared: &Shared) -> bool {
    matches!(shared.state(), WorkerState::Running | WorkerState::CutOff)
}

/// Hands on what the store sends, until the leases are lost or can no longer be trusted.
async fn pump(
    shared: &Shared,
    deliveries: &mut mpsc::Receiver<Delivery>,
    barriers: &mut mpsc::Receiver<oneshot::Sender<()>>,
) {
    let mut watch = tokio::time::interval(WATCH_LEASE);
    watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let delivery = tokio::select! {
            biased;
            delivery = deliveries.recv() => delivery,
            // Looked at only where no delivery is there.
            Some(barrier) = barriers.recv() => {
                let _ = barrier.send(());
                continue;
            }
            _ = watch.tick() => {
                if shared.lease.left().is_none() {
                    tracing::error!("no renewal of the leases was confirmed in time; every sandbox is dropped");
                    return;
                }
                continue;
            }
        };
        match delivery {
            Some(Delivery::Claimed { tasks, took }) => {
                shared.metrics.claim_duration.observe(took.as_secs_f64());
                shared.outbox.claimed(&tasks);
                shared.queue.push(tasks);
            }
            Some(Delivery::Committed(fates)) => {
                shared.outbox.committed(&fates, &shared.metrics);
                if shared.outbox.is_empty() {
                    shared.in_flight.forget_cancels();
                }
            }
            Some(Delivery::Cancel(tasks)) => shared.in_flight.cancel(&tasks),
            Some(Delivery::Troubled(error)) => {
                tracing::error!(%error, "the store cannot write for now; ended runs are kept and tried again");
            }
            Some(Delivery::LeasesLost) | None => return,
        }
    }
}

/// Stops everything that ran under leases that can no longer be trusted.
fn cut_off(shared: &Shared) {
    // A worker that has drained loses nothing, and its store is closed in order.
    let lost = shared.state() != WorkerState::Drained;
    shared.change_state(&[WorkerState::Running], WorkerState::CutOff);
    let void = shared.outbox.shut();
    shared.queue.clear();
    let stopped = shared.in_flight.stop_all(void, Stop::LeaseLost);
    shared.in_flight.forget_cancels();
    if lost {
        shared.metrics.lease_lost.inc();
        tracing::warn!(stopped, "the worker's leases are void");
    }
}

/// Renews the leases, and measures how late each renewal was.
async fn renew(shared: Arc<Shared>, line: watch::Receiver<Option<Arc<dyn WorkSender>>>) {
    let mut due = since_boot() + LEASE_RENEW_EVERY;
    loop {
        tokio::time::sleep(due.saturating_sub(since_boot())).await;
        let current = line.borrow().clone();
        let asked_at = since_boot();
        // Leases that could not be trusted meanwhile are not taken up again: whoever stood still drops what it ran.
        if let Some(line) = current.filter(|_| shared.lease.left().is_some()) {
            match line.renew().await {
                Ok(true) => {
                    shared.lease.confirm(asked_at);
                    shared.metrics.heartbeat_lateness.observe(since_boot().saturating_sub(due).as_secs_f64());
                }
                // The line itself says so too; nothing is confirmed.
                Ok(false) => tracing::warn!("the leases were void when they were to be renewed"),
                Err(error) => tracing::warn!(%error, "the leases could not be renewed"),
            }
        }
        due = asked_at.max(due) + LEASE_RENEW_EVERY;
    }
}

/// Tells the store which routes can be served: at first, and whenever handlers or their free turns change.
async fn tell_routes(shared: Arc<Shared>, mut line: watch::Receiver<Option<Arc<dyn WorkSender>>>) {
    let mut catalogue = shared.catalogue.changes();
    loop {
        let current = line.borrow_and_update().clone();
        catalogue.borrow_and_update();
        if let Some(line) = current {
            let snapshot = shared.catalogue.snapshot();
            let saturated = shared.concurrency.saturated();
            let generation = snapshot.generation;
            let others = Arc::clone(&snapshot);
            let bindings = shared.workspaces.bindings().cloned();
            let is_here = move |route: &_| bindings.as_ref().is_none_or(|bindings| bindings.may_run(route));
            line.serve(ServedRoutes {
                generation,
                serves: Arc::new(move |route| {
                    !saturated.contains(&route.kind) && is_here(route) && snapshot.serves(route)
                }),
                has_another: Arc::new(move |route, declined| others.serving_beside(route, declined).next().is_some()),
            });
        }
        tokio::select! {
            changed = line.changed() => if changed.is_err() { return },
            changed = catalogue.changed() => if changed.is_err() { return },
            () = shared.concurrency.changed.notified() => {}
            () = homes_changed(&shared) => {}
        }
    }
}

/// Waits until tasks of other homes may run here; for ever where no home binds any.
async fn homes_changed(shared: &Shared) {
    match shared.workspaces.bindings() {
        Some(bindings) => bindings.changed.notified().await,
        None => std::future::pending().await,
    }
}

/// Sends ended runs that have waited long enough for a fuller batch.
async fn flush_lingering(shared: Arc<Shared>) {
    loop {
        shared.outbox.began.notified().await;
        tokio::time::sleep(LINGER).await;
        shared.outbox.flush();
    }
}
