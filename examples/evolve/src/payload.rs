//! What a task of kind EVOLVE says.

use std::ops::RangeInclusive;

use bulkhead_sdk::prelude::*;

/// A generation takes three stages, and a task has a thousand.
const GENERATIONS: RangeInclusive<u32> = 1..=300;
/// All of them are executed at once, where the host has room.
const POPULATION: RangeInclusive<u32> = 1..=64;
/// More than the mutator shows a model are of no use.
const KEEP: RangeInclusive<usize> = 1..=64;
/// What programs may take of a state, which may have 1 MiB.
const STATE: usize = 768 << 10;
/// What programs may take of one spawn, of which the host takes 18 MiB.
const SPAWN: usize = 12 << 20;

/// The payload: a program, how it is run and scored, and how long it is to be improved.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// The first program.
    pub source: String,
    /// The image that programs are run in.
    pub image: String,
    /// What runs a program, which is the file `main`.
    pub command: Vec<String>,
    /// How many generations follow the first program.
    pub generations: u32,
    /// How many changes are tried in a generation.
    pub population: u32,
    /// The pool of evaluators.
    pub pool: String,
    /// What the changes are to bring.
    #[serde(default = "default_prompt")]
    pub prompt: String,
    /// Another seed chooses other programs to change.
    #[serde(default)]
    pub seed: u64,
    /// How many of the best programs are kept, from which the next generation is made.
    #[serde(default = "default_keep")]
    pub keep: usize,
}

fn default_prompt() -> String {
    "Make the program faster, and let it use less memory. What it prints must stay as it is.".to_owned()
}

const fn default_keep() -> usize {
    4
}

impl Payload {
    /// The same, or what is wrong with it.
    pub(crate) fn checked(self) -> Result<Self, Failure> {
        let refused = |why: String| Err(Failure::validation("bad_payload", why));
        if !GENERATIONS.contains(&self.generations) {
            return refused(format!("`generations` must be {}, not {}", shown(&GENERATIONS), self.generations));
        }
        if !POPULATION.contains(&self.population) {
            return refused(format!("`population` must be {}, not {}", shown(&POPULATION), self.population));
        }
        if !KEEP.contains(&self.keep) {
            return refused(format!("`keep` must be {}, not {}", shown(&KEEP), self.keep));
        }
        if !self.has_room_for(&self.source) {
            let most = self.largest_program();
            return refused(format!(
                "`source` may have {most} bytes as JSON with this `population` and `keep`; lower one of them"
            ));
        }
        Ok(self)
    }

    /// Whether a program is small enough for all that are kept and tried to fit into one state, and into one spawn.
    pub(crate) fn has_room_for(&self, source: &str) -> bool {
        json!(source).to_string().len() <= self.largest_program()
    }

    fn largest_program(&self) -> usize {
        let population = usize::try_from(self.population).unwrap_or(usize::MAX);
        (STATE / (population + self.keep)).min(SPAWN / (population * (self.keep + 1)))
    }
}

fn shown<T: std::fmt::Display>(range: &RangeInclusive<T>) -> String {
    format!("{} to {}", range.start(), range.end())
}
