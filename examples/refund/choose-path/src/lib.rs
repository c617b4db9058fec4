//! The step `choose_path`: a decision, which names the steps that run.

use bulkhead_sdk::prelude::*;
use refund_shared::Checked;

/// What the template says of it.
#[derive(Debug, Deserialize)]
struct Rules {
    /// Orders that are older are not paid back.
    days: u64,
    /// A manager is asked from this amount on.
    review_from_cents: u64,
    /// There is a closer look from this risk on.
    fraud_check_from: u64,
}

impl Rules {
    /// The steps that run: none where it is too late, the closer look and the manager where they are called for, else the one
    /// that says yes.
    fn paths(&self, checked: &Checked) -> Vec<&'static str> {
        if checked.days_since_purchase > self.days {
            return Vec::new();
        }
        let mut paths = Vec::new();
        if checked.amount_cents >= self.review_from_cents {
            paths.push("manager_review");
        }
        if checked.risk >= self.fraud_check_from {
            paths.push("fraud_check");
        }
        if paths.is_empty() {
            paths.push("auto_approve");
        }
        paths
    }
}

/// Decides which steps run.
#[derive(Debug, Default)]
pub struct ChoosePath;

impl Handler for ChoosePath {
    const KIND: &'static str = "choose_path";
    type Payload = Value;

    fn handle(&self, _: Task<Value>, context: &Context) -> Result<Outcome, Failure> {
        let checked: Checked = context.dependency_result("check_request")?;
        let rules: Rules = context.settings()?;
        let paths = rules.paths(&checked);
        let steps = paths.iter().map(|path| (*path).to_owned()).collect();
        Ok(Outcome::Decide { steps, result: json!({ "paths": paths }), metadata: json!({}) })
    }
}

bulkhead_sdk::export!(ChoosePath);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::testing::TestTask;

    use super::*;

    fn chosen(amount_cents: u64, days_since_purchase: u64, risk: u64) -> Vec<String> {
        let run = TestTask::new(json!({}))
            .settings(json!({"days": 30, "review_from_cents": 10_000, "fraud_check_from": 50}))
            .upstream("check_request", json!(Checked { amount_cents, days_since_purchase, risk }))
            .run::<ChoosePath>();
        match run.outcome {
            Ok(Outcome::Decide { steps, .. }) => steps,
            other => panic!("it did not decide: {other:?}"),
        }
    }

    #[test]
    fn a_small_request_without_risk_needs_nobody() {
        assert_eq!(chosen(9_999, 30, 49), ["auto_approve"]);
    }

    #[test]
    fn a_manager_is_asked_and_a_closer_look_taken_where_they_are_called_for() {
        assert_eq!(chosen(10_000, 30, 49), ["manager_review"]);
        assert_eq!(chosen(9_999, 30, 50), ["fraud_check"]);
        assert_eq!(chosen(10_000, 30, 50), ["manager_review", "fraud_check"]);
    }

    #[test]
    fn nobody_is_asked_when_it_is_too_late() {
        assert_eq!(chosen(10_000, 31, 50), [""; 0]);
    }
}
