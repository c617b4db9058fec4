//! What every property uses: an engine under a clock of its own, a worker's end of a line, and tasks in few words.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{
    Category, Completion, Digest, Due, Extras, Failure, HandlerName, HandlerVersion, JsonText, Kind, KindLimit,
    NewTask, NextStep, Priority, Route, RunEnd, RunRecord, TagSet, TaskId, Timestamp,
};
use bulkhead_store::{
    Claimed, Commit, CommitFate, DatabaseStore, Delivery, LeaseId, Selection, ServedRoutes, Store, Submitted,
    TaskFilter, TaskSeq, TaskView, WorkLine,
};

use crate::manual_clock::ManualClock;

/// When the tests' clock begins.
pub(crate) const START: i64 = 1_800_000_000_000;

/// Longer than anything here takes; only a test that has failed waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// One engine with a fresh, empty store.
#[allow(async_fn_in_trait, reason = "used by these tests alone")]
pub(crate) trait Engine: Sized {
    /// One in which only so many tasks may wait, and with these limits of kinds.
    fn bounded(max_pending: u64, limits: BTreeMap<Kind, KindLimit>) -> Self;
    /// Opens the store.
    fn open(&mut self);
    /// Where the open store is.
    fn opened(&mut self) -> &mut Option<DatabaseStore>;
    fn database(&self) -> &DatabaseStore;
    fn clock(&self) -> &ManualClock;
    /// What the time that passes after a crash brings about.
    fn wait_out_a_crash(&self) {}
    /// Makes the database refuse the task with this payload, or the end of the task with this result.
    fn refuse_payload(&self, payload: &str);
    fn refuse_result(&self, result: &str);

    /// Whether nothing of workers outlives a crash but what they had claimed.
    fn forgets_workers() -> bool {
        false
    }

    /// Whether tasks that are over go with their partition, later than by themselves.
    fn keeps_partitions() -> bool {
        false
    }

    async fn start() -> Self {
        Self::bounded(u64::MAX, BTreeMap::new())
    }

    /// One in which only so many tasks may wait.
    async fn start_with_room_for(tasks: u64) -> Self {
        Self::bounded(tasks, BTreeMap::new())
    }

    /// One that bounds a kind.
    async fn start_with_limit(kind: Kind, limit: KindLimit) -> Self {
        Self::bounded(u64::MAX, [(kind, limit)].into())
    }

    fn store(&self) -> &dyn Store {
        self.database()
    }

    /// Moves the clock on, and lets the store do what is due then.
    async fn advance(&self, time: Duration) {
        self.clock().advance(time);
        self.settle().await;
    }

    /// Lets the store do everything that was asked before.
    async fn settle(&self) {
        // A worker's turn between tasks beside others and tasks alone moves on by one step a cycle.
        for _ in 0..3 {
            self.database().tick().await.unwrap();
        }
    }

    /// Ends the store as a crash would, and opens it again.
    async fn crash(mut self) -> Self {
        drop(self.opened().take());
        self.wait_out_a_crash();
        self.open();
        self.settle().await;
        self
    }

    /// Closes the store and opens it again.
    async fn reopen(self) -> Self {
        self.closed_for(Duration::ZERO).await
    }

    /// Closes the store and opens it again after this time.
    async fn closed_for(mut self, time: Duration) -> Self {
        self.opened().take().unwrap().close().await.unwrap();
        self.clock().advance(time);
        self.open();
        self.settle().await;
        self
    }

    /// Moves the clock on, and then a little, again and again, so that what is done a little at a time is done.
    async fn walk(&self, time: Duration) {
        self.advance(time).await;
        for _ in 0..30 {
            self.advance(Duration::from_millis(30)).await;
        }
    }

    async fn submit(&self, tasks: Vec<NewTask>) -> Vec<Submitted> {
        self.store().submit(tasks).await.unwrap().unwrap()
    }

    async fn submit_one(&self, task: NewTask) -> TaskId {
        self.submit(vec![task]).await.remove(0).id
    }

    async fn get(&self, id: &TaskId) -> TaskView {
        self.store().get(id).await.unwrap().unwrap()
    }

    /// A worker that serves everything.
    async fn worker(&self, permits: usize) -> Worker {
        self.worker_for(permits, |_| true).await
    }

    async fn worker_for(&self, permits: usize, serves: impl Fn(&Route) -> bool + Send + Sync + 'static) -> Worker {
        let line = self.store().attach("worker-a").await.unwrap();
        line.sender.serve(ServedRoutes::new(1, serves));
        line.sender.send(Vec::new(), permits);
        Worker { line }
    }
}

/// A worker's end of its line.
pub(crate) struct Worker {
    pub(crate) line: WorkLine,
}

impl Worker {
    pub(crate) async fn next(&mut self) -> Delivery {
        tokio::time::timeout(PATIENCE, self.line.deliveries.recv()).await.expect("a delivery").expect("an open line")
    }

