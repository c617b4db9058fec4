//! What was seen of one row of the table.

use std::fmt;
use std::time::Duration;

/// What was seen of one row.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// How it really ended.
    pub end: String,
    /// How many runs, or loads, that was.
    pub runs: usize,
    /// How long the host took to find out: from the start of a run that is alone, less its timeout where that is what ended
    /// it, or from the last byte of a file. The median.
    pub detected_in: Duration,
    /// How long the canary's tasks took beside it, all but a hundredth of them.
    pub canary: Duration,
    /// Resident memory of the host before, and within 15 s after, in KiB.
    pub resident: (u64, u64),
}

impl Seen {
    /// By how much resident memory grew, as a part of what it was.
    pub fn growth(&self) -> f64 {
        (self.resident.1 as f64 - self.resident.0 as f64) / self.resident.0.max(1) as f64
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { end, runs, detected_in, canary, .. } = self;
        let (millis, canary) = (detected_in.as_secs_f64() * 1e3, canary.as_secs_f64() * 1e3);
        write!(formatter, "{runs:>6} {millis:>9.1} {canary:>9.1} {:>+7.1} %  {end}", self.growth() * 100.0)
    }
}
