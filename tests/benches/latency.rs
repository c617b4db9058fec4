//! B5: how long one task takes over HTTP on a host that has nothing else to do, on SQLite and on PostgreSQL.
//!
//! One connection, kept alive: `POST /v1/tasks`, then `GET /v1/tasks/{id}?wait=10s`, until the answer says succeeded. The
//! floor is what no durable queue can go below: a commit for the submission and one for its end, measured in turns with the
//! tasks. On SQLite these are fsyncs in the same folder; on PostgreSQL, rows inserted one by one over a connection of its
//! own. A second client behaves as ordinary ones do (header and body in two writes, no `TCP_NODELAY`), which shows stalls
//! of 40 ms where a server causes them. `cargo xtask bench b5`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

mod connection;

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bulkhead_tests::{Cluster, Folder, Host};
use serde_json::Value;

use connection::{Client, Manner};

/// Tasks, or floors, before the other takes its turn.
const TURN: usize = 50;
/// What a commit of one small task writes to the log of SQLite, roughly.
const COMMIT_BYTES: usize = 8 << 10;

fn main() -> Result<()> {
    let turns = if std::env::var_os("BULKHEAD_BENCH_QUICK").is_some() { 2 } else { 20 };
    let folder = Folder::with_guests(&["noop"]);
    let mut floor_file = File::create(folder.path().join("floor"))?;
    measure(&folder, turns, ["floor: two fsyncs", "SQLite", "SQLite, ordinary client"], &mut || {
        for _ in 0..2 {
            floor_file.write_all(&[7; COMMIT_BYTES])?;
            floor_file.sync_all()?;
        }
        Ok(())
    })?;

    let Some(cluster) = Cluster::start() else {
        println!("there is no PostgreSQL; next: apt-get install postgresql");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&cluster.url(), tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute("CREATE SCHEMA floor; CREATE TABLE floor.rows (bytes BYTEA NOT NULL)").await?;
        let insert = client.prepare("INSERT INTO floor.rows VALUES ($1)").await?;
        anyhow::Ok((client, insert))
    })?;
    let folder = Folder::on_server(&cluster.url(), "latency", &["noop"], "");
    let payload = [7_u8; 200];
    measure(&folder, turns, ["floor: two commits", "PostgreSQL", "PostgreSQL, ordinary client"], &mut || {
        for _ in 0..2 {
            runtime.block_on(client.0.execute(&client.1, &[&payload.as_slice()]))?;
        }
        Ok(())
    })
}

/// Measures the floor and a host in this folder in turns, and prints their rows.
fn measure(
    folder: &Folder,
    turns: usize,
    names: [&'static str; 3],
    floor: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let host = Host::start(folder, &[("BULKHEAD_LOG__FILTER", "warn")])?;
    let address = host.url.trim_start_matches("http://");
    let mut quick = Client::connect(address, Manner::OneWrite)?;
    let mut ordinary = Client::connect(address, Manner::TwoWrites)?;
    let mut samples: [Vec<Duration>; 3] = Default::default();
    // The first turn warms all of it up.
    for turn in 0..=turns {
        let works: [&mut dyn FnMut() -> Result<()>; 3] =
            [floor, &mut || one_task(&mut quick), &mut || one_task(&mut ordinary)];
        for (samples, work) in samples.iter_mut().zip(works) {
            for _ in 0..TURN {
                let began = Instant::now();
                work()?;
                if turn > 0 {
                    samples.push(began.elapsed());
                }
            }
        }
    }
    anyhow::ensure!(host.stop() == Some(0), "the host did not stop in order");
    table(names, &mut samples);
    Ok(())
}

fn table(names: [&str; 3], rows: &mut [Vec<Duration>; 3]) {
    rows.iter_mut().for_each(|samples| samples.sort());
    let at =
        |samples: &[Duration], share: f64| samples[((samples.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let (floor_p50, floor_p99) = (at(&rows[0], 0.5), at(&rows[0], 0.99));
    println!(
        "{:<27} {:>7} {:>9} {:>9} {:>9} {:>11} {:>11}",
        "", "samples", "p50 ms", "p99 ms", "max ms", "p50/floor", "p99/floor"
    );
    for (name, samples) in names.iter().zip(rows) {
        let (p50, p99, max) = (at(samples, 0.5), at(samples, 0.99), at(samples, 1.0));
        println!(
            "{name:<27} {:>7} {p50:>9.3} {p99:>9.3} {max:>9.3} {:>11.2} {:>11.2}",
            samples.len(),
            p50 / floor_p50,
            p99 / floor_p99
        );
    }
}

fn one_task(client: &mut Client) -> Result<()> {
    let task = client.ask("POST", "/v1/tasks", r#"{"kind":"NOOP","payload":{"n":1}}"#)?;
    let id = task.get("id").and_then(Value::as_str).with_context(|| format!("no id: {task}"))?;
    let ended = client.ask("GET", &format!("/v1/tasks/{id}?wait=10s"), "")?;
    match ended.get("state").and_then(Value::as_str) {
        Some("succeeded") => Ok(()),
        _ => bail!("the task did not succeed: {ended}"),
    }
}
