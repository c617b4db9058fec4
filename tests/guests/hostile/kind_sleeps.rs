//! Sleeps when it is asked for its kind.

use bulkhead_guests::*;

guest!(kind: sleep(), |_| { complete("null") });

fn sleep() -> String {
    std::thread::sleep(std::time::Duration::from_secs(3600));
    "X".to_owned()
}
