//! The step `validate_cart`: a cart, checked and added up.

use bulkhead_sdk::prelude::*;
use ecommerce_shared::cart::{Cart, Item};
use ecommerce_shared::moment;
use ecommerce_shared::results::ValidatedCart;

/// What it looks at of the workflow's input.
#[derive(Debug, Deserialize)]
pub struct Input {
    items: Vec<Item>,
}

/// Checks a cart and adds it up.
#[derive(Debug, Default)]
pub struct ValidateCart;

impl Handler for ValidateCart {
    const KIND: &'static str = "validate_cart";
    type Payload = Input;

    fn handle(&self, task: Task<Input>, _: &Context) -> Result<Outcome, Failure> {
        let cart = Cart::of(task.payload.items)?;
        let items = cart.item_count;
        complete(ValidatedCart { cart, validated_at: moment::now() })?
            .with_metadata(json!({ "items_validated": items }))
    }
}

bulkhead_sdk::export!(ValidateCart);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::testing::TestTask;

    use super::*;

    fn order(items: Value) -> Value {
        json!({"items": items, "customer_email": "ada@example.com"})
    }

    #[test]
    fn a_cart_is_added_up() {
        let items = json!([{"sku": "SKU-001", "name": "Widget", "quantity": 2, "unit_price": 29.99}]);
        let result = TestTask::new(order(items)).run::<ValidateCart>().result();
        assert_eq!(result["validated_items"][0]["line_total"], 59.98);
        assert_eq!(
            (&result["subtotal"], &result["tax"], &result["total"]),
            (&json!(59.98), &json!(4.8), &json!(64.78))
        );
        assert_eq!(result["item_count"], 1);
    }

    #[test]
    fn an_empty_cart_is_refused_for_good() {
        let run = TestTask::new(order(json!([]))).run::<ValidateCart>();
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("EMPTY_CART", false));
    }
}
