//! What a run costs over a bare wasmtime loop that does the same: a fresh store, instantiate, dispatch, handle, with fuel,
//! epochs and a limiter, from a pool of the same settings.
//!
//! Rounds of both alternate, so that a machine that drifts drifts for both. `cargo bench -p bulkhead-sandbox`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::{Fuel, HandlerName, RunEnd, Size, TagSet};
use bulkhead_sandbox::{Handler, RunControl, RunFacts, RunLimits, RunRequest, Sandbox, SandboxSettings};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, ResourceLimiter, Store,
    UpdateDeadline,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(400);

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

struct BareLoop {
    engine: Engine,
    pre: bindings::TaskHandlerPre<Bare>,
}

impl BareLoop {
    fn new(bytes: &[u8]) -> Self {
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
            .consume_fuel(true)
            .epoch_interruption(true)
            .cranelift_nan_canonicalization(true)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config).unwrap();
        let component = Component::from_binary(&engine, bytes).unwrap();
        let mut linker = Linker::<Bare>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        linker.define_unknown_imports_as_traps(&component).unwrap();
        let pre = bindings::TaskHandlerPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
        let ticker = engine.weak();
        std::thread::spawn(move || {
            while let Some(engine) = ticker.upgrade() {
                engine.increment_epoch();
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Self { engine, pre }
    }

    async fn run(&self) {
        let mut store = Store::new(&self.engine, Bare { held: 0, wasi: None });
        store.limiter(|host| host);
        store.set_fuel(10_000_000_000).unwrap();
        store.set_epoch_deadline(2);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(1)));
        let task = bindings::exports::bulkhead::handler::handler::Task {
            id: ID,
            kind: "NOOP",
            payload: PAYLOAD,
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

const ID: &str = "019aa5c7-6f5e-7d7b-8f0a-0123456789ab";
const PAYLOAD: &str = r#"{"n":1}"#;

async fn ours(sandbox: &Sandbox, handler: &Handler, requires: &TagSet) {
    let report = sandbox
        .run(
            handler,
            RunRequest {
                id: ID,
                kind: "NOOP",
                payload: PAYLOAD,
                requires,
                attempt: 1,
                max_attempts: 3,
                stage: 0,
                facts: RunFacts::default(),
                limits: RunLimits {
                    timeout: Duration::from_secs(60),
                    fuel: Fuel::try_new(10_000_000_000).unwrap(),
                    memory: Size::from_mib(64),
                    result: Size::from_mib(1),
                    logs: Size::from_kib(256),
                },
                control: Arc::new(RunControl::new()),
                observer: None,
                workspace: None,
            },
        )
        .await;
    assert!(matches!(report.end, RunEnd::Completed(_)), "{:?}", report.end);
}

/// Runs a second on so many threads, each with a runtime of its own, and says how many a second.
fn rate<F: AsyncFn() + Sync>(threads: usize, one: F) -> f64 {
    let started = Instant::now();
    let runs: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(async {
                        let mut runs = 0u64;
                        while started.elapsed() < ROUND {
                            for _ in 0..32 {
                                one().await;
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

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let bytes = bulkhead_test_guests::guest_bytes("noop");
    let bare = BareLoop::new(&bytes);
    let sandbox = Sandbox::try_new(&SandboxSettings::default()).unwrap();
    let handler = sandbox.load(&HandlerName::parse("noop").unwrap(), &bytes).unwrap();
    let requires = TagSet::default();
    println!("{:>7} {:>12} {:>12} {:>8} {:>15}", "threads", "bare/s", "sandbox/s", "ratio", "ratio min–max");
    for threads in [1, 2] {
        let (mut bares, mut sandboxes, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let bare_rate = rate(threads, async || bare.run().await);
            let our_rate = rate(threads, async || ours(&sandbox, &handler, &requires).await);
            // The first round warms both up.
            if round > 0 {
                bares.push(bare_rate);
                sandboxes.push(our_rate);
                ratios.push(our_rate / bare_rate);
            }
        }
        let ratio = median(&mut ratios);
        println!(
            "{threads:>7} {:>12.0} {:>12.0} {ratio:>8.3} {:>7.3}–{:.3}",
            median(&mut bares),
            median(&mut sandboxes),
            ratios[0],
            ratios[ratios.len() - 1],
        );
    }
}
