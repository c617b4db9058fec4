//! Ticks against a walk through every second or minute, which knows the rules in their plainest form.

use std::collections::HashSet;

use jiff::civil::{DateTime, Weekday};
use proptest::prelude::*;

use super::{at, cron, every};
use crate::Timestamp;

/// One field: how it is written, and which values it takes.
#[derive(Debug, Clone)]
struct Field {
    text: String,
    values: HashSet<i16>,
    star: bool,
}

fn field(least: i16, most: i16) -> impl Strategy<Value = Field> {
    let number = least..=most;
    prop_oneof![
        2 => Just(Field { text: "*".into(), values: (least..=most).collect(), star: true }),
        2 => (1..=(most - least)).prop_map(move |step| Field {
            text: format!("*/{step}"),
            values: (least..=most).step_by(usize::try_from(step).unwrap()).collect(),
            star: true,
        }),
        4 => proptest::collection::hash_set(number.clone(), 1..4).prop_map(|values| Field {
            text: values.iter().map(i16::to_string).collect::<Vec<_>>().join(","),
            values,
            star: false,
        }),
        2 => (number.clone(), number).prop_map(|(one, other)| {
            let (from, to) = (one.min(other), one.max(other));
            Field { text: format!("{from}-{to}"), values: (from..=to).collect(), star: false }
        }),
    ]
}

/// A pattern that the walk understands.
#[derive(Debug, Clone)]
struct Plain {
    /// None where there are five fields.
    second: Option<Field>,
    minute: Field,
    hour: Field,
    day: Field,
    weekday: Field,
}

impl Plain {
    fn text(&self) -> String {
        let second = self.second.as_ref().map(|second| format!("{} ", second.text)).unwrap_or_default();
        format!("{second}{} {} {} * {}", self.minute.text, self.hour.text, self.day.text, self.weekday.text)
    }

    fn fits(&self, local: DateTime) -> bool {
        let second =
            self.second.as_ref().map_or(local.second() == 0, |second| second.values.contains(&local.second().into()));
        let weekday = if local.weekday() == Weekday::Sunday { 0 } else { local.weekday().to_monday_one_offset() };
        let (day, weekday) =
            (self.day.values.contains(&local.day().into()), self.weekday.values.contains(&weekday.into()));
        // Either day is enough, where both are given.
        let today = match (self.day.text == "*", self.weekday.text == "*") {
            (true, _) => weekday,
            (_, true) => day,
            _ => day || weekday,
        };
        second
            && today
            && self.minute.values.contains(&local.minute().into())
            && self.hour.values.contains(&local.hour().into())
    }

    fn has_star(&self) -> bool {
        self.minute.star || self.hour.star || self.second.as_ref().is_some_and(|second| second.star)
    }

    /// Every tick after `after` up to `until`: looks at each moment, and at each local time that a jump leaves out.
    fn walk(&self, zone: &str, after: Timestamp, until: Timestamp) -> Vec<Timestamp> {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap();
        let step = if self.second.is_some() { 1 } else { 60 };
        let local = |second| zone.to_datetime(jiff::Timestamp::from_second(second).unwrap());
        let (first, last) = (after.as_millis().div_euclid(1000), until.as_millis().div_euclid(1000));
        // The shown local times of the hours before are needed to know which are repeated.
        let start = (first - 2 * 3600).div_euclid(60) * 60;
        let mut shown: HashSet<DateTime> = HashSet::new();
        let mut ticks = Vec::new();
        let mut expected = local(start);
        for second in (start..=last).step_by(step) {
            let now = local(second);
            let mut missing = false;
            while expected < now {
                missing |= self.fits(expected);
                expected = expected.saturating_add(jiff::SignedDuration::from_secs(step as i64));
            }
            expected = now.saturating_add(jiff::SignedDuration::from_secs(step as i64));
            let repeated = !shown.insert(now);
            let made_up = missing && self.hour.values.len() < 24;
            let due = self.fits(now) && (self.has_star() || !repeated);
            if (due || made_up) && second > first {
                ticks.push(Timestamp::from_millis(second * 1000));
            }
        }
        ticks
    }
}

fn plain(seconds: bool) -> impl Strategy<Value = Plain> {
    let second = if seconds { field(0, 59).prop_map(Some).boxed() } else { Just(None).boxed() };
    // Fields of the hours that change, more often than not.
    let hour = prop_oneof![field(0, 23), field(0, 4), Just(field_of_all_hours())];
    let hour = hour.prop_map(|mut hour| {
        // `*/n` of the small range is written for the whole one.
        if hour.star {
            let step = hour.text.strip_prefix("*/").and_then(|step| step.parse().ok()).unwrap_or(1);
            hour.values = (0..24).step_by(step).collect();
        }
        hour
    });
    (second, field(0, 59), hour, field(1, 31), field(0, 6)).prop_map(|(second, minute, hour, day, weekday)| Plain {
        second,
        minute,
        hour,
        day,
        weekday,
    })
}

