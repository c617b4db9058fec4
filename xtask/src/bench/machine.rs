//! The machine, the versions and the settings that figures belong to.

use std::fmt::Write;
use std::process::Command;

use anyhow::Result;

use crate::chore::root;

/// The head of the table.
pub(crate) fn describe(quick: bool) -> Result<String> {
    let mut head = String::from("# Benchmarks\n\n");
    if quick {
        head.push_str("A smoke run: it shows that the benchmarks work, and no more.\n\n");
    }
    let facts = [
        ("processor", processor()),
        ("cores", std::thread::available_parallelism().map_or_else(|_| "?".to_owned(), |cores| cores.to_string())),
        ("memory", first_line("/proc/meminfo").replace("MemTotal:", "").trim().to_owned()),
        ("kernel", first_line("/proc/version").split(" (").next().unwrap_or_default().to_owned()),
        ("rustc", said_by("rustc", &["--version"])),
        ("commit", said_by("git", &["describe", "--always", "--dirty"])),
        ("wasmtime", locked("wasmtime")),
        ("rusqlite", locked("rusqlite")),
        ("profile", "release; SQLite in WAL mode with synchronous=FULL; fuel, epoch and memory limits on".to_owned()),
    ];
    head.push_str("| | |\n|---|---|\n");
    for (name, value) in facts {
        writeln!(head, "| {name} | {value} |")?;
    }
    Ok(head)
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("model name"));
    line.map_or_else(|| std::env::consts::ARCH.to_owned(), |name| name.trim_start_matches([' ', '\t', ':']).to_owned())
}

fn first_line(file: &str) -> String {
    std::fs::read_to_string(file).unwrap_or_default().lines().next().unwrap_or("?").to_owned()
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    output.map_or_else(|_| "?".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The version of a crate that Cargo.lock names.
fn locked(name: &str) -> String {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap_or_default();
    let start = format!("name = \"{name}\"\nversion = \"");
    let version = lock.split_once(&start).and_then(|(_, rest)| rest.split('"').next());
    version.unwrap_or("?").to_owned()
}
