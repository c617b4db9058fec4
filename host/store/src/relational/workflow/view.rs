//! Reading workflows as callers see them.

use std::fmt::Write as _;

use bulkhead_core::{JsonText, State, StepGlance, StepName, TaskId, Timestamp, WorkflowState, under_way};

use super::begin::{find, read_digest, read_extras};
use super::slowest::slowest;
use super::tally::read_tally;
use crate::sql::{Connection, OptionalExtension, Row, Value};
use crate::{StepView, StoreError, TaskSeq, WorkflowFilter, WorkflowPage, WorkflowSelection, WorkflowView};

use super::super::failure::reading;
use super::super::ids;
use super::super::place::PLACES;
use super::super::shared::Shared;
use super::super::view;
use super::super::waiters::Looked;

/// The longest page.
const MAX_PAGE: usize = 1_000;

/// So many of the attempts that ran longest are told.
const SLOWEST: u32 = 10;

/// The columns of [`read_workflow`].
const COLUMNS: &str = "x.seq, x.id, x.namespace, x.name, x.version, x.plan, x.created_at, x.settled_at, x.due_by, \
    x.steps, x.unfinished, x.blocked, x.dead, x.cancelled, x.terminated, x.overdue, x.settled, x.tenant, x.extras";

/// One workflow with its steps.
pub(super) fn whole(connection: &Connection, id: &TaskId, shared: &Shared) -> Result<Option<WorkflowView>, StoreError> {
    let read = || {
        let Some((seq, settled, view)) = head(connection, id)? else { return Ok(None) };
        with_steps(connection, seq, settled, view, shared).map(Some)
    };
    read().map_err(|error| reading(&error))
}

/// One workflow with its steps, where nothing more happens in it by itself.
pub(super) fn look(connection: &Connection, id: &TaskId, shared: &Shared) -> Result<Looked<WorkflowView>, StoreError> {
    let read = || match head(connection, id)? {
        None => Ok(Looked::Absent),
        Some((seq, None, _)) => Ok(Looked::Open(seq)),
        Some((seq, settled, view)) => with_steps(connection, seq, settled, view, shared).map(Looked::Ended),
    };
    read().map_err(|error| reading(&error))
}

/// A workflow's number, how it stands where nothing more happens in it by itself, and it with its input.
type Head = (TaskSeq, Option<WorkflowState>, WorkflowView);

fn head(connection: &Connection, id: &TaskId) -> crate::sql::Result<Option<Head>> {
    // An id made here has the number in it.
    if let Some((seq, _)) = ids::seq_of(id)
        && let Some(head) = head_row(connection, seq)?.filter(|(_, _, view)| view.id == *id)
    {
        return Ok(Some(head));
    }
    match find(connection, id)? {
        Some(seq) => head_row(connection, seq),
        None => Ok(None),
    }
}

fn head_row(connection: &Connection, seq: TaskSeq) -> crate::sql::Result<Option<Head>> {
    let select = format!("SELECT {COLUMNS}, x.input FROM workflows x WHERE x.seq = ?1");
    let read = |row: &Row<'_>| {
        let (seq, settled, mut view) = read_workflow(row)?;
        view.input = Some(JsonText::from_trusted(row.get_ref(19)?.as_str()?));
        Ok((seq, settled, view))
    };
    connection.prepare_cached(&select)?.query_row([seq.0], read).optional()
}

fn with_steps(
    connection: &Connection,
    seq: TaskSeq,
    settled: Option<WorkflowState>,
    mut view: WorkflowView,
    shared: &Shared,
) -> crate::sql::Result<WorkflowView> {
    let slowest = slowest(connection, seq, SLOWEST)?;
    let steps = steps(connection, seq, shared)?;
    view.state = settled.unwrap_or_else(|| under_way(steps.iter().map(glance)));
    view.steps = Some(steps);
    view.slowest_attempts = Some(slowest.read()?);
    Ok(view)
}

/// What of a step says how its workflow stands.
fn glance(step: &StepView) -> StepGlance {
    StepGlance {
        state: step.state,
        is_due: step.state == State::Ready && step.reason.is_none(),
        has_run: (step.epoch, step.attempt, step.stage) > (1, 0, 0),
    }
}

/// A workflow's number, how it stands where nothing goes on in it, and what lists show of it.
fn read_workflow(row: &Row<'_>) -> crate::sql::Result<(TaskSeq, Option<WorkflowState>, WorkflowView)> {
    let moment = |column| row.get::<Option<i64>>(column).map(|moment| moment.map(Timestamp::from_millis));
    let total: u32 = row.get(9)?;
    let (tally, early) = read_tally(row, 10)?;
    let counted = |count: i64| u32::try_from(count).unwrap_or(0);
    let settled = row.get::<Option<i64>>(16)?.and_then(WorkflowState::of_number);
    let view = WorkflowView {
        id: ids::read(row.get_ref(1)?),
        namespace: row.get(2)?,
        name: row.get(3)?,
        version: row.get(4)?,
        plan: read_digest(row.get_ref(5)?.as_bytes()?),
        state: settled.unwrap_or(WorkflowState::Running),
        created_at: Timestamp::from_millis(row.get(6)?),
        settled_at: moment(7)?,
        due_by: moment(8)?,
        total,
        ended: total.saturating_sub(counted(tally.unfinished)),
        dead: counted(tally.dead),
        blocked: counted(tally.blocked),
        terminated: early.terminated,
        overdue: early.overdue,
        tenant: row.get(17)?,
        tags: read_extras(row.get_ref(18)?.as_str_or_null()?).tags,
        input: None,
        steps: None,
        slowest_attempts: None,
    };
    Ok((TaskSeq(row.get(0)?), settled, view))
}

