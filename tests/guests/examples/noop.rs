//! Does nothing; what the host itself costs.

use bulkhead_guests::*;

guest!("NOOP", |_| { complete("null") });
