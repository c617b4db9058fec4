//! Runs and tasks in the words of the store, made of what an operation says.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{
    Category, Checkpoint, Child, Completion, Conduct, Digest, Due, Failure, HandlerVersion, Interruption, Join,
    JsonText, NewTask, Options, Priority, RunEnd, RunRecord, Span, Spawn, Standing, Suspension, TaskId, Timestamp,
    bounded, decide,
};
use bulkhead_store::{Claimed, Commit};

use super::model::{Model, ROUTES};
use super::operation::{JoinSpec, Name, NewSpec, Outcome};
use super::task::Number;
use crate::harness::{START, json, version};

/// Few, so that going on for ever ends.
const MAX_STAGES: u32 = 6;

/// Runs and tasks of a test, each told from the others by a number.
#[derive(Debug, Default)]
pub(super) struct Maker {
    made: u32,
    dice: u64,
}

impl Maker {
    /// A task; a child's moments are a little later than others', so that no two fall due at once.
    pub(super) fn task(&mut self, spec: &NewSpec, model: &Model, lag: Duration) -> NewTask {
        self.made += 1;
        let (kind, tags) = ROUTES[usize::from(spec.route) % ROUTES.len()];
        let mut new = crate::harness::task(kind, &self.made.to_string());
        new.route = crate::harness::route(kind, tags);
        new.priority = Priority::try_new(spec.priority.into()).unwrap();
        if spec.delay > 0 {
            new.due = Due::After(Duration::from_secs(spec.delay));
        }
        let mut extras = bulkhead_core::Extras {
            expires_at: spec.expires_in.map(|time| model.now.after(Duration::from_secs(time) + lag)),
            stale_after: spec.stale_after.map(|time| {
                let time = Duration::from_secs(time) + lag;
                Span::from_millis(time.as_millis() as u64)
            }),
            ..bulkhead_core::Extras::default()
        };
        extras.options.max_attempts = spec.max_attempts;
        if extras != bulkhead_core::Extras::default() {
            new.extras = Some(Box::new(extras));
        }
        match spec.name {
            Name::None => new,
            Name::Key(key, altered) => {
                let body = canonical(&format!("key-{key}"), key, altered);
                crate::harness::with_key(body, &format!("key-{key}"))
            }
            Name::OwnId(id, altered) => {
                let name = format!("own-{id}");
                NewTask { id: Some(TaskId::parse(&name).unwrap()), ..canonical(&name, id, altered) }
            }
            Name::Existing(which) => {
                let there: Vec<&TaskId> =
                    model.tasks.iter().filter(|task| !task.removed).filter_map(|task| task.id.as_ref()).collect();
                new.id = (!there.is_empty()).then(|| there[which % there.len()].clone());
                new
            }
        }
    }

    /// A run of a claimed task that ended so, with the step that the worker decides on.
    pub(super) fn commit(&mut self, claimed: &Claimed, number: Number, outcome: &Outcome, model: &Model) -> Commit {
        let max_attempts = claimed.extras.as_ref().and_then(|extras| extras.options.max_attempts).unwrap_or(3);
        let conduct = Conduct { max_attempts, max_stages: MAX_STAGES, ..Conduct::from(&Options::default()) };
        let run = RunRecord {
            started_at: Timestamp::from_millis(START + 7),
            elapsed_micros: 1_500,
            fuel: 1_000,
            peak_memory: 65_536,
            tokens: 0,
        };
        let history = claimed.history.as_deref();
        let standing = Standing {
            attempt: history.map_or(0, |history| history.attempts) + 1,
            stage: history.map_or(0, |history| history.stage),
            fuel_total: history.map_or(0, |history| history.fuel) + run.fuel,
            deferrals: history.map_or(0, |history| history.deferrals),
            others_may_serve: matches!(outcome, Outcome::Decline { others: true, .. }),
        };
        let end = bounded(&standing, &conduct, self.end(number, outcome, model));
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let declined = match outcome {
            Outcome::Decline { digest, .. } => vec![Digest::from_bytes([*digest; 32])],
            _ => Vec::new(),
        };
        let handler: Option<Arc<HandlerVersion>> = Some(version(1));
        let from_start = matches!(outcome, Outcome::Fail { from_start: true, .. });
        let step = decide(&standing, &conduct, &end, self.dice);
        let (lease, seq) = (claimed.lease, claimed.seq);
        Commit {
            lease,
            seq,
            step,
            end,
            run,
            handler,
            declined,
            told: None,
            from_start,
            max_attempts: Some(max_attempts),
            home: None,
        }
    }

