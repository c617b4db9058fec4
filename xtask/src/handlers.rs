//! The built-in handlers and the handlers of the examples: workspaces of their own, built for the sandbox.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::chore::{WASM, cargo_in, root, target};
use crate::steps::Steps;

/// Where they are built, inside the target folder.
pub(crate) const INTO: &str = "handlers";

/// Builds them all; gives the folder that holds the components.
pub(crate) fn build(steps: &mut Steps) -> Result<PathBuf> {
    for workspace in workspaces()? {
        let build = ["build", "--quiet", "--locked", "--release", "--target", WASM];
        steps.run(&label(&workspace), cargo_in(&workspace, INTO, &build).env_remove("RUSTFLAGS"))?;
    }
    let built = target().join(INTO).join(WASM).join("release");
    steps.time("names of handlers", || name_all(&built))?;
    Ok(built)
}

/// Gives each built-in handler the name of its folder, by which it is called; cargo writes it with underscores.
fn name_all(built: &Path) -> Result<()> {
    for name in built_in()? {
        let (written, named) =
            (built.join(format!("{}.wasm", name.replace('-', "_"))), built.join(format!("{name}.wasm")));
        if written != named {
            std::fs::copy(&written, &named).with_context(|| format!("cannot copy `{}`", written.display()))?;
        }
    }
    Ok(())
}

/// The names of the built-in handlers: every folder of `handlers/` that says what it is, `shared` aside.
pub(crate) fn built_in() -> Result<Vec<String>> {
    let folders = crates_in(&root().join("handlers"))?;
    let names = folders.iter().filter(|folder| folder.join("README.md").is_file());
    Ok(names.filter_map(|folder| Some(folder.file_name()?.to_str()?.to_owned())).collect())
}

/// Lints and tests them as ordinary Rust, with the SDK's test kit.
pub(crate) fn test(steps: &mut Steps) -> Result<()> {
    for workspace in workspaces()? {
        let name = label(&workspace);
        steps.run(&format!("{name} natively"), &mut cargo_in(&workspace, INTO, &["test", "--quiet", "--locked"]))?;
    }
    Ok(())
}

/// Formats and lints.
pub(crate) fn check(steps: &mut Steps) -> Result<()> {
    for workspace in workspaces()? {
        let name = label(&workspace);
        let format = ["fmt", "--all", "--check"];
        steps.run(&format!("{name} format"), crate::chore::cargo(&format).current_dir(&workspace))?;
        let mut lints = cargo_in(&workspace, INTO, &["clippy", "--quiet", "--locked", "--all-targets"]);
        steps.run(&format!("{name} lints"), lints.args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

/// `handlers/` where it is one workspace, else each crate in it; and each crate of `examples/`.
pub(crate) fn workspaces() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let handlers = root().join("handlers");
    if handlers.join("Cargo.toml").is_file() {
        found.push(handlers);
    } else {
        found.append(&mut crates_in(&handlers)?);
    }
    found.append(&mut crates_in(&root().join("examples"))?);
    Ok(found)
}

fn crates_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.join("Cargo.toml").is_file()).collect();
    found.sort();
    Ok(found)
}

fn label(workspace: &Path) -> String {
    workspace.strip_prefix(root()).unwrap_or(workspace).display().to_string()
}
