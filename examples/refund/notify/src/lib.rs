//! The step `notify`: what the customer is told.

use bulkhead_sdk::prelude::*;
use refund_shared::{Settlement, money};

/// What it looks at of the workflow's input.
#[derive(Debug, Deserialize)]
pub struct Input {
    order_id: String,
    customer: String,
}

/// Makes the letter to the customer. How one is sent is shown by the shop's `send_confirmation`.
#[derive(Debug, Default)]
pub struct Notify;

impl Handler for Notify {
    const KIND: &'static str = "notify";
    type Payload = Input;

    fn handle(&self, task: Task<Input>, context: &Context) -> Result<Outcome, Failure> {
        let Input { order_id, customer } = task.payload;
        let settlement: Settlement = context.dependency_result("settle")?;
        let text = if settlement.approved {
            format!("We pay you back {} for {order_id}.", money(settlement.refunded_cents))
        } else {
            format!("We cannot pay you back for {order_id}.")
        };
        complete(json!({ "to": customer, "text": text }))
    }
}

bulkhead_sdk::export!(Notify);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::testing::TestTask;

    use super::*;

    fn letter(approved: bool) -> Value {
        let settlement = json!({"approved": approved, "refunded_cents": 4_200, "paths": [], "because": []});
        let task = TestTask::new(json!({"order_id": "ORD-1", "customer": "ada@example.com"}));
        task.upstream("settle", settlement).run::<Notify>().result()
    }

    #[test]
    fn the_customer_is_told_how_it_ended() {
        assert_eq!(letter(true), json!({"to": "ada@example.com", "text": "We pay you back 42.00 for ORD-1."}));
        assert_eq!(letter(false)["text"], "We cannot pay you back for ORD-1.");
    }
}
