//! A bounded run of each fuzz target of `fuzz/`, on the toolchain that everything else is built with.
//!
//! `cargo fuzz` does the same with its own words where it is there; this needs nothing but a C++ compiler.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::chore::{cargo_in, root, target};
use crate::steps::{Steps, say};
use crate::tools;

/// Where all of it goes, inside the target folder.
const INTO: &str = "fuzz";
/// An input that takes longer than this counts as one that hangs, in seconds.
const HANG: u32 = 20;
/// An input that takes more memory than this counts as one that eats it, in MiB; the sanitizer's own is in it.
const MEMORY: u32 = 4096;
/// So much of a log is shown with a finding, in lines.
const WORDS: usize = 4;
const FRAMES: usize = 12;
/// What is in the path of our own code, and of no crate's.
const OURS: [&str; 2] = ["/host/", "/fuzz/"];

/// What `cargo fuzz` sets: code that counts its edges and shows its comparisons, under the address sanitizer.
const RUSTFLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0 \
    -Zsanitizer=address --cfg fuzzing";

/// What came of one target.
struct Fed {
    executions: u64,
    seconds: f64,
    edges: u64,
    finding: Option<Finding>,
}

/// An input that broke something.
struct Finding {
    input: Option<PathBuf>,
    log: PathBuf,
}

/// Builds the targets and feeds each of those named, or all, for so many seconds.
pub(crate) fn run(seconds: u64, names: &[String]) -> Result<()> {
    let mut steps = Steps::of("fuzz");
    tools::set_up(&mut steps)?;
    tools::need_cpp()?;
    let targets = chosen(names)?;
    let triple = tools::host_triple()?;
    let mut build = cargo_in(&folder(), INTO, &["build", "--quiet", "--locked", "--release", "--target", &triple]);
    // The flags need an unstable compiler, or one that is told to be.
    build.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", RUSTFLAGS);
    build.args(targets.iter().flat_map(|name| ["--bin", name]));
    steps.run("fuzz targets", &mut build)?;
    let programs = target().join(INTO).join(&triple).join("release");
    let mut findings = Vec::new();
    for name in &targets {
        let fed = steps.time(name, || feed(&programs.join(name), name, seconds))?;
        say(format_args!(
            "{name}: {} executions in {:.0} s, {:.0}/s, {} edges, {}",
            fed.executions,
            fed.seconds,
            fed.executions as f64 / fed.seconds.max(0.001),
            fed.edges,
            if fed.finding.is_some() { "A FINDING" } else { "no findings" }
        ));
        if let Some(Finding { input, log }) = fed.finding {
            say(words(&String::from_utf8_lossy(&std::fs::read(&log)?)));
            let input = input.map_or_else(|| "no input was left".to_owned(), |input| input.display().to_string());
            findings.push(format!("{name}: {input} (log: {})", log.display()));
        }
    }
    if !findings.is_empty() {
        bail!(
            "found:\n{}\nnext: run the program in `{}` with that file as its argument",
            findings.join("\n"),
            programs.display()
        );
    }
    steps.finish();
    Ok(())
}

fn folder() -> PathBuf {
    root().join("fuzz")
}

/// The targets that were named, or all that there are.
fn chosen(names: &[String]) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder().join("fuzz_targets")).context("cannot read `fuzz/fuzz_targets`")?;
    let files = entries.flatten().map(|entry| entry.path());
    let stem = |file: PathBuf| file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let mut all: Vec<String> =
        files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).filter_map(stem).collect();
    all.sort();
    if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
        bail!("there is no fuzz target `{unknown}`; there are: {}", all.join(" "));
    }
    Ok(if names.is_empty() { all } else { names.to_vec() })
}

/// Feeds one target, and reads from its log what came of it.
fn feed(program: &Path, name: &str, seconds: u64) -> Result<Fed> {
    let place = |what: &str| target().join(INTO).join(what).join(name);
    let (corpus, artifacts) = (place("corpus"), place("artifacts"));
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&artifacts)?;
    let log = artifacts.with_extension("log");
    let mut fuzzer = Command::new(program);
    fuzzer
        .args([&corpus, &folder().join("seeds").join(name)])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={HANG}"))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        // Threads that outlive an input hold memory, which is no leak.
        .arg("-detect_leaks=0")
        .arg("-print_final_stats=1")
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        // SQLite's own C code names two of its constants alike; `cargo fuzz` sets the same.
        .env("ASAN_OPTIONS", "detect_odr_violation=0")
        .current_dir(&artifacts)
        .stdout(File::create(&log)?)
        .stderr(File::options().append(true).open(&log)?);
    let dictionary = folder().join("dictionaries").join(format!("{name}.dict"));
    if dictionary.is_file() {
        fuzzer.arg(format!("-dict={}", dictionary.display()));
    }
    let began = Instant::now();
    let status = fuzzer.status().with_context(|| format!("cannot start {fuzzer:?}"))?;
    let seconds = began.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    let finding = (!status.success()).then(|| {
        let written = text.lines().rev().find_map(|line| line.split("Test unit written to ").nth(1));
        Finding { input: written.map(PathBuf::from), log }
    });
    Ok(Fed { executions: executions(&text), seconds, edges: last_number(&text, " cov: "), finding })
}

/// Said at the end where the run was whole, else counted in front of each line.
fn executions(log: &str) -> u64 {
    let whole = last_number(log, "stat::number_of_executed_units: ");
    let counted = log.lines().filter_map(|line| line.strip_prefix('#')?.split_whitespace().next()?.parse().ok());
    counted.fold(whole, u64::max)
}

/// The number after the last of these words.
fn last_number(log: &str, words: &str) -> u64 {
    let rest = log.rsplit_once(words).map_or("", |(_, rest)| rest).trim_start();
    rest.split(|letter: char| !letter.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// What a log says of a finding: the first words about it, and where in this repository it was.
fn words(log: &str) -> String {
    let begins = |line: &&str| line.contains(" panicked at ") || line.contains("ERROR: ");
    let first = log.lines().skip_while(|line| !begins(line)).take(WORDS);
    let frames =
        log.lines().filter(|line| line.trim_start().starts_with('#') && OURS.iter().any(|place| line.contains(place)));
    first.chain(frames.take(FRAMES)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_whether_or_not_the_run_was_whole() {
        let broken = "#2\tINITED cov: 12 ft: 13\n#4096\tpulse  cov: 345 ft: 1\n==1== ERROR: x\n";
        assert_eq!((executions(broken), last_number(broken, " cov: ")), (4096, 345));
        assert_eq!(words(broken), "==1== ERROR: x");
        assert_eq!(executions("#8\tDONE cov: 1\nstat::number_of_executed_units: 9\n"), 9);
    }
}