/// The steps of a workflow, in the order of its plan.
fn steps(connection: &Connection, workflow: TaskSeq, shared: &Shared) -> crate::sql::Result<Vec<StepView>> {
    let from = PLACES.replacen("tasks t", "steps s JOIN tasks t ON t.seq = s.seq", 1);
    let select = format!(
        "SELECT {}, s.name, e.result, e.started_at, (SELECT min(a.started_at) FROM attempts a WHERE a.seq = s.seq) \
         FROM {from} CROSS JOIN routes rt ON rt.id = t.route WHERE s.workflow = ?1 ORDER BY s.place",
        view::columns()
    );
    let mut statement = connection.prepare_cached(&select)?;
    let rows = statement.query_map([workflow.0], |row| {
        let (_, task) = view::read(row, shared)?;
        let moment = |column| row.get::<Option<i64>>(column).map(|moment| moment.map(Timestamp::from_millis));
        let name: String = row.get(view::COLUMNS)?;
        let (last, first) = (moment(view::COLUMNS + 2)?, moment(view::COLUMNS + 3)?);
        Ok(StepView {
            name: StepName::parse(name).map_err(|error| crate::sql::Error::Other(error.to_string()))?,
            task: task.id,
            kind: task.kind,
            state: task.state,
            reason: task.reason,
            epoch: task.epoch,
            attempt: task.attempt,
            stage: task.stage,
            started_at: first.or(last),
            ended_at: task.ended_at,
            result: row.get_ref(view::COLUMNS + 1)?.as_str_or_null()?.map(JsonText::from_trusted),
            error: task.error,
        })
    })?;
    rows.collect()
}

/// One page of workflows, newest first.
pub(super) fn page(
    connection: &Connection,
    selection: &WorkflowSelection,
    shared: &Shared,
) -> Result<WorkflowPage, StoreError> {
    let limit = selection.limit.clamp(1, MAX_PAGE);
    let after = match &selection.after {
        // Not from the start again: who reads page by page would never come to an end.
        Some(id) => match find(connection, id).map_err(|error| reading(&error))? {
            None => return Err(StoreError::Cursor(id.to_string())),
            found => found,
        },
        None => None,
    };
    let read = || -> crate::sql::Result<WorkflowPage> {
        let (mut conditions, values) = conditions(&selection.filter);
        if let Some(TaskSeq(after)) = after {
            let _ = write!(conditions, " AND x.seq < {after}");
        }
        let select =
            format!("SELECT {COLUMNS} FROM workflows x WHERE {conditions} ORDER BY x.seq DESC LIMIT {}", limit + 1);
        let mut statement = connection.prepare_cached(&select)?;
        let found = statement.query_map(values, read_workflow)?.collect::<crate::sql::Result<Vec<_>>>()?;
        let more = found.len() > limit;
        let mut items = Vec::with_capacity(found.len());
        for (seq, settled, mut view) in found.into_iter().take(limit) {
            if settled.is_none() {
                view.state = under_way(steps(connection, seq, shared)?.iter().map(glance));
            }
            items.push(view);
        }
        let next = items.last().filter(|_| more).map(|view| view.id.clone());
        // What goes on is told apart by its steps.
        items.retain(|view| selection.filter.states.is_empty() || selection.filter.states.contains(&view.state));
        Ok(WorkflowPage { items, next })
    };
    read().map_err(|error| reading(&error))
}

/// The conditions of a filter, and their values.
fn conditions(filter: &WorkflowFilter) -> (String, Vec<Value>) {
    let (mut conditions, mut values) = (String::from("TRUE"), Vec::new());
    let mut equals = |column: &str, wanted: &Option<String>| {
        if let Some(wanted) = wanted {
            values.push(Value::Text(wanted.clone()));
            let _ = write!(conditions, " AND x.{column} = ?{}", values.len());
        }
    };
    equals("name", &filter.name);
    equals("namespace", &filter.namespace);
    equals("tenant", &filter.tenant);
    if !filter.states.is_empty() {
        let settled: Vec<String> =
            filter.states.iter().filter(|state| state.is_settled()).map(|state| state.number().to_string()).collect();
        let mut any = Vec::new();
        if !settled.is_empty() {
            any.push(format!("x.settled IN ({})", settled.join(", ")));
        }
        if filter.states.iter().any(|state| !state.is_settled()) {
            any.push("x.settled IS NULL".to_owned());
        }
        let _ = write!(conditions, " AND ({})", any.join(" OR "));
    }
    (conditions, values)
}
