//! What a handler is called.

crate::text::text_type! {
    /// The name of a handler: the stem of its file in the handlers folder.
    HandlerName, "handler name", "1 to 64 of a–z 0–9 _ -", |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
    }
}
