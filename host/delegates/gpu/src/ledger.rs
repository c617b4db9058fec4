//! Which devices are leased, and which of the rest suit a request.

use std::collections::BTreeMap;

use bulkhead_core::DelegateError;

use crate::FoundDevice;

/// What a caller wants leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Want {
    /// How many devices; at least 1.
    pub(crate) count: u32,
    /// Free memory that each must have.
    pub(crate) floor: u64,
}

/// The leases that are out: for each device, the floor of each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger(BTreeMap<u32, Vec<u64>>);

impl Want {
    /// Whether these devices could ever be enough, were all of them idle.
    pub(crate) fn check(self, devices: &[FoundDevice]) -> Result<(), DelegateError> {
        let here = devices.len();
        if self.count == 0 {
            return Err(DelegateError::Invalid("`gpus`: at least 1".into()));
        }
        if here == 0 {
            return Err(DelegateError::Unavailable(
                "this host has no GPUs to lease now; `bulkhead doctor` says why".into(),
            ));
        }
        if self.count as usize > here {
            return Err(DelegateError::Invalid(format!("`gpus`: this host leases {here}: `{}`", self.count)));
        }
        let large = devices.iter().filter(|device| device.memory_bytes >= self.floor).count();
        if self.count as usize > large {
            return Err(DelegateError::Invalid(format!(
                "`memory_bytes_each`: {large} devices of this host have so much, not {}: `{}`",
                self.count, self.floor
            )));
        }
        Ok(())
    }
}

impl Ledger {
    /// Leases devices, the least leased first and among those the first by number; none where too few are suitable.
    ///
    /// Of a shared device that much memory is free which nobody uses now and no other lease was promised, used or not.
    pub(crate) fn take(&mut self, want: Want, devices: &[FoundDevice], per_device: u32) -> Option<Vec<FoundDevice>> {
        let mut suitable: Vec<(usize, &FoundDevice)> = devices
            .iter()
            .map(|device| (self.held(device.index).len(), device))
            .filter(|(leases, device)| {
                let promised = self.held(device.index).iter().fold(0_u64, |sum, floor| sum.saturating_add(*floor));
                let free = device.free_memory_bytes.min(device.memory_bytes.saturating_sub(promised));
                *leases < per_device as usize && free >= want.floor
            })
            .collect();
        if suitable.len() < want.count as usize {
            return None;
        }
        suitable.sort_by_key(|(leases, device)| (*leases, device.index));
        let mut taken: Vec<_> =
            suitable.iter().take(want.count as usize).map(|(_, device)| (*device).clone()).collect();
        taken.sort_by_key(|device| device.index);
        for device in &taken {
            self.0.entry(device.index).or_default().push(want.floor);
        }
        Some(taken)
    }

    /// A lease with this floor on these devices is over.
    pub(crate) fn give_back(&mut self, floor: u64, devices: &[FoundDevice]) {
        for device in devices {
            if let Some(floors) = self.0.get_mut(&device.index) {
                if let Some(place) = floors.iter().position(|held| *held == floor) {
                    floors.swap_remove(place);
                }
                if floors.is_empty() {
                    self.0.remove(&device.index);
                }
            }
        }
    }

    fn held(&self, index: u32) -> &[u64] {
        self.0.get(&index).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices(free: &[u64]) -> Vec<FoundDevice> {
        let all = free.iter().zip(0..);
        all.map(|(free, index)| FoundDevice { free_memory_bytes: *free, ..FoundDevice::given(index, 100) }).collect()
    }

    fn indices(taken: Option<Vec<FoundDevice>>) -> Option<Vec<u32>> {
        taken.map(|taken| taken.iter().map(|device| device.index).collect())
    }

    #[test]
    fn a_device_is_leased_once_until_it_is_given_back() {
        let mut ledger = Ledger::default();
        let all = devices(&[100, 100, 100]);
        let two = Want { count: 2, floor: 0 };
        let first = ledger.take(two, &all, 1).unwrap();
        assert_eq!(indices(Some(first.clone())), Some(vec![0, 1]));
        assert_eq!(ledger.take(two, &all, 1), None, "one is left, and half a request is not leased");
        assert_eq!(indices(ledger.take(Want { count: 1, floor: 0 }, &all, 1)), Some(vec![2]));
        ledger.give_back(0, &first);
        assert_eq!(indices(ledger.take(two, &all, 1)), Some(vec![0, 1]));
    }

    #[test]
    fn a_device_with_too_little_free_memory_is_passed_over() {
        let mut ledger = Ledger::default();
        assert_eq!(indices(ledger.take(Want { count: 1, floor: 50 }, &devices(&[49, 50]), 1)), Some(vec![1]));
        assert_eq!(ledger.take(Want { count: 1, floor: 50 }, &devices(&[49, 50]), 1), None);
    }

    #[test]
    fn a_shared_device_promises_no_memory_twice_and_the_least_leased_goes_first() {
        let mut ledger = Ledger::default();
        let all = devices(&[100, 100]);
        let want = Want { count: 1, floor: 60 };
        assert_eq!(indices(ledger.take(want, &all, 2)), Some(vec![0]));
        assert_eq!(indices(ledger.take(want, &all, 2)), Some(vec![1]));
        assert_eq!(ledger.take(want, &all, 2), None, "100 - 60 is less than 60");
        let small = Want { count: 2, floor: 40 };
        assert_eq!(indices(ledger.take(small, &all, 2)), Some(vec![0, 1]));
        assert_eq!(ledger.take(Want { count: 1, floor: 0 }, &all, 2), None, "two leases each");
        ledger.give_back(40, &all);
        ledger.give_back(60, &all);
        assert_eq!(ledger, Ledger::default());
    }

    #[test]
    fn what_this_host_can_never_give_is_said_at_once() {
        let all = devices(&[0, 0]);
        assert_eq!(Want { count: 2, floor: 100 }.check(&all), Ok(()), "busy now is not never");
        for (want, text) in [
            (Want { count: 3, floor: 0 }, "`gpus`: this host leases 2: `3`"),
            (Want { count: 1, floor: 101 }, "`memory_bytes_each`: 0 devices of this host have so much, not 1: `101`"),
            (Want { count: 0, floor: 0 }, "`gpus`: at least 1"),
        ] {
            assert_eq!(want.check(&all), Err(DelegateError::Invalid(text.into())));
        }
        assert!(matches!(Want { count: 1, floor: 0 }.check(&[]), Err(DelegateError::Unavailable(_))));
    }
}
