//! Payloads: what is JSON to others is JSON to us, nested 128 levels deep at most, and is kept as it is.

#![no_main]

use bulkhead_core::{JsonError, JsonText, MAX_JSON_DEPTH};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::Value;

/// Short enough for the recursion of the other reader.
const LIMIT: usize = 2048;

fuzz_target!(|text: &str| {
    let ours = JsonText::parse(text, LIMIT);
    if text.len() > LIMIT {
        assert_eq!(ours, Err(JsonError::TooLarge { size: text.len(), limit: LIMIT }));
        return;
    }
    // What stands beside a text changes nothing about it.
    let beside = JsonText::parse(format!(r#"["\ud83d\ude00",{text}]"#), usize::MAX);
    if beside != Err(JsonError::TooDeep) && !text.trim().is_empty() {
        assert!(beside.is_ok() || ours.is_err(), "{ours:?}, {beside:?}");
    }
    let theirs = read(text);
    let expected = match &theirs {
        // Numbers beyond a double are JSON, and are passed on as they are.
        Err(error) if error.to_string().starts_with("number out of range") => return,
        // A key that the other reader keeps for itself.
        _ if text.contains("$serde_json::private") => return,
        Err(_) => false,
        Ok(value) => depth(value) <= MAX_JSON_DEPTH,
    };
    assert_eq!(ours.is_ok(), expected, "{ours:?}, {theirs:?}");
    let Ok(ours) = ours else { return };
    assert_eq!(ours.as_str(), text);
    let again: JsonText =
        serde_json::from_str(&serde_json::to_string(&ours).expect("it is written")).expect("it is read again");
    assert_eq!(again.as_str(), text.trim_matches([' ', '\t', '\r', '\n']));
});

fn read(text: &str) -> serde_json::Result<Value> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let value = Value::deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
