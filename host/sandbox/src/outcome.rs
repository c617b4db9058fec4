//! What a guest answered, in the words of core.

use std::time::Duration;

use bulkhead_core::{
    Backoff, Category, Checkpoint, Child, Completion, Failure, Fuel, JsonError, JsonText, Kind, Limit, Priority,
    RunEnd, Size, Span, Submission, SubmissionLimits, TagSet,
};
use serde::Deserialize;

use crate::RunLimits;
use crate::bindings::bulkhead::handler::types as wit;
use crate::run_error::{cut, shown};

/// Tasks that one run may submit by `then`.
const MAX_THEN: usize = 1000;
/// The longest of a failure's code and message; longer ones are cut, since a failure is worth keeping in any case.
const MAX_CODE: usize = 128;
const MAX_MESSAGE: usize = 8 << 10;
/// The longest reason of a skip, and name of a child.
const MAX_REASON: usize = 1 << 10;
const MAX_NAME: usize = 128;

/// How a run ends that ended by its own answer.
pub(crate) fn run_end(answer: Result<wit::Outcome, wit::Failure>, limits: &RunLimits) -> RunEnd {
    let end = match answer {
        Ok(outcome) => accept(outcome, limits.result),
        Err(failure) => Ok(RunEnd::Failed(fail(failure, limits.result))),
    };
    end.unwrap_or_else(|refusal| refusal)
}

fn accept(outcome: wit::Outcome, bound: Size) -> Result<RunEnd, RunEnd> {
    let verb = match outcome {
        wit::Outcome::Complete(completion) => return complete(completion, bound).map(RunEnd::Completed),
        wit::Outcome::Skip(reason) => return Ok(RunEnd::Declined(shown(&reason, MAX_REASON))),
        wit::Outcome::Checkpoint(checkpoint) => {
            return Ok(RunEnd::Checkpointed(Checkpoint {
                state: json("state", checkpoint.state, bound)?,
                processed: checkpoint.processed,
                total: checkpoint.total,
            }));
        }
        wit::Outcome::Spawn(_) => "spawn",
        wit::Outcome::Suspend(_) => "suspend",
        wit::Outcome::Decide(_) => "decide",
        wit::Outcome::Batch(_) => "batch",
        wit::Outcome::Extension(_) => "extension",
    };
    Err(RunEnd::Invalid(format!(
        "`{verb}` is not served by this host version (contract 0.1.0): use `complete`, `skip` or `checkpoint`"
    )))
}

fn complete(completion: wit::Completion, bound: Size) -> Result<Completion, RunEnd> {
    let wit::Completion { result, metadata, then } = completion;
    if then.len() > MAX_THEN {
        return Err(RunEnd::Invalid(format!("then: {} tasks; the limit is {MAX_THEN}", then.len())));
    }
    Ok(Completion {
        result: json("result", result, bound)?,
        metadata: metadata_of(metadata, bound)?,
        then: then.into_iter().enumerate().map(|(index, one)| child(index, one)).collect::<Result<_, _>>()?,
    })
}

/// Metadata as the guest gave it; nothing at all stands for an empty object.
fn metadata_of(text: String, bound: Size) -> Result<JsonText, RunEnd> {
    if text.is_empty() { Ok(JsonText::from_trusted("{}")) } else { json("metadata", text, bound) }
}

fn json(what: &str, text: String, bound: Size) -> Result<JsonText, RunEnd> {
    let limit = usize::try_from(bound.bytes()).unwrap_or(usize::MAX);
    JsonText::parse(text, limit).map_err(|error| match error {
        JsonError::TooLarge { .. } => RunEnd::LimitReached(Limit::Result),
        other => RunEnd::Invalid(format!("{what}: {other}")),
    })
}

/// What a handler may ask for its child: what a submitted task may say of its options, and its priority.
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
}

/// A child is what a caller may submit, and is held to the same rules.
fn child(index: usize, child: wit::Child) -> Result<Child, RunEnd> {
    let refuse = |problem: String| RunEnd::Invalid(format!("then[{index}]: {}", cut(problem, MAX_REASON)));
    let wit::Child { kind, payload, requires, name, delay_ms, key, options } = child;
    if name.as_ref().is_some_and(|name| name.is_empty() || name.len() > MAX_NAME) {
        return Err(refuse(format!("name must be 1 to {MAX_NAME} bytes")));
    }
    let limits = SubmissionLimits::default();
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
        timeout: options.timeout,
        fuel: options.fuel,
        memory: options.memory,
        max_attempts: options.max_attempts,
        backoff: options.backoff,
        key,
        traceparent: None,
        tenant: None,
        tags: Default::default(),
    };
    let task = task.check(&limits).map_err(|error| refuse(error.to_string()))?;
    Ok(Child { name, task })
}

fn fail(failure: wit::Failure, bound: Size) -> Failure {
    let wit::Failure { category, code, message, retryable, retry_after_ms, details } = failure;
    Failure {
        category: match category {
            wit::Category::Validation => Category::Validation,
            wit::Category::Permanent => Category::Permanent,
            wit::Category::Retryable => Category::Retryable,
            wit::Category::Handler => Category::Handler,
            wit::Category::Timeout => Category::Timeout,
        },
        code: shown(&code, MAX_CODE),
        message: cut(message, MAX_MESSAGE),
        retryable,
        retry_after: retry_after_ms.map(Duration::from_millis),
        // A failure is not lost because of what was said beside it.
        details: json("details", details, bound).unwrap_or_else(|_| JsonText::null()),
    }
}
