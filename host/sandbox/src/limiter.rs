//! How much memory a sandbox may hold, all its memories together.

use bulkhead_core::{Limit, Size};
use wasmtime::Result;

use crate::engine::TABLE_ELEMENTS;

/// All of a store's tables together; several times what one of them may hold.
const MAX_TABLE_ELEMENTS: usize = 4 * TABLE_ELEMENTS;
/// Instances, memories and tables of one store; the pool bounds a component more tightly and says so at load.
const MAX_INSTANCES: usize = 128;

/// Sums the memories of one store, and remembers the peak and what was refused.
///
/// wasmtime's own `StoreLimits` bounds each memory by itself, and a refusal looks like any other trap.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: u64,
    held: u64,
    peak: u64,
    /// What the last growth added, to be taken back where the system refuses it after us.
    last_growth: u64,
    table_elements: usize,
    refused: Option<Limit>,
}

impl Limiter {
    pub(crate) const fn new(limit: Size) -> Self {
        Self { limit: limit.bytes(), held: 0, peak: 0, last_growth: 0, table_elements: 0, refused: None }
    }

    pub(crate) const fn limit(&self) -> Size {
        Size::from_bytes(self.limit)
    }

    /// The most memory held at once, in bytes.
    pub(crate) const fn peak(&self) -> u64 {
        self.peak
    }

    /// What the guest was refused; a trap after that is the guest's way of giving up.
    pub(crate) const fn refused(&self) -> Option<Limit> {
        self.refused
    }
}

impl wasmtime::ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let growth = desired.saturating_sub(current) as u64;
        let held = self.held.saturating_add(growth);
        if held > self.limit {
            self.refused = Some(Limit::Memory);
            return Ok(false);
        }
        self.held = held;
        self.last_growth = growth;
        self.peak = self.peak.max(held);
        Ok(true)
    }

    /// The pool's slot is smaller than the memory's own maximum, or the system has no page left.
    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        self.held = self.held.saturating_sub(std::mem::take(&mut self.last_growth));
        self.refused = Some(Limit::Memory);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let elements = self.table_elements.saturating_add(desired.saturating_sub(current));
        if elements > MAX_TABLE_ELEMENTS {
            self.refused = Some(Limit::Table);
            return Ok(false);
        }
        self.table_elements = elements;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        self.refused = Some(Limit::Table);
        Ok(())
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_INSTANCES
    }

    fn memories(&self) -> usize {
        MAX_INSTANCES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::ResourceLimiter as _;

    #[test]
    fn memories_are_counted_together() {
        let mut limiter = Limiter::new(Size::from_bytes(100));
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(0, 40, None).unwrap());
        assert!(!limiter.memory_growing(40, 41, None).unwrap());
        assert_eq!((limiter.peak(), limiter.refused()), (100, Some(Limit::Memory)));
    }

    #[test]
    fn what_the_system_refuses_is_not_counted() {
        let mut limiter = Limiter::new(Size::from_bytes(100));
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("no page left")).unwrap();
        assert!(limiter.memory_growing(0, 100, None).unwrap());
    }

    #[test]
    fn tables_are_counted_together() {
        let mut limiter = Limiter::new(Size::from_bytes(100));
        assert!(limiter.table_growing(0, MAX_TABLE_ELEMENTS, None).unwrap());
        assert!(!limiter.table_growing(0, 1, None).unwrap());
        assert_eq!(limiter.refused(), Some(Limit::Table));
    }
}
