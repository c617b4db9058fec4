//! Measures, and writes the table.
//!
//! Every figure is a ratio between two things that took turns in the same run, so that a machine that drifts drifts for
//! both; see docs/benchmarks.md.

mod latency;
mod machine;

use std::fmt::Write;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::chore::{cargo, target};
use crate::steps::{Steps, say};
use crate::{guests, host, tools};

/// One benchmark.
struct Bench {
    name: &'static str,
    title: &'static str,
    run: fn(&mut Steps, bool) -> Result<String>,
}

const BENCHES: [Bench; 3] = [
    Bench { name: "b1", title: "B1 · one run in a fresh sandbox, against a bare wasmtime loop", run: b1 },
    Bench { name: "b2", title: "B2 · durable no-op tasks on SQLite, against B1's bare loop", run: b2 },
    Bench { name: "b5", title: "B5 · submit → succeeded over HTTP on an idle host, against two fsyncs", run: b5 },
];

/// Runs those that are named, or all.
pub(crate) fn run(quick: bool, names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|bench| bench.name != name.as_str())) {
        bail!("there is no benchmark `{unknown}`; there are: b1 b2 b5");
    }
    let mut steps = Steps::of("bench");
    tools::set_up(&mut steps)?;
    let mut page = machine::describe(quick)?;
    for bench in BENCHES.iter().filter(|bench| names.is_empty() || names.iter().any(|name| name == bench.name)) {
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

fn b5(steps: &mut Steps, quick: bool) -> Result<String> {
    let host = host::build_release(steps)?;
    let guests = guests::build(steps)?;
    steps.time("b5", || latency::measure(&host, &guests.join("noop.wasm"), quick))
}

/// Runs a benchmark of the workspace and gives what it prints.
fn cargo_bench(steps: &mut Steps, package: &str, name: &str, quick: bool) -> Result<String> {
    let guests = guests::build(steps)?;
    let mut bench = cargo(&["bench", "--quiet", "--locked", "--package", package, "--bench", name]);
    bench.env("BULKHEAD_GUESTS", guests).stderr(Stdio::inherit());
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
