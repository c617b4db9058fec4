//! The step `update_inventory`: reserves what was bought.

mod stock;

use bulkhead_sdk::prelude::*;
use ecommerce_shared::cart::Item;
use ecommerce_shared::id::named_after;
use ecommerce_shared::results::{Payment, Reservation};
use stock::Stock;

/// What it looks at of the workflow's input.
#[derive(Debug, Deserialize)]
pub struct Input {
    items: Vec<Item>,
}

/// What the operator says.
#[derive(Debug, Deserialize)]
struct Settings {
    #[serde(default)]
    stock: Stock,
}

/// Reserves what was bought.
#[derive(Debug, Default)]
pub struct UpdateInventory;

impl Handler for UpdateInventory {
    const KIND: &'static str = "update_inventory";
    type Payload = Input;

    fn handle(&self, task: Task<Input>, context: &Context) -> Result<Outcome, Failure> {
        let payment: Payment = context.dependency_result("process_payment")?;
        let settings: Settings = context.settings()?;
        let reserved = settings.stock.reserve(&task.payload.items)?;
        let inventory_log_id = named_after("LOG-", &context.idempotency_key());
        complete(Reservation { inventory_log_id, reserved, payment })
    }
}

bulkhead_sdk::export!(UpdateInventory);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::testing::{TestRun, TestTask};

    use super::*;

    fn reserved(quantity: u32) -> TestRun {
        let item = json!({"sku": "SKU-013", "name": "Lamp", "quantity": quantity, "unit_price": 1});
        let payment = json!({"payment_id": "PAY-1", "transaction_id": "TXN-1", "amount_charged": 64.8});
        TestTask::new(json!({"items": [item]}))
            .settings(json!({"stock": {"SKU-013": 4}}))
            .upstream("process_payment", payment)
            .run::<UpdateInventory>()
    }

    #[test]
    fn what_is_there_is_reserved_and_the_payment_passed_on() {
        let result = reserved(4).result();
        assert_eq!(result["reserved"], json!([{"sku": "SKU-013", "quantity": 4}]));
        assert_eq!((&result["payment_id"], &result["amount_charged"]), (&json!("PAY-1"), &json!(64.8)));
    }

    #[test]
    fn more_than_there_is_is_refused_for_good() {
        let run = reserved(5);
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("OUT_OF_STOCK", false));
        assert_eq!(*run.failure().details, json!({"sku": "SKU-013", "wanted": 5, "in_stock": 4}));
    }
}
