//! When a step that several tasks stand for has ended.

use serde::Serialize;

use super::FanOut;
use crate::{Category, Completion, Failure, Join, JsonText, RunEnd, UpstreamEnd, UpstreamTask};

/// How the tasks of a step ended; what such a step has as its result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FanInCount {
    /// In all.
    pub total: u32,
    /// Ended well.
    pub succeeded: u32,
    /// Never ran.
    pub skipped: u32,
    /// Cancelled.
    pub cancelled: u32,
    /// Ended badly, or not yet.
    pub failed: u32,
    /// Those that the step cannot do without and that did not end well.
    #[serde(skip)]
    pub critical_missing: u32,
}

impl FanInCount {
    /// Counts how one of the tasks ended.
    pub fn add(&mut self, fan_out: &FanOut, task: &UpstreamTask) {
        let mut well = false;
        match task.end {
            UpstreamEnd::Succeeded(_) | UpstreamEnd::Resolved(_) => {
                self.succeeded += 1;
                well = true;
            }
            UpstreamEnd::Skipped => self.skipped += 1,
            UpstreamEnd::Cancelled => self.cancelled += 1,
            UpstreamEnd::Failed(_) => self.failed += 1,
        }
        self.critical_missing += u32::from(!well && fan_out.join.is_critical(Some(&task.name)));
    }
}

/// How the step ends whose tasks have ended so.
pub fn fan_in(fan_out: &FanOut, count: &FanInCount) -> RunEnd {
    let short = |needed: u32| count.succeeded + count.skipped < needed;
    let problem = match &fan_out.join {
        _ if fan_out.needs_all && short(count.total) => Some(format!(
            "{} of {} tasks of this step did not end well; requeue or resolve them, then retry the step",
            count.total - count.succeeded - count.skipped,
            count.total
        )),
        Join::AtLeast(needed) if short(*needed) => {
            Some(format!("{} of {} tasks of this step succeeded; at least {needed} must", count.succeeded, count.total))
        }
        Join::Critical(_) if count.critical_missing > 0 => {
            Some(format!("{} tasks that this step cannot do without did not end well", count.critical_missing))
        }
        Join::BestEffort | Join::Strict | Join::AtLeast(_) | Join::Critical(_) => None,
    };
    let result = JsonText::from_value(count).unwrap_or_else(|_| JsonText::null());
    match problem {
        None => RunEnd::Completed(Completion { result, metadata: JsonText::empty_object(), then: Vec::new() }),
        Some(message) => RunEnd::Failed(Failure {
            category: Category::Permanent,
            code: "tasks_failed".to_owned(),
            message,
            retryable: false,
            retry_after: None,
            details: result,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FanOutOver;

    fn ends_well(join: Join, needs_all: bool, succeeded: u32, failed: u32) -> bool {
        let fan_out = FanOut { over: FanOutOver::Items(Vec::new()), join, needs_all };
        let count = FanInCount { total: succeeded + failed, succeeded, failed, ..FanInCount::default() };
        matches!(fan_in(&fan_out, &count), RunEnd::Completed(_))
    }

    #[test]
    fn a_step_ends_well_where_as_many_of_its_tasks_have_as_must() {
        assert!(ends_well(Join::BestEffort, false, 0, 3) && ends_well(Join::BestEffort, true, 3, 0));
        assert!(!ends_well(Join::BestEffort, true, 2, 1));
        assert!(ends_well(Join::AtLeast(2), false, 2, 1) && !ends_well(Join::AtLeast(3), false, 2, 1));
    }
}
