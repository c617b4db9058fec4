//! `queue_dead_total`: deaths, each under the label that fits when it is first seen.

use std::collections::{HashMap, HashSet};

use bulkhead_core::{DeadReason, Kind};
use bulkhead_store::DeadCount;
use prometheus::IntCounterVec;

use crate::kind_label::kind_label;

/// Deaths that were counted. Who serves a kind may change; what was counted under a label stays there, since a counter
/// that falls is taken for one that began anew.
#[derive(Debug)]
pub(crate) struct DeathCounts {
    counter: IntCounterVec,
    /// As many entries as the store has itself.
    seen: HashMap<(Kind, DeadReason), u64>,
}

impl DeathCounts {
    /// Counts into a counter with the labels `kind` and `reason`.
    pub(crate) fn new(counter: IntCounterVec) -> Self {
        Self { counter, seen: HashMap::new() }
    }

    /// Counts those that were not seen before.
    pub(crate) fn count(&mut self, deaths: Vec<DeadCount>, live: &HashSet<Kind>) {
        for DeadCount { kind, reason, count } in deaths {
            let counter = self.counter.with_label_values(&[kind_label(&kind, live), reason.as_str()]);
            let seen = self.seen.entry((kind, reason)).or_default();
            counter.inc_by(count.saturating_sub(*seen));
            *seen = count.max(*seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Opts;

    use super::*;

    #[test]
    fn a_death_keeps_its_label_whoever_comes_and_goes() {
        let counter = IntCounterVec::new(Opts::new("deaths", "Deaths."), &["kind", "reason"]).expect("a counter");
        let mut counts = DeathCounts::new(counter.clone());
        let kind = Kind::parse("A").expect("a kind");
        let (served, unserved) = (HashSet::from([kind.clone()]), HashSet::new());
        let counted = || ["A", "other"].map(|kind| counter.with_label_values(&[kind, "trap"]).get());
        for (count, live, expected) in
            [(2, &served, [2, 0]), (2, &unserved, [2, 0]), (3, &unserved, [2, 1]), (3, &served, [2, 1])]
        {
            counts.count(vec![DeadCount { kind: kind.clone(), reason: DeadReason::Trap, count }], live);
            assert_eq!(counted(), expected, "of {count}");
        }
    }
}
