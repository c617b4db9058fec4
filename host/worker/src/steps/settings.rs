//! What a step adds to the settings of its handler.

use bulkhead_core::JsonText;
use serde_json::{Map, Value};

/// The operator's settings of a handler, with those of a step over them (`handler.initialization` of a template).
pub(crate) fn joined_settings(operator: Option<&JsonText>, step: Option<&JsonText>) -> Option<JsonText> {
    let (Some(operator), Some(step)) = (operator, step) else { return operator.or(step).cloned() };
    let object = |text: &JsonText| serde_json::from_str::<Map<String, Value>>(text.as_str()).unwrap_or_default();
    let mut joined = object(operator);
    joined.extend(object(step));
    JsonText::from_value(&joined).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_has_the_last_word() {
        let text = |text: &str| JsonText::from_trusted(text);
        let joined = joined_settings(Some(&text("{\"a\":1,\"b\":2}")), Some(&text("{\"b\":3}")));
        assert_eq!(joined, Some(text("{\"a\":1,\"b\":3}")));
        assert_eq!(joined_settings(None, Some(&text("{\"b\":3}"))), Some(text("{\"b\":3}")));
        assert_eq!(joined_settings(None, None), None);
    }
}
