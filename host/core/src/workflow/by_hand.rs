//! Steps that somebody closes by hand, with a result in place of the one that their handler did not give.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::choice::{choices, listed};
use super::{Cursor, MAX_STEPS, StepRole, WorkflowPlan, chosen_steps};
use crate::JsonText;

/// The places of the steps that run behind a decision which is closed with this result; none where the step is no decision.
///
/// A result that does not say what the steps behind must know is refused, with what is missing and what there is, for people: that
/// of a decision names the steps that run, and that of a batch analyzer has the ranges that its workers take.
pub fn chosen_by_hand(plan: &WorkflowPlan, place: u32, result: &JsonText) -> Result<Option<Vec<u32>>, String> {
    match plan.steps.get(place as usize).map(|step| step.role) {
        Some(StepRole::Decision) => match named_steps(result.as_str()) {
            Some(names) => chosen_steps(plan, place, &names).map(Some),
            None => Err(format!(
                "a decision is resolved with the steps that run, as [\"a\"] or {{\"steps\": [\"a\"]}}, and with [] none \
                 does; there are {}",
                listed(choices(plan, place))
            )),
        },
        Some(StepRole::Analyzer) => cursors_by_hand(result).map(|_| None),
        _ => Ok(None),
    }
}

/// The steps that the result of a decision names: it is a list of names, or an object with such a list as `steps`.
fn named_steps(result: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Named {
        List(Vec<String>),
        Object { steps: Vec<String> },
    }
    match serde_json::from_str(result) {
        Ok(Named::List(steps) | Named::Object { steps }) => Some(steps),
        Err(_) => None,
    }
}

/// The ranges in the result of a batch analyzer, an object with them as `cursors`: `{"cursors": [{"start": 0, "end": 100}]}`,
/// each with an object as `metadata` where its worker must know more.
pub fn cursors_by_hand(result: &JsonText) -> Result<Vec<Cursor>, String> {
    #[derive(Deserialize)]
    struct Cut<'a> {
        #[serde(borrow)]
        cursors: Vec<Range<'a>>,
    }
    #[derive(Deserialize)]
    struct Range<'a> {
        start: u64,
        end: u64,
        #[serde(borrow)]
        metadata: Option<&'a RawValue>,
    }
    let cut: Cut<'_> = serde_json::from_str(result.as_str()).map_err(|error| {
        format!(
            "a batch analyzer is resolved with the ranges of its workers, as \
             {{\"cursors\": [{{\"start\": 0, \"end\": 100}}]}}, and with none there is nothing to do: {error}"
        )
    })?;
    if cut.cursors.len() > MAX_STEPS {
        return Err(format!("cursors: {}; the limit is {MAX_STEPS}", cut.cursors.len()));
    }
    let cursor = |(index, Range { start, end, metadata }): (usize, Range<'_>)| {
        let metadata = match metadata.map(RawValue::get) {
            Some(text) if text.starts_with('{') => JsonText::from_trusted(text),
            Some(_) => return Err(format!("cursors[{index}]: metadata: must be an object")),
            None => JsonText::empty_object(),
        };
        Cursor::new(start, end, metadata).map_err(|problem| format!("cursors[{index}]: {problem}"))
    };
    cut.cursors.into_iter().enumerate().map(cursor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_closes_a_decision_by_hand_names_the_steps_that_run() {
        assert_eq!(named_steps(r#"["a","b"]"#), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(named_steps(r#"{"steps":["a"],"why":"x"}"#), Some(vec!["a".to_owned()]));
        assert_eq!(named_steps("[]"), Some(Vec::new()));
        assert!(["1", "{}", "\"a\"", "[1]"].into_iter().all(|result| named_steps(result).is_none()));
    }

    #[test]
    fn who_closes_an_analyzer_by_hand_gives_the_ranges() {
        let read = |result: &str| cursors_by_hand(&JsonText::from_trusted(result));
        let given = read(r#"{"cursors": [{"start": 0, "end": 5}, {"start": 5, "end": 9, "metadata": {"a": 1}}]}"#);
        let cursor = |start, end, metadata| Cursor { start, end, metadata: JsonText::from_trusted(metadata) };
        assert_eq!(given.unwrap(), [cursor(0, 5, "{}"), cursor(5, 9, r#"{"a": 1}"#)]);
        assert_eq!(read(r#"{"cursors": []}"#).unwrap(), []);
        for (result, problem) in [
            ("null", "with the ranges of its workers"),
            (r#"{"cursors": [{"start": 5, "end": 1}]}"#, "cursors[0]: ends at 1, before it starts at 5"),
            (r#"{"cursors": [{"start": 0, "end": 1, "metadata": []}]}"#, "cursors[0]: metadata: must be an object"),
        ] {
            let refused = read(result).unwrap_err();
            assert!(refused.contains(problem), "{refused}");
        }
    }
}
