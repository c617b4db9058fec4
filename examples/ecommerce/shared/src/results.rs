//! What the steps leave for each other.
//!
//! A step sees the results of the steps that it depends on, and each step of an order depends on the one before it alone:
//! what a later one needs is passed on.

use serde::{Deserialize, Serialize};

use crate::cart::Cart;
use crate::money::Cents;

/// The result of `validate_cart`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidatedCart {
    /// The cart.
    #[serde(flatten)]
    pub cart: Cart,
    /// When it was found to be right.
    pub validated_at: String,
}

/// The result of `process_payment`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// The payment, the same in each attempt.
    pub payment_id: String,
    /// What the gateway calls it.
    pub transaction_id: String,
    /// What was paid.
    pub amount_charged: Cents,
}

/// The result of `update_inventory`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reservation {
    /// The entry in the store's log, the same in each attempt.
    pub inventory_log_id: String,
    /// What is reserved, by name.
    pub reserved: Vec<Reserved>,
    /// Passed on.
    #[serde(flatten)]
    pub payment: Payment,
}

/// What is reserved of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// What it is called in the store.
    pub sku: String,
    /// How many.
    pub quantity: u32,
}

/// The result of `create_order`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The order, `ORD-…`, the same in each attempt.
    pub order_id: String,
    /// How it stands.
    pub status: String,
    /// Whose it is.
    pub customer_email: String,
    /// What was paid.
    pub total: Cents,
    /// The payment.
    pub payment_id: String,
    /// The entry in the store's log.
    pub inventory_log_id: String,
}
