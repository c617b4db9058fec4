//! Takes so many MiB as its payload says, and gives them back.

use bulkhead_guests::*;

guest!("TAKE", |task| {
    let mebibytes: usize = task.payload.parse().unwrap_or(1);
    let taken = std::hint::black_box(vec![1u8; mebibytes << 20]);
    complete(&taken.len().to_string())
});
