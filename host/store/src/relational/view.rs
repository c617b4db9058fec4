//! Reading a task as callers see it.

use bulkhead_core::{
    AttemptRecord, Digest, Extras, HandlerName, JsonText, ReadyReason, State, TaskError, TaskId, Timestamp,
};

use crate::sql::{Ahead, Connection, Row};
use crate::{ChildrenView, StoreError, TaskSeq, TaskView, WaitView, WorkflowRef};

use super::failure::reading;
use super::ids;
use super::interned::read_route;
use super::place::{PLACE, PLACES, Place, find};
use super::placing::Waits;
use super::shared::Shared;
use super::slot::{Rank, RouteId};
use super::told;
use super::waiters::{Looked, When};
use super::workflow::input_of;
use crate::ending::state_of;
use crate::history::{digests, unsigned};

/// How many columns those are.
pub(super) const COLUMNS: usize = 36;

/// The columns of [`read`]; `FROM` is [`PLACES`] or the like, joined to `routes rt`.
pub(super) fn columns() -> String {
    format!(
        "t.seq, t.id, rt.kind, rt.requires, t.rank, t.route, t.created_at, coalesce(h.due, t.due), t.max_attempts, \
         t.tenant, t.extras, {PLACE}, h.reason, h.epoch, h.attempts, h.stage, h.max_attempts, h.error, \
         e.state, e.ended_at, e.attempt, e.epoch, e.stage, e.max_attempts, e.reason, e.error, \
         w.join_policy IS NOT NULL, w.since, w.timeout_at, w.stale_at, w.flag_at IS NULL, w.total, w.ended, w.well, \
         w.reason, w.metadata"
    )
}

/// The same columns of a task that has ended, from `ended e`, `tasks t` and `routes rt` alone.
fn columns_of_ended() -> String {
    let nulls = |count: usize| vec!["NULL"; count].join(", ");
    format!(
        "t.seq, t.id, rt.kind, rt.requires, t.rank, t.route, t.created_at, t.due, t.max_attempts, t.tenant, t.extras, 0, {}, \
         e.state, e.ended_at, e.attempt, e.epoch, e.stage, e.max_attempts, e.reason, e.error, {}",
        nulls(6),
        nulls(10)
    )
}

/// A task as lists show it, and its number.
pub(super) fn read(row: &Row<'_>, shared: &Shared) -> crate::sql::Result<(TaskSeq, TaskView)> {
    let route_id = RouteId(row.get(5)?);
    let route = read_route(row.get(2)?, row.get_ref(3)?.as_str()?)?;
    let place = Place::of(row.get(11)?, row.get(18)?);
    let own_max: Option<u32> = row.get(8)?;
    let mut extras: Option<Extras> = match row.get_ref(10)?.as_str_or_null()? {
        Some(text) => serde_json::from_str(text).ok(),
        None => None,
    };
    let ended = matches!(place, Place::Ended(_));
    let (epoch, attempt, stage, max_attempts): (Option<u32>, Option<u32>, Option<u32>, Option<u32>) = if ended {
        (row.get(21)?, row.get(20)?, row.get(22)?, row.get(23)?)
    } else {
        (row.get(13)?, row.get(14)?, row.get(15)?, row.get(16)?)
    };
    let kept: Option<String> = row.get(12)?;
    let reason = match place {
        Place::Ended(_) => row.get(24)?,
        Place::Running | Place::Paused => None,
        Place::Dependent { blocked: false } => Some("dependencies".to_owned()),
        Place::Dependent { blocked: true } => Some("dependency_failed".to_owned()),
        Place::Suspended if row.get(26)? => Some("children".to_owned()),
        Place::Suspended => Some("answer".to_owned()),
        Place::Waiting(Waits::Delayed) => Some(kept.unwrap_or_else(|| ReadyReason::Scheduled.as_str().to_owned())),
        Place::Waiting(Waits::Parked) => Some(ReadyReason::NoCapableWorker.as_str().to_owned()),
        Place::Waiting(Waits::Ready | Waits::Alone) if shared.is_unroutable(route_id) => {
            let waits_for = if route.home.is_some() { ReadyReason::WorkspaceHost } else { ReadyReason::Unroutable };
            Some(waits_for.as_str().to_owned())
        }
        Place::Waiting(Waits::Alone) => Some(ReadyReason::WorkerLost.as_str().to_owned()),
        Place::Waiting(Waits::Ready) => None,
    };
    let error: Option<String> = if ended { row.get(25)? } else { row.get(17)? };
    let view = TaskView {
        id: ids::read(row.get_ref(1)?),
        kind: route.kind,
        state: place.state(),
        reason,
        requires: route.requires,
        priority: Rank(row.get(4)?).priority(),
        epoch: epoch.unwrap_or(1),
        attempt: attempt.unwrap_or(0) + u32::from(place == Place::Running),
        max_attempts: max_attempts.or(own_max),
        stage: stage.unwrap_or(0),
        created_at: Timestamp::from_millis(row.get(6)?),
        run_at: Timestamp::from_millis(row.get(7)?),
        ended_at: row.get::<Option<i64>>(19)?.map(Timestamp::from_millis),
        payload: None,
        result: None,
        metadata: None,
        error: error.as_deref().and_then(read_error),
        tenant: row.get(9)?,
        tags: extras.as_mut().map(|extras| std::mem::take(&mut extras.tags)).unwrap_or_default(),
        waits: match place {
            Place::Suspended | Place::Dependent { .. } => Some(wait(row)?),
            _ => None,
        },
        progress: None,
        parent: None,
        workflow: extras.as_mut().and_then(|extras| extras.step.take()).map(|step| WorkflowRef::from(*step)),
        attempts: None,
    };
    Ok((TaskSeq(row.get(0)?), view))
}

