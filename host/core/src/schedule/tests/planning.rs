//! The rules of planning, by examples.

use std::time::Duration;

use super::{at, cron, every};
use crate::Timestamp;
use crate::schedule::{
    EarlierTask::{Ended, Unfinished},
    MissedRule, OverlapRule, SchedulePlan, ScheduleProgress, ScheduleRules, TickSkip, plan_ticks,
};

/// A moment of one day, of which `hour` ticks every hour.
fn today(time: &str) -> Timestamp {
    at(&format!("2026-06-01T{time}Z"))
}

fn hours(hours: std::ops::RangeInclusive<u32>) -> Vec<Timestamp> {
    hours.map(|hour| today(&format!("{hour:02}:00:00"))).collect()
}

fn rules(missed: MissedRule, overlap: OverlapRule) -> ScheduleRules {
    ScheduleRules { missed, overlap, ..ScheduleRules::default() }
}

fn plan(
    missed: MissedRule,
    overlap: OverlapRule,
    handled: &str,
    now: &str,
    earlier: crate::EarlierTask,
) -> SchedulePlan {
    let progress = ScheduleProgress::new(today(handled));
    plan_ticks(&cron("0 * * * *", "UTC"), &rules(missed, overlap), &progress, today(now), earlier)
}

#[test]
fn before_the_next_tick_there_is_nothing_to_do_but_to_look_then() {
    let plan = plan(MissedRule::All, OverlapRule::Replace, "09:00:00", "09:59:59.999", Unfinished);
    assert_eq!((plan.make, plan.cancel_earlier, plan.look_when_ended), (None, false, false));
    assert_eq!((plan.progress, plan.look_at), (ScheduleProgress::new(today("09:00:00")), Some(today("10:00:00"))));
}

#[test]
fn a_tick_on_time_is_a_task_and_handled() {
    for (missed, overlap) in [
        (MissedRule::Skip, OverlapRule::Skip),
        (MissedRule::All, OverlapRule::Queue),
        (MissedRule::One, OverlapRule::Replace),
    ] {
        for now in ["10:00:00", "10:01:00"] {
            let plan = plan(missed, overlap, "09:00:00", now, Ended);
            assert_eq!((plan.make, plan.cancel_earlier, plan.skipped), (Some(today("10:00:00")), false, vec![]));
            assert_eq!((plan.progress.handled, plan.look_at), (today("10:00:00"), Some(today("11:00:00"))));
        }
    }
}

#[test]
fn a_tick_is_missed_once_the_grace_is_over() {
    let late = plan(MissedRule::Skip, OverlapRule::Skip, "09:00:00", "10:01:00.001", Ended);
    assert_eq!((late.make, late.skipped), (None, vec![(TickSkip::Missed, today("10:00:00"))]));
    assert_eq!(late.progress.handled, today("10:00:00"));
    let patient = ScheduleRules { grace: Duration::from_secs(3600), ..ScheduleRules::default() };
    let progress = ScheduleProgress::new(today("09:00:00"));
    let plan = plan_ticks(&cron("0 * * * *", "UTC"), &patient, &progress, today("10:59:00"), Ended);
    assert_eq!(plan.make, Some(today("10:00:00")));
}

#[test]
fn missed_skip_makes_only_the_tick_that_is_on_time() {
    let plan = plan(MissedRule::Skip, OverlapRule::Skip, "09:00:00", "15:00:10", Ended);
    assert_eq!((plan.make, plan.skipped), (Some(today("15:00:00")), vec![(TickSkip::Missed, today("14:00:00"))]));
}

#[test]
fn missed_one_makes_the_newest_for_all() {
    let late = plan(MissedRule::One, OverlapRule::Skip, "09:00:00", "15:30:00", Ended);
    assert_eq!((late.make, late.skipped), (Some(today("15:00:00")), vec![(TickSkip::Missed, today("14:00:00"))]));
    let on_time = plan(MissedRule::One, OverlapRule::Queue, "09:00:00", "15:00:10", Ended);
    assert_eq!((on_time.make, on_time.progress.waiting), (Some(today("15:00:00")), vec![]));
    let alone = plan(MissedRule::One, OverlapRule::Skip, "14:00:00", "15:30:00", Ended);
    assert_eq!((alone.make, alone.skipped), (Some(today("15:00:00")), vec![]));
}

#[test]
fn missed_all_makes_each_one_after_another() {
    for overlap in [OverlapRule::Skip, OverlapRule::Queue] {
        let plan = plan(MissedRule::All, overlap, "09:00:00", "15:30:00", Ended);
        assert_eq!((plan.make, plan.skipped), (Some(today("10:00:00")), vec![]));
        assert_eq!((plan.progress.waiting, plan.look_when_ended), (hours(11..=15), true));
        assert_eq!(plan.progress.handled, today("15:00:00"));
    }
}

