//! Has a kind that is none.

use bulkhead_guests::*;

guest!(kind: "two words\u{7}".to_owned(), |_| { complete("null") });
