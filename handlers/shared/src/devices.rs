//! Which of the two handlers of EXECUTE a payload is for.

/// The fields that only a payload has that wants GPUs.
const ASKING: [&str; 2] = ["gpus", "program"];

/// Whether a payload asks for devices, or for a program that runs on them.
///
/// Looks for the two names among those of the object itself, and at nothing else: this is asked in `dispatch`, whose fuel is
/// too little to read every payload as JSON.
pub fn asks_for_gpus(payload: &str) -> bool {
    let bytes = payload.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let start = at + 1;
                at = end_of_text(bytes, start);
                let name = payload.get(start..at).unwrap_or_default();
                if depth == 1 && ASKING.contains(&name) && is_given(payload.get(at + 1..).unwrap_or_default()) {
                    return true;
                }
            }
            _ => {}
        }
        at += 1;
    }
    false
}

/// Where the text ends that starts here: at its closing quote.
fn end_of_text(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => break,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

/// Whether what follows a text makes it a name, with a value that is not `null`.
fn is_given(rest: &str) -> bool {
    rest.trim_start().strip_prefix(':').is_some_and(|value| !value.trim_start().starts_with("null"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_asked_for_by_their_number_or_by_a_program() {
        for payload in [
            r#"{"gpus": 1}"#,
            r#"{"image": "a", "program" : "train"}"#,
            r#"{"gpus":0}"#,
            r#"{"env": {"A": "\"}"}, "source": ["["], "gpus": 2}"#,
        ] {
            assert!(asks_for_gpus(payload), "{payload}");
        }
        for payload in [
            "{}",
            r#"{"image": "a"}"#,
            r#"{"gpus": null, "program":null}"#,
            r#"{"env": {"gpus": "1"}}"#,
            r#"{"image": "gpus", "command": ["gpus", "program"]}"#,
            r#"{"stdin": "\"gpus\": 1, \\"}"#,
            r#"["gpus"]"#,
            r#""gpus""#,
            "7",
            "",
            "\"",
            "{\"\\",
        ] {
            assert!(!asks_for_gpus(payload), "{payload}");
        }
    }
}
