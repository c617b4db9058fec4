//! Measures, and writes the table.
//!
//! Every figure is a ratio between two things that took turns in the same run, so that a machine that drifts drifts for
//! both; see docs/benchmarks.md.

mod machine;
mod peers;

use std::fmt::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::chore::{cargo, target};
use crate::docker::{self, Engine};
use crate::postgres::Cluster;
use crate::steps::{Steps, say};
use crate::{guests, host, languages, postgres, tools};

/// One benchmark.
struct Bench {
    name: &'static str,
    title: &'static str,
    run: fn(&mut Steps, bool) -> Result<String>,
}

/// Other task queues: they are installed first and measured for long, so they are left out where nothing is named.
const PEERS: &str = "peers";

const BENCHES: &[Bench] = &[
    Bench { name: "b1", title: "B1 · one run in a fresh sandbox, against a bare wasmtime loop", run: b1 },
    Bench { name: "b2", title: "B2 · durable no-op tasks on SQLite, against B1's bare loop", run: b2 },
    Bench { name: "b4", title: "B4 · durable no-op tasks on PostgreSQL, against B1's bare loop", run: b4 },
    Bench { name: "b5", title: "B5 · submit → succeeded over HTTP on an idle host, against two commits", run: b5 },
    Bench {
        name: "b6",
        title: "B6 · a workflow of four steps over HTTP on an idle host, against eight commits",
        run: b6,
    },
    Bench { name: "b7", title: "B7 · claim and commit with a thousand tasks queued, and with ten million", run: b7 },
    Bench { name: "b8", title: "B8 · ten minutes on PostgreSQL while nothing can be vacuumed", run: b8 },
    Bench { name: "b9", title: "B9 · memory of a host, and of each suspended sandbox", run: b9 },
    Bench { name: "b10", title: "B10 · from the start of the process to the first task done, warm cache", run: b10 },
    Bench { name: "b11", title: "B11 · from a changed file to the first task on it, under full load", run: b11 },
    Bench { name: "b12", title: "B12 · a run in Python and in JavaScript, against a bare wasmtime loop", run: b12 },
    Bench { name: "b13", title: "B13 · a container as a task, against `docker run --rm`", run: b13 },
    Bench { name: "b14", title: "B14 · two hosts on one PostgreSQL, tasks that compute, against one host", run: b14 },
    Bench { name: "b15", title: "B15 · fuel and epochs on guests that compute, against neither", run: b15 },
    Bench { name: "b16", title: "B16 · what a task costs the database", run: b16 },
    Bench {
        name: PEERS,
        title: "Peers · drain of a preloaded backlog, and latency of one task at a time",
        run: peers::measure,
    },
];

/// Runs those that are named, or all.
pub(crate) fn run(quick: bool, names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|bench| bench.name != name.as_str())) {
        let names: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
        bail!("there is no benchmark `{unknown}`; there are: {}", names.join(" "));
    }
    let mut steps = Steps::of("bench");
    tools::set_up(&mut steps)?;
    let mut page = machine::describe(quick)?;
    let chosen = |bench: &&Bench| match names {
        [] => bench.name != PEERS,
        names => names.iter().any(|name| name == bench.name),
    };
    for bench in BENCHES.iter().filter(chosen) {
        let figures = (bench.run)(&mut steps, quick)?;
        write!(page, "\n## {}\n\n```text\n{}\n```\n", bench.title, figures.trim_end())?;
    }
    let file = target().join("bench").join(if quick { "quick.md" } else { "benchmarks.md" });
    std::fs::create_dir_all(file.parent().context("the file has a folder")?)?;
    std::fs::write(&file, &page)?;
    say(format_args!("\n{page}\nwritten to {}", file.display()));
    steps.finish();
    Ok(())
}

fn b1(steps: &mut Steps, quick: bool) -> Result<String> {
    cargo_bench(steps, "bulkhead-sandbox", "sandbox", quick)
}

fn b2(steps: &mut Steps, quick: bool) -> Result<String> {
    cargo_bench(steps, "bulkhead-worker", "durable", quick)
}

fn b4(steps: &mut Steps, quick: bool) -> Result<String> {
    postgres_bench(steps, "bulkhead-worker", "durable", quick)
}

fn b5(steps: &mut Steps, quick: bool) -> Result<String> {
    postgres::programs(steps)?;
    host_bench(steps, "latency", quick)
}

fn b6(steps: &mut Steps, quick: bool) -> Result<String> {
    postgres::programs(steps)?;
    host_bench(steps, "workflows", quick)
}

fn b7(steps: &mut Steps, quick: bool) -> Result<String> {
    let sqlite = cargo_bench(steps, "bulkhead-store", "queued", quick)?;
    let postgres = postgres_bench(steps, "bulkhead-store", "queued", quick)?;
    Ok(format!("SQLite\n{sqlite}\nPostgreSQL\n{postgres}"))
}

fn b8(steps: &mut Steps, quick: bool) -> Result<String> {
    postgres_bench(steps, "bulkhead-store", "held", quick)
}

