//! The tables that tasks go through in great numbers, by the columns that are written.

use crate::sql::Kind::{Blob, Boolean, Integer, Text};
use crate::sql::Table;

/// How many there are.
pub(super) const COUNT: usize = 9;

/// What was submitted.
pub(super) static TASKS: Table = Table::new(
    0,
    "tasks",
    &[
        ("seq", Integer),
        ("id", Blob),
        ("route", Integer),
        ("rank", Integer),
        ("due", Integer),
        ("created_at", Integer),
        ("max_attempts", Integer),
        ("tenant", Text),
        ("extras", Text),
        ("payload", Text),
    ],
);

/// What is due.
pub(super) static READY: Table = Table::new(
    1,
    "ready",
    &[("route", Integer), ("rank", Integer), ("due", Integer), ("seq", Integer), ("flags", Integer)],
);

/// What is not due yet.
pub(super) static DELAYED: Table = Table::new(
    2,
    "delayed",
    &[("due", Integer), ("seq", Integer), ("route", Integer), ("rank", Integer), ("flags", Integer)],
);

/// How tasks ended.
pub(super) static ENDED: Table = Table::new(
    3,
    "ended",
    &[
        ("seq", Integer),
        ("state", Integer),
        ("ended_at", Integer),
        ("attempt", Integer),
        ("epoch", Integer),
        ("stage", Integer),
        ("max_attempts", Integer),
        ("worker", Integer),
        ("version", Integer),
        ("started_at", Integer),
        ("elapsed", Integer),
        ("fuel", Integer),
        ("peak", Integer),
        ("result", Text),
        ("metadata", Text),
        ("\"end\"", Text),
        ("reason", Text),
        ("error", Text),
        ("digests", Blob),
    ],
);

/// Attempts before the last.
pub(super) static ATTEMPTS: Table = Table::new(
    4,
    "attempts",
    &[
        ("seq", Integer),
        ("attempt", Integer),
        ("epoch", Integer),
        ("worker", Integer),
        ("version", Integer),
        ("started_at", Integer),
        ("ended_at", Integer),
        ("elapsed", Integer),
        ("fuel", Integer),
        ("peak", Integer),
        ("\"end\"", Text),
        ("error", Text),
        ("digests", Blob),
    ],
);

/// Steps of workflows.
pub(super) static STEPS: Table = Table::new(
    5,
    "steps",
    &[
        ("seq", Integer),
        ("workflow", Integer),
        ("place", Integer),
        ("role", Integer),
        ("fans_out", Boolean),
        ("standing", Integer),
        ("total", Integer),
        ("name", Text),
        ("publishes", Text),
    ],
);

/// Which step waits for which.
pub(super) static EDGES: Table = Table::new(6, "edges", &[("dependency", Integer), ("dependent", Integer)]);

/// Steps that wait for others.
pub(super) static STEP_WAITS: Table = Table::new(
    7,
    "waits",
    &[
        ("seq", Integer),
        ("state", Integer),
        ("since", Integer),
        ("flag_at", Integer),
        ("stale_at", Integer),
        ("wakes_at", Integer),
        ("epoch", Integer),
        ("stage", Integer),
        ("started_at", Integer),
    ],
);

/// Whose children tasks are.
pub(super) static KIN: Table = Table::new(
    8,
    "kin",
    &[
        ("parent", Integer),
        ("epoch", Integer),
        ("stage", Integer),
        ("position", Integer),
        ("child", Integer),
        ("own", Boolean),
        ("critical", Boolean),
        ("depth", Integer),
        ("root", Integer),
        ("name", Text),
    ],
);
