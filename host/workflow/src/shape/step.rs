//! The keys of a step.

use super::{Key, Shape, Table, acts, kept, needed, tells};

/// A length of time in minutes: at most a year.
pub(super) const LIFECYCLE_MINUTES: Shape = Shape::Whole(1, 525_600);
const MAX_SECONDS: i64 = 365 * 24 * 3600;
const MAX_MILLIS: i64 = 365 * 24 * 3600 * 1000;
const NAMES: Shape = Shape::Either(&[Shape::List(&Shape::Text), Shape::Text]);
const TYPES: &[&str] =
    &["standard", "decision", "deferred_convergence", "batchable", "batch_worker", "decision_point", "deferred"];

/// A step.
pub(crate) const STEP: Table = Table { what: "a step", keys: &keys(true) };

/// A step as an environment changes it.
pub(super) const OVERRIDE: Table = Table { what: "a step of an environment", keys: &keys(false) };

/// The keys of a step; `whole` where it is not only changed.
const fn keys(whole: bool) -> [Key; 21] {
    let name = "What the step is called: 1 to 128 of A–Z a–z 0–9 _ . -";
    let changed = "The step that is changed; `ALL` for every step.";
    [
        needed("name", Shape::Text, if whole { name } else { changed }),
        tells("description", Shape::Text, "For people."),
        acts("type", Shape::Word(TYPES), "What its outcome means to others; `standard` where absent."),
        acts("step_type", Shape::Word(TYPES), "Another spelling of `type`."),
        acts("kind", Shape::Text, "The kind of its task; else the handler's `callable` says it."),
        acts("handler", Shape::Table(&HANDLER), "Which handler does it, and its settings."),
        acts("depends_on", NAMES, "The steps that must end well before."),
        acts("dependencies", NAMES, "Another spelling of `depends_on`."),
        acts("requires", NAMES, "The tags that a handler must provide."),
        acts(
            "when",
            Shape::Either(&[Shape::Text, Shape::Flag]),
            "An expression over `input` and `steps`; where it is false, the step is skipped.",
        ),
        acts(
            "for_each",
            Shape::Either(&[Shape::List(&Shape::Any), Shape::Text]),
            "A task for each of these: a list, or an expression that gives one. The item is the task's payload.",
        ),
        acts("join", JOIN_SHAPE, "When a step with `for_each` has ended, and how: `all` where absent."),
        acts("priority", Shape::Whole(-20, 20), "−20 to 20, higher first; the workflow's where absent."),
        acts(
            "executor",
            Shape::Word(&["direct", "docker", "gpu"]),
            "`docker` and `gpu`: the step runs a program in a container, which `handler.initialization` describes.",
        ),
        acts("retry", Shape::Table(&RETRY), "How often it is tried, and how long it waits between."),
        acts("timeout_seconds", Shape::Whole(1, MAX_SECONDS), "Running time of one attempt."),
        acts("lifecycle", Shape::Table(&STEP_LIFECYCLE), "How long it may wait; older templates say retries here."),
        acts(
            "batch_config",
            Shape::Table(&BATCH),
            "How a `batchable` step cuts its work, said there or at its worker; both find it in their settings.",
        ),
        acts(
            "publishes_events",
            Shape::List(&Shape::Either(&[Shape::Table(&EVENT), Shape::Text])),
            "What is told once it has ended.",
        ),
        kept("result_schema", Shape::Schema, "Tasker's schema of the result."),
        kept("system_dependency", Shape::Text, "Tasker's name of the system that it speaks to."),
    ]
}

/// Which handler does it.
pub(super) const HANDLER: Table = Table {
    what: "a handler",
    keys: &[
        acts(
            "callable",
            Shape::Text,
            "What Tasker calls; here it gives the kind: by `[workflow.callables]`, else as it stands, else its last part in snake case.",
        ),
        acts("method", Shape::Text, "The handler finds it as `context.step.method`."),
        acts("initialization", Shape::AnyTable, "Joins the handler's settings."),
        kept("resolver", Shape::Any, "How Tasker finds the callable."),
    ],
};

