//! Every check and test.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::chore::cargo;
use crate::docker::{self, Engine};
use crate::host::TEST_HOOKS;
use crate::pgbouncer::{self, Pooler};
use crate::postgres::{self, Cluster};
use crate::steps::Steps;
use crate::{check, guests, handlers, host, languages, tools};

/// Formats are checked, lints are clean, and every test passes: of the workspace, of the SDK, of handlers and examples,
/// and of the whole system.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::of("test");
    tools::set_up(&mut steps)?;
    let promtool = tools::promtool(&mut steps);
    let python = tools::python(&mut steps);
    check::format_and_lints(&mut steps)?;
    let guests = guests::build(&mut steps)?;
    let built = handlers::build(&mut steps)?;
    handlers::test(&mut steps)?;
    let host = host::build_with_tests(&mut steps)?;
    // Those whose tools cannot be had here are said to be skipped, there and by their tests.
    let (languages, _) = languages::build(&mut steps)?;
    let cluster = Cluster::start(&mut steps)?;
    let pooler = Pooler::start(&mut steps, &cluster)?;
    let engine = Engine::start(&mut steps);
    let mut tests = workspace_tests();
    places(&mut tests, &guests, &built, &host);
    tests.env("BULKHEAD_TEST_LANGUAGES", languages);
    tests.env(postgres::ADDRESS, cluster.url());
    if let Some(pooler) = &pooler {
        tests.env(pgbouncer::ADDRESS, pooler.url());
    }
    if let Some(engine) = &engine {
        tests.env(docker::SOCKET, engine.socket());
    }
    if let Some(promtool) = &promtool {
        tests.env("PROMTOOL", promtool);
    }
    if let Some(python) = &python {
        tests.env("PYTHON", python);
    }
    steps.run("tests", &mut tests)?;
    drop((engine, pooler, cluster));
    steps.run(
        "documentation tests",
        cargo(&["test", "--quiet", "--locked", "--workspace", "--features", TEST_HOOKS, "--doc"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    steps.finish();
    Ok(())
}

/// Every test of the workspace but those in documentation, which nextest does not know.
pub(crate) fn workspace_tests() -> Command {
    let mut tests = if tools::has_nextest() {
        cargo(&["nextest", "run", "--locked", "--workspace", "--no-fail-fast", "--status-level", "slow"])
    } else {
        cargo(&["test", "--quiet", "--locked", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"])
    };
    tests.args(["--features", TEST_HOOKS]);
    tests
}

/// Where a program of the tests is told to find things; see `tests/src/places.rs`.
pub(crate) fn places<'a>(command: &'a mut Command, guests: &Path, handlers: &Path, host: &Path) -> &'a mut Command {
    command.env("BULKHEAD_GUESTS", guests).env("BULKHEAD_TEST_HANDLERS", handlers).env("BULKHEAD_TEST_HOST", host)
}
