//! What a step is called.

crate::text::text_type! {
    /// The name of a step, once in its workflow.
    StepName, "step name", "1 to 128 of A–Z a–z 0–9 _ . -", |text| {
        (1..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    }
}
