//! One claimed task, from its handlers to the commit.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{
    Conduct, Digest, Home, Interruption, NextStep, RetryFrom, RunEnd, RunRecord, Standing, Timestamp, bounded,
    check_outcome, decide,
};
use bulkhead_sandbox::{
    Delegates, LiveHandler, Observer, RunControl, RunFacts, RunLimits, RunReport, RunRequest, Sandbox, Snapshot,
    Upstream, Workspace,
};
use bulkhead_store::{Claimed, Commit, History, Told};

use crate::concurrency::Turn;
use crate::delegates::delegates_for;
use crate::metrics::HandlerMetrics;
use crate::observer::TaskObserver;
use crate::outbox::Ended;
use crate::shared::Shared;
use crate::steps::{StepRun, joined_settings, run_by_host, step_of, upstream_of};
use crate::upstream::Children;
use crate::workspace::{Found, NotHere, check_children, find_workspace};

/// The most declining versions that are kept on a task.
const MAX_DECLINED: usize = 16;

/// Runs a task by the first handler that takes it, and decides what follows.
pub(crate) async fn run_task(
    shared: &Arc<Shared>,
    sandbox: &Sandbox,
    snapshot: &Snapshot,
    task: &Claimed,
    control: &Arc<RunControl>,
    dice: u64,
) -> Ended {
    let fresh = History { epoch: 1, ..History::default() };
    let history = task.history.as_deref().unwrap_or(&fresh);
    let mut tried = Tried { started_at: crate::now(), ..Tried::default() };
    if shared.in_flight.was_cancelled(task.seq) {
        tried.end = Some(RunEnd::Cancelled);
    } else {
        let run = Run { shared, sandbox, snapshot, task, history, control };
        if let Err(problem) = run.attempt(&mut tried).await {
            let id = task.id.as_str();
            tracing::warn!(problem, task = id, "a workflow step is interrupted: the store does not say what it is");
            tried.end = Some(RunEnd::Interrupted(Interruption::EngineGone));
        }
    }
    conclude(shared, task, history, tried, dice)
}

/// One run of a task, whoever it is by.
struct Run<'a> {
    shared: &'a Arc<Shared>,
    sandbox: &'a Sandbox,
    snapshot: &'a Snapshot,
    task: &'a Claimed,
    history: &'a History,
    control: &'a Arc<RunControl>,
}

