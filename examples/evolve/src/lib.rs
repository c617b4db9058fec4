//! The handler EVOLVE: improves a program over generations.
//!
//! In each generation children of kind MUTATE change the best programs so far, children of kind EXECUTE run what came of
//! that, and children of kind EVALUATE give scores. A child that fails is counted, and costs no more than its place.

mod children;
mod payload;
mod report;
mod selection;
mod stage;
mod state;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bulkhead_sdk::prelude::*;

pub use payload::Payload;
pub use report::Report;

use stage::Stage;
use state::State;

/// Improves a program over generations.
#[derive(Debug, Default)]
pub struct Evolve;

impl Handler for Evolve {
    const KIND: &'static str = "EVOLVE";
    type Payload = Payload;

    /// A stage reads the results of all its children at once, and some print much.
    fn defaults() -> Defaults {
        Defaults::new().timeout(Duration::from_secs(600)).memory_bytes(256 << 20)
    }

    fn handle(&self, task: Task<Payload>, context: &Context) -> Result<Outcome, Failure> {
        let payload = task.payload.checked()?;
        let state = context.state::<State>()?;
        let stage = Stage { id: &task.id, payload: &payload, context };
        match state {
            None => stage.begin(),
            Some(state) => stage.go_on(state),
        }
    }
}

bulkhead_sdk::export!(Evolve);
