//! The tests of PostgreSQL on the versions that Debian's stable release does not have.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::install::path;
use crate::postgres::{self, Cluster};
use crate::steps::Steps;
use crate::{guests, handlers, host, npm, test, tools};

/// Those that tests/postgres locks.
pub(crate) const VERSIONS: [u32; 3] = [16, 17, 18];

/// What of the store's suite is of PostgreSQL, and of the system what several hosts and a server are needed for.
const TESTS: &str = "test(postgres) or test(/^(clocks|cut_off|hosts|many_hosts|rolling_upgrade)::/)";

/// Runs them on each version in turn.
pub(crate) fn run(versions: &[u32]) -> Result<()> {
    let mut steps = Steps::of("test-postgres");
    tools::set_up(&mut steps)?;
    if !tools::has_nextest() {
        bail!("cargo-nextest is missing, which chooses the tests\nnext: cargo install cargo-nextest --locked");
    }
    let all = versions.iter().map(|version| programs(&mut steps, *version)).collect::<Result<Vec<_>>>()?;
    let guests = guests::build(&mut steps)?;
    let handlers = handlers::build(&mut steps)?;
    let host = host::build_with_tests(&mut steps)?;
    for (version, programs) in versions.iter().zip(&all) {
        let cluster = Cluster::start_of(&mut steps, programs, &[])?;
        let mut tests = test::workspace_tests();
        test::places(&mut tests, &guests, &handlers, &host).args(["-E", TESTS]);
        // Tests that end a server start one of their own, of the programs that are first on the path.
        tests.env(postgres::ADDRESS, cluster.url()).env("PATH", path(std::slice::from_ref(programs)));
        steps.run(&format!("tests on PostgreSQL {version}"), &mut tests)?;
    }
    steps.finish();
    Ok(())
}

/// The folder of the programs of this version.
fn programs(steps: &mut Steps, version: u32) -> Result<PathBuf> {
    if !VERSIONS.contains(&version) {
        bail!("PostgreSQL {version} is not among {VERSIONS:?}, which tests/postgres locks");
    }
    let packages = npm::packages(steps, "postgres", "tests/postgres")?;
    let programs = packages.folder.join(format!("node_modules/postgres-{version}/native/bin"));
    let asks = programs.join("pg_isready");
    if !asks.exists() {
        // The packages have none, and that of any version can ask.
        symlink(postgres::programs(steps)?.join("pg_isready"), &asks).with_context(|| asks.display().to_string())?;
    }
    Ok(programs)
}
