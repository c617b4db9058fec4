//! What a task is.

crate::text::text_type! {
    /// The kind of a task, e.g. `RENDER`; a handler serves exactly one.
    Kind, "kind", "1 to 64 of A–Z a–z 0–9 _ . -", |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    }
}
