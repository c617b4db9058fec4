//! What the steps of a refund have in common: the request, what it was found to be, and what each step says to it.

use serde::{Deserialize, Serialize};

/// The steps that may be chosen, in the order of the template.
pub const PATHS: [&str; 3] = ["auto_approve", "manager_review", "fraud_check"];

/// The input of the workflow; its template bounds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The order that is paid back.
    pub order_id: String,
    /// Whose it is.
    pub customer: String,
    /// What is asked for.
    pub amount_cents: u64,
    /// What was paid.
    pub paid_cents: u64,
    /// How old the order is.
    pub days_since_purchase: u64,
    /// Why.
    pub reason: Reason,
    /// How often the customer was paid back before.
    pub earlier_refunds: u64,
}

/// Why somebody wants to be paid back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It came broken.
    Damaged,
    /// It did not come.
    NotReceived,
    /// It came, and is not wanted.
    NotWanted,
}

/// The result of `check_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// What is asked for.
    pub amount_cents: u64,
    /// How old the order is.
    pub days_since_purchase: u64,
    /// How much speaks for a closer look, from 0 to 100.
    pub risk: u64,
}

/// What a step says to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether it may be paid back.
    pub approved: bool,
    /// Why.
    pub because: String,
}

impl Verdict {
    /// Yes.
    pub fn yes(because: impl Into<String>) -> Self {
        Self { approved: true, because: because.into() }
    }

    /// No.
    pub fn no(because: impl Into<String>) -> Self {
        Self { approved: false, because: because.into() }
    }
}

/// The result of `settle`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Whether it is paid back.
    pub approved: bool,
    /// What is paid back.
    pub refunded_cents: u64,
    /// The steps that were chosen.
    pub paths: Vec<String>,
    /// What they said.
    pub because: Vec<String>,
}

/// An amount as people write it.
pub fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_decimals() {
        assert_eq!((money(5), money(1230).as_str()), ("0.05".to_owned(), "12.30"));
    }
}
