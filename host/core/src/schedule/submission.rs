//! What a caller writes to make a schedule, checked once, at the edge.

use serde::{Deserialize, Serialize};

use super::{Cron, GRACE, Interval, MissedRule, OverlapRule, Recurrence, ScheduleError, ScheduleRules, Zone};
use crate::{NewTask, Span, Submission, SubmissionLimits, Timestamp};

crate::text::text_type! {
    /// The name of a schedule.
    ScheduleName, "schedule name", "1 to 64 of a–z 0–9 _ -", |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
    }
}

/// A schedule as a caller writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSubmission {
    /// What it is called.
    pub name: ScheduleName,
    /// A pattern of five or six fields; this or `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The zone of the pattern, by its IANA name; UTC where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The distance of two ticks; this or `cron`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// The task that each tick makes.
    pub task: Submission,
    /// What becomes of ticks that were missed.
    #[serde(default)]
    pub missed: MissedRule,
    /// What becomes of a tick while the task of an earlier one has not ended.
    #[serde(default)]
    pub overlap: OverlapRule,
    /// Whether it makes no tasks for now.
    #[serde(default)]
    pub paused: bool,
}

/// A schedule that has passed every check.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSchedule {
    /// What it is called.
    pub name: ScheduleName,
    /// When it ticks.
    pub recurrence: Recurrence,
    /// The task that each tick makes, still without its key.
    pub task: NewTask,
    /// What becomes of ticks that come late or early.
    pub rules: ScheduleRules,
    /// Whether it makes no tasks for now.
    pub paused: bool,
}

impl ScheduleSubmission {
    /// Checks what the types alone do not. `made_at` is when the schedule was made: the anchor of `every`, so a host that
    /// reads the schedule again later must give the same.
    pub fn check(self, limits: &SubmissionLimits, made_at: Timestamp) -> Result<NewSchedule, ScheduleError> {
        let refuse = |field, rule| Err(ScheduleError::Field { field, rule });
        let recurrence = match (self.cron, self.every) {
            (Some(cron), None) => {
                let zone = self.time_zone.as_deref().map(Zone::parse).transpose()?.unwrap_or(Zone::UTC);
                Recurrence::Cron(Cron::parse(&cron, zone)?)
            }
            (None, Some(_)) if self.time_zone.is_some() => {
                return refuse("time_zone", "only `cron` has one; `every` counts real time");
            }
            (None, Some(every)) => Recurrence::Every(Interval::parse(every, made_at)?),
            (Some(_), Some(_)) => return refuse("every", "give `cron` or `every`, not both"),
            (None, None) => return refuse("cron", "give `cron`, such as 0 3 * * *, or `every`, such as 15m"),
        };
        let task = &self.task;
        for (field, given) in [
            ("task.id", task.id.is_some()),
            ("task.run_at", task.run_at.is_some()),
            ("task.delay", task.delay.is_some()),
            ("task.key", task.key.is_some()),
            ("task.expires_at", task.expires_at.is_some()),
        ] {
            if given {
                return refuse(field, "each tick makes a task of its own, so a schedule cannot fix it; take it out");
            }
        }
        Ok(NewSchedule {
            name: self.name,
            recurrence,
            task: self.task.check(limits).map_err(ScheduleError::Task)?,
            rules: ScheduleRules { missed: self.missed, overlap: self.overlap, grace: GRACE },
            paused: self.paused,
        })
    }
}

impl NewSchedule {
    /// The idempotency key of a tick's task: whoever handles the tick, and however often, it is one task.
    pub fn key_of(&self, tick: Timestamp) -> String {
        let second = jiff::Timestamp::from_millisecond(tick.as_millis())
            .map_or_else(|_| tick.to_string(), |time| format!("{time:.0}"));
        format!("schedule:{}:{second}", self.name)
    }

