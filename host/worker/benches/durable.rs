//! What durability costs: a preloaded backlog of no-op tasks, claimed, run and committed on SQLite (`synchronous=FULL`,
//! attempts and digests recorded), over a bare wasmtime loop of the same guest on as many threads.
//!
//! On the PostgreSQL database that `BULKHEAD_BENCH_POSTGRES` names, where it is set.
//! Rounds of both alternate. `cargo bench -p bulkhead-worker [-- --quick]`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

#[path = "../../sandbox/benches/bare_loop/mod.rs"]
#[expect(unreachable_pub, reason = "shared with the sandbox's bench")]
mod bare_loop;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bare_loop::{ALL, BareLoop, PAYLOAD, median, rate};
use bulkhead_core::{Due, JsonText, Kind, NewTask, Priority, Route, Size, TagSet};
use bulkhead_delegates::Delegates;
use bulkhead_sandbox::{Catalogue, CatalogueSettings, Sandbox, SandboxSettings};
use bulkhead_store::Store;
use bulkhead_store::postgres::{self, PostgresSettings};
use bulkhead_store::sqlite::{self, SqliteSettings};
use bulkhead_worker::{Metrics, Worker, WorkerSettings, WorkspaceSettings};

const THREADS: usize = 2;
const ROUND: Duration = Duration::from_millis(400);

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (rounds, tasks) = if quick { (1, 20_000) } else { (7, 200_000) };
    let bytes = bulkhead_test_guests::guest_bytes("noop");
    let bare = BareLoop::new(&bytes, ALL);
    let sandbox =
        Sandbox::try_new(&SandboxSettings { pools: THREADS as u32, ..SandboxSettings::default() }).expect("a sandbox");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("noop.wasm"), &bytes).expect("a handler");
    let settings = CatalogueSettings {
        dir: folder.path().to_owned(),
        caps: TagSet::parse(["cpu"]).expect("tags"),
        ..CatalogueSettings::default()
    };
    let catalogue = Catalogue::open(sandbox.clone(), settings).expect("a catalogue");
    println!("{:>7} {:>12} {:>12} {:>8} {:>15}", "tasks", "bare/s", "durable/s", "ratio", "ratio min–max");
    let (mut bares, mut durables, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let before = rate(THREADS, ROUND, async |_| bare.run(PAYLOAD).await);
        let durable = drain(&sandbox, &catalogue, tasks);
        let after = rate(THREADS, ROUND, async |_| bare.run(PAYLOAD).await);
        // The first round warms both up.
        if round > 0 {
            bares.push((before + after) / 2.0);
            durables.push(durable);
            ratios.push(durable / ((before + after) / 2.0));
        }
    }
    let ratio = median(&mut ratios);
    println!(
        "{tasks:>7} {:>12.0} {:>12.0} {ratio:>8.3} {:>7.3}–{:.3}",
        median(&mut bares),
        median(&mut durables),
        ratios[0],
        ratios[ratios.len() - 1],
    );
}

/// Tasks a second, from the worker's start until the last is durably done.
fn drain(sandbox: &Sandbox, catalogue: &Arc<Catalogue>, tasks: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    runtime.block_on(async {
        let store = match std::env::var("BULKHEAD_BENCH_POSTGRES") {
            Ok(url) => postgres::open(PostgresSettings::at(url)).expect("a store"),
            Err(_) => sqlite::open(SqliteSettings::at(folder.path().join("bench.db"))).expect("a store"),
        };
        let store: Arc<dyn Store> = Arc::new(store);
        let task = NewTask {
            id: None,
            route: Route::new(Kind::parse("NOOP").expect("a kind"), TagSet::default()),
            payload: JsonText::from_trusted(PAYLOAD),
            priority: Priority::default(),
            due: Due::Now,
            extras: None,
        };
        for _ in 0..tasks / 10_000 {
            store.submit(vec![task.clone(); 10_000]).await.expect("stored").expect("accepted");
        }
        let metrics = Metrics::new().expect("metrics");
        let settings = WorkerSettings {
            name: "bench".to_owned(),
            max_concurrent: 64,
            cpu_slots: THREADS as u32,
            drain_timeout: Duration::from_secs(5),
            max_payload: Size::from_mib(1),
            workspaces: WorkspaceSettings::at(folder.path().to_owned()),
        };
        let began = Instant::now();
        let (catalogue, delegates) = (Arc::clone(catalogue), Delegates::none().expect("delegates"));
        let worker =
            Worker::start(Arc::clone(&store), sandbox.clone(), catalogue, delegates, settings, Arc::clone(&metrics));
        let worker = worker.await.expect("a worker");
        while ended(&metrics) < tasks as u64 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let elapsed = began.elapsed();
        worker.drain().await;
        store.close().await.expect("closed");
        tasks as f64 / elapsed.as_secs_f64()
    })
}

/// Tasks whose end is durable, as the worker's own metrics count them.
fn ended(metrics: &Metrics) -> u64 {
    let families = metrics.registry().gather();
    let latency = families.iter().find(|family| family.name() == "task_latency_seconds");
    latency.map_or(0, |family| family.get_metric().iter().map(|metric| metric.get_histogram().get_sample_count()).sum())
}
