//! The first candidate that applies.

use bulkhead_sdk::llm::Candidate;
use bulkhead_sdk::prelude::*;

use crate::payload::Payload;
use crate::{answer, execute, unified};

/// The most bytes of a result, and of the payload of a task, as JSON.
const MAX_JSON: usize = 1 << 20;

/// Ends with the first candidate that applies; where none does, fails for good and says why for each.
pub(crate) fn choose(payload: &Payload, candidates: &[Candidate]) -> Result<Outcome, Failure> {
    let mut refused = Vec::new();
    for candidate in candidates {
        match mutate(payload, candidate)? {
            Ok(outcome) => {
                let sum = |tokens: fn(&Candidate) -> u32| candidates.iter().map(tokens).map(u64::from).sum::<u64>();
                return outcome.with_metadata(json!({
                    "candidate": refused.len(),
                    "refused": refused,
                    "prompt_tokens": sum(|candidate| candidate.prompt_tokens),
                    "completion_tokens": sum(|candidate| candidate.completion_tokens),
                }));
            }
            Err(why) => refused.push(format!("`{}`: {why}", candidate.backend)),
        }
    }
    let message = format!("none of {} candidates applies: {}", candidates.len(), refused.join("; "));
    Err(Failure::permanent("bad_patch", message).with_details(json!({ "refused": refused })))
}

/// What comes of one candidate, or why nothing does.
fn mutate(payload: &Payload, candidate: &Candidate) -> Result<Result<Outcome, String>, Failure> {
    let applied = answer::diff(&candidate.text).and_then(|diff| unified::apply(&payload.source, &diff));
    let unified::Applied { source, diff } = match applied {
        Ok(applied) if applied.source == payload.source => return Ok(Err("it changes nothing".to_owned())),
        Ok(applied) => applied,
        Err(why) => return Ok(Err(why)),
    };
    let then = match &payload.execute {
        Some(template) => Some(execute::child(template, &payload.workspace_uri, &source)?),
        None => None,
    };
    let result = json!({ "source": source, "diff": diff, "backend": candidate.backend });
    if !fits(&result) || !then.as_ref().is_none_or(|child| fits(&child.payload)) {
        return Ok(Err(format!("the new source is too large: {} bytes", source.len())));
    }
    Ok(Ok(complete(result)?.then(then)))
}

/// Whether the host takes it; it would end the task otherwise, and another candidate may be shorter.
fn fits(json: &Value) -> bool {
    serde_json::to_string(json).is_ok_and(|text| text.len() <= MAX_JSON)
}
