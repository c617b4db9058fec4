//! Hands over texts and lists that are not what they say: by its payload, 2 GiB long, a hundred million items, no UTF-8.

use bulkhead_guests::*;

guest!("LIES", |task| {
    let then = match task.payload.as_str() {
        // SAFETY: none; the host must find out.
        "1" => return complete(unsafe { String::from_raw_parts(0x10 as *mut u8, 2 << 30, 2 << 30) }),
        // SAFETY: as above.
        "2" => unsafe { Vec::from_raw_parts(0x100 as *mut Child, 100_000_000, 100_000_000) },
        // SAFETY: as above.
        _ => return complete(unsafe { String::from_utf8_unchecked(vec![b'"', 0xff, 0xfe, b'"']) }),
    };
    let metadata = String::new();
    Ok(Outcome::Complete(Completion { result: "null".to_owned(), metadata, then }))
});
