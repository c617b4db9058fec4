//! Cron patterns in a time zone, and what they do when the clocks change.

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset};
use jiff::{SignedDuration, ToSpan};

use super::field::FIELDS;
use super::{ScheduleError, Zone};
use crate::Timestamp;

/// The longest pattern, in bytes; a list of every second of a minute has 169.
const MAX_EXPRESSION: usize = 256;

/// A cron pattern of five or six fields, in the local time of a zone.
///
/// The fields are minute, hour, day of month, month and day of week, with the second before them where there are six.
/// A pattern ticks at the local times that it names. When the clocks change:
///
/// - **Gap**, the clocks go forward: times that do not exist are due at the first moment after the gap, once. Patterns that
///   tick in every hour (all 24 in the hour field) make nothing up, since they tick in the next hour anyway.
/// - **Overlap**, the clocks go back: a pattern of fixed times ticks at the first of the two only. One with a `*` or a `*/n`
///   in the second, minute or hour goes on through both.
///
/// That is Vixie cron's way: cron(8), "Daylight Saving Time and other time changes", treats "jobs that run at a specific time"
/// so, and schedules those "that run more frequently" normally; its code tells them apart by the star, too. One thing differs:
/// there, a pattern with a star loses its times of the gap, so that `*/15 2 * * *` would not run at all on that day. Here a
/// day is never lost.
///
/// `croner` reads the pattern and finds local times, which it does without zones. What the clocks do is decided here,
/// because its own search has other rules: it takes `0,30 2 * * *` for an interval, drops its times of the gap and runs it
/// twice in the overlap, and it gives up on gaps of more than two hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    expression: Box<str>,
    zone: Zone,
    pattern: Box<croner::Cron>,
    gap: Gap,
    overlap: Overlap,
}

/// What becomes of local times that do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    DueAfter,
    PassedOver,
}

/// At which of two moments with the same local time a pattern ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overlap {
    First,
    Both,
}

impl Cron {
    /// Parses a pattern; one that would not tick at least once in any ten years is refused.
    pub fn parse(expression: &str, zone: Zone) -> Result<Self, ScheduleError> {
        let pattern = read(expression)?;
        let in_every_hour = pattern.pattern.hours.values().len() == 24;
        let [seconds, minutes, hours] = [&pattern.pattern.seconds, &pattern.pattern.minutes, &pattern.pattern.hours];
        let starred = [seconds, minutes, hours].iter().any(|field| field.from_wildcard);
        Ok(Self {
            expression: expression.split_whitespace().collect::<Vec<_>>().join(" ").into(),
            zone,
            gap: if in_every_hour { Gap::PassedOver } else { Gap::DueAfter },
            overlap: if starred { Overlap::Both } else { Overlap::First },
            pattern: Box::new(pattern),
        })
    }

    /// The pattern as it was written, with single spaces.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The zone whose local time counts.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Goes from one change of the clocks to the next. Between two of them local time runs evenly, so the first local time
    /// that fits is the next tick, unless the change comes before it.
    pub(super) fn next_tick(&self, after: Timestamp) -> Option<Timestamp> {
        let zone = self.zone.rules();
        // Begins in the second before the first that counts: a change of the clocks may lie between the two.
        let mut from = jiff::Timestamp::from_second(after.as_millis().div_euclid(1000)).ok()?;
        let mut inclusive = false;
        loop {
            let offset = zone.to_offset(from);
            let local = self.pattern.find_next_occurrence(&offset.to_datetime(from), inclusive).ok()?;
            let tick = offset.to_timestamp(local).ok()?;
            inclusive = true;
            if let Some(change) = zone.following(from).next().filter(|change| change.timestamp() <= tick) {
                // `local` is the first that fits from the old clocks' last second on; before the new clocks' first second
                // it lies in the gap.
                from = change.timestamp();
                if self.gap == Gap::PassedOver || change.offset().to_datetime(from) <= local {
                    continue;
                }
                return Some(Timestamp::from_millis(from.as_millisecond()));
            }
            if self.overlap == Overlap::First && self.is_repeated(local, offset) {
                from = tick.checked_add(SignedDuration::from_secs(1)).ok()?;
                continue;
            }
            return Some(Timestamp::from_millis(tick.as_millisecond()));
        }
    }

    /// Whether the clocks have shown this local time before, and show it now, at `offset`, for the second time.
    fn is_repeated(&self, local: DateTime, offset: Offset) -> bool {
        let AmbiguousOffset::Fold { after, .. } = self.zone.rules().to_ambiguous_timestamp(local).offset() else {
            return false;
        };
        offset == after
    }
}

/// Reads a pattern, and says of a bad one which field is wrong, and how it may be meant.
fn read(expression: &str) -> Result<croner::Cron, ScheduleError> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let refuse = |rule: &str, fix: Option<String>| {
        let value = expression.to_owned();
        Err(ScheduleError::Text { field: "cron", rule: rule.to_owned(), fix, value })
    };
    if expression.len() > MAX_EXPRESSION {
        return refuse("must be at most 256 bytes", None);
    }
    if !(5..=6).contains(&fields.len()) {
        let rule =
            "must have five fields (minute, hour, day of month, month, day of week), or six with the second first";
        return refuse(rule, whole(&fields));
    }
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    for (place, text) in fields.iter().enumerate() {
        let readable = |part: &str| {
            let mut alone = vec!["*"; fields.len()];
            alone[place] = part;
            parser.parse(&alone.join(" ")).is_ok()
        };
        FIELDS[place + FIELDS.len() - fields.len()].check(text, readable)?;
    }
    match parser.parse(&fields.join(" ")) {
        Ok(pattern) if ticks_in_every_decade(&pattern) => Ok(pattern),
        Ok(_) => refuse("names a day that does not come at least once in any ten years", None),
        Err(error) => refuse(&error.to_string(), None),
    }
}

/// What the writer of too few or too many fields may have meant.
fn whole(fields: &[&str]) -> Option<String> {
    let written = match fields {
        ["@yearly" | "@annually"] => "0 0 1 1 *".to_owned(),
        ["@monthly"] => "0 0 1 * *".to_owned(),
        ["@weekly"] => "0 0 * * SUN".to_owned(),
        ["@daily" | "@midnight"] => "0 0 * * *".to_owned(),
        ["@hourly"] => "0 * * * *".to_owned(),
        [_, _, _, _] => format!("{} *", fields.join(" ")),
        [six @ .., _year] if six.len() == 6 => return Some(format!("take out the year: {}", six.join(" "))),
        _ => "0 3 * * *".to_owned(),
    };
    Some(format!("such as {written}"))
}

/// Looks at the 400 years after which the calendar repeats itself.
fn ticks_in_every_decade(pattern: &croner::Cron) -> bool {
    let mut from = Date::constant(2000, 1, 1).at(0, 0, 0, 0);
    while from.year() < 2400 {
        let until = from.saturating_add(10.years());
        match pattern.find_previous_occurrence(&until, true) {
            Ok(last) if last > from => from = last,
            _ => return false,
        }
    }
    true
}