#[test]
fn missed_all_makes_up_for_the_newest_hundred() {
    let progress = ScheduleProgress::new(today("00:00:00"));
    let minutes = every(60, progress.handled);
    let plan = plan_ticks(&minutes, &rules(MissedRule::All, OverlapRule::Skip), &progress, today("10:00:00"), Ended);
    // 09:59 and 10:00 are on time; 09:58 is the hundredth of those before, counted from 08:19.
    assert_eq!((plan.make, plan.progress.waiting.len()), (Some(today("08:19:00")), 99));
    assert_eq!(plan.progress.waiting.last(), Some(&today("09:58:00")));
    assert_eq!(plan.skipped, [(TickSkip::Missed, today("08:18:00")), (TickSkip::StillRunning, today("10:00:00"))]);
}

#[test]
fn overlap_skip_passes_over_what_is_on_time_but_not_what_makes_up() {
    let on_time = plan(MissedRule::All, OverlapRule::Skip, "09:00:00", "10:00:00", Unfinished);
    assert_eq!((on_time.make, on_time.skipped), (None, vec![(TickSkip::StillRunning, today("10:00:00"))]));
    assert_eq!((on_time.progress.waiting, on_time.look_when_ended), (vec![], false));
    // The host came back, and the task of 09:00 is being run again.
    let late = plan(MissedRule::All, OverlapRule::Skip, "09:00:00", "12:00:00", Unfinished);
    assert_eq!((late.make, late.progress.waiting), (None, hours(10..=11)));
    assert_eq!(late.skipped, [(TickSkip::StillRunning, today("12:00:00"))]);
}

#[test]
fn overlap_queue_keeps_ticks_until_the_earlier_task_has_ended() {
    let hourly = cron("0 * * * *", "UTC");
    let rules = rules(MissedRule::Skip, OverlapRule::Queue);
    let mut progress = ScheduleProgress::new(today("09:00:00"));
    for hour in ["10:00:00", "11:00:00", "12:00:01"] {
        let plan = plan_ticks(&hourly, &rules, &progress, today(hour), Unfinished);
        assert_eq!((plan.make, plan.look_when_ended), (None, true));
        progress = plan.progress;
    }
    assert_eq!(progress.waiting, hours(10..=12));
    // Hours later: what waits was handled in time, and is not missed.
    let plan = plan_ticks(&hourly, &rules, &progress, today("12:50:00"), Ended);
    assert_eq!((plan.make, plan.progress.waiting, plan.skipped), (Some(today("10:00:00")), hours(11..=12), vec![]));
}

#[test]
fn a_full_line_takes_no_more() {
    let minutes = every(60, today("00:00:00"));
    let rules = rules(MissedRule::Skip, OverlapRule::Queue);
    let waiting = minutes.ticks_between(today("00:00:00"), today("01:40:00"), 100);
    let progress = ScheduleProgress { handled: today("01:40:00"), waiting: waiting.clone() };
    let full = plan_ticks(&minutes, &rules, &progress, today("01:41:00"), Unfinished);
    assert_eq!((full.make, &full.progress.waiting), (None, &waiting));
    assert_eq!(full.skipped, [(TickSkip::LineFull, today("01:41:00"))]);
    let room = plan_ticks(&minutes, &rules, &progress, today("01:42:00"), Ended);
    assert_eq!((room.make, room.progress.waiting.len()), (Some(today("00:01:00")), 100));
    assert_eq!(room.progress.waiting.last(), Some(&today("01:42:00")));
    assert_eq!(room.skipped, [(TickSkip::LineFull, today("01:41:00"))]);
}

#[test]
fn overlap_replace_cancels_what_runs_for_the_newest() {
    let plan = plan(MissedRule::All, OverlapRule::Replace, "09:00:00", "12:00:00", Unfinished);
    assert_eq!((plan.make, plan.cancel_earlier), (Some(today("12:00:00")), true));
    assert_eq!((plan.progress.waiting, plan.skipped), (vec![], vec![(TickSkip::Replaced, today("11:00:00"))]));
}

#[test]
fn the_ticks_of_a_pause_never_were() {
    let progress = ScheduleProgress::new(today("09:00:00")).resumed(today("15:30:00"));
    let plan = plan_ticks(
        &cron("0 * * * *", "UTC"),
        &rules(MissedRule::All, OverlapRule::Skip),
        &progress,
        today("15:30:00"),
        Ended,
    );
    assert_eq!((plan.make, plan.skipped, plan.look_at), (None, vec![], Some(today("16:00:00"))));
}

#[test]
fn a_clock_that_is_set_back_repeats_no_tick() {
    let plan = plan(MissedRule::All, OverlapRule::Queue, "10:00:00", "08:00:00", Ended);
    assert_eq!((plan.make, plan.look_at, plan.progress.handled), (None, Some(today("11:00:00")), today("10:00:00")));
}

#[test]
fn progress_is_kept_as_json() {
    let progress = ScheduleProgress { handled: today("10:00:00"), waiting: hours(9..=10) };
    let text = serde_json::to_string(&progress).unwrap();
    assert_eq!(serde_json::from_str::<ScheduleProgress>(&text).unwrap(), progress);
    assert_eq!(
        serde_json::to_string(&ScheduleProgress::new(today("10:00:00"))).unwrap(),
        r#"{"handled":"2026-06-01T10:00:00.000Z"}"#
    );
}
