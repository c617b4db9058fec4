//! Traps when it is asked for its kind.

use bulkhead_guests::*;

guest!(kind: panic!("no kind"), |_| { complete("null") });
