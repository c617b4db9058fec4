//! Asks for four gigabytes of chance at once.

use bulkhead_guests::*;

guest!("RANDOM", |_| {
    let bytes = wasip2::random::random::get_random_bytes(4 << 30);
    complete(bytes.len().to_string())
});
