//! `cargo xtask torture`: long runs that try to break the host.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bulkhead_tests::hostile::{Arena, Guest, rows};
use bulkhead_tests::hosts::{self, hosts};
use bulkhead_tests::killed_workflows::kill_workflows;
use bulkhead_tests::kills::{Engine, Plan, kills};
use bulkhead_tests::{cancels, soak, swaps};
use clap::Parser;

/// Runs of each hostile guest before memory is looked at.
const WARM: usize = 200;

/// Tries to break the host, and says what became of it.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask torture", bin_name = "cargo xtask torture --")]
enum Torture {
    /// Kills the host again and again while it works, and counts what became of every task.
    Kills {
        /// Where chance begins; a new one each time where it is not given.
        #[arg(long)]
        seed: Option<u64>,
        /// On a PostgreSQL server instead of SQLite.
        #[arg(long)]
        postgres: bool,
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
    },
    /// Several hosts on one PostgreSQL: kills, freezes, cuts off and drains them, kills the server, and counts.
    Hosts {
        /// Where chance begins; a new one each time where it is not given.
        #[arg(long)]
        seed: Option<u64>,
        /// How many tasks.
        #[arg(long, default_value_t = 10_000)]
        tasks: usize,
        /// How often something goes wrong.
        #[arg(long, default_value_t = 10)]
        faults: usize,
        /// Again with the next seed until so many minutes have passed.
        #[arg(long, default_value_t = 0)]
        minutes: u64,
    },
    /// Sends every hostile guest, with a good task beside it, and prints how each ended.
    Hostile {
        /// Runs of each guest.
        #[arg(long, default_value_t = 10_000)]
        runs: usize,
        /// Only guests whose name has this in it, and rows that say it.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Swaps handlers all the time under full load, and counts who noticed.
    Swaps {
        /// Where chance begins; a new one each time where it is not given.
        #[arg(long)]
        seed: Option<u64>,
        /// How many swaps.
        #[arg(long, default_value_t = 1000)]
        swaps: usize,
    },
    /// Kills the host again and again while workflows run, and counts what became of every step.
    Workflows {
        /// Where chance begins; a new one each time where it is not given.
        #[arg(long)]
        seed: Option<u64>,
        /// On a PostgreSQL server instead of SQLite.
        #[arg(long)]
        postgres: bool,
        /// How many workflows.
        #[arg(long, default_value_t = 1_000)]
        workflows: usize,
        /// How often the host ends at a named place.
        #[arg(long, default_value_t = 10)]
        named: usize,
        /// How often it is killed at a moment chosen at random.
        #[arg(long, default_value_t = 10)]
        random: usize,
    },
    /// Cancels tasks at random while containers and requests are made for them, and looks what is left.
    Cancels {
        /// Where chance begins; a new one each time where it is not given.
        #[arg(long)]
        seed: Option<u64>,
        /// How many tasks.
        #[arg(long, default_value_t = 1000)]
        tasks: usize,
    },
    /// Good and hostile load side by side: what the good tasks notice, and whether memory stays.
    Soak {
        /// Where chance begins; a new one each time where it is not given.
        #[arg(long)]
        seed: Option<u64>,
        /// Minutes with hostile load; one without comes before them, and one after.
        #[arg(long, default_value_t = 10)]
        minutes: usize,
    },
}

#[expect(clippy::print_stdout, reason = "a program whose output is its purpose")]
fn main() -> ExitCode {
    let done = match Torture::parse() {
        Torture::Kills { seed, postgres, tasks, named, random, minutes } => {
            let until = Instant::now() + Duration::from_secs(minutes * 60);
            let engine = if postgres { Engine::Postgres } else { Engine::Sqlite };
            let first = seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
            kill_until(until, first, |seed| Plan::new(seed, tasks, named, random).on(engine))
        }
        Torture::Workflows { seed, postgres, workflows, named, random } => {
            let engine = if postgres { Engine::Postgres } else { Engine::Sqlite };
            let seed = seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
            let plan = Plan::new(seed, workflows, named, random).with_releases().on(engine);
            kill_workflows(&plan, &mut |line| println!("{line}")).and_then(|ledger| ledger.check())
        }
        Torture::Hosts { seed, tasks, faults, minutes } => {
            let until = Instant::now() + Duration::from_secs(minutes * 60);
            lose_until(until, seed.unwrap_or_else(|| fastrand::u64(..1_000_000)), tasks, faults)
        }
        Torture::Hostile { runs, only } => attack_all(runs, &only),
        Torture::Soak { seed, minutes } => soak_for(seed.unwrap_or_else(|| fastrand::u64(..1_000_000)), minutes),
        Torture::Cancels { seed, tasks } => cancel_all(seed.unwrap_or_else(|| fastrand::u64(..1_000_000)), tasks),
        Torture::Swaps { seed, swaps } => swap_all(seed.unwrap_or_else(|| fastrand::u64(..1_000_000)), swaps),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a program whose output is its purpose")]
fn kill_until(until: Instant, first: u64, plan: impl Fn(u64) -> Plan) -> Result<()> {
    for seed in first.. {
        kills(&plan(seed), &mut |line| println!("{line}"))?.check()?;
        if Instant::now() >= until {
            break;
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a program whose output is its purpose")]
fn lose_until(until: Instant, first: u64, tasks: usize, faults: usize) -> Result<()> {
    for seed in first.. {
        let plan = hosts::Plan::new(seed, tasks, faults);
        hosts(&plan, &mut |line| println!("{line}"))?.check()?;
        if Instant::now() >= until {
            break;
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a program whose output is its purpose")]
fn soak_for(seed: u64, minutes: usize) -> Result<()> {
    println!("seed {seed}\n{}", soak::heading());
    let seen = soak::soak(seed, minutes, Duration::from_secs(60), &mut |stretch| println!("{stretch}"))?;
    println!("{seen}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a program whose output is its purpose")]
fn swap_all(seed: u64, swaps: usize) -> Result<()> {
    println!("seed {seed}: {swaps} swaps");
    let swapped = swaps::swaps(seed, swaps)?;
    println!("{swapped}");
    swapped.check()
}

#[expect(clippy::print_stdout, reason = "a program whose output is its purpose")]
fn cancel_all(seed: u64, tasks: usize) -> Result<()> {
    println!("seed {seed}: {tasks} tasks");
    let cancelled = cancels::cancels(seed, tasks)?.context("there is no docker engine")?;
    println!("{cancelled}");
    cancelled.check(tasks)
}

#[expect(clippy::print_stdout, reason = "a program whose output is its purpose")]
fn attack_all(runs: usize, only: &str) -> Result<()> {
    let arena = Arena::patient()?;
    println!(
        "{:<46} {:<15} {:>6} {:>9} {:>9} {:>9}  ends",
        "what it does", "must end", "runs", "found ms", "canary ms", "memory"
    );
    let mut bad = Vec::new();
    let mut say = |does: &str, must: &str, seen: Result<_>| match seen {
        Ok(seen) => println!("{does:<46} {must:<15} {seen}"),
        Err(error) => {
            println!("{does:<46} {must:<15} FAILED {error:#}");
            bad.push(does.to_owned());
        }
    };
    for file in arena.bad_files()?.iter().filter(|file| file.name.contains(only)) {
        say(file.is, "refused", arena.drop_bad(file, runs.min(5)));
    }
    let chosen = || {
        let all = Guest::ALL.iter().flat_map(|guest| rows(*guest).into_iter().map(|row| (*guest, row)));
        all.filter(|(guest, row)| arena.can(row) && (guest.name().contains(only) || row.does.contains(only)))
    };
    // What is made once, for each row, is there before any is measured.
    for (guest, row) in chosen().filter(|(_, row)| row.most >= WARM) {
        arena.attack(guest, &row, runs.min(WARM))?;
    }
    for (guest, row) in chosen() {
        say(row.does, &row.end.to_string(), arena.attack(guest, &row, runs));
    }
    anyhow::ensure!(bad.is_empty(), "{} did not end as they must: {}", bad.len(), bad.join(", "));
    Ok(())
}
