//! Components as they are, cut, bent and swapped about: each is refused in words, or loads and runs to an end.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| bulkhead_fuzz::load_and_run(bytes));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // One in eight as bytes come, which is how frames break.
    if seed.is_multiple_of(8) {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut change = |part: &[u8]| {
        let mut room = part.to_vec();
        room.resize(part.len() + 16, 0);
        let length = fuzzer_mutate(&mut room, part.len(), part.len() + 16);
        room.truncate(length);
        room
    };
    match bulkhead_fuzz::mutate(&data[..size], seed, &mut change) {
        Some(changed) if changed.len() <= max_size => {
            data[..changed.len()].copy_from_slice(&changed);
            changed.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
});
