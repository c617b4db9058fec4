//! Provides ten thousand tags.

use bulkhead_guests::*;

guest!(provides: (0..10_000).map(|number| format!("tag{number}")).collect(), |_| { complete("null") });
