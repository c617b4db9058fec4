//! What a host does for its handlers beyond their sandboxes, put together.
//!
//! Each delegate is a crate of its own, all of one shape; here they become one: [`DelegateSettings`] and [`Grants`] are what
//! the operator says, [`Delegates`] holds the delegates of a host, [`RunDelegates`] answers for one run, and `upkeep`
//! looks which of them are there, which the worker's tags follow, and removes what hosts that died have left.

mod calls;
mod delegates;
mod grants;
mod metrics;
mod open_calls;
mod overrun;
mod run;
mod settings;
mod upkeep;

pub use delegates::{Delegates, DelegatesError};
pub use grants::Grants;
pub use metrics::DelegateMetrics;
pub use run::RunDelegates;
pub use settings::DelegateSettings;
pub use upkeep::{Health, found_tags, look_after};
