//! awa with its own storage engine and the settings of its own benchmarks: a drain, and one task at a time.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use awa::{
    Client, ClientBuilder, InsertOpts, JobArgs, JobEvent, JobResult, QueueConfig, QueueStorage, QueueStorageConfig,
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::mpsc;

/// awa's version, which Cargo.toml pins.
const VERSION: &str = "0.6.9";
/// Those of its runtime benchmark, and of its latency benchmark.
const WORKERS: u32 = 1024;
const LATENCY_WORKERS: u32 = 10;
/// As many as awa's pools have in its benchmarks.
const CONNECTIONS: u32 = 20;
/// Tasks that are submitted in one call.
const CHUNK: u64 = 5_000;
/// Tasks whose latency counts, after those that warm everything up.
const SAMPLES: usize = 300;
const WARM_UP: usize = 50;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Debug, Serialize, Deserialize, JobArgs)]
struct Noop {
    id: u64,
}

#[derive(Serialize)]
struct Line {
    peer: &'static str,
    version: &'static str,
    what: &'static str,
    tasks: u64,
    rate: u64,
    samples: usize,
    p50_ms: f64,
    p99_ms: f64,
    settings: String,
    server: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let tasks = tasks()?;
    let url = std::env::var("DATABASE_URL")
        .map_err(|_| "DATABASE_URL is not set; next: set it to the URL of an empty PostgreSQL")?;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(&url).await?;
    awa::migrations::run(&pool).await?;
    // Else tasks that are submitted before the first worker starts go to the engine of versions before 0.6.
    let storage = QueueStorage::new(QueueStorageConfig::default())?;
    storage.install(&pool).await?;
    let took = drain(&pool, &storage, tasks).await?;
    let mut latencies = latencies(&pool).await?;
    latencies.sort();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_micros() as f64 / 1e3;
    let (version, fsync, commit): (String, String, String) = sqlx::query_as(
        "select current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')",
    )
    .fetch_one(&pool)
    .await?;
    let version = version.split(' ').next().unwrap_or_default();
    let line = Line {
        peer: "awa",
        version: VERSION,
        what: "drain of a preloaded backlog; latency of one task at a time",
        tasks,
        rate: (tasks as f64 / took.as_secs_f64()) as u64,
        samples: latencies.len(),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        settings: format!(
            "queue storage, max_workers {WORKERS}, no deadlines, {CONNECTIONS} connections; for latency: max_workers \
             {LATENCY_WORKERS}"
        ),
        server: format!("PostgreSQL {version}, fsync {fsync}, synchronous_commit {commit}"),
    };
    println!("{}", serde_json::to_string(&line)?);
    Ok(())
}

fn tasks() -> Result<u64> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => Ok(10_000),
        (Some("--tasks"), Some(number)) => Ok(number.parse()?),
        _ => Err("usage: run.sh [--tasks N]".into()),
    }
}

/// A worker, on its way: what it runs is added by the caller.
fn worker(pool: &PgPool, queue: &str, workers: u32) -> ClientBuilder {
    Client::builder(pool.clone()).queue(
        queue,
        QueueConfig {
            max_workers: workers,
            poll_interval: Duration::from_millis(50),
            deadline_duration: Duration::ZERO,
            ..QueueConfig::default()
        },
    )
}

async fn submit(pool: &PgPool, queue: &str, ids: std::ops::Range<u64>) -> Result<()> {
    let options = || InsertOpts { queue: queue.into(), ..Default::default() };
    let all: std::result::Result<Vec<_>, _> =
        ids.map(|id| awa::model::insert::params_with(&Noop { id }, options())).collect();
    awa::insert_many_copy_from_pool(pool, &all?).await?;
    Ok(())
}

async fn drain(pool: &PgPool, storage: &QueueStorage, tasks: u64) -> Result<Duration> {
    const QUEUE: &str = "drain";
    for first in (0..tasks).step_by(CHUNK as usize) {
        submit(pool, QUEUE, first..tasks.min(first + CHUNK)).await?;
    }
    sqlx::query("analyze").execute(pool).await?;
    let ran = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&ran);
    let client = worker(pool, QUEUE, WORKERS)
        .register::<Noop, _, _>(move |_, _| {
            counter.fetch_add(1, Ordering::Relaxed);
            async { Ok(JobResult::Completed) }
        })
        .build()?;
    let began = Instant::now();
    client.start().await?;
    while ran.load(Ordering::Relaxed) < tasks {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    while storage.queue_counts(pool, QUEUE).await?.terminal < tasks as i64 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let took = began.elapsed();
    client.shutdown(Duration::from_secs(5)).await;
    Ok(took)
}

/// A task is known to be finished when awa says so, which it does once that is committed. With as many tasks as a drain
/// has, these events would slow it down.
async fn latencies(pool: &PgPool) -> Result<Vec<Duration>> {
    const QUEUE: &str = "latency";
    let (tell, mut completed) = mpsc::channel(16);
    let client = worker(pool, QUEUE, LATENCY_WORKERS)
        .register::<Noop, _, _>(|_, _| async { Ok(JobResult::Completed) })
        .on_event::<Noop, _, _>(move |event| {
            if matches!(event, JobEvent::Completed { .. }) {
                let _ = tell.try_send(());
            }
            async {}
        })
        .build()?;
    client.start().await?;
    let mut samples = Vec::with_capacity(SAMPLES);
    for index in 0..WARM_UP + SAMPLES {
        let began = Instant::now();
        let options = InsertOpts { queue: QUEUE.into(), ..Default::default() };
        awa::insert_with(pool, &Noop { id: index as u64 }, options).await?;
        completed.recv().await.ok_or("the client ended")?;
        if index >= WARM_UP {
            samples.push(began.elapsed());
        }
    }
    client.shutdown(Duration::from_secs(5)).await;
    Ok(samples)
}