    /// The task of a tick, to be submitted as any other.
    pub fn task_of(&self, tick: Timestamp) -> NewTask {
        let mut task = self.task.clone();
        task.extras.get_or_insert_default().key = Some(self.key_of(tick));
        task
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submit(text: &str) -> Result<NewSchedule, String> {
        let submission: ScheduleSubmission = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let made_at = Timestamp::parse("2026-01-01T00:00:00.250Z").unwrap();
        submission.check(&SubmissionLimits { payload: 10 }, made_at).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shortest_schedule_is_a_name_a_recurrence_and_a_kind() {
        let schedule = submit(r#"{"name":"nightly","cron":"0  3 * * *","task":{"kind":"REPORT"}}"#).unwrap();
        let Recurrence::Cron(cron) = &schedule.recurrence else { panic!("a cron was written") };
        assert_eq!((cron.expression(), cron.zone().name()), ("0 3 * * *", "UTC"));
        assert_eq!((schedule.rules, schedule.paused), (ScheduleRules::default(), false));
    }

    #[test]
    fn the_task_of_a_tick_carries_the_key_of_that_tick() {
        let schedule = submit(r#"{"name":"often","every":"15m","task":{"kind":"A","tenant":"t"}}"#).unwrap();
        let tick = schedule.recurrence.next_tick(Timestamp::parse("2026-01-01T00:00:00.250Z").unwrap()).unwrap();
        let extras = schedule.task_of(tick).extras.unwrap();
        assert_eq!(extras.key.as_deref(), Some("schedule:often:2026-01-01T00:15:00Z"));
        assert_eq!((extras.tenant.as_deref(), schedule.task.extras.unwrap().key), (Some("t"), None));
    }

    #[test]
    fn a_schedule_is_written_as_it_was_read() {
        let text = r#"{"name":"a","cron":"0 3 * * *","time_zone":"Europe/Berlin","task":{"kind":"A"},"missed":"one","overlap":"queue","paused":true}"#;
        let submission: ScheduleSubmission = serde_json::from_str(text).unwrap();
        let again = serde_json::to_string(&submission).unwrap();
        assert_eq!(serde_json::from_str::<ScheduleSubmission>(&again).unwrap(), submission);
    }

    #[test]
    fn each_bad_field_is_refused_by_name() {
        let with = |rest: &str, task: &str| format!(r#"{{"name":"a"{rest},"task":{{"kind":"A"{task}}}}}"#);
        for (text, named) in [
            (with("", ""), "cron: give"),
            (with(r#","cron":"0 3 * * *","every":"5m""#, ""), "every: give"),
            (with(r#","every":"5m","time_zone":"UTC""#, ""), "time_zone: only"),
            (with(r#","cron":"0 3 * * *","time_zone":"Berlin""#, ""), "did you mean Europe/Berlin"),
            (with(r#","every":"0s""#, ""), "every: must"),
            (with(r#","cron":"0 3 * *""#, ""), "such as 0 3 * * *"),
            (with(r#","every":"5m","timezone":"UTC""#, ""), "`time_zone`"),
            (with(r#","every":"5m","missed":"some""#, ""), "`one`"),
            (with(r#","every":"5m""#, r#","id":"x""#), "task.id: "),
            (with(r#","every":"5m""#, r#","run_at":"2026-11-21T00:00:00Z""#), "task.run_at: "),
            (with(r#","every":"5m""#, r#","delay":"5s""#), "task.delay: "),
            (with(r#","every":"5m""#, r#","key":"x""#), "task.key: "),
            (with(r#","every":"5m""#, r#","expires_at":"2026-11-21T00:00:00Z""#), "task.expires_at: "),
            (with(r#","every":"5m""#, r#","payload":"0123456789""#), "task.payload: "),
            (with(r#","every":"5m""#, r#","max_attempts":0"#), "task.max_attempts: "),
            (r#"{"name":"A b","every":"5m","task":{"kind":"A"}}"#.to_owned(), "schedule name"),
            (r#"{"name":"a","every":"5m"}"#.to_owned(), "`task`"),
        ] {
            let error = submit(&text).unwrap_err();
            assert!(error.contains(named), "{text} → {error}");
        }
    }
}
