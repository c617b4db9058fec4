//! The rules of schedules, each by examples in real zones, and all of them against slow and plain copies of themselves.

mod against_walk;
mod clock_changes;
mod patterns;
mod planning;
mod planning_at_random;

use super::{Cron, Interval, Recurrence, Zone};
use crate::{Span, Timestamp};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn cron(expression: &str, zone: &str) -> Recurrence {
    let zone = Zone::parse(zone).unwrap_or_else(|error| panic!("{error}"));
    Recurrence::Cron(Cron::parse(expression, zone).unwrap_or_else(|error| panic!("{expression}: {error}")))
}

fn every(seconds: u64, anchor: Timestamp) -> Recurrence {
    Recurrence::Every(Interval::parse(Span::from_secs(seconds), anchor).unwrap_or_else(|error| panic!("{error}")))
}
