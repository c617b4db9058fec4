//! The engine's settings: what is compiled into every guest, and the pool that fresh sandboxes are taken from.

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OperatorCost, PoolingAllocationConfig, RegallocAlgorithm,
};

use crate::{SandboxError, SandboxSettings};

/// The stack a guest may use; componentize-py and componentize-js recurse deeply in their interpreters.
const GUEST_STACK: usize = 1 << 20;
/// The fiber's whole stack: what is left beyond the guest's own is for host calls, which run on the same fiber.
const FIBER_STACK: usize = 2 << 20;
/// Back-traces name so many functions, which is where a reader stops.
const BACKTRACE_FRAMES: usize = 20;

/// A Rust guest has 1 memory; components of Python and JavaScript bring those of their adapters and libraries too.
const MEMORIES_PER_COMPONENT: u32 = 4;
/// Every core module may have one, and adapters have one more for their indirect calls.
const TABLES_PER_COMPONENT: u32 = 8;
/// A Rust guest has about 4 core instances; componentize-py links each of its shared libraries as one (some 20).
const INSTANCES_PER_COMPONENT: u32 = 64;
/// CPython and SpiderMonkey have tables of 7,000 to 14,000 functions.
pub(crate) const TABLE_ELEMENTS: usize = 32_768;

/// Loads describe their component in a sandbox too, beside the runs.
const SPARE_SANDBOXES: u32 = 16;
/// Each memory reserves the 4 GiB that a 32-bit pointer can reach, so that no bounds check is needed; of the 128 TiB
/// that a process can address a quarter is ours.
const MOST_POOLED_MEMORIES: u32 = 8192;

/// With `PAGEMAP_SCAN` only pages that were touched are cleared, so that keeping many costs nothing.
const KEEP_RESIDENT_SCANNED: usize = 1 << 20;
/// Without it keeping means clearing that much after every run, touched or not.
const KEEP_RESIDENT_BLIND: usize = 64 << 10;

/// Makes the engine, with a pool where the system has the address space for one.
pub(crate) fn build(settings: &SandboxSettings) -> Result<Engine, SandboxError> {
    let scan = PoolingAllocationConfig::is_pagemap_scan_available();
    let sandboxes = settings.max_concurrent.max(1).saturating_add(SPARE_SANDBOXES);
    // Room for every sandbox to hold the most memories that it may, less where that is too much to reserve.
    for memories_each in [MEMORIES_PER_COMPONENT, 2, 1] {
        let memories = sandboxes.saturating_mul(memories_each);
        if memories > MOST_POOLED_MEMORIES / settings.pools.max(1) && memories_each > 1 {
            continue;
        }
        let mut config = config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(settings, sandboxes, memories, scan)));
        match Engine::new(&config) {
            Ok(engine) => {
                tracing::info!(sandboxes, memories, pagemap_scan = scan, "sandbox pool ready");
                return Ok(engine);
            }
            Err(error) => tracing::debug!(memories, "no pool of this size: {error:#}"),
        }
    }
    tracing::warn!(
        sandboxes,
        "the address space for a pool cannot be reserved, so each run will map its own memory, at a tenth of the speed; \
         raise the limit on virtual memory (ulimit -v) or lower worker.max_concurrent"
    );
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&config).map_err(|error| SandboxError::Engine(format!("{error:#}")))
}

/// The engine of a process that only compiles: what it makes, an engine of [`build`] takes.
pub(crate) fn for_compiling() -> wasmtime::Result<Engine> {
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&config)
}

/// What holds with and without a pool.
fn config() -> Config {
    let mut cost = OperatorCost::default();
    // A fresh page is cleared by the kernel, which takes about as long as so many instructions.
    cost.variable.memory_grow_per_page = u8::MAX;
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .consume_fuel(true)
        .operator_cost(cost)
        .epoch_interruption(true)
        // The same inputs give the same answer on every machine, so that a run can be replayed.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .cranelift_regalloc_algorithm(RegallocAlgorithm::Backtracking)
        .max_wasm_stack(GUEST_STACK)
        .async_stack_size(FIBER_STACK)
        // No guest can read the native stack, so there is nothing to clear between runs.
        .async_stack_zeroing(false)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(BACKTRACE_FRAMES))
        .memory_init_cow(true);
    config
}

fn pool(settings: &SandboxSettings, sandboxes: u32, memories: u32, scan: bool) -> PoolingAllocationConfig {
    let keep_resident = if scan { KEEP_RESIDENT_SCANNED } else { KEEP_RESIDENT_BLIND };
    let largest = usize::try_from(settings.max_memory.bytes()).unwrap_or(usize::MAX).min(4 << 30);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(sandboxes)
        .total_core_instances(sandboxes.saturating_mul(INSTANCES_PER_COMPONENT))
        .total_memories(memories)
        .total_tables(sandboxes.saturating_mul(TABLES_PER_COMPONENT))
        .total_stacks(sandboxes)
        .max_core_instances_per_component(INSTANCES_PER_COMPONENT)
        .max_memories_per_component(MEMORIES_PER_COMPONENT.min(memories))
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_memories_per_module(MEMORIES_PER_COMPONENT)
        .max_tables_per_module(TABLES_PER_COMPONENT)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(largest)
        .max_component_instance_size(4 << 20)
        .linear_memory_keep_resident(keep_resident)
        .table_keep_resident(keep_resident.min(TABLE_ELEMENTS * size_of::<usize>()))
        .pagemap_scan(Enabled::Auto);
    pool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_engine_compiles_the_other_takes() {
        let hash = |engine: &Engine| {
            let mut hasher = std::hash::DefaultHasher::new();
            std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
            std::hash::Hasher::finish(&hasher)
        };
        let running = build(&SandboxSettings::default()).expect("an engine");
        assert_eq!(hash(&for_compiling().expect("an engine")), hash(&running));
    }

    #[test]
    fn more_sandboxes_than_can_be_addressed_fall_back_to_memory_on_demand() {
        let settings = SandboxSettings { max_concurrent: 1 << 20, ..SandboxSettings::default() };
        assert!(build(&settings).is_ok());
    }
}