/// What a task waits for.
fn wait(row: &Row<'_>) -> crate::sql::Result<WaitView> {
    let moment = |column| row.get::<Option<i64>>(column).map(|moment| moment.map(Timestamp::from_millis));
    let stale_at = moment(29)?;
    Ok(WaitView {
        since: Timestamp::from_millis(row.get(27)?),
        until: moment(28)?,
        stale_at,
        nearly_stale: stale_at.is_some() && row.get(30)?,
        children: match row.get(26)? {
            true => Some(ChildrenView { total: row.get(31)?, ended: row.get(32)?, succeeded: row.get(33)? }),
            false => None,
        },
        reason: row.get(34)?,
        metadata: row.get_ref(35)?.as_str_or_null()?.map(JsonText::from_trusted),
    })
}

/// One task, whole.
pub(super) fn whole(connection: &Connection, id: &TaskId, shared: &Shared) -> Result<Option<TaskView>, StoreError> {
    let read = || -> crate::sql::Result<_> {
        // An id made here has the number in it; whether there is such a task is asked together with all about it.
        if let Some((seq, _)) = ids::seq_of(id)
            && let Some(view) = whole_row(connection, seq, shared)?.filter(|view| view.id == *id)
        {
            return Ok(Some(view));
        }
        let Some(seq) = find(connection, id)? else { return Ok(None) };
        whole_row(connection, seq, shared)
    };
    read().map_err(|error| reading(&error))
}

/// One task as who waits for its end looks at it: whole, once it has ended. All about it is then asked at once.
pub(super) fn look(
    connection: &Connection,
    id: &TaskId,
    when: When,
    shared: &Shared,
) -> Result<Looked<TaskView>, StoreError> {
    let read = || -> crate::sql::Result<_> {
        if let Some((seq, _)) = ids::seq_of(id) {
            let select = format!(
                "SELECT {}, {WHOLE} FROM ended e CROSS JOIN tasks t ON t.seq = e.seq \
                 CROSS JOIN routes rt ON rt.id = t.route WHERE e.seq = ?1",
                columns_of_ended()
            );
            let ended = connection.ask_ahead(&select, [seq.0])?;
            let there = connection.ask_ahead("SELECT id FROM tasks WHERE seq = ?1", [seq.0])?;
            let more = if when == When::Woken { Some(More::ask(connection, seq)?) } else { None };
            let ended = ended.first(|row| read_whole(row, shared))?;
            if there.first(|row| row.get_ref(0).map(ids::read))?.as_ref() == Some(id) {
                return match ended {
                    None => Ok(Looked::Open(seq)),
                    Some(view) => {
                        let more = more.map_or_else(|| More::ask(connection, seq), Ok)?;
                        more.put_into(view, connection).map(Looked::Ended)
                    }
                };
            }
        }
        let Some(seq) = find(connection, id)? else { return Ok(Looked::Absent) };
        Ok(match whole_row(connection, seq, shared)? {
            None => Looked::Absent,
            Some(view) if view.state.is_ended() => Looked::Ended(view),
            Some(_) => Looked::Open(seq),
        })
    };
    read().map_err(|error| reading(&error))
}

fn whole_row(connection: &Connection, seq: TaskSeq, shared: &Shared) -> crate::sql::Result<Option<TaskView>> {
    let select =
        format!("SELECT {}, {WHOLE} FROM {PLACES} CROSS JOIN routes rt ON rt.id = t.route WHERE t.seq = ?1", columns());
    let found = connection.ask_ahead(&select, [seq.0])?;
    let more = More::ask(connection, seq)?;
    match found.first(|row| read_whole(row, shared))? {
        Some(view) => more.put_into(view, connection).map(Some),
        None => Ok(None),
    }
}

