//! What goes wrong, and when: all of it follows from a seed.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;

/// The fault that is a host cut off for longer than all others, where so many are asked for.
const LONGEST: usize = 7;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A host ends at once.
    Kill,
    /// A host no longer reaches the database, for so long.
    Cut(Duration),
    /// A host stands still, for so long.
    Freeze(Duration),
    /// A host is told to stop.
    Drain,
    /// The database ends at once, and is started again after so long.
    Database(Duration),
    /// The database's disk is full, for so long.
    Full(Duration),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => formatter.write_str("killed"),
            Self::Cut(time) => write!(formatter, "cut off for {:.1} s", time.as_secs_f64()),
            Self::Freeze(time) => write!(formatter, "still for {:.1} s", time.as_secs_f64()),
            Self::Drain => formatter.write_str("drained"),
            Self::Database(time) => write!(formatter, "database killed for {:.1} s", time.as_secs_f64()),
            Self::Full(time) => write!(formatter, "database's disk full for {:.1} s", time.as_secs_f64()),
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where chance begins.
    pub seed: u64,
    /// How many tasks.
    pub tasks: usize,
    /// What goes wrong, in order.
    pub faults: Vec<Fault>,
}

impl Plan {
    /// So many faults, each sort in turn, shuffled.
    pub fn new(seed: u64, tasks: usize, faults: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        // Longer than a worker trusts its leases, most of them longer than those last.
        let outage = |rng: &mut Rng| Duration::from_millis(rng.u64(13_000..20_000));
        let mut faults: Vec<Fault> = (0..faults)
            .map(|number| match number % 6 {
                0 => Fault::Kill,
                1 if number == LONGEST => Fault::Cut(Duration::from_secs(60)),
                1 => Fault::Cut(outage(&mut rng)),
                2 => Fault::Drain,
                3 => Fault::Database(Duration::from_millis(rng.u64(0..2_000))),
                4 => Fault::Freeze(outage(&mut rng)),
                _ => Fault::Full(outage(&mut rng)),
            })
            .collect();
        rng.shuffle(&mut faults);
        Self { seed, tasks, faults }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        assert_eq!(Plan::new(7, 100, 10), Plan::new(7, 100, 10));
        assert_ne!(Plan::new(7, 100, 10), Plan::new(8, 100, 10));
    }
}
