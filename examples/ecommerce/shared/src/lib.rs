//! What the steps of an order have in common: amounts of money, carts, what each step leaves for the next, ids and times.
//!
//! | module | |
//! |---|---|
//! | [`money`] | cents, prices, rounding |
//! | [`cart`] | what is bought, checked and added up |
//! | [`results`] | what the steps leave for each other |
//! | [`id`] | names that are the same in each attempt |
//! | [`moment`] | the time of day, as text |

pub mod cart;
pub mod id;
pub mod moment;
pub mod money;
pub mod results;
