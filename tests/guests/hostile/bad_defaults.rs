//! Asks for an option that there is not.

use bulkhead_guests::*;

guest!(defaults: r#"{"timout":"5s"}"#.to_owned(), |_| { complete("null") });
