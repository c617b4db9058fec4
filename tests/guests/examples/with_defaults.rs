//! Asks for options and for tags.

use bulkhead_guests::*;

guest!(
    kind: "WITH".to_owned(),
    provides: vec!["llm".to_owned(), "cpu".to_owned()],
    defaults: r#"{"timeout":"5s","memory":"8MiB"}"#.to_owned(),
    |_| { complete("null") }
);
