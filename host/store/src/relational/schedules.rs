//! What callers ask of schedules.

use bulkhead_core::{ScheduleName, ScheduleSubmission};

use crate::schedule_row::ScheduleRow;
use crate::{MAX_SCHEDULES, ScheduleChange, ScheduleFate};

use super::cycle::Cycle;
use super::failure::Halt;

impl Cycle<'_> {
    /// Does what is asked of one schedule, or nothing of it.
    pub(super) fn change_schedule(&mut self, change: &ScheduleChange) -> Result<(), Halt> {
        let done = self.guarded(|cycle| match change {
            ScheduleChange::Put { submission, replace } => cycle.put_schedule(submission, *replace),
            ScheduleChange::Pause(name) => cycle.alter_schedule(name, |row, _| row.pause()),
            ScheduleChange::Resume(name) => {
                let now = cycle.now;
                cycle.alter_schedule(name, |row, schedule| row.resume(schedule, now))
            }
            ScheduleChange::Remove(name) => cycle.remove_schedule(name),
        });
        let fate = match done {
            Ok(fate) => fate,
            Err(Halt::Row(message)) => ScheduleFate::Refused(message),
            Err(halt) => return Err(halt),
        };
        self.out.fates_of_schedules.push(fate);
        Ok(())
    }

    fn put_schedule(&mut self, submission: &ScheduleSubmission, replace: bool) -> Result<ScheduleFate, Halt> {
        let known = ScheduleRow::load(self.connection, &submission.name, self.lock())?;
        match &known {
            Some(Ok(row)) if row.submission == *submission => return Ok(ScheduleFate::Same),
            Some(_) if !replace => return Ok(ScheduleFate::Taken),
            None if !self.has_room()? => return Ok(ScheduleFate::TooMany),
            _ => {}
        }
        let fate = if known.is_some() { ScheduleFate::Replaced } else { ScheduleFate::Added };
        let mut row = match known {
            Some(Ok(row)) => row.rewritten(submission.clone(), self.now),
            _ => ScheduleRow::new(submission.clone(), self.now),
        };
        match row.schedule() {
            Ok(schedule) => row.look_ahead(&schedule),
            Err(error) => return Ok(ScheduleFate::Unacceptable(error)),
        }
        row.save(self.connection)?;
        self.note(&row);
        Ok(fate)
    }

    fn alter_schedule(
        &mut self,
        name: &ScheduleName,
        alter: impl FnOnce(&mut ScheduleRow, &bulkhead_core::NewSchedule),
    ) -> Result<ScheduleFate, Halt> {
        let mut row = match ScheduleRow::load(self.connection, name, self.lock())? {
            Some(Ok(row)) => row,
            Some(Err(why)) => return Ok(ScheduleFate::Refused(why)),
            None => return Ok(ScheduleFate::Unknown),
        };
        match row.schedule() {
            Ok(schedule) => alter(&mut row, &schedule),
            Err(why) => return Ok(ScheduleFate::Refused(why.to_string())),
        }
        row.save_progress(self.connection)?;
        self.note(&row);
        Ok(ScheduleFate::Done)
    }

    fn remove_schedule(&mut self, name: &ScheduleName) -> Result<ScheduleFate, Halt> {
        let removed =
            self.connection.prepare_cached("DELETE FROM schedules WHERE name = ?1")?.execute([name.as_str()])?;
        self.memory.agenda.forget(name);
        Ok(if removed > 0 { ScheduleFate::Done } else { ScheduleFate::Unknown })
    }

    /// Notes when the schedule is to be looked at.
    fn note(&mut self, row: &ScheduleRow) {
        let name = &row.submission.name;
        self.memory.agenda.forget(name);
        self.memory.agenda.look_at(name, row.look_at);
        if !row.paused && !row.progress.waiting.is_empty() {
            self.memory.agenda.look_at_once(name);
        }
    }

    fn has_room(&self) -> Result<bool, Halt> {
        let count: u32 =
            self.connection.prepare_cached("SELECT count(*) FROM schedules")?.query_row([], |row| row.get(0))?;
        Ok(count < MAX_SCHEDULES)
    }
}
