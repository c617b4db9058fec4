//! The tests that need a real GPU.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::chore::cargo;
use crate::steps::{Steps, say};
use crate::tools;

/// What a test says that finds no NVML; see `host/delegates/gpu/tests/real_gpu.rs`.
const SKIPPED: &str = "skipped: no NVML";

/// Runs them where NVML answers; says that they are skipped where it does not, which fails only where it is `required`.
pub(crate) fn run(required: bool) -> Result<()> {
    let mut steps = Steps::of("test-gpu");
    tools::set_up(&mut steps)?;
    let skipped = steps.time("tests on a GPU", tests)?;
    match skipped {
        Some(why) if required => bail!("{why}\nnext: run it on a machine with an NVIDIA driver, or without --required"),
        Some(why) => steps.skip(why.strip_prefix("skipped: ").unwrap_or(&why)),
        None => {}
    }
    steps.finish();
    Ok(())
}

/// Runs the tests; gives what they say where there is no GPU.
fn tests() -> Result<Option<String>> {
    let test = ["test", "--quiet", "--locked", "--package", "bulkhead-gpu", "--test", "real_gpu"];
    let mut tests = cargo(&test);
    // One after the other: a lease of one would have another wait, and each says what it found.
    tests.args(["--", "--ignored", "--nocapture", "--test-threads=1"]).stderr(Stdio::piped());
    let mut running = tests.spawn().with_context(|| format!("cannot start {tests:?}"))?;
    let mut skipped = None;
    for line in BufReader::new(running.stderr.take().context("no pipe")?).lines() {
        let line = line?;
        if line.starts_with(SKIPPED) {
            // Each test says so; once is enough.
            skipped = Some(line);
        } else {
            say(line);
        }
    }
    let status = running.wait()?;
    if !status.success() {
        bail!("{status}: {tests:?}");
    }
    Ok(skipped)
}
