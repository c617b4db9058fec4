//! The step `create_order`: the record of an order.

use bulkhead_sdk::prelude::*;
use ecommerce_shared::id::named_after;
use ecommerce_shared::results::{Order, Reservation};

/// What it looks at of the workflow's input.
#[derive(Debug, Deserialize)]
pub struct Input {
    customer_email: String,
}

/// Makes the record of an order.
#[derive(Debug, Default)]
pub struct CreateOrder;

impl Handler for CreateOrder {
    const KIND: &'static str = "create_order";
    type Payload = Input;

    fn handle(&self, task: Task<Input>, context: &Context) -> Result<Outcome, Failure> {
        let Reservation { inventory_log_id, payment, .. } = context.dependency_result("update_inventory")?;
        complete(Order {
            order_id: named_after("ORD-", &context.idempotency_key()),
            status: "confirmed".to_owned(),
            customer_email: task.payload.customer_email,
            total: payment.amount_charged,
            payment_id: payment.payment_id,
            inventory_log_id,
        })
    }
}

bulkhead_sdk::export!(CreateOrder);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::testing::TestTask;

    use super::*;

    #[test]
    fn an_order_has_one_name_in_all_its_attempts_and_what_the_steps_before_left() {
        let reservation = json!({"inventory_log_id": "LOG-1", "reserved": [], "payment_id": "PAY-1",
            "transaction_id": "TXN-1", "amount_charged": 64.8});
        let task = TestTask::new(json!({"items": [], "customer_email": "ada@example.com"})).id("step-4");
        let task = task.upstream("update_inventory", reservation);
        let result = task.clone().run::<CreateOrder>().result();
        assert_eq!(task.attempt(2, 2).run::<CreateOrder>().result(), result);
        assert!(result["order_id"].as_str().is_some_and(|id| id.starts_with("ORD-")), "{result}");
        assert_eq!((&result["total"], &result["payment_id"]), (&json!(64.8), &json!("PAY-1")));
    }
}
