//! What a guest answered, in the words of core.

use std::time::Duration;

use bulkhead_core::{
    Backoff, BatchPlan, Category, Checkpoint, Child, Completion, Cursor, Decision, Failure, Fuel, Join, JsonError,
    JsonText, Kind, Limit, MAX_CHOSEN, Priority, RunEnd, Size, Span, Spawn, Submission, SubmissionLimits, Suspension,
    TagSet, WorkspaceChoice, is_label,
};
use serde::Deserialize;

use crate::bindings::bulkhead::handler::types as wit;
use crate::run_error::{cut, shown};
use crate::{RunLimits, bounds};

/// How a run ends that ended by its own answer.
pub(crate) fn run_end(answer: Result<wit::Outcome, wit::Failure>, limits: &RunLimits) -> RunEnd {
    let end = match answer {
        Ok(outcome) => accept(outcome, limits),
        Err(failure) => Ok(RunEnd::Failed(fail(failure))),
    };
    end.unwrap_or_else(|refusal| refusal)
}

fn accept(outcome: wit::Outcome, limits: &RunLimits) -> Result<RunEnd, RunEnd> {
    let bound = limits.result;
    match outcome {
        wit::Outcome::Complete(completion) => complete(completion, limits).map(RunEnd::Completed),
        wit::Outcome::Skip(reason) => Ok(RunEnd::Declined(shown(&reason, bounds::SKIP_REASON))),
        wit::Outcome::Checkpoint(checkpoint) => Ok(RunEnd::Checkpointed(Checkpoint {
            state: json("state", checkpoint.state, bound)?,
            processed: checkpoint.processed,
            total: checkpoint.total,
        })),
        wit::Outcome::Spawn(spawn) => spawned(spawn, limits).map(RunEnd::Spawned),
        wit::Outcome::Suspend(suspension) => suspended(suspension, bound).map(RunEnd::Suspended),
        wit::Outcome::Decide(decision) => decided(decision, bound).map(RunEnd::Decided),
        wit::Outcome::Batch(plan) => batched(plan, bound).map(RunEnd::Batched),
        wit::Outcome::Extension(extension) => Err(RunEnd::Invalid(format!(
            "`extension` with the verb `{}` is not served by this host version (contract 0.1.0): use `complete`, `skip`, \
             `spawn`, `suspend`, `checkpoint`, `decide` or `batch`",
            shown(&extension.name, bounds::SHORT_NAME)
        ))),
    }
}

/// Whether the steps are there to be chosen is for the host to say, which knows the workflow.
fn decided(decision: wit::Decision, bound: Size) -> Result<Decision, RunEnd> {
    let wit::Decision { steps, result, metadata } = decision;
    if steps.len() > MAX_CHOSEN {
        return Err(RunEnd::Invalid(format!("decide: {} steps are chosen; the limit is {MAX_CHOSEN}", steps.len())));
    }
    let steps = steps.iter().map(|name| shown(name, bounds::CHILD_NAME)).collect();
    Ok(Decision { steps, chosen: Vec::new(), result: json("result", result, bound)?, metadata: about(metadata)? })
}

fn batched(plan: wit::BatchPlan, bound: Size) -> Result<BatchPlan, RunEnd> {
    let wit::BatchPlan { cursors, result, metadata } = plan;
    if cursors.len() > bounds::CHILDREN {
        return Err(RunEnd::Invalid(format!("cursors: {}; the limit is {}", cursors.len(), bounds::CHILDREN)));
    }
    let cursor = |(index, cursor): (usize, wit::Cursor)| {
        let wit::Cursor { start, end, metadata } = cursor;
        let refuse = |problem: String| RunEnd::Invalid(format!("cursors[{index}]: {problem}"));
        let metadata = bounds::object(metadata, bounds::CURSOR_METADATA)
            .map_err(|problem| refuse(format!("metadata: {problem}")))?;
        Cursor::new(start, end, metadata).map_err(refuse)
    };
    Ok(BatchPlan {
        cursors: cursors.into_iter().enumerate().map(cursor).collect::<Result<_, _>>()?,
        result: json("result", result, bound)?,
        metadata: about(metadata)?,
    })
}

/// What is said about a result.
fn about(metadata: String) -> Result<JsonText, RunEnd> {
    bounds::object(metadata, bounds::METADATA).map_err(|problem| RunEnd::Invalid(format!("metadata: {problem}")))
}

fn complete(completion: wit::Completion, limits: &RunLimits) -> Result<Completion, RunEnd> {
    let wit::Completion { result, metadata, then } = completion;
    if then.len() > bounds::THEN {
        return Err(RunEnd::Invalid(format!("then: {} tasks; the limit is {}", then.len(), bounds::THEN)));
    }
    Ok(Completion {
        result: json("result", result, limits.result)?,
        metadata: about(metadata)?,
        then: children("then", then, limits.payload)?,
    })
}

