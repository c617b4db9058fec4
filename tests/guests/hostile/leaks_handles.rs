//! Takes resource handles: by its payload, without end, or drops one twice.

use bulkhead_guests::*;
use wasip2::clocks::monotonic_clock::subscribe_duration;

guest!("HANDLES", |task| {
    if task.payload == "2" {
        let handle = subscribe_duration(1);
        // SAFETY: none; the second drop must be found out.
        drop(unsafe { std::ptr::read(&handle) });
        drop(handle);
        return complete("null");
    }
    loop {
        std::mem::forget(subscribe_duration(1));
    }
});
