//! Beginning workflows: all steps and edges in one transaction.

use bulkhead_core::{Digest, Extras, State, StepStanding, TaskId, Timestamp, WaitLimits, WorkflowState, expand};

use super::request::{BeginAnswer, BeginWorkflow};
use crate::ending::state_number;
use crate::history::unsigned;
use crate::sql::{OptionalExtension, Value, params};
use crate::{Begun, TaskSeq, WorkflowRefusal};

use super::super::attached::Attached;
use super::super::cycle::Cycle;
use super::super::failure::Halt;
use super::super::ids;
use super::super::memory::earlier;
use super::super::request::Prepared;
use super::super::slot::{Flags, Slot};
use super::super::tables::{EDGES, STEP_WAITS, STEPS};

impl Cycle<'_> {
    /// Accepts a workflow, or refuses it and says why.
    pub(in crate::relational) fn begin_workflow(&mut self, asked: &BeginWorkflow) -> Result<(), Halt> {
        // Only one that may be refused by itself pays for a savepoint.
        let done = if self.careful || asked.body.is_some() || self.check_room_for(asked.size()).is_err() {
            self.guarded(|cycle| cycle.begin_one(asked))
        } else {
            self.begin_one(asked)
        };
        let answer: BeginAnswer = match done {
            Ok(begun) => Ok(begun),
            Err(Halt::Taken { what, name, holder }) => Err(WorkflowRefusal::Taken { what, name, holder }),
            Err(Halt::QueueFull { waiting, most }) => Err(WorkflowRefusal::QueueFull { waiting, most }),
            Err(Halt::Row(message)) if self.careful => Err(WorkflowRefusal::Refused { message }),
            Err(halt) => return Err(halt),
        };
        self.out.begun.push(answer);
        Ok(())
    }

    fn begin_one(&mut self, asked: &BeginWorkflow) -> Result<Begun, Halt> {
        if let Some(known) = self.known_workflow(asked)? {
            return Ok(known);
        }
        self.check_room_for(asked.size())?;
        let first = self.new_seq()?;
        let (id, column) = match &asked.workflow.id {
            Some(id) => (id.clone(), Value::Blob(ids::own_column(id))),
            None => {
                let uuid = ids::make(first, self.now, self.memory.dice.throw());
                (ids::name(uuid), Value::Blob(uuid.as_bytes().to_vec()))
            }
        };
        self.write_workflow(asked, first, &column)?;
        self.write_steps(asked, first, &id)?;
        if self.memory.workers.values().any(Attached::has_room) {
            self.known.inputs.insert(id.clone(), asked.workflow.input.clone());
        }
        self.memory.has_steps = true;
        self.note_workflow_begun(first)?;
        Ok(Begun { id, state: WorkflowState::Pending, duplicate: false })
    }

    fn write_workflow(&mut self, asked: &BeginWorkflow, seq: TaskSeq, id: &Value) -> Result<(), Halt> {
        const PLAN: &str = "INSERT INTO plans (digest, plan) VALUES (?1, ?2) ON CONFLICT (digest) DO NOTHING";
        const INSERT: &str = "INSERT INTO workflows (seq, id, namespace, name, version, plan, created_at, due_by, \
            steps, unfinished, tenant, extras, input) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12)";
        const NAME: &str = "INSERT INTO workflow_names (name, workflow, body) VALUES (?1, ?2, ?3)";
        let workflow = &asked.workflow;
        let digest = &workflow.digest.as_bytes()[..];
        self.connection.put_off(PLAN, params![digest, asked.plan])?;
        let due_by = workflow.plan.max_duration.map(|span| self.now.after(span.duration()));
        let values = params![
            seq.0,
            id,
            workflow.plan.namespace,
            workflow.plan.name,
            workflow.plan.version,
            digest,
            self.now.as_millis(),
            due_by.map(Timestamp::as_millis),
            asked.size() as u64,
            workflow.extras.tenant,
            asked.extras,
            workflow.input.as_str(),
        ];
        self.connection.put_off(INSERT, values)?;
        if let Some(due_by) = due_by {
            self.memory.next_wake = earlier(self.memory.next_wake, due_by);
        }
        if let Some(body) = &asked.body {
            for (what, name) in asked.names() {
                let name = format!("{what}:{name}");
                self.connection.prepare_cached(NAME)?.execute(params![name, seq.0, &body[..]])?;
            }
        }
        Ok(())
    }

    fn write_steps(&mut self, asked: &BeginWorkflow, first: TaskSeq, id: &TaskId) -> Result<(), Halt> {
        let plan = &asked.workflow.plan;
        let mut numbers = Vec::with_capacity(plan.steps.len());
        for (place, task) in expand(&asked.workflow, id).into_iter().enumerate() {
            let seq = if place == 0 { first } else { self.new_seq()? };
            numbers.push(seq);
            let prepared = Prepared::from(task);
            let slot = self.write_task(&prepared, seq)?;
            if plan.steps.get(place).is_some_and(|step| step.depends_on.is_empty()) {
                self.place(slot)?;
            } else {
                self.wait_for_steps(slot, plan.steps.get(place).and_then(|step| step.stale_after))?;
            }
        }
        for ((place, step), seq) in (0_i64..).zip(&plan.steps).zip(&numbers) {
            let open = StepStanding::Open.number();
            let publishes = (!step.publishes.is_empty()).then(|| serde_json::to_string(&step.publishes).ok()).flatten();
            let values = params![
                seq.0,
                first.0,
                place,
                step.role.number(),
                step.fan_out.is_some(),
                open,
                step.depends_on.len() as u64,
                step.name.as_str(),
                publishes,
            ];
            self.insert(&STEPS, values)?;
            for dependency in &step.depends_on {
                let Some(dependency) = numbers.get(*dependency as usize) else {
                    return Err(Halt::Row(format!("step `{}` depends on one that is not there", step.name)));
                };
                self.insert(&EDGES, params![dependency.0, seq.0])?;
            }
        }
        Ok(())
    }

    /// Writes the row of a task that has no id of its own, and gives its place in the queue.
    fn write_task(&mut self, task: &Prepared, seq: TaskSeq) -> Result<Slot, Halt> {
        let (route, due) = (self.route_id(&task.route)?, self.due_of(task));
        let uuid = ids::make(seq, self.now, self.memory.dice.throw());
        self.insert_task(task, seq, &Value::Blob(uuid.as_bytes().to_vec()), route, due)?;
        self.note_submitted(seq, route, &ids::name(uuid), task);
        Ok(Slot { seq, due, route, rank: task.rank, flags: Flags::NONE })
    }

    /// Lets a step wait for those before it; its time begins once the workflow may.
    fn wait_for_steps(&mut self, slot: Slot, stale_after: Option<bulkhead_core::Span>) -> Result<(), Halt> {
        let since = self.now.max(slot.due);
        let limits = WaitLimits::starting(since, None, stale_after);
        let millis = |moment: Option<Timestamp>| moment.map(Timestamp::as_millis);
        let now = self.now.as_millis();
        self.insert(
            &STEP_WAITS,
            params![
                slot.seq.0,
                state_number(State::Waiting),
                since.as_millis(),
                millis(limits.flag_at),
                millis(limits.stale_at),
                millis(limits.next()),
                1_i64,
                0_i64,
                now
            ],
        )?;
        if let Some(next) = limits.next() {
            self.memory.next_wake = earlier(self.memory.next_wake, next);
        }
        Ok(())
    }

    /// The workflow that has this one's key or own id, if it has the same body.
    fn known_workflow(&self, asked: &BeginWorkflow) -> Result<Option<Begun>, Halt> {
        const SELECT: &str = "SELECT n.body, w.id, w.settled FROM workflow_names n \
            JOIN workflows w ON w.seq = n.workflow WHERE n.name = ?1";
        let Some(body) = &asked.body else { return Ok(None) };
        for (what, name) in asked.names() {
            let found: Option<(Vec<u8>, TaskId, Option<i64>)> = self
                .connection
                .prepare_cached(SELECT)?
                .query_row([format!("{what}:{name}").as_str()], |row| {
                    Ok((row.get(0)?, ids::read(row.get_ref(1)?), row.get(2)?))
                })
                .optional()?;
            let Some((known, id, settled)) = found else { continue };
            if known != body {
                return Err(Halt::Taken { what, name: name.to_owned(), holder: id });
            }
            let state = settled.and_then(WorkflowState::of_number).unwrap_or(WorkflowState::Running);
            return Ok(Some(Begun { id, state, duplicate: true }));
        }
        Ok(None)
    }

    /// Refuses what has more tasks than there is room for.
    fn check_room_for(&self, tasks: usize) -> Result<(), Halt> {
        let (waiting, most) = (unsigned(self.memory.pending), self.memory.settings.max_pending);
        if waiting.saturating_add(tasks as u64) > most { Err(Halt::QueueFull { waiting, most }) } else { Ok(()) }
    }
}

/// The number of a workflow.
pub(super) fn find(connection: &crate::sql::Connection, id: &TaskId) -> crate::sql::Result<Option<TaskSeq>> {
    if let Some((seq, uuid)) = ids::seq_of(id) {
        let found: Option<bool> = connection
            .prepare_cached("SELECT id = ?2 FROM workflows WHERE seq = ?1")?
            .query_row(params![seq.0, &uuid.as_bytes()[..]], |row| row.get(0))
            .optional()?;
        if found == Some(true) {
            return Ok(Some(seq));
        }
    }
    connection
        .prepare_cached("SELECT workflow FROM workflow_names WHERE name = ?1")?
        .query_row([format!("id:{id}").as_str()], |row| row.get(0).map(TaskSeq))
        .optional()
}

/// A digest as its column has it.
pub(super) fn read_digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(bytes.try_into().unwrap_or([0; 32]))
}

/// The extras of a workflow as their column has them.
pub(super) fn read_extras(text: Option<&str>) -> Extras {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
