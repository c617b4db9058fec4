//! Claims what its worker lacks.

use bulkhead_guests::*;

guest!(provides: vec!["gpu".to_owned()], |_| { complete("null") });
