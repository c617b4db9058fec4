//! What a task is called.

crate::text::text_type! {
    /// The public name of a task: a UUIDv7 made by the store, or the caller's own.
    TaskId, "task id", "1 to 128 visible ASCII characters", |text| {
        (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    }
}
