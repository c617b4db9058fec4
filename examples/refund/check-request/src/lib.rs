//! The step `check_request`: does a request make sense, and how risky is it?

use bulkhead_sdk::prelude::*;
use refund_shared::{Checked, Reason, Request, money};

/// Of so much on, an amount is worth a risk.
const LARGE_CENTS: u64 = 50_000;

/// Checks a request.
#[derive(Debug, Default)]
pub struct CheckRequest;

impl Handler for CheckRequest {
    const KIND: &'static str = "check_request";
    type Payload = Request;

    fn handle(&self, task: Task<Request>, _: &Context) -> Result<Outcome, Failure> {
        let request = task.payload;
        let Request { amount_cents, paid_cents, days_since_purchase, .. } = request;
        if amount_cents > paid_cents {
            let message = format!("{} is asked for, and {} was paid", money(amount_cents), money(paid_cents));
            return Err(Failure::validation("AMOUNT_TOO_HIGH", message));
        }
        complete(Checked { amount_cents, days_since_purchase, risk: risk(&request) })
    }
}

/// How much speaks for a closer look, from 0 to 100.
fn risk(request: &Request) -> u64 {
    let often = request.earlier_refunds.saturating_mul(15);
    let missing = if request.reason == Reason::NotReceived { 20 } else { 0 };
    let large = if request.amount_cents >= LARGE_CENTS { 25 } else { 0 };
    often.saturating_add(missing + large).min(100)
}

bulkhead_sdk::export!(CheckRequest);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::testing::{TestRun, TestTask};

    use super::*;

    fn checked(amount_cents: u64, reason: &str, earlier_refunds: u64) -> TestRun {
        TestTask::new(json!({"order_id": "ORD-1", "customer": "ada@example.com", "amount_cents": amount_cents,
            "paid_cents": 60_000, "days_since_purchase": 3, "reason": reason, "earlier_refunds": earlier_refunds}))
        .run::<CheckRequest>()
    }

    #[test]
    fn what_speaks_for_a_closer_look_adds_up_to_100_at_most() {
        let risk = |amount, reason, earlier| checked(amount, reason, earlier).result()["risk"].clone();
        assert_eq!(risk(49_999, "damaged", 0), 0);
        assert_eq!(risk(50_000, "not_received", 1), 60);
        assert_eq!(risk(1, "not_wanted", 7), 100);
    }

    #[test]
    fn nobody_is_paid_back_more_than_they_paid() {
        let run = checked(60_001, "damaged", 0);
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("AMOUNT_TOO_HIGH", false));
    }
}
