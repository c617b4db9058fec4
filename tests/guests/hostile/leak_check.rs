//! Answers whether the memory it was given was clean, then soils it.

use bulkhead_guests::*;

guest!("LEAK", |_| {
    static mut MARK: u64 = 0;
    // SAFETY: one thread, one call.
    let marked = unsafe {
        let before = std::ptr::read_volatile(&raw const MARK);
        std::ptr::write_volatile(&raw mut MARK, 0xdead_beef);
        before != 0
    };
    let block: Vec<u8> = Vec::with_capacity(8 << 20);
    let dirty = (0..block.capacity()).step_by(512).any(|offset| {
        // SAFETY: within the capacity; what is read is what a guest before this one may have left.
        unsafe { std::ptr::read_volatile(block.as_ptr().add(offset)) != 0 }
    });
    let mut block = block;
    block.resize(8 << 20, 0xaa);
    std::hint::black_box(&block);
    complete(if marked || dirty { "\"dirty\"" } else { "\"clean\"" })
});