    fn end(&mut self, number: Number, outcome: &Outcome, model: &Model) -> RunEnd {
        let result = json(&format!("{{\"of\":{number},\"by\":{}}}", self.made));
        let child_of = |maker: &mut Self, place: usize, spec: &NewSpec| {
            let mut spec = spec.clone();
            // Who is waited for by its key waits for nobody by a key, or some would wait for one another for ever.
            if !may_adopt(model, number) && !matches!(spec.name, Name::Existing(_)) {
                spec.name = Name::None;
            }
            let lag = Duration::from_millis(137 + 11 * number as u64);
            Child { name: Some(format!("c{place}")), task: maker.task(&spec, model, lag) }
        };
        let mut children_of = |specs: &[NewSpec]| -> Vec<Child> {
            specs.iter().enumerate().map(|(place, spec)| child_of(self, place, spec)).collect()
        };
        match outcome {
            Outcome::Succeed => RunEnd::Completed(Completion { result, metadata: json("{}"), then: Vec::new() }),
            Outcome::SucceedThen(then) => {
                RunEnd::Completed(Completion { result, metadata: json("{}"), then: children_of(then) })
            }
            Outcome::Fail { retryable, after, .. } => RunEnd::Failed(Failure {
                category: Category::Handler,
                code: "BROKEN".to_owned(),
                message: "it broke".to_owned(),
                retryable: *retryable,
                retry_after: after.map(Duration::from_secs),
                details: JsonText::null(),
            }),
            Outcome::Trap => RunEnd::Trapped { code: "unreachable".to_owned(), backtrace: String::new() },
            Outcome::TimeOut => RunEnd::TimedOut,
            Outcome::Decline { .. } => RunEnd::Declined("not mine".to_owned()),
            Outcome::Interrupt => RunEnd::Interrupted(Interruption::Drain),
            Outcome::Checkpoint => RunEnd::Checkpointed(Checkpoint { state: result, processed: 1, total: None }),
            Outcome::Ask { timeout } => RunEnd::Suspended(Suspension {
                reason: "may it".to_owned(),
                metadata: json("{}"),
                state: Some(result),
                timeout: timeout.map(|time| Duration::from_secs(time) + Duration::from_millis(73 + number as u64)),
            }),
            Outcome::Spawn { children, join } => {
                let children = children_of(children);
                let join = join_of(join, children.len());
                RunEnd::Spawned(Spawn { children, join, state: Some(result) })
            }
            Outcome::Stop => RunEnd::Cancelled,
        }
    }
}

/// The body of a task that has a name of its own.
fn canonical(payload: &str, number: u8, altered: bool) -> NewTask {
    let (kind, _) = ROUTES[usize::from(number) % 2];
    let mut new = crate::harness::task(kind, &format!("\"{payload}\""));
    if altered {
        new.priority = Priority::try_new(9).unwrap();
    }
    new
}

/// Whether a task may wait for one that was there before: only one that nobody else can come to wait for so.
fn may_adopt(model: &Model, number: Number) -> bool {
    let new = &model.tasks[number].new;
    let named = new.id.is_some() || new.extras.as_ref().is_some_and(|extras| extras.key.is_some());
    !named && model.parent_of(number).is_none()
}

fn join_of(join: &JoinSpec, children: usize) -> Join {
    match join {
        JoinSpec::BestEffort => Join::BestEffort,
        JoinSpec::Strict => Join::Strict,
        JoinSpec::AtLeast(needed) => Join::AtLeast(u32::from(*needed) % children as u32 + 1),
        JoinSpec::Critical(names) => {
            let mut names: Vec<String> =
                names.iter().map(|name| format!("c{}", usize::from(*name) % children)).collect();
            names.dedup();
            Join::Critical(names)
        }
    }
}