impl Run<'_> {
    /// Lets the host run what is the host's to run of a workflow, and the handlers the rest, until one takes the task. An
    /// error says why the store gives no answer.
    async fn attempt(&self, tried: &mut Tried) -> Result<(), String> {
        let Self { shared, snapshot, task, history, .. } = *self;
        let step = step_of(&*shared.store, task).await.map_err(|error| error.to_string())?;
        if let Some(step) = &step {
            tried.end = run_by_host(&shared.store, task, history, step).await?;
            if tried.end.is_some() {
                return Ok(());
            }
        }
        let upstream = match (history.upstream, &step) {
            (Some(spawned), _) => {
                let store = Arc::clone(&shared.store);
                Some(Arc::new(Children { store, of: task.seq, spawned }) as Arc<dyn Upstream>)
            }
            (None, Some(step)) => {
                let found = upstream_of(&shared.store, step).await.map_err(|error| error.to_string())?;
                found.map(|dependencies| Arc::new(dependencies) as Arc<dyn Upstream>)
            }
            (None, None) => None,
        };
        for live in snapshot.serving_beside(&task.route, &history.declined) {
            let (found, _turn) = match self.enter(live).await {
                Ok(entered) => entered,
                Err(not_here) => {
                    let (end, home) = not_here.end();
                    // One that declined it before has no part in that.
                    (tried.end, tried.home, tried.by) = (Some(end), home, None);
                    break;
                }
            };
            let workspace = found.workspace.clone();
            let ran = self.run_by(live, tried, step.as_ref(), upstream.clone(), workspace).await;
            let (home, moved) = found.outcome();
            tried.home = home.or(tried.home.take());
            let end = moved.unwrap_or_else(|| check_outcome(step.as_ref().map(StepRun::place), ran.report.end));
            let declined = matches!(end, RunEnd::Declined(_));
            tried.add(live, Ran { report: RunReport { end, ..ran.report }, ..ran });
            if !declined {
                break;
            }
            tried.declined.push(live.handler.version().digest);
        }
        if tried.end.is_none() && snapshot.serves(&task.route) {
            tried.end = Some(RunEnd::Declined("each handler that is live has declined it before".to_owned()));
        }
        Ok(())
    }

    /// Waits for the handler's turn, and finds the workspace that the task uses.
    async fn enter(&self, live: &LiveHandler) -> Result<(Found, Option<Turn>), NotHere> {
        let Self { shared, task, history, .. } = *self;
        let name = &live.handler.version().name;
        let turn = match live.options_for(task.extras.as_deref()).max_concurrent {
            Some(limit) => shared.concurrency.turn(name, live.handler.kind(), limit).await,
            None => None,
        };
        let found = match live.workspace {
            Some(grant) => find_workspace(shared, task, history, name, grant).await?,
            None => Found::NOTHING,
        };
        Ok((found, turn))
    }

    /// One run of one handler.
    async fn run_by(
        &self,
        live: &Arc<LiveHandler>,
        tried: &Tried,
        step: Option<&StepRun<'_>>,
        upstream: Option<Arc<dyn Upstream>>,
        workspace: Option<Workspace>,
    ) -> Ran {
        let Self { shared, sandbox, task, history, control, .. } = *self;
        let extras = task.extras.as_deref();
        let options = live.options_for(extras);
        let version = live.handler.version();
        let mut limits = RunLimits::from(&*options);
        let used = Duration::from_micros(history.elapsed_micros) + tried.elapsed;
        limits.timeout = limits.timeout.saturating_sub(used);
        limits.payload = shared.settings.max_payload;
        let tokens = history.tokens.saturating_add(tried.tokens);
        let end_of_run = control.end_after(limits.timeout);
        let delegates = delegates_for(shared, task, version, workspace.as_ref(), end_of_run, tokens);
        let metrics = shared.metrics.handler(&version.name);
        metrics.active.inc();
        let active = Active(&metrics.active);
        let reports = Arc::clone(&shared.reports);
        let observer = Arc::new(TaskObserver::new(task.id.clone(), task.seq, Arc::clone(version), reports));
        let settings = joined_settings(live.settings.as_ref(), step.and_then(|step| step.step().settings.as_ref()));
        let traceparent = extras.and_then(|extras| extras.traceparent).map(String::from);
        let request = RunRequest {
            id: task.id.as_str(),
            kind: task.route.kind.as_str(),
            payload: task.payload.as_str(),
            requires: &task.route.requires,
            attempt: history.attempts + 1,
            max_attempts: options.max_attempts,
            stage: history.stage,
            facts: RunFacts {
                tenant: extras.and_then(|extras| extras.tenant.as_deref()),
                tags: extras.map(|extras| &extras.tags),
                traceparent: traceparent.as_deref(),
                settings: settings.as_ref(),
                state: history.state.as_ref(),
                answer: history.answer.as_ref(),
                step: step.map(StepRun::facts),
            },
            limits,
            control: Arc::clone(control),
            upstream,
            delegates: delegates.clone().map(|delegates| delegates as Arc<dyn Delegates>),
            workspace,
            observer: Some(Arc::clone(&observer) as Arc<dyn Observer>),
        };
        let report = sandbox.run(&live.handler, request).await;
        let told = observer.take_told(report.dropped_log_bytes);
        if told.progress.is_some() {
            shared.reports.forget(task.seq);
        }
        let tokens = match &delegates {
            Some(delegates) => delegates.tokens().await,
            None => 0,
        };
        drop(active);
        Ran { report, told, tokens, metrics }
    }
}

/// What one run of one handler came to.
struct Ran {
    report: RunReport,
    told: Told,
    tokens: u64,
    metrics: Arc<HandlerMetrics>,
}

/// A run that its handler's metrics do not show yet: they count it by the end that the task's bounds leave it.
struct Uncounted {
    metrics: Arc<HandlerMetrics>,
    elapsed: Duration,
    fuel: u64,
}

impl Uncounted {
    fn count(self, end: &RunEnd) {
        self.metrics.count(end, self.elapsed.as_secs_f64(), self.fuel);
    }
}

