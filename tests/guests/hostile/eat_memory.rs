//! Takes memory until there is none.

use bulkhead_guests::*;

guest!("EAT", |_| {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    loop {
        eaten.push(std::hint::black_box(vec![1u8; 1 << 20]));
        if eaten.len() == usize::MAX {
            return complete("null");
        }
    }
});
