//! What calls to the host cost the guest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
    /// How often the guest was entered from the host and not left: more than once, where a call of it calls it.
    entered: u32,
    /// What is owed for bytes that pass beside calls.
    toll: Option<Arc<Toll>>,
    /// Why the run is to end, though the call that found out could not say so.
    refused: Option<Fence>,
}

/// What passes beside calls, such as a body that is sent while the guest does something else.
#[derive(Debug, Default)]
pub(crate) struct Toll {
    bytes: AtomicU64,
    is_gone: AtomicBool,
}

impl Toll {
    /// Counts bytes that passed.
    pub(crate) fn charge(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// What the run needs is not there any more: it ends with the call that waits for it.
    pub(crate) fn give_up(&self) {
        self.is_gone.store(true, Ordering::Relaxed);
    }
}

impl Meter {
    /// Counts a call that passes so many bytes.
    pub(crate) fn charge(&mut self, bytes: usize) {
        self.calls += 1;
        self.owed = self.owed.saturating_add(FUEL_PER_CALL);
        self.charge_bytes(bytes);
    }

    /// Charges bytes of a call that was counted.
    pub(crate) fn charge_bytes(&mut self, bytes: usize) {
        self.owed = self.owed.saturating_add(bytes as u64);
    }

    /// The guest is entered.
    pub(crate) fn enter(&mut self) {
        self.entered += 1;
    }

    /// The guest is left.
    pub(crate) fn leave(&mut self) {
        self.entered = self.entered.saturating_sub(1);
    }

    /// Whether something is to be taken off the fuel now: a call was charged and returns.
    ///
    /// Not while a call has entered the guest again, which it does to have memory for its answer: what the guest has the
    /// host do in there is no call that looks at its fuel again. And not where no call was charged: then it is none.
    pub(crate) const fn is_due(&self) -> bool {
        self.owed > 0 && self.entered <= 1
    }

    /// Ends the run with the call that is under way.
    pub(crate) fn refuse(&mut self, fence: Fence) {
        self.refused.get_or_insert(fence);
    }

    /// Where bytes are counted that pass beside calls.
    pub(crate) fn toll(&mut self) -> Arc<Toll> {
        Arc::clone(self.toll.get_or_insert_default())
    }

    /// Hands over what is owed.
    pub(crate) fn settle(&mut self) -> Result<u64, Fence> {
        if let Some(fence) = self.refused.take() {
            return Err(fence);
        }
        let mut owed = std::mem::take(&mut self.owed);
        if let Some(toll) = &self.toll {
            if toll.is_gone.load(Ordering::Relaxed) {
                return Err(Fence::Unavailable);
            }
            owed = owed.saturating_add(toll.bytes.swap(0, Ordering::Relaxed));
        }
        if self.calls > MAX_CALLS { Err(Fence::HostCalls) } else { Ok(owed) }
    }

    /// What is owed now.
    pub(crate) fn owed(&self) -> u64 {
        self.owed.saturating_add(self.toll.as_ref().map_or(0, |toll| toll.bytes.load(Ordering::Relaxed)))
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
    fn nothing_is_due_in_the_middle_of_a_call() {
        let mut meter = Meter::default();
        meter.enter();
        assert!(!meter.is_due());
        meter.charge(1);
        meter.enter();
        assert!(!meter.is_due());
        meter.leave();
        assert!(meter.is_due());
    }

    #[test]
    fn what_passes_beside_calls_is_paid_with_the_next() {
        let mut meter = Meter::default();
        let toll = meter.toll();
        toll.charge(7);
        meter.charge(0);
        assert_eq!((meter.owed(), meter.settle(), meter.owed()), (FUEL_PER_CALL + 7, Ok(FUEL_PER_CALL + 7), 0));
        toll.give_up();
        assert_eq!(meter.settle(), Err(Fence::Unavailable));
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
