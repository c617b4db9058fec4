//! What is installed inside the target folder, once for each version.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::chore::root;
use crate::debian::apt_install;
use crate::steps::Steps;
use crate::tools::quietly;

/// Beside what was installed: what that was.
const STAMP: &str = ".installed";

/// Makes the folder anew, unless it was made from the same.
pub(crate) fn install(
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

/// A virtual environment with pip in it.
pub(crate) fn virtual_environment(folder: &Path) -> Result<()> {
    // Debian has them in a package of their own; `ensurepip` is what it takes out.
    if !quietly(Command::new("python3").args(["-c", "import ensurepip, venv"])) && !apt_install(&["python3-venv"]) {
        bail!("python3 or its module venv is missing\nnext: apt-get install python3-venv");
    }
    succeed(Command::new("python3").args(["-m", "venv"]).arg(folder), folder)
}

/// These folders before all others.
pub(crate) fn path(folders: &[PathBuf]) -> OsString {
    let before = folders.iter().cloned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(before.chain(std::env::split_paths(&path))).unwrap_or(path)
}

/// The texts of these files of the repository, one after the other.
pub(crate) fn read(files: &[impl AsRef<Path>]) -> Result<String> {
    let text = |file: &Path| std::fs::read_to_string(root().join(file)).with_context(|| file.display().to_string());
    files.iter().map(|file| text(file.as_ref())).collect()
}

pub(crate) fn succeed(command: &mut Command, folder: &Path) -> Result<()> {
    let status = command.current_dir(folder).status().with_context(|| format!("cannot start {command:?}"))?;
    if status.success() { Ok(()) } else { bail!("{status}: {command:?}") }
}
