//! What calls to the host cost the guest.

use crate::fence::Fence;

/// Fuel of one call to the host, about what it takes; each byte passed costs one more.
const FUEL_PER_CALL: u64 = 500;
/// Calls of one run. Fuel stops a guest much earlier; this holds where fuel is unlimited.
const MAX_CALLS: u64 = 20_000_000;

/// Counts a run's calls to the host, and what they cost until it is taken off the fuel.
///
/// Host functions cannot reach the store's fuel, so the cost is owed until the next epoch or the end of the run.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    calls: u64,
    owed: u64,
    budget: u64,
}

impl Meter {
    /// Begins a phase of the run with a budget of its own.
    pub(crate) fn begin(&mut self, budget: u64) {
        self.owed = 0;
        self.budget = budget;
    }

    /// Counts a call that cannot be refused on the spot; [`Meter::settle`] refuses it later.
    pub(crate) fn count(&mut self) {
        self.calls += 1;
        self.owed = self.owed.saturating_add(FUEL_PER_CALL);
    }

    /// Counts a call that passes so many bytes.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), Fence> {
        self.count();
        self.owed = self.owed.saturating_add(bytes as u64);
        if self.owed > self.budget { Err(Fence::OutOfFuel) } else { self.within_quota() }
    }

    /// Hands over what is owed.
    pub(crate) fn settle(&mut self) -> Result<u64, Fence> {
        self.within_quota()?;
        Ok(std::mem::take(&mut self.owed))
    }

    /// What is owed now.
    pub(crate) const fn owed(&self) -> u64 {
        self.owed
    }

    fn within_quota(&self) -> Result<(), Fence> {
        if self.calls > MAX_CALLS { Err(Fence::HostCalls) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_costs_more_than_the_budget_is_refused_on_the_spot() {
        let mut meter = Meter::default();
        meter.begin(FUEL_PER_CALL + 10);
        assert_eq!(meter.charge(10), Ok(()));
        assert_eq!(meter.charge(0), Err(Fence::OutOfFuel));
    }

    #[test]
    fn calls_have_a_quota_whatever_the_fuel() {
        let mut meter = Meter::default();
        meter.begin(u64::MAX);
        for _ in 0..MAX_CALLS {
            meter.count();
        }
        assert_eq!(meter.charge(0), Err(Fence::HostCalls));
        assert_eq!(meter.settle(), Err(Fence::HostCalls));
    }
}
