//! Counts as far as its payload says.

use bulkhead_guests::*;

guest!("COUNT", |task| {
    let end: u64 = task.payload.parse().unwrap_or(1);
    let mut count = 0u64;
    while count < end {
        count = std::hint::black_box(count + 1);
    }
    complete(count.to_string())
});
