//! What holds of planning whatever happens: hosts that are down for a while, tasks of any length.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{at, cron, every};
use crate::Timestamp;
use crate::schedule::{
    EarlierTask, MAX_MADE_UP, MAX_WAITING, MissedRule, OverlapRule, Recurrence, ScheduleProgress, ScheduleRules,
    TickSkip, plan_ticks,
};

/// A look at the schedule: so many seconds after the one before, and whether the task that runs has ended by then.
type Look = (i64, bool);

/// What a schedule did.
#[derive(Default)]
struct Story {
    made: Vec<Timestamp>,
    skipped: Vec<(TickSkip, Timestamp)>,
    /// Looks at which a task was made while another ran that was not cancelled.
    overlaps: usize,
    longest_line: usize,
    waiting: Vec<Timestamp>,
    now: Timestamp,
}

fn tell(recurrence: &Recurrence, rules: &ScheduleRules, start: Timestamp, looks: &[Look]) -> Story {
    let mut progress = ScheduleProgress::new(start);
    let mut story = Story { now: start, ..Story::default() };
    let mut runs = false;
    for (later, ended) in looks {
        story.now = Timestamp::from_millis(story.now.as_millis() + later * 1000);
        runs &= !ended;
        let earlier = if runs { EarlierTask::Unfinished } else { EarlierTask::Ended };
        let plan = plan_ticks(recurrence, rules, &progress, story.now, earlier);
        assert_eq!(plan, plan_ticks(recurrence, rules, &progress, story.now, earlier), "the same gives the same");
        assert!(plan.progress.handled >= progress.handled);
        assert!(plan.look_at.is_some_and(|look| look > story.now), "nothing that is due is left for later");
        assert_eq!(plan.look_when_ended, !plan.progress.waiting.is_empty());
        story.overlaps += usize::from(plan.make.is_some() && runs && !plan.cancel_earlier);
        runs |= plan.make.is_some();
        story.made.extend(plan.make);
        story.skipped.extend(plan.skipped);
        progress = plan.progress;
        story.longest_line = story.longest_line.max(progress.waiting.len());
    }
    story.waiting = progress.waiting;
    story
}

fn recurrence() -> impl Strategy<Value = Recurrence> {
    let start = at("2026-10-24T12:00:00Z");
    prop_oneof![
        (1..2000_u64).prop_map(move |seconds| every(seconds, start)),
        Just(cron("*/5 * * * *", "Europe/Berlin")),
        Just(cron("30 2 * * *", "Europe/Berlin")),
        Just(cron("7 */3 * * *", "Australia/Lord_Howe")),
    ]
}

fn rules() -> impl Strategy<Value = ScheduleRules> {
    let missed = prop_oneof![Just(MissedRule::Skip), Just(MissedRule::One), Just(MissedRule::All)];
    let overlap = prop_oneof![Just(OverlapRule::Skip), Just(OverlapRule::Queue), Just(OverlapRule::Replace)];
    (missed, overlap).prop_map(|(missed, overlap)| ScheduleRules { missed, overlap, ..ScheduleRules::default() })
}

fn looks() -> impl Strategy<Value = Vec<Look>> {
    // Mostly a host that looks often, now and then one that was down for hours.
    let later = prop_oneof![6 => 0..100_i64, 2 => 100..4000_i64, 1 => 4000..50_000_i64];
    proptest::collection::vec((later, any::<bool>()), 1..40)
}

proptest! {
    #[test]
    fn a_tick_is_a_task_at_most_once_in_order_and_only_if_it_is_one(recurrence in recurrence(), rules in rules(), looks in looks()) {
        let start = at("2026-10-24T12:00:00Z");
        let story = tell(&recurrence, &rules, start, &looks);
        prop_assert!(story.made.is_sorted_by(|one, next| one < next), "{:?}", story.made);
        for tick in story.made.iter().chain(&story.waiting) {
            prop_assert_eq!(recurrence.next_tick(Timestamp::from_millis(tick.as_millis() - 1)), Some(*tick));
        }
        let made: BTreeSet<_> = story.made.iter().collect();
        prop_assert!(story.waiting.iter().all(|tick| !made.contains(tick) && *tick > start && *tick <= story.now));
        prop_assert!(story.skipped.iter().all(|(_, tick)| !made.contains(tick) && !story.waiting.contains(tick)));
    }

    #[test]
    fn a_schedule_has_one_task_at_a_time_and_a_bounded_line(recurrence in recurrence(), rules in rules(), looks in looks()) {
        let story = tell(&recurrence, &rules, at("2026-10-24T12:00:00Z"), &looks);
        prop_assert_eq!(story.overlaps, 0);
        prop_assert!(story.longest_line <= MAX_WAITING);
    }

    #[test]
    fn all_and_queue_forget_no_tick_within_their_bound(recurrence in recurrence(), looks in looks()) {
        let rules = ScheduleRules { missed: MissedRule::All, overlap: OverlapRule::Queue, ..ScheduleRules::default() };
        let start = at("2026-10-24T12:00:00Z");
        let story = tell(&recurrence, &rules, start, &looks);
        let ticks = recurrence.ticks_between(start, story.now, usize::MAX);
        let kept = [story.made, story.waiting].concat();
        if story.skipped.is_empty() {
            prop_assert_eq!(kept, ticks);
        } else {
            prop_assert!(ticks.len() > MAX_MADE_UP && kept.len() >= MAX_MADE_UP);
        }
    }

    #[test]
    fn all_makes_up_for_each_missed_tick_even_where_others_are_skipped(recurrence in recurrence(), down in 61..20_000_i64, runs: bool) {
        let rules = ScheduleRules { missed: MissedRule::All, ..ScheduleRules::default() };
        let start = at("2026-10-24T12:00:00Z");
        let now = Timestamp::from_millis(start.as_millis() + down * 1000);
        let earlier = if runs { EarlierTask::Unfinished } else { EarlierTask::Ended };
        let plan = plan_ticks(&recurrence, &rules, &ScheduleProgress::new(start), now, earlier);
        let late = Timestamp::from_millis(now.as_millis() - 60_001);
        let missed = recurrence.newest_ticks_between(start, late, MAX_MADE_UP);
        let kept = [plan.make.into_iter().collect(), plan.progress.waiting].concat();
        prop_assert!(missed.is_empty() || kept == missed, "{:?} of {:?}", kept, missed);
    }
}
