//! What becomes of ticks that come late, and of ticks that come while an earlier task still runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long after it was due a tick may be handled without being missed; long enough for a restart of the host.
pub const GRACE: Duration = Duration::from_secs(60);

/// The most missed ticks that are made up for, the newest; the contract's bound.
pub const MAX_MADE_UP: usize = 100;

/// What becomes of ticks that were missed: handled more than the grace after they were due, because no host was up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissedRule {
    /// They are passed over.
    #[default]
    Skip,
    /// One task makes up for all of them; it has the newest tick that is due.
    One,
    /// Each is made up for, at most the newest [`MAX_MADE_UP`], one after another.
    All,
}

/// What becomes of a tick while the task of an earlier one has not ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverlapRule {
    /// It is passed over; one that makes up for missed ticks waits instead.
    #[default]
    Skip,
    /// It waits until the earlier task has ended; ticks that wait go one after another, the oldest first.
    Queue,
    /// The earlier task is cancelled, and this tick's takes its place.
    Replace,
}

/// The rules of one schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleRules {
    /// Of ticks that come late.
    pub missed: MissedRule,
    /// Of ticks that come early.
    pub overlap: OverlapRule,
    /// How late a tick is missed, otherwise [`GRACE`].
    pub grace: Duration,
}

impl Default for ScheduleRules {
    fn default() -> Self {
        Self { missed: MissedRule::default(), overlap: OverlapRule::default(), grace: GRACE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_rules_skip_unless_told_otherwise() {
        let rules = ScheduleRules::default();
        assert_eq!((rules.missed, rules.overlap, rules.grace), (MissedRule::Skip, OverlapRule::Skip, GRACE));
    }

    #[test]
    fn rules_are_written_in_snake_case() {
        let missed: Vec<MissedRule> = serde_json::from_str(r#"["skip","one","all"]"#).unwrap();
        assert_eq!(missed, [MissedRule::Skip, MissedRule::One, MissedRule::All]);
        let overlap: Vec<OverlapRule> = serde_json::from_str(r#"["skip","queue","replace"]"#).unwrap();
        assert_eq!(overlap, [OverlapRule::Skip, OverlapRule::Queue, OverlapRule::Replace]);
        let error = serde_json::from_str::<OverlapRule>("\"allow\"").unwrap_err().to_string();
        assert!(error.contains("queue"), "{error}");
    }
}
