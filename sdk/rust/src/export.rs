//! From a [`Handler`] to the component that the host loads.

use std::marker::PhantomData;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::bindings::bulkhead::handler::{context as host, types};
use crate::bindings::exports::bulkhead::handler::handler::Guest;
use crate::context::{Host, WORKSPACE};
use crate::{
    Answer, Category, Child, Context, Cursor, Failure, Handler, Join, Level, Outcome, Progress, RawTask, Step,
    Upstream, UpstreamEnd, handler,
};

/// Exports a handler from this crate; on targets other than WebAssembly it only checks the type.
#[macro_export]
macro_rules! export {
    ($handler:ty) => {
        const _: () = {
            #[allow(dead_code, reason = "the component's exports are its only users")]
            type Component = $crate::Exported<$handler>;
            #[cfg(target_arch = "wasm32")]
    $crate::bindings::export_component!(Component with_types_in $crate::bindings);
        };
    };
}

/// A handler as the component's exports see it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Exported<H>(PhantomData<H>);

impl<H: Handler + 'static> Guest for Exported<H> {
    fn kind() -> String {
        H::KIND.to_owned()
    }

    fn provides() -> Vec<String> {
        H::PROVIDES.iter().map(|tag| (*tag).to_owned()).collect()
    }

    fn defaults() -> String {
        text(&H::defaults())
    }

    fn dispatch(task: types::Task) -> bool {
        H::dispatch(&raw(task))
    }

    fn handle(task: types::Task) -> Result<types::Outcome, types::Failure> {
        handler::run::<H>(raw(task), &Context::new(&RealHost)).map(Into::into).map_err(Into::into)
    }
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// What must be an object; nothing said is an empty one.
fn object(value: &Value) -> String {
    if value.is_null() { String::new() } else { text(value) }
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn raw(task: types::Task) -> RawTask {
    RawTask {
        id: task.id,
        kind: task.kind,
        payload: task.payload,
        requires: task.requires,
        attempt: task.attempt,
        max_attempts: task.max_attempts,
        stage: task.stage,
    }
}

impl From<Outcome> for types::Outcome {
    fn from(outcome: Outcome) -> Self {
        let cursor =
            |cursor: Cursor| types::Cursor { start: cursor.start, end: cursor.end, metadata: object(&cursor.metadata) };
        match outcome {
            Outcome::Complete { result, metadata, then } => Self::Complete(types::Completion {
                result: text(&result),
                metadata: object(&metadata),
                then: then.into_iter().map(Into::into).collect(),
            }),
            Outcome::Skip(reason) => Self::Skip(reason),
            Outcome::Spawn { children, join, state } => Self::Spawn(types::Spawn {
                children: children.into_iter().map(Into::into).collect(),
                join: match join {
                    Join::BestEffort => types::Join::BestEffort,
                    Join::Strict => types::Join::Strict,
                    Join::AtLeast(count) => types::Join::AtLeast(count),
                    Join::Critical(names) => types::Join::Critical(names),
                },
                state: state.map(|state| text(&state)),
            }),
            Outcome::Suspend(suspension) => Self::Suspend(types::Suspension {
                reason: suspension.reason,
                metadata: object(&suspension.metadata),
                state: suspension.state.map(|state| text(&state)),
                timeout_ms: suspension.timeout.map(millis),
            }),
            Outcome::Checkpoint { state, processed, total } => {
                Self::Checkpoint(types::Checkpoint { state: text(&state), processed, total })
            }
            Outcome::Decide { steps, result, metadata } => {
                Self::Decide(types::Decision { steps, result: text(&result), metadata: object(&metadata) })
            }
            Outcome::Batch(plan) => Self::Batch(types::BatchPlan {
                cursors: plan.cursors.into_iter().map(cursor).collect(),
                result: text(&plan.result),
                metadata: object(&plan.metadata),
            }),
        }
    }
}

impl From<Child> for types::Child {
    fn from(child: Child) -> Self {
        Self {
            kind: child.kind,
            payload: text(&child.payload),
            requires: child.requires,
            name: child.name,
            delay_ms: child.delay.map(millis),
            key: child.key,
            options: child.options.map(|options| text(&options)),
        }
    }
}

impl From<Failure> for types::Failure {
    fn from(failure: Failure) -> Self {
        Self {
            category: match failure.category {
                Category::Validation => types::Category::Validation,
                Category::Permanent => types::Category::Permanent,
                Category::Retryable => types::Category::Retryable,
                Category::Handler => types::Category::Handler,
                Category::Timeout => types::Category::Timeout,
            },
            code: failure.code,
            message: failure.message,
            retryable: failure.retryable,
            retry_after_ms: failure.retry_after.map(millis),
            details: object(&failure.details),
        }
    }
}

/// A function, since [`Failure`] is made from every error by `From`, and this type is one.
fn failed(failure: types::Failure) -> Failure {
    Failure {
        category: match failure.category {
            types::Category::Validation => Category::Validation,
            types::Category::Permanent => Category::Permanent,
            types::Category::Retryable => Category::Retryable,
            types::Category::Handler => Category::Handler,
            types::Category::Timeout => Category::Timeout,
        },
        code: failure.code,
        message: failure.message,
        retryable: failure.retryable,
        retry_after: failure.retry_after_ms.map(Duration::from_millis),
        details: Box::new(value(&failure.details)),
    }
}

/// The host that this component runs in.
struct RealHost;

impl Host for RealHost {
    fn idempotency_key(&self) -> String {
        host::idempotency_key()
    }

    fn tenant(&self) -> Option<String> {
        host::tenant()
    }

    fn tags(&self) -> Vec<(String, String)> {
        host::tags()
    }

    fn traceparent(&self) -> Option<String> {
        host::traceparent()
    }

    fn settings(&self) -> String {
        host::settings()
    }

    fn state(&self) -> Option<String> {
        host::state()
    }

    fn resumption(&self) -> Option<Answer> {
        host::resumption().map(|answer| match answer {
            host::Answer::Given(given) => Answer::Given(value(&given)),
            host::Answer::TimedOut => Answer::TimedOut,
        })
    }

    fn upstream(&self) -> Vec<Upstream> {
        let count = host::upstream_count();
        let mut all = Vec::new();
        // A page is shorter where it would outgrow what the host hands over at once, and empty only at the end.
        while let offset = u32::try_from(all.len()).unwrap_or(count)
            && offset < count
        {
            let page = host::upstream(offset, count - offset);
            if page.is_empty() {
                break;
            }
            all.extend(page.into_iter().map(upstream));
        }
        all
    }

    fn upstream_named(&self, name: &str) -> Option<Upstream> {
        host::upstream_named(name).map(upstream)
    }

    fn step(&self) -> Option<Step> {
        host::step().map(|step| Step {
            workflow_id: step.workflow_id,
            workflow: step.workflow,
            name: step.name,
            method: step.method,
            cursor: step.cursor.map(|cursor| Cursor {
                start: cursor.start,
                end: cursor.end,
                metadata: value(&cursor.metadata),
            }),
        })
    }

    fn cancelled(&self) -> bool {
        host::cancelled()
    }

    fn remaining(&self) -> Duration {
        Duration::from_millis(host::remaining_ms())
    }

    fn remaining_fuel(&self) -> u64 {
        host::remaining_fuel()
    }

    fn workspace(&self) -> PathBuf {
        PathBuf::from(WORKSPACE)
    }

    fn log(&self, level: Level, message: &str, fields: &str) {
        let level = match level {
            Level::Trace => host::Level::Trace,
            Level::Debug => host::Level::Debug,
            Level::Info => host::Level::Info,
            Level::Warn => host::Level::Warn,
            Level::Error => host::Level::Error,
        };
        host::log(level, message, fields);
    }

    fn report_progress(&self, progress: &Progress) {
        host::report_progress(&host::Progress {
            stage: progress.stage.clone(),
            text: progress.text.clone(),
            fraction: progress.fraction,
            metadata: object(&progress.metadata),
        });
    }

    fn audit(&self, code: &str, details: &str) {
        host::audit(code, details);
    }
}

fn upstream(task: host::UpstreamTask) -> Upstream {
    let end = match task.end {
        host::UpstreamEnd::Succeeded(result) => UpstreamEnd::Succeeded(value(&result)),
        host::UpstreamEnd::Resolved(result) => UpstreamEnd::Resolved(value(&result)),
        host::UpstreamEnd::Failed(failure) => UpstreamEnd::Failed(failed(failure)),
        host::UpstreamEnd::Cancelled => UpstreamEnd::Cancelled,
        host::UpstreamEnd::Skipped => UpstreamEnd::Skipped,
    };
    Upstream { name: task.name, id: task.id, end }
}