fn b13(steps: &mut Steps, quick: bool) -> Result<String> {
    let engine = Engine::start(steps).context("there is no docker engine, and none can be started")?;
    let host = host::build_release(steps)?;
    let places = [("BULKHEAD_TEST_HOST", host), (docker::SOCKET, engine.socket().to_owned())];
    cargo_bench_with(steps, "bulkhead-tests", "containers", quick, &places)
}

fn b14(steps: &mut Steps, quick: bool) -> Result<String> {
    postgres::programs(steps)?;
    host_bench(steps, "hosts", quick)
}

fn b16(steps: &mut Steps, quick: bool) -> Result<String> {
    let sqlite = cargo_bench(steps, "bulkhead-store", "drain", quick)?;
    let syncs = counted_syncs(steps, quick)?;
    let server = Cluster::start_own_with(steps, &["shared_preload_libraries=pg_stat_statements"])?;
    let mut psql = Command::new(postgres::programs(steps)?.join("psql"));
    psql.args(["--quiet", "--dbname", server.url(), "--command", "CREATE EXTENSION pg_stat_statements"]);
    steps.run("pg_stat_statements", &mut psql)?;
    let postgres = postgres_bench_on(steps, &server, "bulkhead-store", "drain", quick)?;
    Ok(format!("SQLite\n{sqlite}{syncs}\nPostgreSQL\n{postgres}"))
}

/// How often the same on SQLite has the system write through, counted by strace where that is installed.
fn counted_syncs(steps: &mut Steps, quick: bool) -> Result<String> {
    if !tools::quietly(Command::new("strace").arg("--version")) {
        steps.skip("counting fsyncs: there is no strace");
        return Ok(String::new());
    }
    let folder = tempfile::tempdir()?;
    let counts = folder.path().join("counts");
    let runner = format!("strace -f -qq -c -e trace=fsync,fdatasync -o {}", counts.display());
    let place = [("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", PathBuf::from(runner))];
    cargo_bench_with(steps, "bulkhead-store", "drain", quick, &place)?;
    let text = std::fs::read_to_string(&counts)?;
    // "% time, seconds, usecs/call, calls, errors, syscall", and a row for the sum.
    let sum = text.lines().find(|line| line.trim_end().ends_with("total")).context("strace says no sum")?;
    let calls: u64 = sum.split_whitespace().nth(3).context("strace says no calls")?.parse()?;
    Ok(format!("for all of these tasks, submitted 5,000 at a time: {calls} fsyncs\n"))
}

fn b9(steps: &mut Steps, quick: bool) -> Result<String> {
    host_bench(steps, "memory", quick)
}

fn b10(steps: &mut Steps, quick: bool) -> Result<String> {
    host_bench(steps, "start", quick)
}

fn b11(steps: &mut Steps, quick: bool) -> Result<String> {
    host_bench(steps, "reload", quick)
}

fn b12(steps: &mut Steps, quick: bool) -> Result<String> {
    let languages = languages::all(steps)?;
    cargo_bench_with(steps, "bulkhead-sandbox", "languages", quick, &[("BULKHEAD_TEST_LANGUAGES", languages)])
}

fn b15(steps: &mut Steps, quick: bool) -> Result<String> {
    cargo_bench(steps, "bulkhead-sandbox", "metering", quick)
}

/// Runs a benchmark of whole hosts, which are those that people use.
fn host_bench(steps: &mut Steps, name: &str, quick: bool) -> Result<String> {
    let host = host::build_release(steps)?;
    cargo_bench_with(steps, "bulkhead-tests", name, quick, &[("BULKHEAD_TEST_HOST", host)])
}

/// Runs a benchmark on an empty PostgreSQL of its own.
fn postgres_bench(steps: &mut Steps, package: &str, name: &str, quick: bool) -> Result<String> {
    let server = Cluster::start_own(steps)?;
    postgres_bench_on(steps, &server, package, name, quick)
}

fn postgres_bench_on(steps: &mut Steps, server: &Cluster, package: &str, name: &str, quick: bool) -> Result<String> {
    let place = [("BULKHEAD_BENCH_POSTGRES", PathBuf::from(server.url()))];
    cargo_bench_with(steps, package, name, quick, &place)
}

/// Runs a benchmark of the workspace and gives what it prints.
fn cargo_bench(steps: &mut Steps, package: &str, name: &str, quick: bool) -> Result<String> {
    cargo_bench_with(steps, package, name, quick, &[])
}

fn cargo_bench_with(
    steps: &mut Steps,
    package: &str,
    name: &str,
    quick: bool,
    places: &[(&str, PathBuf)],
) -> Result<String> {
    let guests = guests::build(steps)?;
    let mut bench = cargo(&["bench", "--quiet", "--locked", "--package", package, "--bench", name]);
    bench.env("BULKHEAD_GUESTS", guests).envs(places.iter().cloned()).stderr(Stdio::inherit());
    if quick {
        bench.env("BULKHEAD_BENCH_QUICK", "1");
    }
    steps.time(&format!("{package} {name}"), || {
        let output = bench.output().with_context(|| format!("cannot start {bench:?}"))?;
        if !output.status.success() {
            bail!("{}: {bench:?}", output.status);
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    })
}