    /// The next batch of tasks.
    pub(crate) async fn claimed(&mut self) -> Vec<Claimed> {
        match self.next().await {
            Delivery::Claimed { tasks, .. } => tasks,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn claimed_one(&mut self) -> Claimed {
        let mut tasks = self.claimed().await;
        assert_eq!(tasks.len(), 1);
        tasks.remove(0)
    }

    /// Hands over one ended run and gives what became of it.
    pub(crate) async fn commit(&mut self, commit: Commit, permits: usize) -> CommitFate {
        let fates = self.commit_all(vec![commit], permits).await;
        fates[0].1
    }

    pub(crate) async fn commit_all(&mut self, commits: Vec<Commit>, permits: usize) -> Vec<(TaskSeq, CommitFate)> {
        self.line.sender.send(commits, permits);
        match self.next().await {
            Delivery::Committed(fates) => fates,
            other => panic!("{other:?}"),
        }
    }

    /// Nothing was delivered, once the store has done all it was asked.
    pub(crate) async fn assert_idle(&mut self, engine: &impl Engine) {
        engine.settle().await;
        match self.line.deliveries.try_recv() {
            Err(_) => {}
            Ok(delivery) => panic!("{delivery:?}"),
        }
    }
}

impl Worker {
    /// Nothing but the loss of the leases was delivered.
    pub(crate) async fn assert_idle_or_lost(&mut self, engine: &impl Engine) {
        engine.settle().await;
        while let Ok(delivery) = self.line.deliveries.try_recv() {
            assert!(matches!(delivery, Delivery::LeasesLost), "{delivery:?}");
        }
    }
}

pub(crate) fn kind(name: &str) -> Kind {
    Kind::parse(name).unwrap()
}

pub(crate) fn route(name: &str, tags: &[&str]) -> Route {
    Route::new(kind(name), TagSet::parse(tags.iter().copied()).unwrap())
}

pub(crate) fn json(text: &str) -> JsonText {
    JsonText::parse(text, 1 << 20).unwrap()
}

/// A task of a kind; `payload` tells it from others.
pub(crate) fn task(name: &str, payload: &str) -> NewTask {
    NewTask {
        id: None,
        route: route(name, &[]),
        payload: json(payload),
        priority: Priority::default(),
        due: Due::Now,
        extras: None,
    }
}

pub(crate) fn with_extras(mut task: NewTask, change: impl FnOnce(&mut Extras)) -> NewTask {
    change(task.extras.get_or_insert_default());
    task
}

pub(crate) fn with_key(task: NewTask, key: &str) -> NewTask {
    with_extras(task, |extras| extras.key = Some(key.to_owned()))
}

pub(crate) fn version(byte: u8) -> Arc<HandlerVersion> {
    Arc::new(HandlerVersion { name: HandlerName::parse("tester").unwrap(), digest: Digest::from_bytes([byte; 32]) })
}

/// A run of a claimed task that ended in some way.
pub(crate) fn ended(task: &Claimed, step: NextStep, end: RunEnd) -> Commit {
    ended_under(task.lease, task.seq, step, end)
}

pub(crate) fn ended_under(lease: LeaseId, seq: TaskSeq, step: NextStep, end: RunEnd) -> Commit {
    Commit {
        lease,
        seq,
        step,
        end,
        run: RunRecord {
            started_at: Timestamp::from_millis(START + 7),
            elapsed_micros: 1_500,
            fuel: 1_000,
            peak_memory: 65_536,
            tokens: 0,
        },
        handler: Some(version(1)),
        declined: Vec::new(),
        told: None,
        from_start: false,
        max_attempts: Some(3),
        home: None,
    }
}

pub(crate) fn completed(result: &str) -> RunEnd {
    RunEnd::Completed(Completion { result: json(result), metadata: json("{}"), then: Vec::new() })
}

pub(crate) fn succeeded(task: &Claimed) -> Commit {
    ended(task, NextStep::Succeed, completed("true"))
}

/// A run that failed and is tried again after the wait.
pub(crate) fn retried(task: &Claimed, wait: Duration) -> Commit {
    ended(task, NextStep::Retry(wait), failed())
}

/// The same by a handler whose retries begin at the start.
pub(crate) fn restarted(task: &Claimed) -> Commit {
    Commit { from_start: true, ..retried(task, seconds(1)) }
}

/// The first page of what a filter meets.
pub(crate) fn select(filter: TaskFilter) -> Selection {
    Selection { filter, limit: 100, cursor: None }
}

pub(crate) fn failed() -> RunEnd {
    RunEnd::Failed(Failure {
        category: Category::Handler,
        code: "BROKEN".to_owned(),
        message: "it broke".to_owned(),
        retryable: true,
        retry_after: None,
        details: JsonText::null(),
    })
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) fn after_start(time: Duration) -> Timestamp {
    Timestamp::from_millis(START).after(time)
}