fn spawned(spawn: wit::Spawn, limits: &RunLimits) -> Result<Spawn, RunEnd> {
    let wit::Spawn { children: asked, join, state } = spawn;
    if asked.is_empty() || asked.len() > bounds::CHILDREN {
        return Err(RunEnd::Invalid(format!("children: {}; from 1 to {}", asked.len(), bounds::CHILDREN)));
    }
    let join = match join {
        wit::Join::BestEffort => Join::BestEffort,
        wit::Join::Strict => Join::Strict,
        wit::Join::AtLeast(needed) => Join::AtLeast(needed),
        wit::Join::Critical(names) => Join::Critical(names),
    };
    let children = children("children", asked, limits.payload)?;
    join.check(children.iter().map(|child| child.name.as_deref()))
        .map_err(|problem| RunEnd::Invalid(cut(problem, bounds::SKIP_REASON)))?;
    Ok(Spawn { children, join, state: state.map(|state| json("state", state, limits.result)).transpose()? })
}

fn suspended(suspension: wit::Suspension, bound: Size) -> Result<Suspension, RunEnd> {
    let wit::Suspension { reason, metadata, state, timeout_ms } = suspension;
    let timeout = timeout_ms.map(Span::from_millis);
    if timeout.is_some_and(|timeout| timeout > Span::MAX) {
        return Err(RunEnd::Invalid("timeout-ms: at most a hundred years".to_owned()));
    }
    Ok(Suspension {
        reason: shown(&reason, bounds::SUSPEND_REASON),
        metadata: about(metadata)?,
        state: state.map(|state| json("state", state, bound)).transpose()?,
        timeout: timeout.map(Span::duration),
    })
}

fn children(list: &str, asked: Vec<wit::Child>, payload: Size) -> Result<Vec<Child>, RunEnd> {
    let limits = SubmissionLimits { payload: usize::try_from(payload.bytes()).unwrap_or(usize::MAX) };
    asked.into_iter().enumerate().map(|(index, one)| child(list, index, one, &limits)).collect()
}

fn json(what: &str, text: String, bound: Size) -> Result<JsonText, RunEnd> {
    let limit = usize::try_from(bound.bytes()).unwrap_or(usize::MAX);
    JsonText::parse(text, limit).map_err(|error| match error {
        JsonError::TooLarge { .. } => RunEnd::LimitReached(Limit::Result),
        other => RunEnd::Invalid(format!("{what}: {other}")),
    })
}

/// What a handler may ask for its child: what a submitted task may say of its options, its priority, and its workspace.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ChildOptions {
    timeout: Option<Span>,
    fuel: Option<Fuel>,
    memory: Option<Size>,
    #[serde(alias = "max_retries")]
    max_attempts: Option<u32>,
    backoff: Option<Backoff>,
    priority: Option<Priority>,
    workspace: Option<WorkspaceChoice>,
}

/// A child is what a caller may submit, and is held to the same rules.
fn child(list: &str, index: usize, child: wit::Child, limits: &SubmissionLimits) -> Result<Child, RunEnd> {
    let refuse = |problem: String| RunEnd::Invalid(format!("{list}[{index}]: {}", cut(problem, bounds::SKIP_REASON)));
    let wit::Child { kind, payload, requires, name, delay_ms, key, options } = child;
    if name.as_ref().is_some_and(|name| name.len() > bounds::CHILD_NAME || !is_label(name)) {
        return Err(refuse(format!("name must be 1 to {} bytes without control characters", bounds::CHILD_NAME)));
    }
    if options.as_ref().is_some_and(|options| options.len() > bounds::CHILD_OPTIONS) {
        return Err(refuse(format!("options must be at most {} bytes", bounds::CHILD_OPTIONS)));
    }
    let options: ChildOptions = match options {
        Some(text) => serde_json::from_str(&text).map_err(|error| refuse(format!("options: {error}")))?,
        None => ChildOptions::default(),
    };
    let delay = delay_ms.map(Span::from_millis);
    if delay.is_some_and(|delay| delay > Span::MAX) {
        return Err(refuse("delay-ms: at most a hundred years".to_owned()));
    }
    let task = Submission {
        id: None,
        kind: Kind::parse(kind).map_err(|error| refuse(error.to_string()))?,
        payload: JsonText::parse(payload, limits.payload).map_err(|error| refuse(format!("payload: {error}")))?,
        requires: TagSet::parse(requires).map_err(|error| refuse(error.to_string()))?,
        priority: options.priority.unwrap_or_default(),
        run_at: None,
        delay,
        expires_at: None,
        stale_after: None,
        timeout: options.timeout,
        fuel: options.fuel,
        memory: options.memory,
        max_attempts: options.max_attempts,
        backoff: options.backoff,
        key,
        traceparent: None,
        tenant: None,
        tags: Default::default(),
        workspace: options.workspace,
    };
    let task = task.check(limits).map_err(|error| refuse(error.to_string()))?;
    Ok(Child { name, task })
}

fn fail(failure: wit::Failure) -> Failure {
    let wit::Failure { category, code, message, retryable, retry_after_ms, details } = failure;
    Failure {
        category: match category {
            wit::Category::Validation => Category::Validation,
            wit::Category::Permanent => Category::Permanent,
            wit::Category::Retryable => Category::Retryable,
            wit::Category::Handler => Category::Handler,
            wit::Category::Timeout => Category::Timeout,
        },
        code: shown(&code, bounds::FAILURE_CODE),
        message: cut(message, bounds::FAILURE_MESSAGE),
        retryable,
        retry_after: retry_after_ms.map(Duration::from_millis),
        // A failure is not lost because of what was said beside it.
        details: bounds::object(details, bounds::FAILURE_DETAILS).unwrap_or_else(|_| JsonText::null()),
    }
}
