//! Answers a string of so many bytes as its payload says.

use bulkhead_guests::*;

guest!("BIG", |task| {
    let bytes: usize = task.payload.parse().unwrap_or(1);
    complete(&format!("\"{}\"", "x".repeat(bytes)))
});
