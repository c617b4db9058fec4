//! What a store keeps of a schedule, and how it changes.

use bulkhead_core::{
    NewSchedule, ScheduleError, SchedulePlan, ScheduleProgress, ScheduleSubmission, SubmissionLimits, TaskId, Timestamp,
};

use crate::{LastTick, ScheduleView, TickFate};

/// What is kept of a schedule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ScheduleRow {
    /// As it was written.
    pub(crate) submission: ScheduleSubmission,
    /// From where its interval is counted.
    pub(crate) made_at: Timestamp,
    /// As it is now, however it was written.
    pub(crate) paused: bool,
    pub(crate) progress: ScheduleProgress,
    /// The next tick; none while it is paused.
    pub(crate) look_at: Option<Timestamp>,
    /// The newest tick's task, until it is seen to have ended.
    pub(crate) running: Option<TaskId>,
    pub(crate) last: Option<LastTick>,
}

impl ScheduleRow {
    /// A schedule that is new at this moment.
    pub(crate) fn new(submission: ScheduleSubmission, now: Timestamp) -> Self {
        Self {
            made_at: now,
            paused: submission.paused,
            progress: ScheduleProgress::new(now),
            look_at: None,
            running: None,
            last: None,
            submission,
        }
    }

    /// The same schedule, written otherwise. Where its ticks are still the same it goes on as if nothing had happened;
    /// else it begins anew, and only ticks that wait already are kept. What an operator paused stays paused.
    pub(crate) fn rewritten(self, submission: ScheduleSubmission, now: Timestamp) -> Self {
        let ticks = |submission: &ScheduleSubmission| {
            let ScheduleSubmission { cron, time_zone, every, .. } = submission;
            (cron.clone(), time_zone.clone(), *every)
        };
        let paused = self.paused || submission.paused;
        if ticks(&self.submission) == ticks(&submission) {
            return Self { submission, paused, ..self };
        }
        Self { submission, paused, made_at: now, progress: self.progress.resumed(now), ..self }
    }

    /// Parsed anew; what was checked when it was put there is checked again, since the file may come from another host.
    pub(crate) fn schedule(&self) -> Result<NewSchedule, ScheduleError> {
        let limits = SubmissionLimits { payload: usize::MAX };
        self.submission.clone().check(&limits, self.made_at)
    }

    /// Notes when the schedule ticks next.
    pub(crate) fn look_ahead(&mut self, schedule: &NewSchedule) {
        self.look_at = if self.paused { None } else { schedule.recurrence.next_tick(self.progress.handled) };
    }

    /// Makes no tasks from here on.
    pub(crate) fn pause(&mut self) {
        self.paused = true;
        self.look_at = None;
    }

    /// Makes tasks again; one that was not paused stays as it is.
    pub(crate) fn resume(&mut self, schedule: &NewSchedule, now: Timestamp) {
        if std::mem::take(&mut self.paused) {
            self.progress = self.progress.clone().resumed(now);
            self.look_ahead(schedule);
        }
    }

    /// What is to be kept once a plan is carried out; `fate` is what became of the tick that was to be a task.
    pub(crate) fn after(&self, plan: &SchedulePlan, fate: Option<TickFate>) -> Self {
        let running = match &fate {
            Some(TickFate::Task { task }) => Some(task.clone()),
            _ => self.running.clone(),
        };
        let made = plan.make.zip(fate).map(|(tick, fate)| LastTick { tick, fate });
        let skipped = plan.skipped.iter();
        let skipped =
            skipped.map(|(reason, tick)| LastTick { tick: *tick, fate: TickFate::Skipped { reason: *reason } });
        let last = skipped.chain(made).max_by_key(|last| last.tick).or_else(|| self.last.clone());
        Self { progress: plan.progress.clone(), look_at: plan.look_at, running, last, ..self.clone() }
    }

    /// As callers see it, with its task; `running` is the task that has not ended.
    pub(crate) fn view(self, running: Option<TaskId>) -> ScheduleView {
        let ScheduleSubmission { name, cron, time_zone, every, task, missed, overlap, paused: _ } = self.submission;
        ScheduleView {
            name,
            cron,
            time_zone,
            every,
            kind: task.kind.clone(),
            task: Some(task),
            missed,
            overlap,
            paused: self.paused,
            made_at: self.made_at,
            next_tick: self.look_at,
            waiting: self.progress.waiting,
            last: self.last,
            running,
        }
    }
}