const RETRY: Table = Table {
    what: "retry",
    keys: &[
        acts("retryable", Shape::Flag, "`false`: one attempt."),
        acts("max_attempts", Shape::Whole(0, 1000), "Attempts in all, the first included; 0 is 1, too."),
        acts("limit", Shape::Whole(0, 1000), "Older spelling of `max_attempts`."),
        acts("backoff", Shape::Word(&["none", "fixed", "linear", "exponential", "fibonacci"]), "How the wait grows."),
        acts("backoff_base_ms", Shape::Whole(0, MAX_MILLIS), "The first wait, in milliseconds."),
        acts("max_backoff_ms", Shape::Whole(0, MAX_MILLIS), "The longest wait, in milliseconds."),
        acts(
            "initial_delay",
            Shape::Either(&[Shape::Amount, Shape::Text]),
            "Older spelling of the first wait: seconds, or a duration such as `500ms`.",
        ),
        acts(
            "max_delay",
            Shape::Either(&[Shape::Amount, Shape::Text]),
            "Older spelling of the longest wait: seconds, or a duration such as `30s`.",
        ),
        kept("backoff_seconds", Shape::Any, "A wait for each attempt; use `backoff_base_ms` and `max_backoff_ms`."),
    ],
};

const STEP_LIFECYCLE: Table = Table {
    what: "a step's lifecycle",
    keys: &[
        acts(
            "max_waiting_for_dependencies_minutes",
            LIFECYCLE_MINUTES,
            "Dead as `stale` if it waits longer than this for others.",
        ),
        acts("max_retries", Shape::Whole(0, 1000), "Attempts in all, where `retry` does not say."),
        acts("retry", Shape::Table(&RETRY), "Older place of `retry`."),
        kept("backoff_multiplier", Shape::Amount, "Tasker's; an exponential wait doubles."),
        kept("max_steps_in_process_minutes", LIFECYCLE_MINUTES, "Tasker's; use `timeout_seconds`."),
        kept("max_waiting_for_retry_minutes", LIFECYCLE_MINUTES, "Tasker's; use `retry.max_backoff_ms`."),
        kept("max_duration_minutes", LIFECYCLE_MINUTES, "Tasker's; use `timeout_seconds`."),
        kept("staleness_action", Shape::Text, "Tasker's."),
        kept("auto_fail_on_timeout", Shape::Flag, "Tasker's."),
        kept("auto_dlq_on_timeout", Shape::Flag, "Tasker's."),
    ],
};

const BATCH: Table = Table {
    what: "a batch",
    keys: &[
        acts("batch_size", Shape::Whole(1, i64::MAX), "Items of one worker."),
        acts("parallelism", Shape::Whole(1, 10_000), "Workers at most."),
        acts("cursor_field", Shape::Text, "What the cursor counts."),
        acts("worker_template", Shape::Text, "The `batch_worker` step that takes the ranges."),
        acts(
            "failure_strategy",
            Shape::Word(&["continue_on_failure", "fail_fast", "isolate"]),
            "What becomes of the rest when a worker ends badly; `continue_on_failure` where absent.",
        ),
        acts(
            "checkpoint_interval",
            Shape::Whole(1, i64::MAX),
            "For the handlers: how often a worker notes how far it is.",
        ),
        kept("resumable", Shape::Flag, "Tasker's; a worker that checkpoints always resumes."),
    ],
};

const EVENT: Table = Table {
    what: "an event",
    keys: &[
        needed("name", Shape::Text, "What is told, such as `order.paid`."),
        acts(
            "condition",
            Shape::Word(&["success", "failure", "always", "permanent_failure", "retryable_failure"]),
            "When it is told; `success` where absent. `retryable_failure` is never told.",
        ),
        tells("description", Shape::Text, "For people."),
        kept("schema", Shape::Schema, "Tasker's schema of what is told."),
        kept("delivery_mode", Shape::Text, "Tasker's; events are told at least once, after the commit."),
        kept("publisher", Shape::Text, "Tasker's."),
    ],
};

const JOIN_SHAPE: Shape = Shape::Either(&[Shape::Text, Shape::Table(&JOIN)]);

const JOIN: Table = Table {
    what: "a join",
    keys: &[
        acts("at-least", Shape::Whole(1, 10_000), "So many must end well."),
        acts("critical", Shape::List(&Shape::Text), "The instances of these names must end well, such as `train_001`."),
    ],
};
