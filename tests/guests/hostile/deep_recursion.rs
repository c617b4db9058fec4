//! Calls itself for ever: with next to nothing on its own stack, so that the host's ends first, or with a page each
//! time.

use bulkhead_guests::*;

guest!("DEEP", |task| {
    let depth = if task.payload == "2" { with_a_page(1) } else { descend(1) };
    complete(depth.to_string())
});

#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == u64::MAX { 0 } else { std::hint::black_box(descend(depth + 1)) + 1 }
}

#[inline(never)]
fn with_a_page(depth: u64) -> u64 {
    let page = std::hint::black_box([depth; 8192]);
    if depth == u64::MAX { 0 } else { with_a_page(page[1] + 1) + std::hint::black_box(page)[2] }
}
