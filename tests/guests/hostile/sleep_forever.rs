//! Sleeps for a day.

use bulkhead_guests::*;

guest!("SLEEP", |_| {
    std::thread::sleep(std::time::Duration::from_secs(24 * 3600));
    complete("null")
});
