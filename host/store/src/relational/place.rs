//! Where a task is: which of the tables holds it.

use bulkhead_core::{State, TaskId, Timestamp};

use crate::TaskSeq;
use crate::sql::{Connection, OptionalExtension};

use super::ids;
use super::placing::Waits;
use super::slot::{Flags, Rank, RouteId, Slot};
use crate::ending::state_of;

/// The tables in which a task that has not ended waits, or has ended: it is in one of them, or runs and is in none.
pub(crate) const PLACE_TABLES: [&str; 7] = ["ready", "delayed", "parked", "alone", "waits", "paused", "ended"];

/// Those of ready tasks, whether they may be claimed at once or not.
pub(super) const READY_TABLES: [&str; 4] = ["ready", "delayed", "parked", "alone"];

/// `FROM` of every question about where tasks are: each join is one look by a whole key. Where a task is in `ready` is asked
/// by `t` alone: by `h` as well, PostgreSQL would leave out `due`, and pass over all of the route's tasks for each.
pub(super) const PLACES: &str = "tasks t \
    LEFT JOIN ended e ON e.seq = t.seq \
    LEFT JOIN history h ON h.seq = t.seq \
    LEFT JOIN ready r ON r.route = t.route AND r.rank = t.rank \
        AND r.due = coalesce((SELECT due FROM history WHERE seq = t.seq), t.due) AND r.seq = t.seq \
    LEFT JOIN delayed d ON d.due = coalesce(h.due, t.due) AND d.seq = t.seq \
    LEFT JOIN parked p ON p.route = t.route AND p.seq = t.seq \
    LEFT JOIN alone a ON a.seq = t.seq \
    LEFT JOIN waits w ON w.seq = t.seq \
    LEFT JOIN paused u ON u.seq = t.seq";

/// Which table it was, as a number; null where the task runs.
pub(super) const PLACE: &str = "CASE WHEN e.seq IS NOT NULL THEN 0 WHEN r.seq IS NOT NULL THEN 1 \
    WHEN d.seq IS NOT NULL THEN 2 WHEN p.seq IS NOT NULL THEN 3 WHEN a.seq IS NOT NULL THEN 4 \
    WHEN w.state = 0 THEN 7 WHEN w.state = 5 THEN 8 WHEN w.seq IS NOT NULL THEN 5 WHEN u.seq IS NOT NULL THEN 6 END";

/// Where a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Ended(State),
    Waiting(Waits),
    Running,
    Suspended,
    /// On the steps before it, which may have ended badly.
    Dependent {
        blocked: bool,
    },
    Paused,
}

impl Place {
    /// From [`PLACE`] and `ended.state`.
    pub(super) fn of(place: Option<i64>, state: Option<i64>) -> Self {
        match place {
            Some(0) => Self::Ended(state.and_then(state_of).unwrap_or(State::Dead)),
            Some(1) => Self::Waiting(Waits::Ready),
            Some(2) => Self::Waiting(Waits::Delayed),
            Some(3) => Self::Waiting(Waits::Parked),
            Some(4) => Self::Waiting(Waits::Alone),
            Some(5) => Self::Suspended,
            Some(6) => Self::Paused,
            Some(7) => Self::Dependent { blocked: false },
            Some(8) => Self::Dependent { blocked: true },
            _ => Self::Running,
        }
    }

    /// The state that callers see.
    pub(super) const fn state(self) -> State {
        match self {
            Self::Ended(state) => state,
            Self::Waiting(_) => State::Ready,
            Self::Running => State::Running,
            Self::Suspended => State::Suspended,
            Self::Dependent { blocked: false } => State::Waiting,
            Self::Dependent { blocked: true } => State::Blocked,
            Self::Paused => State::Paused,
        }
    }
}

/// The number of the task of this name.
pub(super) fn find(connection: &Connection, id: &TaskId) -> crate::sql::Result<Option<TaskSeq>> {
    if let Some((seq, uuid)) = ids::seq_of(id) {
        let found: Option<bool> = connection
            .prepare_cached("SELECT id = ?2 FROM tasks WHERE seq = ?1")?
            .query_row(crate::sql::params![seq.0, &uuid.as_bytes()[..]], |row| row.get(0))
            .optional()?;
        if found == Some(true) {
            return Ok(Some(seq));
        }
    }
    connection
        .prepare_cached("SELECT seq FROM own_ids WHERE id = ?1")?
        .query_row([id.as_str()], |row| row.get(0).map(TaskSeq))
        .optional()
}

/// The state of a task.
pub(super) fn state(connection: &Connection, seq: TaskSeq) -> crate::sql::Result<Option<State>> {
    Ok(locate(connection, seq)?.map(|(_, place)| place.state()))
}

/// A task's place in the queue, were it there, and where it is.
pub(super) fn locate(connection: &Connection, seq: TaskSeq) -> crate::sql::Result<Option<(Slot, Place)>> {
    connection
        .prepare_cached(&format!(
            "SELECT t.route, t.rank, coalesce(h.due, t.due), h.seq IS NOT NULL, coalesce(h.losses, 0), {PLACE}, e.state \
             FROM {PLACES} WHERE t.seq = ?1"
        ))?
        .query_row([seq.0], |row| {
            let mut flags = if row.get(3)? { Flags::HISTORY } else { Flags::NONE };
            if row.get::<u32>(4)? >= bulkhead_core::LOSSES_BEFORE_ALONE {
                flags = flags.with(Flags::ALONE);
            }
            let slot = Slot {
                seq,
                route: RouteId(row.get(0)?),
                rank: Rank(row.get(1)?),
                due: Timestamp::from_millis(row.get(2)?),
                flags,
            };
            Ok((slot, Place::of(row.get(5)?, row.get(6)?)))
        })
        .optional()
}
