//! Never ends by itself.

use bulkhead_guests::*;

guest!("LOOP", |_| {
    let mut round = 0u64;
    loop {
        round = std::hint::black_box(round.wrapping_add(1));
        if round == u64::MAX {
            return complete("null");
        }
    }
});
