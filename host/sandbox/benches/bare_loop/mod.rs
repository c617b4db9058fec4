//! The yardstick: a bare wasmtime loop with the best pool settings, shared by the benches that measure against it.

use std::time::{Duration, Instant};

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, ResourceLimiter, Store,
    UpdateDeadline,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "task-handler",
        ownership: Borrowing { duplicate_if_necessary: true },
        exports: { default: async },
    });
}

/// The bare loop's host: nothing that the guest imports does anything.
struct Bare {
    held: usize,
    wasi: Option<(WasiCtx, ResourceTable)>,
}

impl ResourceLimiter for Bare {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.held += desired - current;
        Ok(self.held <= 64 << 20)
    }
    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= 100_000)
    }
}

impl WasiView for Bare {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (ctx, table) = self.wasi.get_or_insert_with(|| (WasiCtx::builder().build(), ResourceTable::new()));
        WasiCtxView { ctx, table }
    }
}

/// What of the guest's own code looks at fuel and at the epoch.
#[derive(Debug, Clone, Copy)]
pub struct Metering {
    /// Fuel is counted.
    pub fuel: bool,
    /// The epoch is looked at.
    pub epochs: bool,
}

/// As the product has it.
pub const ALL: Metering = Metering { fuel: true, epochs: true };

/// The contract's own interfaces, of which no function does anything.
///
/// `define_unknown_imports_as_traps` would do so with WASI's too, where a guest asks for another patch version than there is.
fn define_delegates(linker: &mut Linker<Bare>, engine: &Engine, component: &Component) -> wasmtime::Result<()> {
    for (name, import) in component.component_type().imports(engine) {
        if let ComponentItem::ComponentInstance(interface) = import.ty
            && name.starts_with("bulkhead:")
        {
            let mut linker = linker.instance(name)?;
            for (function, export) in interface.exports(engine) {
                if let ComponentItem::ComponentFunc(_) = export.ty {
                    linker.func_new(function, |_, _, _, _| wasmtime::bail!("nothing is done here"))?;
                }
            }
        }
    }
    Ok(())
}

/// A loop over one component.
pub struct BareLoop {
    engine: Engine,
    pre: bindings::TaskHandlerPre<Bare>,
    metering: Metering,
}

impl BareLoop {
    /// Compiles the component.
    pub fn new(bytes: &[u8], metering: Metering) -> Self {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(80)
            .total_core_instances(1000)
            .total_memories(320)
            .total_tables(640)
            .total_stacks(80)
            .table_elements(32_768)
            .max_memory_size(1 << 30)
            .linear_memory_keep_resident(1 << 20)
            .table_keep_resident(32_768 * 8)
            .pagemap_scan(Enabled::Auto);
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            .concurrency_support(false)
            .consume_fuel(metering.fuel)
            .epoch_interruption(metering.epochs)
            .cranelift_nan_canonicalization(true)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config).unwrap();
        let component = Component::from_binary(&engine, bytes).unwrap();
        let mut linker = Linker::<Bare>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        define_delegates(&mut linker, &engine, &component).unwrap();
        let pre = bindings::TaskHandlerPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
        let ticker = engine.weak();
        std::thread::spawn(move || {
            while let Some(engine) = ticker.upgrade() {
                engine.increment_epoch();
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Self { engine, pre, metering }
    }

    /// One run in a fresh store.
    pub async fn run(&self, payload: &str) {
        let mut store = Store::new(&self.engine, Bare { held: 0, wasi: None });
        store.limiter(|host| host);
        if self.metering.fuel {
            store.set_fuel(10_000_000_000).unwrap();
        }
        if self.metering.epochs {
            store.set_epoch_deadline(2);
            store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(1)));
        }
        let task = bindings::exports::bulkhead::handler::handler::Task {
            id: ID,
            kind: "NOOP",
            payload,
            requires: &[],
            attempt: 1,
            max_attempts: 3,
            stage: 0,
        };
        let instance = self.pre.instantiate_async(&mut store).await.unwrap();
        let handler = instance.bulkhead_handler_handler();
        assert!(handler.call_dispatch(&mut store, task.clone()).await.unwrap());
        assert!(handler.call_handle(&mut store, task).await.unwrap().is_ok());
    }
}

/// The id of every task.
pub const ID: &str = "019aa5c7-6f5e-7d7b-8f0a-0123456789ab";
/// The payload of every task.
pub const PAYLOAD: &str = r#"{"n":1}"#;

/// Runs for `length` on so many threads, each with a runtime of its own, and says how many a second. Each run is told the
/// number of its thread.
pub fn rate<F: AsyncFn(usize) + Sync>(threads: usize, length: Duration, one: F) -> f64 {
    let started = Instant::now();
    let runs: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let one = &one;
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(async {
                        let mut runs = 0u64;
                        while started.elapsed() < length {
                            for _ in 0..32 {
                                one(thread).await;
                            }
                            runs += 32;
                        }
                        runs
                    })
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    runs as f64 / started.elapsed().as_secs_f64()
}

/// The middle of the values, which are sorted.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
