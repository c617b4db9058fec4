//! When a schedule's tasks are due, and what becomes of each tick.
//!
//! A [`Recurrence`] says at which moments a schedule ticks: a [`Cron`] pattern in a time zone, or an [`Interval`].
//! [`plan_ticks`] says what becomes of the ticks that are due: which of them is a task now, which wait, which are skipped.
//! [`ScheduleSubmission`] is what a caller writes; checked, it is a [`NewSchedule`].
//!
//! A tick is always a whole second, so that its key names it exactly.

mod cron;
mod error;
mod field;
mod interval;
mod plan;
mod recurrence;
mod rules;
mod submission;
mod zone;

#[cfg(test)]
mod tests;

pub use cron::Cron;
pub use error::ScheduleError;
pub use interval::Interval;
pub use plan::{EarlierTask, MAX_WAITING, SchedulePlan, ScheduleProgress, TickSkip, plan_ticks};
pub use recurrence::Recurrence;
pub use rules::{GRACE, MAX_MADE_UP, MissedRule, OverlapRule, ScheduleRules};
pub use submission::{NewSchedule, ScheduleName, ScheduleSubmission};
pub use zone::Zone;
