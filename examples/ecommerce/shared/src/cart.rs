//! What is bought: checked, and added up.

use bulkhead_sdk::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::money::{Cents, Price};

/// The tax, in per cent of what the lines come to.
pub const TAX_RATE: u64 = 8;
/// The most pieces of one line.
const MOST_PIECES: u32 = 10_000;

/// An item of a cart, as the customer says it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Item {
    /// What it is called in the store.
    pub sku: String,
    /// What people call it.
    pub name: String,
    /// How many.
    pub quantity: Number,
    /// The price of one.
    pub unit_price: Number,
}

/// An item that makes sense, with what it comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it is called in the store.
    pub sku: String,
    /// What people call it.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Number,
    /// The price of all of them.
    pub line_total: Cents,
}

/// A cart that makes sense, added up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cart {
    /// Its items.
    pub validated_items: Vec<Line>,
    /// How many lines it has.
    pub item_count: usize,
    /// What the lines come to.
    pub subtotal: Cents,
    /// The tax on that.
    pub tax: Cents,
    /// What is to be paid.
    pub total: Cents,
}

impl Item {
    /// How many; none where that is no whole number from 1 on, or too many.
    pub fn pieces(&self) -> Option<u32> {
        let pieces = self.quantity.as_u64().and_then(|quantity| u32::try_from(quantity).ok())?;
        (1..=MOST_PIECES).contains(&pieces).then_some(pieces)
    }

    fn checked(self) -> Result<Line, Failure> {
        let Some(quantity) = self.pieces() else {
            let message = format!("item `{}` has an invalid quantity: {}", self.sku, self.quantity);
            return Err(Failure::validation("INVALID_QUANTITY", message));
        };
        let Some(price) = Price::parse(&self.unit_price) else {
            let message = format!("item `{}` has an invalid price: {}", self.sku, self.unit_price);
            return Err(Failure::validation("INVALID_PRICE", message));
        };
        let Self { sku, name, unit_price, .. } = self;
        Ok(Line { sku, name, quantity, unit_price, line_total: price.times(quantity) })
    }
}

impl Cart {
    /// The cart of these items, or the first thing that is wrong with them.
    pub fn of(items: Vec<Item>) -> Result<Self, Failure> {
        if items.is_empty() {
            return Err(Failure::validation("EMPTY_CART", "there is nothing in the cart"));
        }
        let validated_items = items.into_iter().map(Item::checked).collect::<Result<Vec<_>, _>>()?;
        let subtotal: Cents = validated_items.iter().map(|line| line.line_total).sum();
        let tax = subtotal.per_cent(TAX_RATE);
        Ok(Self { item_count: validated_items.len(), validated_items, subtotal, tax, total: subtotal + tax })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn cart(items: Value) -> Result<Cart, Failure> {
        Cart::of(serde_json::from_value(items).expect("items"))
    }

    fn item(quantity: Value, unit_price: Value) -> Value {
        json!({"sku": "SKU-001", "name": "Widget", "quantity": quantity, "unit_price": unit_price})
    }

    fn code(quantity: Value, unit_price: Value) -> String {
        cart(json!([item(json!(1), json!(1)), item(quantity, unit_price)])).expect_err("it is refused").code
    }

    #[test]
    fn a_cart_is_added_up_with_its_tax() {
        let cart = cart(json!([item(json!(2), json!(29.99)), item(json!(3), json!(0.125))])).expect("a cart");
        assert_eq!((cart.item_count, cart.subtotal, cart.tax, cart.total), (2, Cents(6036), Cents(483), Cents(6519)));
    }

    #[test]
    fn each_line_is_rounded_before_they_are_added_up() {
        let halves = json!([item(json!(1), json!(0.125)), item(json!(1), json!(0.125))]);
        assert_eq!(cart(halves).expect("a cart").subtotal, Cents(26));
    }

    #[test]
    fn an_empty_cart_is_refused_for_good() {
        let failure = cart(json!([])).expect_err("it is refused");
        assert_eq!((failure.code.as_str(), failure.retryable), ("EMPTY_CART", false));
    }

    #[test]
    fn a_quantity_is_a_whole_number_from_1_on() {
        for wrong in [json!(0), json!(-2), json!(1.5), json!(10_001)] {
            assert_eq!(code(wrong, json!(1)), "INVALID_QUANTITY");
        }
    }

    #[test]
    fn a_price_is_not_negative() {
        assert_eq!(code(json!(1), json!(-0.01)), "INVALID_PRICE");
        assert!(cart(json!([item(json!(1), json!(0))])).is_ok(), "a gift");
    }
}
