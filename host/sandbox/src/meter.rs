//! What calls to the host cost the guest.

use crate::fence::Fence;

/// Fuel of one call to the host, about what it takes; each byte passed costs one more.
const FUEL_PER_CALL: u64 = 500;
/// Calls of one run. Fuel stops a guest much earlier; this holds where fuel is unlimited.
const MAX_CALLS: u64 = 20_000_000;

/// Counts a run's calls to the host, and what they cost until it is taken off the fuel.
///
/// Host functions cannot reach the store's fuel, so that the cost is owed until they return, which is when
/// `transition` takes it.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    calls: u64,
    owed: u64,
}

impl Meter {
    /// Counts a call that passes so many bytes.
    pub(crate) fn charge(&mut self, bytes: usize) {
        self.calls += 1;
        self.owed = self.owed.saturating_add(FUEL_PER_CALL).saturating_add(bytes as u64);
    }

    /// Hands over what is owed.
    pub(crate) fn settle(&mut self) -> Result<u64, Fence> {
        if self.calls > MAX_CALLS { Err(Fence::HostCalls) } else { Ok(std::mem::take(&mut self.owed)) }
    }

    /// What is owed now.
    pub(crate) const fn owed(&self) -> u64 {
        self.owed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_costs_itself_and_its_bytes() {
        let mut meter = Meter::default();
        meter.charge(10);
        assert_eq!(meter.settle(), Ok(FUEL_PER_CALL + 10));
        assert_eq!(meter.settle(), Ok(0));
    }

    #[test]
    fn calls_have_a_quota_whatever_the_fuel() {
        let mut meter = Meter::default();
        for _ in 0..=MAX_CALLS {
            meter.charge(0);
        }
        assert_eq!(meter.settle(), Err(Fence::HostCalls));
    }
}
