//! B6: how long a linear workflow of four steps takes over HTTP on a host that has nothing else to do; and what ten thousand
//! steps cost, side by side with as many tasks of their own.
//!
//! The floor of a step is that of a task: a commit that brings it in and one that ends it, so that of four steps is eight
//! commits, measured in turns with the workflows. A workflow is accepted in one commit and each of its steps is claimed in
//! the commit that ends the one before, so fewer are needed. `cargo xtask bench b6`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

mod connection;

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bulkhead_tests::{Cluster, Folder, Host, resident};
use serde_json::Value;

use connection::{Client, Manner};

/// Workflows, or floors, before the other takes its turn.
const TURN: usize = 20;
/// What a commit of one small task writes to the log of SQLite, roughly.
const COMMIT_BYTES: usize = 8 << 10;
/// Commits of four tasks: one that brings each in, one that ends it.
const COMMITS: usize = 8;

const LINEAR: &str = "\
name: linear
steps:
  - {name: a, kind: NOOP}
  - {name: b, kind: NOOP, depends_on: [a]}
  - {name: c, kind: NOOP, depends_on: [b]}
  - {name: d, kind: NOOP, depends_on: [c]}
";

fn main() -> Result<()> {
    let quick = std::env::var_os("BULKHEAD_BENCH_QUICK").is_some();
    let (turns, wide) = if quick { (2, 1_000) } else { (20, 10_000) };
    let folder = with_templates(Folder::with_guests(&["noop"]), wide)?;
    let mut floor_file = File::create(folder.path().join("floor"))?;
    println!("SQLite");
    measure(
        &folder,
        (turns, wide),
        &mut || {
            for _ in 0..COMMITS {
                floor_file.write_all(&[7; COMMIT_BYTES])?;
                floor_file.sync_all()?;
            }
            Ok(())
        },
        &|| Ok(None),
    )?;
    let Some(cluster) = Cluster::start_that_counts_statements() else {
        println!("there is no PostgreSQL; next: apt-get install postgresql");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (client, insert) = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&cluster.url(), tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute("CREATE EXTENSION pg_stat_statements; CREATE SCHEMA floor").await?;
        client.batch_execute("CREATE TABLE floor.rows (bytes BYTEA NOT NULL)").await?;
        let insert = client.prepare("INSERT INTO floor.rows VALUES ($1)").await?;
        anyhow::Ok((client, insert))
    })?;
    let folder = with_templates(Folder::on_server(&cluster.url(), "workflows", &["noop"], ""), wide)?;
    println!("PostgreSQL");
    let payload = [7_u8; 200];
    measure(
        &folder,
        (turns, wide),
        &mut || {
            for _ in 0..COMMITS {
                runtime.block_on(client.execute(&insert, &[&payload.as_slice()]))?;
            }
            Ok(())
        },
        &|| {
            let row = runtime.block_on(client.query_one("SELECT sum(calls)::bigint FROM pg_stat_statements", &[]))?;
            Ok(Some(row.try_get(0)?))
        },
    )
}

/// The folder with its templates: four steps in a line; one step, many beside each other, one step; and a list as long.
fn with_templates(folder: Folder, wide: usize) -> Result<Folder> {
    let middle = wide - 2;
    let mut diamond = String::from("name: diamond\nsteps:\n  - {name: first, kind: NOOP}\n");
    for number in 0..middle {
        writeln!(diamond, "  - {{name: s{number}, kind: NOOP, depends_on: [first]}}")?;
    }
    let all: Vec<String> = (0..middle).map(|number| format!("s{number}")).collect();
    writeln!(diamond, "  - {{name: last, kind: NOOP, depends_on: [{}]}}", all.join(", "))?;
    let list = format!(
        "name: list\nsteps:\n  - {{name: each, kind: NOOP, for_each: \"range({wide})|list\"}}\n  \
         - {{name: last, kind: NOOP, depends_on: [each]}}\n"
    );
    std::fs::create_dir_all(folder.path().join("workflows"))?;
    for (name, text) in [("linear", LINEAR), ("diamond", &diamond), ("list", &list)] {
        folder.write(&format!("workflows/{name}.yaml"), text);
    }
    Ok(folder)
}

