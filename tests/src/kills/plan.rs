//! How the host is to die, and how often: all of it follows from a seed.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;

/// The places in the store's cycle at which a host built for tests can be made to end.
const POINTS: [&str; 5] = ["after_claim", "before_commit", "after_commit", "mid_spawn", "mid_heartbeat"];
/// It is passed every few seconds; the others with each commit.
const RARE: &str = "mid_heartbeat";

/// What keeps the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// A file of the host's own.
    #[default]
    Sqlite,
    /// A server, which lives on.
    Postgres,
}

/// One way to die.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Death {
    /// When it passes this place for the `nth` time since it started.
    At {
        /// The place.
        point: &'static str,
        /// Which time.
        nth: u32,
    },
    /// As soon as a task is inside a sandbox.
    MidRun,
    /// So long after half of what was to be submitted in its life had come in.
    After(Duration),
}

impl fmt::Display for Death {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At { point, nth } => write!(formatter, "{point}, time {nth}"),
            Self::MidRun => formatter.write_str("mid-run"),
            Self::After(delay) => write!(formatter, "after {} ms", delay.as_millis()),
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where chance begins.
    pub seed: u64,
    /// What keeps the tasks.
    pub engine: Engine,
    /// How many tasks.
    pub tasks: usize,
    /// How the host dies, in order.
    pub deaths: Vec<Death>,
}

impl Plan {
    /// So many deaths at named places, each place in turn, and so many at random, shuffled.
    pub fn new(seed: u64, tasks: usize, named: usize, random: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut deaths: Vec<Death> = (0..named)
            .map(|number| match POINTS.get(number % (POINTS.len() + 1)) {
                Some(&point) => Death::At { point, nth: if point == RARE { 1 } else { rng.u32(3..12) } },
                None => Death::MidRun,
            })
            .collect();
        deaths.extend((0..random).map(|_| Death::After(Duration::from_millis(rng.u64(5..120)))));
        rng.shuffle(&mut deaths);
        Self { seed, engine: Engine::default(), tasks, deaths }
    }

    /// The same, but that each death at a named place in turn is at this one instead, where steps of workflows are released.
    pub fn with_releases(mut self) -> Self {
        let mut nth = 0;
        for death in &mut self.deaths {
            if let Death::At { point, nth: time } = death {
                nth += 1;
                if nth % 2 == 0 {
                    (*point, *time) = ("mid_release", 2 + nth);
                }
            }
        }
        self
    }

    /// The same, on this engine.
    pub fn on(self, engine: Engine) -> Self {
        Self { engine, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_deaths() {
        assert_eq!(Plan::new(7, 100, 10, 10), Plan::new(7, 100, 10, 10));
        assert_ne!(Plan::new(7, 100, 10, 10), Plan::new(8, 100, 10, 10));
    }

    #[test]
    fn every_named_place_has_its_turn() {
        let deaths = Plan::new(7, 100, POINTS.len() + 1, 0).deaths;
        for point in POINTS {
            assert!(deaths.iter().any(|death| matches!(death, Death::At { point: named, .. } if *named == point)));
        }
        assert!(deaths.contains(&Death::MidRun));
    }
}