/// What the handlers made of the task so far, in this run.
#[derive(Default)]
struct Tried {
    end: Option<RunEnd>,
    by: Option<Arc<LiveHandler>>,
    declined: Vec<Digest>,
    /// The run of the handler that did not decline.
    uncounted: Option<Uncounted>,
    started_at: Timestamp,
    elapsed: Duration,
    fuel: u64,
    peak_memory: u64,
    tokens: u64,
    told: Told,
    /// Where the task goes on, since its workspace is there.
    home: Option<Home>,
}

impl Tried {
    fn add(&mut self, live: &Arc<LiveHandler>, Ran { report, told, tokens, metrics }: Ran) {
        let run = Uncounted { metrics, elapsed: report.elapsed, fuel: report.fuel };
        match &report.end {
            // Whatever becomes of the task, this handler had no part in it.
            end @ RunEnd::Declined(_) => run.count(end),
            _ => self.uncounted = Some(run),
        }
        self.told.lines.extend(told.lines);
        self.told.audits.extend(told.audits);
        self.told.progress = told.progress.or(self.told.progress.take());
        self.end = Some(report.end);
        self.by = Some(Arc::clone(live));
        self.elapsed += report.elapsed;
        self.fuel += report.fuel;
        self.peak_memory = self.peak_memory.max(report.peak_memory);
        self.tokens = self.tokens.saturating_add(tokens);
    }
}

/// Counts a run out of `handler_active`, however it ends.
struct Active<'a>(&'a prometheus::IntGauge);

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Asks core what follows, and writes it up for the store.
fn conclude(shared: &Shared, task: &Claimed, history: &History, mut tried: Tried, dice: u64) -> Ended {
    // No handler was there to try: it was retired between claim and run.
    let end = tried.end.take().unwrap_or(RunEnd::Interrupted(Interruption::HandlerGone));
    let options = match &tried.by {
        Some(live) => live.options_for(task.extras.as_deref()),
        None => Arc::default(),
    };
    let standing = Standing {
        attempt: history.attempts + 1,
        stage: history.stage,
        fuel_total: history.fuel.saturating_add(tried.fuel),
        deferrals: history.deferrals,
        // Every handler of this catalogue was just asked.
        others_may_serve: history.declined.len() + tried.declined.len() > MAX_DECLINED,
    };
    let conduct = Conduct::from(&*options);
    let mut end = check_children(shared, task, tried.home.as_ref(), bounded(&standing, &conduct, end));
    if let Some(extras) = task.extras.as_deref() {
        end.children_mut().iter_mut().for_each(|child| child.task.inherit(extras));
    }
    if let Some(run) = tried.uncounted.take() {
        run.count(&end);
    }
    let step = decide(&standing, &conduct, &end, dice);
    if !matches!(step, NextStep::Succeed | NextStep::Advance | NextStep::Suspend) {
        let reason = end.error().map(|error| error.reason).unwrap_or_default();
        tracing::debug!(
            task = task.id.as_str(),
            worker = shared.settings.name,
            end = end.name(),
            reason,
            ?step,
            "run ended"
        );
    }
    let max_attempts = tried.by.as_ref().map(|_| options.max_attempts);
    let commit = Commit {
        lease: task.lease,
        seq: task.seq,
        step,
        end,
        run: RunRecord {
            started_at: tried.started_at,
            elapsed_micros: u64::try_from(tried.elapsed.as_micros()).unwrap_or(u64::MAX),
            fuel: tried.fuel,
            peak_memory: tried.peak_memory,
            tokens: tried.tokens,
        },
        handler: tried.by.map(|live| Arc::clone(live.handler.version())),
        declined: tried.declined,
        told: (!tried.told.is_empty()).then(|| Box::new(tried.told)),
        from_start: options.retry_from == RetryFrom::Start,
        max_attempts,
        home: tried.home,
    };
    Ended { commit, route: Arc::clone(&task.route), due_at: task.due_at }
}

/// The end of a task whose run brought the host's own code down: not its fault, and tried again.
pub(crate) fn after_host_panic(shared: &Shared, task: &Claimed, dice: u64) -> Ended {
    let fresh = History { epoch: 1, ..History::default() };
    let history = task.history.as_deref().unwrap_or(&fresh);
    let tried = Tried {
        started_at: crate::now(),
        end: Some(RunEnd::Interrupted(Interruption::EngineGone)),
        ..Tried::default()
    };
    conclude(shared, task, history, tried, dice)
}
