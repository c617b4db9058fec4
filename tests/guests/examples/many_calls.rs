//! Calls the host for ever: `context` where its payload is 1, a clock of WASI else.

use bulkhead_guests::*;

guest!("CALLS", |task| {
    let own = task.payload == "1";
    loop {
        if own {
            std::hint::black_box(context::cancelled());
        } else {
            std::hint::black_box(std::time::Instant::now());
        }
        if task.payload == "0" {
            return complete("null");
        }
    }
});
