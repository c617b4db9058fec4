//! The children of each phase.

use bulkhead_sdk::Child;
use bulkhead_sdk::prelude::*;

use crate::payload::Payload;
use crate::selection;
use crate::state::{Candidate, State};

/// How much of what a program printed is looked at: enough for an answer, and all children fit into one spawn.
const OUTPUT: usize = 16 << 10;

/// The workspace of a child, by its name; no two share one.
fn workspace(id: &str, name: &str) -> String {
    // An id may have 128 bytes, and so may the name of a workspace.
    let room = 128 - name.len() - 1;
    let start = id.len().saturating_sub(room);
    format!("workspace:{}.{name}", id.get(start..).unwrap_or_default())
}

/// Changes the programs that the seed draws; the prompt says which change it is, so that no two questions are the same.
pub(crate) fn mutate(id: &str, payload: &Payload, state: &State) -> Result<Vec<Child>, Failure> {
    let generation = state.current.generation;
    let parents: Vec<Value> =
        state.pool.iter().map(|program| json!({"source": program.source, "score": program.score})).collect();
    let change = |change: u32| {
        let parent = selection::parent(payload.seed, generation, change, state.pool.len());
        let name = format!("{generation}.{change}");
        let prompt = format!(
            "{}\n\n(Generation {generation}, change {change} of {}: look for an idea of its own.)",
            payload.prompt, payload.population
        );
        let question = json!({
            "workspace_uri": workspace(id, &name),
            "source": state.pool.get(parent).map_or(payload.source.as_str(), |program| program.source.as_str()),
            "parents": parents,
            "prompt": prompt,
        });
        Ok(Child::new("MUTATE", question)?.named(name))
    };
    (1..=payload.population).map(change).collect()
}

/// Runs programs, each in a workspace of its own.
pub(crate) fn execute(id: &str, payload: &Payload, candidates: &[Candidate]) -> Result<Vec<Child>, Failure> {
    let run = |candidate: &Candidate| {
        let program = json!({
            "workspace_uri": workspace(id, &candidate.name),
            "image": payload.image,
            "command": payload.command,
            "source": candidate.source,
        });
        Ok(Child::new("EXECUTE", program)?.named(&candidate.name))
    };
    candidates.iter().map(run).collect()
}

/// Gives a score to what came of a run.
pub(crate) fn evaluate(id: &str, payload: &Payload, name: &str, mut run: Value) -> Result<Child, Failure> {
    for field in ["stdout", "stderr"] {
        if let Some(Value::String(text)) = run.get_mut(field) {
            let end = (0..=OUTPUT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
        }
    }
    let evidence = json!({"workspace_uri": workspace(id, name), "pool": payload.pool, "run": run});
    Ok(Child::new("EVALUATE", evidence)?.named(name))
}
