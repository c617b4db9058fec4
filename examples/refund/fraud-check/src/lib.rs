//! The step `fraud_check`: looks closer.

use bulkhead_sdk::prelude::*;
use refund_shared::{Request, Verdict};

/// What the template says of it.
#[derive(Debug, Deserialize)]
struct Rules {
    /// Who was paid back more often is not paid back again.
    most_refunds: u64,
}

/// Looks closer. A real one would ask a service, as the shop's `send_confirmation` does.
#[derive(Debug, Default)]
pub struct FraudCheck;

impl Handler for FraudCheck {
    const KIND: &'static str = "fraud_check";
    type Payload = Request;

    fn handle(&self, task: Task<Request>, context: &Context) -> Result<Outcome, Failure> {
        let Rules { most_refunds } = context.settings()?;
        let earlier = task.payload.earlier_refunds;
        if earlier > most_refunds {
            context.audit("fraud_suspected", json!({ "earlier_refunds": earlier }));
            return complete(Verdict::no(format!("{earlier} refunds before this one")));
        }
        complete(Verdict::yes("a closer look found nothing"))
    }
}

bulkhead_sdk::export!(FraudCheck);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::testing::{TestRun, TestTask};

    use super::*;

    fn looked_at(earlier_refunds: u64) -> TestRun {
        TestTask::new(json!({"order_id": "ORD-1", "customer": "ada@example.com", "amount_cents": 1, "paid_cents": 1,
            "days_since_purchase": 3, "reason": "not_received", "earlier_refunds": earlier_refunds}))
        .settings(json!({"most_refunds": 3}))
        .run::<FraudCheck>()
    }

    #[test]
    fn who_was_paid_back_too_often_is_not_paid_back_again_and_that_is_kept() {
        assert_eq!(looked_at(3).result()["approved"], true);
        let run = looked_at(4);
        assert_eq!(run.result()["approved"], false);
        assert_eq!(run.audits, [("fraud_suspected".to_owned(), json!({"earlier_refunds": 4}))]);
    }
}
