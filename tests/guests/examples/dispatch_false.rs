//! Declines in `dispatch`.

use bulkhead_guests::*;

guest!(kind: "DECLINE".to_owned(), dispatch: |_| false, |_| { complete("null") });
