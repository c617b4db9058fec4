//! The handler MUTATE: a language model changes a program by a patch.
//!
//! `{"workspace_uri": "workspace:…", "source": "…", "parents": [{"source": "…", "score": 0.5}]}` gives `{"source": "…", "diff":
//! "…", "backend": "…"}`; where the payload has `execute`, a task of kind EXECUTE with the new source follows.

mod answer;
mod execute;
mod mutation;
mod payload;
mod prompt;
mod sampler;
mod settings;
#[cfg(test)]
mod tests;
mod unified;

use bulkhead_sdk::prelude::*;

pub use payload::{Parent, Payload};

/// Lets a language model change a program.
#[derive(Debug, Default)]
pub struct PatchMutator;

impl Handler for PatchMutator {
    const KIND: &'static str = "MUTATE";
    const PROVIDES: &'static [&'static str] = &["llm", "cpu"];
    type Payload = Payload;

    fn handle(&self, task: Task<Payload>, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings::<settings::Settings>()?.checked()?;
        let payload = &task.payload;
        // Before a token is spent: whether what follows can be asked for at all.
        if let Some(template) = &payload.execute {
            execute::child(template, &payload.workspace_uri, &payload.source)?;
        }
        let parents = sampler::sample(&payload.parents, &settings, &context.idempotency_key());
        let candidates = prompt::request(payload, &parents, &settings)?.generate()?;
        context.info(&format!(
            "{} candidates, asked with {} of {} parents",
            candidates.len(),
            parents.len(),
            payload.parents.len()
        ));
        mutation::choose(payload, &candidates)
    }
}

bulkhead_sdk::export!(PatchMutator);