/// `statements`: how many the server has carried out so far, where there is one.
fn measure(
    folder: &Folder,
    (turns, wide): (usize, usize),
    floor: &mut dyn FnMut() -> Result<()>,
    statements: &dyn Fn() -> Result<Option<i64>>,
) -> Result<()> {
    let host = Host::start(folder, &[("BULKHEAD_LOG__FILTER", "warn")])?;
    let mut client = Client::connect(host.url.trim_start_matches("http://"), Manner::OneWrite)?;
    let mut ordinary = Client::connect(host.url.trim_start_matches("http://"), Manner::TwoWrites)?;
    let mut samples: [Vec<Duration>; 3] = Default::default();
    // The first turn warms all of it up.
    for turn in 0..=turns {
        for (place, samples) in samples.iter_mut().enumerate() {
            for _ in 0..TURN {
                let began = Instant::now();
                match place {
                    0 => floor()?,
                    1 => one_workflow(&mut client, "linear")?,
                    _ => one_workflow(&mut ordinary, "linear")?,
                }
                if turn > 0 {
                    samples.push(began.elapsed());
                }
            }
        }
    }
    samples.iter_mut().for_each(|samples| samples.sort());
    let at =
        |samples: &[Duration], share: f64| samples[((samples.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{:<34} {:>7} {:>9} {:>9} {:>10}", "", "samples", "p50 ms", "p99 ms", "p50/floor");
    for (name, row) in
        ["floor: eight commits", "four steps in a line", "the same, ordinary client"].iter().zip(&samples)
    {
        let ratio = at(row, 0.5) / at(&samples[0], 0.5);
        println!("{name:<34} {:>7} {:>9.3} {:>9.3} {ratio:>10.2}", row.len(), at(row, 0.5), at(row, 0.99));
    }
    let before = resident(host.pid())?;
    println!("{:<34} {:>12} {:>12} {:>12} {:>12}", "", "seconds", "µs a task", "over tasks", "statements");
    let mut alone = None;
    let mut row = |name: String, work: &mut dyn FnMut() -> Result<()>| -> Result<()> {
        let (said, began) = (statements()?, Instant::now());
        work()?;
        let took = began.elapsed().as_secs_f64();
        let asked = statements()?.zip(said).map_or("-".to_owned(), |(now, before)| (now - before).to_string());
        let (each, over) = (took * 1e6 / wide as f64, took / *alone.get_or_insert(took));
        println!("{name:<34} {took:>12.3} {each:>12.1} {over:>12.2} {asked:>12}");
        Ok(())
    };
    row(format!("{wide} tasks in one request"), &mut || many_tasks(&mut client, wide))?;
    row(format!("a diamond of {wide} steps"), &mut || one_workflow(&mut client, "diamond"))?;
    row(format!("a list of {wide}, and a join"), &mut || one_workflow(&mut client, "list"))?;
    println!("resident: {} MiB before, {} MiB after", before >> 10, resident(host.pid())? >> 10);
    ensure!(host.stop() == Some(0), "the host did not stop in order");
    Ok(())
}

fn one_workflow(client: &mut Client, template: &str) -> Result<()> {
    let begun = client.ask("POST", "/v1/workflows", &format!(r#"{{"template":"{template}","input":{{"n":1}}}}"#))?;
    let id = begun.get("id").and_then(Value::as_str).with_context(|| format!("no id: {begun}"))?;
    let ended = client.ask("GET", &format!("/v1/workflows/{id}?wait=50s"), "")?;
    match ended.get("state").and_then(Value::as_str) {
        Some("succeeded") => Ok(()),
        state => bail!("the workflow is {state:?}"),
    }
}

/// As many tasks of their own, submitted at once; until the last has ended.
fn many_tasks(client: &mut Client, count: usize) -> Result<()> {
    let task = r#"{"kind":"NOOP","payload":{"n":1}}"#;
    let tasks = vec![task; count].join(",");
    let accepted = client.ask("POST", "/v1/tasks", &format!("[{tasks}]"))?;
    ensure!(accepted.get("accepted").and_then(Value::as_u64) == Some(count as u64), "{accepted}");
    let began = Instant::now();
    loop {
        let open = client.ask("GET", "/v1/tasks?state=ready,running&count=true", "")?;
        if open.get("count").and_then(Value::as_u64) == Some(0) {
            return Ok(());
        }
        // Counting is work, too.
        std::thread::sleep((began.elapsed() / 20).max(Duration::from_millis(5)));
    }
}
