//! Measures, and writes the table.
//!
//! Every figure is a ratio between two things that took turns in the same run, so that a machine that drifts drifts for
//! both; see docs/benchmarks.md.

mod latency;
mod machine;
mod peers;

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::chore::{cargo, target};
use crate::postgres::Cluster;
use crate::steps::{Steps, say};
use crate::{guests, host, languages, tools};

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
    Bench { name: "b5", title: "B5 · submit → succeeded over HTTP on an idle host, against two fsyncs", run: b5 },
    Bench { name: "b9", title: "B9 · memory of a host, and of each suspended sandbox", run: b9 },
    Bench { name: "b10", title: "B10 · from the start of the process to the first task done, warm cache", run: b10 },
    Bench { name: "b11", title: "B11 · from a changed file to the first task on it, under full load", run: b11 },
    Bench { name: "b12", title: "B12 · a run in Python and in JavaScript, against a bare wasmtime loop", run: b12 },
    Bench { name: "b15", title: "B15 · fuel and epochs on guests that compute, against neither", run: b15 },
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
    let server = Cluster::start_own(steps)?;
    let place = [("BULKHEAD_BENCH_POSTGRES", PathBuf::from(server.url()))];
    cargo_bench_with(steps, "bulkhead-worker", "durable", quick, &place)
}

fn b5(steps: &mut Steps, quick: bool) -> Result<String> {
    let host = host::build_release(steps)?;
    let guests = guests::build(steps)?;
    steps.time("b5", || latency::measure(&host, &guests.join("noop.wasm"), quick))
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
