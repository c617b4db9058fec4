//! The step `process_payment`: takes the money, or says why not.

mod gateway;

use bulkhead_sdk::prelude::*;
use ecommerce_shared::id::named_after;
use ecommerce_shared::results::{Payment, ValidatedCart};

/// What it looks at of the workflow's input.
#[derive(Debug, Deserialize)]
pub struct Input {
    payment_info: Option<PaymentInfo>,
}

#[derive(Debug, Deserialize)]
struct PaymentInfo {
    token: String,
}

/// Takes the money.
#[derive(Debug, Default)]
pub struct ProcessPayment;

impl Handler for ProcessPayment {
    const KIND: &'static str = "process_payment";
    type Payload = Input;

    fn handle(&self, task: Task<Input>, context: &Context) -> Result<Outcome, Failure> {
        let ValidatedCart { cart, .. } = context.dependency_result("validate_cart")?;
        let Some(PaymentInfo { token }) = task.payload.payment_info else {
            return Err(Failure::validation("MISSING_PAYMENT_INFO", "the order does not say how it is paid"));
        };
        gateway::charge(&token, task.attempt)?;
        // The same in each attempt: an order that was charged and forgotten is not charged twice.
        let key = context.idempotency_key();
        complete(Payment {
            payment_id: named_after("PAY-", &key),
            transaction_id: named_after("TXN-", &format!("{key}:{token}")),
            amount_charged: cart.total,
        })
    }
}

bulkhead_sdk::export!(ProcessPayment);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::testing::{TestRun, TestTask};

    use super::*;

    fn paid(payload: Value) -> TestRun {
        let cart = json!({"validated_items": [], "item_count": 0, "subtotal": 60, "tax": 4.8, "total": 64.8,
            "validated_at": "2026-01-01T00:00:00Z"});
        TestTask::new(payload).id("step-2").upstream("validate_cart", cart).run::<ProcessPayment>()
    }

    #[test]
    fn what_the_cart_comes_to_is_charged() {
        let result = paid(json!({"payment_info": {"token": "tok_visa"}})).result();
        assert_eq!(result["amount_charged"], 64.8);
        assert_eq!(result["payment_id"], json!(named_after("PAY-", "step-2:0")));
    }

    #[test]
    fn an_order_without_a_card_is_refused_for_good() {
        let run = paid(json!({"items": []}));
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("MISSING_PAYMENT_INFO", false));
    }
}
