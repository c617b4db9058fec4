//! Making the tasks of schedules, at their ticks and when an earlier task has ended.

use bulkhead_core::{
    EarlierTask, NewSchedule, ScheduleName, SchedulePlan, ScheduleProgress, TaskId, Timestamp, plan_ticks,
};

use crate::schedule_row::ScheduleRow;
use crate::{TaskSeq, TickFate};

use super::agenda::Agenda;
use super::cycle::Cycle;
use super::failure::Halt;
use super::place;
use super::request::Prepared;
use super::submit::Asker;

impl Cycle<'_> {
    /// Looks at the schedules that are due, at most a batch at a time.
    pub(super) fn sweep_ticks(&mut self) -> Result<(), Halt> {
        const BATCH: usize = 100;
        for name in self.memory.agenda.due(self.now, BATCH) {
            // One that cannot be read is not looked at again before the store is opened anew.
            self.memory.agenda.forget(&name);
            let row = match ScheduleRow::load(self.connection, &name, self.lock())? {
                Some(Ok(row)) if !row.paused => row,
                Some(Err(why)) => {
                    say_unreadable(&name, &why);
                    continue;
                }
                Some(Ok(_)) | None => continue,
            };
            match row.schedule() {
                Ok(schedule) => self.tick(&row, &schedule)?,
                Err(why) => say_unreadable(&name, &why.to_string()),
            }
        }
        Ok(())
    }

    /// Does what core plans for a schedule. Where the database refuses that, the tick is passed over.
    fn tick(&mut self, row: &ScheduleRow, schedule: &NewSchedule) -> Result<(), Halt> {
        let name = &schedule.name;
        let unfinished = self.unfinished(row.running.as_ref())?;
        let earlier = if unfinished.is_some() { EarlierTask::Unfinished } else { EarlierTask::Ended };
        let plan = plan_ticks(&schedule.recurrence, &schedule.rules, &row.progress, self.now, earlier);
        for (reason, tick) in &plan.skipped {
            tracing::debug!(schedule = %name, %tick, ?reason, "a tick is passed over");
        }
        match self.guarded(|cycle| cycle.carry_out(row, schedule, &plan, unfinished)) {
            Ok(()) => return Ok(()),
            Err(halt @ (Halt::Trouble(_) | Halt::Raced)) => return Err(halt),
            Err(refusal) => {
                let tick = plan.make.map(|tick| tick.to_string());
                tracing::error!(schedule = %name, tick, ?refusal, "the task of a schedule is refused");
            }
        }
        let fate = plan.make.map(|_| TickFate::Refused);
        match self.guarded(|cycle| cycle.keep(&row.after(&plan, fate), &plan)) {
            Err(halt @ (Halt::Trouble(_) | Halt::Raced)) => Err(halt),
            Err(refusal) => {
                tracing::error!(schedule = %name, ?refusal, "a schedule cannot be written; it makes no tasks for now");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn carry_out(
        &mut self,
        row: &ScheduleRow,
        schedule: &NewSchedule,
        plan: &SchedulePlan,
        unfinished: Option<TaskSeq>,
    ) -> Result<(), Halt> {
        if let Some(earlier) = unfinished.filter(|_| plan.cancel_earlier) {
            self.cancel_task(earlier)?;
        }
        let fate = match plan.make {
            Some(tick) => {
                let submitted = self.submit_one(&Prepared::from(schedule.task_of(tick)), Asker::Task)?.submitted;
                Some(TickFate::Task { task: submitted.id })
            }
            None => None,
        };
        self.keep(&row.after(plan, fate), plan)
    }

    /// Writes what is kept, and notes when to look again.
    fn keep(&mut self, row: &ScheduleRow, plan: &SchedulePlan) -> Result<(), Halt> {
        let name = &row.submission.name;
        let unfinished = self.unfinished(row.running.as_ref())?;
        let running = row.running.clone().filter(|_| unfinished.is_some());
        ScheduleRow { running, ..row.clone() }.save_progress(self.connection)?;
        self.memory.agenda.look_at(name, row.look_at);
        match unfinished {
            Some(task) if plan.look_when_ended => self.memory.agenda.look_when_ended(name, task),
            None if plan.look_when_ended => self.memory.agenda.look_at_once(name),
            _ => {}
        }
        Ok(())
    }

    /// The task, where it has not ended; one that is not there any more had.
    fn unfinished(&self, task: Option<&TaskId>) -> Result<Option<TaskSeq>, Halt> {
        let Some(seq) = task.map(|task| place::find(self.connection, task)).transpose()?.flatten() else {
            return Ok(None);
        };
        let has_ended = place::state(self.connection, seq)?.is_none_or(bulkhead_core::State::is_ended);
        Ok((!has_ended).then_some(seq))
    }

    /// Reads when which schedule is to be looked at; those where ticks wait are, at once.
    pub(super) fn load_agenda(&mut self) -> Result<(), Halt> {
        self.memory.agenda = Agenda::default();
        let mut statement =
            self.connection.prepare_cached("SELECT name, look_at, progress FROM schedules WHERE NOT paused")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Some(name) = row.get(0).ok().and_then(|name: String| ScheduleName::parse(name).ok()) else { continue };
            let look_at = row.get::<Option<i64>>(1).unwrap_or(Some(i64::MIN)).map(Timestamp::from_millis);
            let progress: Option<ScheduleProgress> =
                row.get_ref(2)?.as_str().ok().and_then(|text| serde_json::from_str(text).ok());
            self.memory.agenda.look_at(&name, look_at);
            if progress.is_none_or(|progress| !progress.waiting.is_empty()) {
                self.memory.agenda.look_at_once(&name);
            }
        }
        Ok(())
    }
}

pub(super) fn say_unreadable(name: &ScheduleName, why: &str) {
    tracing::error!(schedule = %name, why, "a schedule cannot be read; it is left as it is and makes no tasks");
}
