//! What a long queue costs: `cargo bench -p bulkhead-store --bench queued`.
//!
//! For each size: half of the tasks are of a kind that nobody here serves, the other half are spread over 1,000 kinds; a
//! tenth as many again are due tomorrow, at the highest priority. Then tasks of each store are claimed and committed, in
//! turns; pages of the list are read, and the store is closed and opened again. The ratios are those of each turn. Beside them
//! are the bytes that each of these tasks had written: of all files on SQLite, of the server's log on PostgreSQL.
//!
//! Arguments: sizes (1000 100000 10000000). On the empty PostgreSQL database that `BULKHEAD_BENCH_POSTGRES` names, where it
//! is set; its schemas are one for each size.
//!
//! `BULKHEAD_BENCH_DRAINED` says how many are claimed; twice as many are queued beside the size. With more of them, the first
//! case has about as many tasks of one kind side by side on a page as the others have, and what is left of the difference
//! is what the depth costs.
#![allow(clippy::print_stdout, reason = "a probe for people")]

mod noop;
mod server;
mod written;

use std::time::{Duration, Instant};

use bulkhead_core::{Due, Kind, NewTask, Priority, State};
use bulkhead_store::postgres::{self, PostgresSettings};
use bulkhead_store::sqlite::{self, SqliteSettings};
use bulkhead_store::{DatabaseStore, QueueSettings, Selection, ServedRoutes, Store, TaskFilter};
use noop::{BATCH, WINDOW, drain, task};

/// Kinds that somebody serves.
const KINDS: usize = 1_000;
/// Tasks that are claimed and committed where `BULKHEAD_BENCH_DRAINED` says nothing else.
const DRAINED: usize = 50_000;
/// In how many turns, each size once in each.
const TURNS: usize = 5;

/// Where the store of one size is.
enum Place {
    Sqlite(tempfile::TempDir),
    Postgres(String),
}

impl Place {
    fn make(size: usize) -> Self {
        match std::env::var("BULKHEAD_BENCH_POSTGRES") {
            Ok(url) => {
                let schema = format!("queued_{size}");
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let client = server::connect(&url).await;
                    client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.expect("an empty database");
                });
                let joint = if url.contains('?') { '&' } else { '?' };
                Self::Postgres(format!("{url}{joint}options=-c%20search_path%3D{schema}"))
            }
            Err(_) => Self::Sqlite(tempfile::tempdir().unwrap()),
        }
    }

    fn open(&self) -> DatabaseStore {
        let queue = QueueSettings { max_pending: u64::MAX, ..QueueSettings::default() };
        match self {
            Self::Sqlite(folder) => {
                sqlite::open(SqliteSettings { queue, ..SqliteSettings::at(folder.path().join("queued.db")) }).unwrap()
            }
            Self::Postgres(url) => postgres::open(PostgresSettings { queue, ..PostgresSettings::at(url) }).unwrap(),
        }
    }

    /// Bytes that were written so far.
    async fn written(&self) -> f64 {
        match self {
            Self::Sqlite(_) => written::written(),
            Self::Postgres(url) => {
                let select = "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8";
                server::connect(url).await.query_one(select, &[]).await.unwrap().get(0)
            }
        }
    }

    /// Bytes on the disk.
    fn size(&self) -> u64 {
        match self {
            Self::Sqlite(folder) => {
                std::fs::read_dir(folder.path()).unwrap().flatten().map(|file| file.metadata().unwrap().len()).sum()
            }
            Self::Postgres(url) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let client = server::connect(url).await;
                    let select = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class \
                        WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace";
                    let size: i64 = client.query_one(select, &[]).await.unwrap().get(0);
                    size.unsigned_abs()
                })
            }
        }
    }
}

