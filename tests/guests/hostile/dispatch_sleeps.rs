//! Sleeps instead of deciding.

use bulkhead_guests::*;

guest!(kind: "DECIDESLEEP".to_owned(), dispatch: |_| sleep(), |_| { complete("null") });

fn sleep() -> bool {
    std::thread::sleep(std::time::Duration::from_secs(60));
    true
}
