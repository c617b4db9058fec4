//! Panics.

use bulkhead_guests::*;

guest!("PANIC", |task| {
    let digits: usize = task.payload.len();
    burst(digits)
});

#[inline(never)]
fn burst(digits: usize) -> Result<Outcome, Failure> {
    panic!("burst with {digits} bytes")
}
