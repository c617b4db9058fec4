//! How many tokens were used.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts tokens as they are used, so that they can be read whatever becomes of the call that uses them.
#[derive(Debug, Default)]
pub struct TokenMeter(AtomicU64);

impl TokenMeter {
    /// A meter at zero.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// How many were used so far.
    pub fn spent(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// So many more were used.
    pub fn add(&self, tokens: u64) {
        let add = |spent: u64| Some(spent.saturating_add(tokens));
        // The closure always gives a value, so this cannot fail.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_stays_at_its_end_and_does_not_begin_anew() {
        let meter = TokenMeter::new();
        meter.add(2);
        meter.add(u64::MAX);
        assert_eq!(meter.spent(), u64::MAX);
    }
}
