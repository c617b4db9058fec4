//! Fills and copies megabytes, for ever: few instructions, much work.

use bulkhead_guests::*;

guest!("FILL", |_| {
    let mut from = vec![0u8; 16 << 20];
    let mut to = vec![1u8; 16 << 20];
    let mut round = 0u8;
    loop {
        round = round.wrapping_add(1);
        std::hint::black_box(&mut from[..]).fill(round);
        std::hint::black_box(&mut to[..]).copy_from_slice(std::hint::black_box(&from));
    }
});
