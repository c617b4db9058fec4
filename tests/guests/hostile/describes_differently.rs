//! Says something else of itself each time that it is asked.

use bulkhead_guests::*;

guest!(
    kind: format!("K{:016x}", chance()),
    defaults: format!(r#"{{"max_attempts":{}}}"#, 1 + chance() % 100),
    |_| { complete("null") }
);

fn chance() -> u64 {
    wasip2::random::random::get_random_u64()
}
