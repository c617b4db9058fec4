//! The step `settle`: makes one end of what was said, by whoever was asked.

use bulkhead_sdk::UpstreamEnd;
use bulkhead_sdk::prelude::*;
use refund_shared::{Checked, PATHS, Settlement, Verdict};

/// Makes one end of what was said.
#[derive(Debug, Default)]
pub struct Settle;

impl Handler for Settle {
    const KIND: &'static str = "settle";
    type Payload = Value;

    fn handle(&self, _: Task<Value>, context: &Context) -> Result<Outcome, Failure> {
        let Checked { amount_cents, .. } = context.dependency_result("check_request")?;
        let mut verdicts: Vec<(String, Verdict)> = Vec::new();
        for path in PATHS {
            // Of steps that were not chosen there is nothing to read.
            if let Some(UpstreamEnd::Skipped) = context.upstream_named(path).map(|step| step.end) {
                continue;
            }
            verdicts.push((path.to_owned(), context.dependency_result(path)?));
        }
        complete(settlement(amount_cents, verdicts))
    }
}

/// It is paid back where somebody was asked, and nobody said no.
fn settlement(amount_cents: u64, verdicts: Vec<(String, Verdict)>) -> Settlement {
    let approved = !verdicts.is_empty() && verdicts.iter().all(|(_, verdict)| verdict.approved);
    let (paths, mut because): (Vec<_>, Vec<_>) =
        verdicts.into_iter().map(|(path, verdict)| (path, verdict.because)).unzip();
    if paths.is_empty() {
        because.push("it is too late".to_owned());
    }
    Settlement { approved, refunded_cents: if approved { amount_cents } else { 0 }, paths, because }
}

bulkhead_sdk::export!(Settle);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::testing::{TestRun, TestTask};

    use super::*;

    /// Paths without a verdict were not chosen.
    fn settled(verdicts: [Option<bool>; 3]) -> TestRun {
        let checked = Checked { amount_cents: 4_200, days_since_purchase: 3, risk: 0 };
        let mut task = TestTask::new(json!({})).upstream("check_request", json!(checked));
        for (path, verdict) in PATHS.into_iter().zip(verdicts) {
            task = match verdict {
                Some(approved) => task.upstream(path, json!({ "approved": approved, "because": path })),
                None => task.upstream_ended(path, UpstreamEnd::Skipped),
            };
        }
        task.run::<Settle>()
    }

    #[test]
    fn it_is_paid_back_where_all_who_were_asked_say_yes() {
        let result = settled([None, Some(true), Some(true)]).result();
        assert_eq!((&result["approved"], &result["refunded_cents"]), (&json!(true), &json!(4_200)));
        assert_eq!(result["paths"], json!(["manager_review", "fraud_check"]));
    }

    #[test]
    fn one_no_is_enough() {
        let result = settled([None, Some(true), Some(false)]).result();
        assert_eq!((&result["approved"], &result["refunded_cents"]), (&json!(false), &json!(0)));
    }

    #[test]
    fn nothing_is_paid_back_where_nobody_was_asked() {
        let result = settled([None; 3]).result();
        assert_eq!((&result["approved"], &result["because"]), (&json!(false), &json!(["it is too late"])));
    }

    #[test]
    fn a_step_that_ended_otherwise_is_no_yes() {
        let checked = Checked { amount_cents: 4_200, days_since_purchase: 3, risk: 0 };
        let task = TestTask::new(json!({})).upstream("check_request", json!(checked));
        let run = task.upstream_ended("auto_approve", UpstreamEnd::Cancelled).run::<Settle>();
        assert_eq!(run.failure().code, "dependency_failed");
    }
}
