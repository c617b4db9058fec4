//! Going through a model, and what was seen.

use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, Model};

use crate::{Action, LeaseModel};

/// What was seen of one model.
#[derive(Debug, Clone)]
pub struct Figures {
    /// States that differ.
    pub unique_states: usize,
    /// Steps of the longest of the shortest ways to a state.
    pub depth: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// Each required property that does not hold, with the steps that break it.
    pub broken: Vec<(&'static str, Vec<Action>)>,
    /// What should be possible, and is not.
    pub impossible: Vec<&'static str>,
}

impl Figures {
    /// Goes through all of a sound model, or through a flawed one until its property breaks.
    ///
    /// With one thread, breadth first, so that the steps to a broken invariant are as few as can be.
    pub fn of(model: LeaseModel) -> Self {
        let started = Instant::now();
        let checker = model.checker().spawn_bfs().join();
        let elapsed = started.elapsed();
        let mut found = checker.discoveries();
        let mut broken = Vec::new();
        let mut impossible = Vec::new();
        for property in checker.model().properties() {
            match (property.expectation, found.remove(property.name)) {
                (Expectation::Always | Expectation::Eventually, Some(path)) => {
                    broken.push((property.name, path.into_actions()));
                }
                (Expectation::Sometimes, None) => impossible.push(property.name),
                (Expectation::Always | Expectation::Eventually, None) | (Expectation::Sometimes, Some(_)) => {}
            }
        }
        let unique_states = checker.unique_state_count();
        Self { unique_states, depth: checker.max_depth(), elapsed, broken, impossible }
    }
}
