//! The tools that make components of Python and JavaScript, inside the target folder; nothing of the system is changed
//! but what is missing there for Python.
//!
//! Their versions are those that the examples name, so that what is tested is what a newcomer installs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::chore::target;
use crate::install::{install, path, read, succeed, virtual_environment};
use crate::npm;
use crate::steps::Steps;

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

/// componentize-js, from npm.
pub(crate) fn javascript(steps: &mut Steps) -> Option<Tool> {
    let installed = npm::packages(steps, "javascript-handler", "examples/javascript-handler");
    kept_or_skipped(steps, "handlers in JavaScript", installed, |packages| {
        let folders: Vec<PathBuf> =
            std::iter::once(packages.folder.join("node_modules/.bin")).chain(packages.node).collect();
        Tool { path: path(&folders), version: packages.version }
    })
}

fn kept_or_skipped<I, T>(steps: &mut Steps, what: &str, installed: Result<I>, tool: impl FnOnce(I) -> T) -> Option<T> {
    match installed {
        Ok(installed) => Some(tool(installed)),
        Err(error) => {
            steps.skip(format_args!("{what}: {error:#}"));
            None
        }
    }
}
