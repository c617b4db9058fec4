//! Audits by a code that is no code.

use bulkhead_guests::*;

guest!("BADAUDIT", |_| {
    context::audit("Not Snake", "{}");
    complete("null")
});
