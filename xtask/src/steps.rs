//! One step after the other, each with its time, and a line at the end that adds them up.

use std::fmt::Display;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Tells the person who runs a chore.
#[expect(clippy::print_stderr, reason = "the one mouth of xtask")]
pub(crate) fn say(text: impl Display) {
    eprintln!("{text}");
}

/// The steps of one chore.
#[derive(Debug)]
pub(crate) struct Steps {
    chore: &'static str,
    began: Instant,
    done: Vec<(String, Duration)>,
    skipped: Vec<String>,
}

impl Steps {
    /// Begins a chore.
    pub(crate) fn of(chore: &'static str) -> Self {
        Self { chore, began: Instant::now(), done: Vec::new(), skipped: Vec::new() }
    }

    /// Runs one program, with its output shown.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) -> Result<()> {
        self.time(name, || {
            let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
            if !status.success() {
                bail!("{status}: {command:?}");
            }
            Ok(())
        })
    }

    /// Does one thing.
    pub(crate) fn time<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        say(format_args!("── {name}"));
        let began = Instant::now();
        let done = work();
        let took = began.elapsed();
        let word = if done.is_ok() { "" } else { " FAILED" };
        say(format_args!("── {name}:{word} {:.1} s", took.as_secs_f64()));
        self.done.push((name.to_owned(), took));
        done.with_context(|| format!("{} failed at `{name}`", self.chore))
    }

    /// Remembers what was left out, and says so again at the end.
    pub(crate) fn skip(&mut self, what: impl Display) {
        say(format_args!("── skipped: {what}"));
        self.skipped.push(what.to_string());
    }

    /// Adds it all up.
    pub(crate) fn finish(self) {
        let all = self.began.elapsed();
        let parts: Vec<String> =
            self.done.iter().map(|(name, took)| format!("{name} {:.1} s", took.as_secs_f64())).collect();
        say(format_args!("── {}: {}", self.chore, parts.join(" · ")));
        for what in &self.skipped {
            say(format_args!("── SKIPPED: {what}"));
        }
        let skipped = if self.skipped.is_empty() { String::new() } else { format!(", {} skipped", self.skipped.len()) };
        say(format_args!(
            "── {} passed: {} steps in {} min {:02} s{skipped}",
            self.chore,
            self.done.len(),
            all.as_secs() / 60,
            all.as_secs() % 60
        ));
    }
}
