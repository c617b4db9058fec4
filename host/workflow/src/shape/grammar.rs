//! The keys of a template, and of the tables in it that are not steps.

use super::step::{HANDLER, LIFECYCLE_MINUTES, OVERRIDE};
use super::{Shape, Table, acts, kept, needed, step::STEP, tells};

/// A template.
pub(crate) const TEMPLATE: Table = Table {
    what: "a template",
    keys: &[
        needed("name", Shape::Text, "What the template is called within its namespace."),
        acts("namespace_name", Shape::Text, "The namespace; `default` where absent."),
        acts("namespace", Shape::Text, "Another spelling of `namespace_name`."),
        acts(
            "version",
            Shape::Written,
            "A semantic version; `1.0.0` where absent. The newest is used where none is asked for.",
        ),
        tells("description", Shape::Text, "For people."),
        tells("metadata", Shape::AnyTable, "For people: author, tags, links."),
        acts(
            "input_schema",
            Shape::Schema,
            "A JSON Schema (2020-12 unless `$schema` says otherwise) that every input must fulfil.",
        ),
        needed("steps", Shape::List(&Shape::Table(&STEP)), "The steps; their order is only for the eye."),
        acts(
            "environments",
            Shape::Names(&Shape::Table(&ENVIRONMENT)),
            "What is different where the host has that environment (`workflow.environment`).",
        ),
        acts("lifecycle", Shape::Table(&LIFECYCLE), "How long a workflow may take and wait."),
        kept("task_handler", Shape::Table(&HANDLER), "Tasker's handler of the whole; here the steps are all there is."),
        kept("system_dependencies", Shape::Table(&SYSTEMS), "Tasker's names of systems outside."),
        kept(
            "domain_events",
            Shape::List(&Shape::Any),
            "Tasker's declarations of events; a step tells those of its `publishes_events`.",
        ),
        kept("loaded_from", Shape::Text, "Tasker's note of the file."),
    ],
};

/// What one environment changes.
const ENVIRONMENT: Table = Table {
    what: "an environment",
    keys: &[
        acts(
            "steps",
            Shape::List(&Shape::Table(&OVERRIDE)),
            "Changes by the name of the step; `ALL` changes every step.",
        ),
        kept("task_handler", Shape::Table(&HANDLER), "Tasker's handler of the whole."),
    ],
};

/// How long a workflow may take and wait.
const LIFECYCLE: Table = Table {
    what: "a lifecycle",
    keys: &[
        acts("max_duration_minutes", LIFECYCLE_MINUTES, "Cancelled, and failed, if it has not ended after so long."),
        acts(
            "max_waiting_for_dependencies_minutes",
            LIFECYCLE_MINUTES,
            "A step that waits longer than this for others is dead as `stale`.",
        ),
        kept(
            "max_waiting_for_retry_minutes",
            LIFECYCLE_MINUTES,
            "Tasker's bound of the wait for a retry; `retry.max_backoff_ms` bounds it here.",
        ),
        kept(
            "max_steps_in_process_minutes",
            LIFECYCLE_MINUTES,
            "Tasker's bound of running steps; `timeout_seconds` bounds them here.",
        ),
        kept("staleness_action", Shape::Text, "What Tasker does with stale tasks; here they are dead letters."),
        kept("auto_fail_on_timeout", Shape::Flag, "What Tasker does with stale tasks; here they are dead letters."),
        kept("auto_dlq_on_timeout", Shape::Flag, "What Tasker does with stale tasks; here they are dead letters."),
    ],
};

/// Tasker's names of systems outside.
const SYSTEMS: Table = Table {
    what: "system dependencies",
    keys: &[
        kept("primary", Shape::Text, "The system that the steps speak to."),
        kept("secondary", Shape::List(&Shape::Text), "Others."),
    ],
};
