//! Sleeps for so many milliseconds as its payload says.

use bulkhead_guests::*;

guest!("NAP", |task| {
    let millis: u64 = task.payload.parse().unwrap_or(1);
    std::thread::sleep(std::time::Duration::from_millis(millis));
    complete("null")
});
