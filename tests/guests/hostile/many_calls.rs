//! Calls the host for ever: `context` where its payload is 1, a clock of WASI where it is 2, and else as often as it says.

use bulkhead_guests::*;

guest!("CALLS", |task| {
    let payload: u64 = task.payload.parse().unwrap_or(0);
    let most = if payload > 2 { payload } else { u64::MAX };
    for _ in 0..most {
        if payload == 2 {
            std::hint::black_box(std::time::Instant::now());
        } else {
            std::hint::black_box(context::cancelled());
        }
    }
    complete("null")
});
