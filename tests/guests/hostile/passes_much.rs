//! Passes more to the host in one call than it may: by its payload, one long text, or one text a thousand times.

use bulkhead_guests::*;

guest!("PASSES", |task| {
    if task.payload == "1" {
        context::log(context::Level::Info, &"x".repeat(40 << 20), "{}");
    } else {
        let text = "x".repeat(1 << 20);
        let message = |_| llm::Message {
            role: "user".to_owned(),
            // SAFETY: the same megabyte for all of them, which is never freed nor written to.
            content: unsafe { String::from_raw_parts(text.as_ptr().cast_mut(), text.len(), text.len()) },
        };
        let request = llm::Request {
            model: None,
            messages: (0..1000).map(message).collect(),
            max_tokens: None,
            temperature: None,
            candidates: 1,
        };
        std::hint::black_box(llm::generate(&request).is_ok());
        std::mem::forget(request);
    }
    complete("null")
});
