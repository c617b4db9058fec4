//! Calls itself for ever.

use bulkhead_guests::*;

guest!("DEEP", |_| { complete(&descend(1).to_string()) });

/// Next to nothing in the guest's own memory, so that the host's stack ends first.
#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == u64::MAX { 0 } else { std::hint::black_box(descend(depth + 1)) + 1 }
}