fn field_of_all_hours() -> Field {
    Field { text: "0-23".into(), values: (0..24).collect(), star: false }
}

/// Zones with the UTC time near which their clocks change, or do not.
const CHANGES: [(&str, &str); 10] = [
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Asia/Kathmandu", "2026-03-29T01:00:00Z"),
    ("Asia/Beirut", "2026-03-28T22:00:00Z"),
    ("Africa/Casablanca", "2026-03-22T02:00:00Z"),
    ("UTC", "2026-01-01T00:00:00Z"),
];

fn near_a_change(hours_before: i64) -> impl Strategy<Value = (&'static str, Timestamp)> {
    // Often within two seconds of the change, where mistakes live.
    let away = prop_oneof![2 => -hours_before * 3_600_000..2 * 3_600_000_i64, 1 => -2000..2000_i64];
    (0..CHANGES.len(), away).prop_map(|(which, away)| {
        let (zone, change) = CHANGES[which];
        (zone, Timestamp::from_millis(at(change).as_millis() + away))
    })
}

proptest! {
    #[test]
    fn five_fields_tick_as_a_walk_through_the_minutes_finds(pattern in plain(false), (zone, after) in near_a_change(24)) {
        let until = Timestamp::from_millis(after.as_millis() + 3 * 86_400_000);
        let ticks = cron(&pattern.text(), zone).ticks_between(after, until, usize::MAX);
        prop_assert_eq!(ticks, pattern.walk(zone, after, until), "{} in {} after {}", pattern.text(), zone, after);
    }

    #[test]
    fn six_fields_tick_as_a_walk_through_the_seconds_finds(pattern in plain(true), (zone, after) in near_a_change(2)) {
        let until = Timestamp::from_millis(after.as_millis() + 3 * 3_600_000);
        let ticks = cron(&pattern.text(), zone).ticks_between(after, until, usize::MAX);
        prop_assert_eq!(ticks, pattern.walk(zone, after, until), "{} in {} after {}", pattern.text(), zone, after);
    }

    #[test]
    fn the_next_tick_is_later_and_a_whole_second(pattern in plain(true), (zone, after) in near_a_change(24)) {
        let recurrence = cron(&pattern.text(), zone);
        let mut last = after;
        for _ in 0..20 {
            let tick = recurrence.next_tick(last).unwrap();
            prop_assert!(tick > last && tick.as_millis() % 1000 == 0, "{} → {}", last, tick);
            last = tick;
        }
    }

    #[test]
    fn ticks_between_are_those_that_iterating_gives(
        pattern in plain(false), (zone, after) in near_a_change(24), hours in 0..100_i64, at_most in 0..50_usize,
    ) {
        let recurrence = cron(&pattern.text(), zone);
        let until = Timestamp::from_millis(after.as_millis() + hours * 3_600_000);
        let mut all = Vec::new();
        let mut last = after;
        while let Some(tick) = recurrence.next_tick(last).filter(|tick| *tick <= until) {
            all.push(tick);
            last = tick;
        }
        let oldest = recurrence.ticks_between(after, until, at_most);
        prop_assert_eq!(&oldest[..], &all[..all.len().min(at_most)]);
        let newest = recurrence.newest_ticks_between(after, until, at_most);
        prop_assert_eq!(&newest[..], &all[all.len().saturating_sub(at_most)..]);
        prop_assert_eq!(recurrence.last_tick_between(after, until), all.last().copied());
    }

    #[test]
    fn an_interval_ticks_as_counting_from_its_anchor_gives(
        anchor in 0..2_000_000_000_000_i64, length in 1..100_000_u64, after in 0..200_000_000_i64, count in 1..20_usize,
    ) {
        let start = Timestamp::from_millis(anchor);
        let recurrence = every(length, start);
        let after = Timestamp::from_millis(anchor + after);
        let second = anchor.div_euclid(1000) * 1000;
        let counted = (1..).map(|times| Timestamp::from_millis(second + times * i64::try_from(length).unwrap() * 1000));
        let counted: Vec<_> = counted.skip_while(|tick| *tick <= after).take(count).collect();
        let ticks = recurrence.ticks_between(after, *counted.last().unwrap(), count);
        prop_assert_eq!(ticks, counted);
    }
}

#[test]
fn the_newest_ticks_of_a_year_of_seconds_are_found_without_going_through_it() {
    let (after, until) = (at("2025-06-01T00:00:00Z"), at("2026-06-01T00:00:00Z"));
    let newest = cron("* * * * * *", "Europe/Berlin").newest_ticks_between(after, until, 100);
    assert_eq!((newest.len(), newest.first(), newest.last()), (100, Some(&at("2026-05-31T23:58:21Z")), Some(&until)));
    let yearly = cron("* * * 1 1 *", "Europe/Berlin").newest_ticks_between(after, until, 2);
    assert_eq!(yearly, [at("2026-01-01T22:59:58Z"), at("2026-01-01T22:59:59Z")]);
}