/// A store that is full.
struct Filled {
    size: usize,
    place: Place,
    store: DatabaseStore,
    /// Tasks a second as they were submitted.
    submitted: f64,
    /// Tasks a second as they were claimed and committed, for each turn.
    drained: Vec<f64>,
    /// Bytes that were written for these.
    written: f64,
}

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let sizes = match (sizes.is_empty(), std::env::var_os("BULKHEAD_BENCH_QUICK")) {
        (false, _) => sizes,
        (true, None) => vec![1_000, 100_000, 10_000_000],
        (true, Some(_)) => vec![1_000, 20_000],
    };
    let drained = std::env::var("BULKHEAD_BENCH_DRAINED").map_or(DRAINED, |count| count.parse().expect("a number"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut filled: Vec<Filled> =
        sizes.into_iter().map(|size| runtime.block_on(fill(Place::make(size), size, drained))).collect();
    // The first turn warms what is warm in a host at work.
    for turn in 0..=TURNS {
        for each in &mut filled {
            let before = runtime.block_on(each.place.written());
            let rate = runtime.block_on(claim_and_commit(&each.store, drained / TURNS));
            if turn > 0 {
                each.drained.push(rate);
                each.written += runtime.block_on(each.place.written()) - before;
            }
        }
    }
    println!(
        "{:>9} {:>10} {:>12} {:>7} {:>9} {:>10} {:>8} {:>9} {:>8} {:>8} {:>8}",
        "queued",
        "submit/s",
        "claim+commit",
        "of 1st",
        "min–max",
        "bytes/task",
        "list ms",
        "state ms",
        "kind ms",
        "open ms",
        "disk MB"
    );
    let first = filled[0].drained.clone();
    for Filled { size, place, store, submitted, drained: rates, written } in filled {
        let [all, state, kind] = runtime.block_on(lists(&store));
        runtime.block_on(store.close()).unwrap();
        let began = Instant::now();
        let store = place.open();
        // Until it can answer what waits.
        while store.depths().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let opened = began.elapsed();
        runtime.block_on(store.close()).unwrap();
        let ratios = sorted(rates.iter().zip(&first).map(|(rate, first)| rate / first).collect());
        println!(
            "{size:>9} {submitted:>10.0} {:>12.0} {:>7.2} {:>9} {:>10.0} {all:>8.2} {state:>9.2} {kind:>8.2} {:>8.0} {:>8.0}",
            sorted(rates)[TURNS / 2],
            ratios[TURNS / 2],
            format!("{:.2}–{:.2}", ratios[0], ratios[TURNS - 1]),
            written / with_warming(drained) as f64,
            opened.as_secs_f64() * 1e3,
            place.size() as f64 / 1e6,
        );
    }
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers
}

async fn fill(place: Place, size: usize, drained: usize) -> Filled {
    let store = place.open();
    let tomorrow = Due::After(bulkhead_core::Span::from_secs(86_400).duration());
    let urgent = Priority::try_new(20).unwrap();
    let began = Instant::now();
    let mut all = 0;
    // What is drained later is queued beside the rest, in the order in which it came.
    let queued = (0..size).map(|number| match number % 2 {
        0 => task("ELSEWHERE".to_owned()),
        _ => task(format!("KIND{}", number / 2 % KINDS)),
    });
    let delayed = (0..size / 10).map(|number| NewTask {
        priority: urgent,
        due: tomorrow,
        ..task(format!("KIND{}", number % KINDS))
    });
    let beside = (0..2 * drained).map(|number| task(format!("KIND{}", number % KINDS)));
    let mut tasks = delayed.chain(queued).chain(beside).peekable();
    while tasks.peek().is_some() {
        let batch: Vec<NewTask> = tasks.by_ref().take(10_000).collect();
        all += batch.len();
        store.submit(batch).await.unwrap().unwrap();
    }
    Filled {
        size,
        place,
        store,
        submitted: all as f64 / began.elapsed().as_secs_f64(),
        drained: Vec::new(),
        written: 0.0,
    }
}

/// How many tasks go for so many that count.
const fn with_warming(count: usize) -> usize {
    count + count / 5
}

/// Tasks a second.
async fn claim_and_commit(store: &DatabaseStore, count: usize) -> f64 {
    // Anew each time, since nobody renews its leases in between.
    let mut line = store.attach("bench").await.unwrap();
    line.sender.serve(ServedRoutes::new(1, |route| route.kind.as_str() != "ELSEWHERE"));
    drain(&mut line, with_warming(count) - count, BATCH, WINDOW).await;
    let began = Instant::now();
    drain(&mut line, count, BATCH, WINDOW).await;
    count as f64 / began.elapsed().as_secs_f64()
}

/// How many milliseconds a page of the newest takes, of those that have succeeded, and of one kind.
async fn lists(store: &DatabaseStore) -> [f64; 3] {
    let kind = Some(Kind::parse("KIND7").unwrap());
    let filters = [
        TaskFilter::default(),
        TaskFilter { states: vec![State::Succeeded], ..TaskFilter::default() },
        TaskFilter { kind, ..TaskFilter::default() },
    ];
    let mut took = [[0.0; TURNS]; 3];
    for turn in 0..TURNS {
        for (filter, took) in filters.iter().zip(&mut took) {
            let began = Instant::now();
            store.list(Selection { filter: filter.clone(), limit: 100, cursor: None }).await.unwrap();
            took[turn] = began.elapsed().as_secs_f64() * 1e3;
        }
    }
    took.map(|took| sorted(took.to_vec())[TURNS / 2])
}
