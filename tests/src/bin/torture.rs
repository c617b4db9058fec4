//! `cargo xtask torture`: kills the host and counts what became of every task.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use bulkhead_tests::torture::{Plan, torture};
use clap::Parser;

/// Kills the host again and again while it works, and counts what became of every task.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask torture", bin_name = "cargo xtask torture --")]
struct Arguments {
    /// Where chance begins; a new one each time where it is not given.
    #[arg(long)]
    seed: Option<u64>,
    /// How many tasks.
    #[arg(long, default_value_t = 20_000)]
    tasks: usize,
    /// How often the host ends at a named place.
    #[arg(long, default_value_t = 10)]
    named: usize,
    /// How often it is killed at random.
    #[arg(long, default_value_t = 10)]
    random: usize,
    /// Again with the next seed until so many minutes have passed.
    #[arg(long, default_value_t = 0)]
    minutes: u64,
}

#[expect(clippy::print_stdout, reason = "a program whose output is its purpose")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let until = Instant::now() + Duration::from_secs(arguments.minutes * 60);
    let first = arguments.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    for seed in first.. {
        let plan = Plan::new(seed, arguments.tasks, arguments.named, arguments.random);
        let done = torture(&plan, &mut |line| println!("{line}")).and_then(|ledger| ledger.check());
        if let Err(error) = done {
            println!("FAILED with seed {seed}: {error:#}");
            return ExitCode::FAILURE;
        }
        if Instant::now() >= until {
            break;
        }
    }
    ExitCode::SUCCESS
}