/// What follows [`columns`] where a task is shown whole.
const WHOLE: &str = "t.payload, e.result, e.metadata";

fn read_whole(row: &Row<'_>, shared: &Shared) -> crate::sql::Result<TaskView> {
    let (_, mut view) = read(row, shared)?;
    let json = |column| Ok::<_, crate::sql::Error>(row.get_ref(column)?.as_str_or_null()?.map(JsonText::from_trusted));
    view.payload = json(COLUMNS)?;
    view.result = json(COLUMNS + 1)?;
    view.metadata = json(COLUMNS + 2)?;
    if view.state == State::Succeeded && view.metadata.is_none() {
        view.metadata = Some(JsonText::from_trusted("{}"));
    }
    Ok(view)
}

/// What other tables have of a task.
struct More<'a> {
    attempts: Ahead<'a>,
    parent: Ahead<'a>,
    progress: Ahead<'a>,
}

impl<'a> More<'a> {
    fn ask(connection: &'a Connection, seq: TaskSeq) -> crate::sql::Result<Self> {
        Ok(Self {
            attempts: connection.ask_ahead(ATTEMPTS, [seq.0])?,
            parent: connection.ask_ahead(PARENT, [seq.0])?,
            progress: connection.ask_ahead(told::PROGRESS, [seq.0])?,
        })
    }

    fn put_into(self, mut view: TaskView, connection: &Connection) -> crate::sql::Result<TaskView> {
        view.attempts = Some(self.attempts.map(attempt)?);
        view.parent = self.parent.first(|row| row.get_ref(0).map(ids::read))?;
        view.progress = self.progress.first(told::read_progress)?;
        if let (Some(workflow), true) = (&view.workflow, view.payload.as_ref().is_some_and(JsonText::is_absent)) {
            view.payload = Some(input_of(connection, &workflow.id)?);
        }
        Ok(view)
    }
}

/// The task that spawned this one.
const PARENT: &str = "SELECT t.id FROM kin k JOIN tasks t ON t.seq = k.parent WHERE k.child = ?1 AND k.own";

/// The attempts of a task, oldest first; the last may be in `ended`.
const ATTEMPTS: &str = "SELECT x.attempt, x.epoch, v.handler, v.digest, x.digests, w.name, x.started_at, x.ended_at, \
    x.\"end\", x.fuel, x.peak, x.error, x.state FROM ( \
        SELECT number, attempt, epoch, worker, version, started_at, ended_at, fuel, peak, \"end\", error, digests, \
            CAST(NULL AS BIGINT) AS state FROM attempts WHERE seq = ?1 \
        UNION ALL SELECT 9223372036854775807, attempt, epoch, worker, version, started_at, ended_at, fuel, peak, \
            \"end\", error, digests, state FROM ended WHERE seq = ?1 AND worker IS NOT NULL \
    ) x LEFT JOIN versions v ON v.id = x.version LEFT JOIN workers w ON w.id = x.worker ORDER BY x.number";

/// One of [`ATTEMPTS`].
fn attempt(row: &Row<'_>) -> crate::sql::Result<AttemptRecord> {
    let handler: Option<String> = row.get(2)?;
    let mut versions = digests(row.get_ref(4)?.as_bytes_or_null()?.unwrap_or_default());
    if let Some(digest) = row.get_ref(3)?.as_bytes_or_null()?.and_then(|bytes| bytes.try_into().ok()) {
        versions.push(Digest::from_bytes(digest));
    }
    let state = row.get::<Option<i64>>(12)?.and_then(state_of);
    let end: Option<String> = row.get(8)?;
    Ok(AttemptRecord {
        number: row.get(0)?,
        epoch: row.get(1)?,
        handler: handler.and_then(|name| HandlerName::parse(name).ok()),
        digests: versions,
        worker: row.get::<Option<String>>(5)?.unwrap_or_default(),
        started_at: Timestamp::from_millis(row.get(6)?),
        ended_at: Timestamp::from_millis(row.get(7)?),
        end: end.unwrap_or_else(|| state.map_or("", State::as_str).to_owned()),
        fuel: unsigned(row.get(9)?),
        peak_memory: unsigned(row.get(10)?),
        error: row.get_ref(11)?.as_str_or_null()?.and_then(read_error),
    })
}

fn read_error(text: &str) -> Option<TaskError> {
    serde_json::from_str(text).ok()
}
