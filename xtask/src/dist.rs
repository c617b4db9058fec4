//! What is given away: the release binary, the built-in handlers, licences and first steps, in one archive.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::chore::{root, target};
use crate::steps::{Steps, say};
use crate::{handlers, host, tools};

/// Builds `<target>/dist/bulkhead-VERSION-HOST.tar.gz`.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::of("dist");
    tools::set_up(&mut steps)?;
    let components = handlers::build(&mut steps)?;
    let binary = host::build_release(&mut steps)?;
    let name = format!("bulkhead-{}-{}-{}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS);
    let parent = target().join("dist");
    let folder = parent.join(&name);
    let archive = parent.join(format!("{name}.tar.gz"));
    steps.time("archive", || {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("handlers"))?;
        copy(&binary, &folder.join("bulkhead"))?;
        for handler in handlers::built_in()? {
            let file = format!("{handler}.wasm");
            copy(&components.join(&file), &folder.join("handlers").join(&file))?;
        }
        for file in ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            copy(&root().join(file), &folder.join(file))?;
        }
        let mut tar = Command::new("tar");
        tar.args(["--owner=0", "--group=0", "--sort=name", "-czf"]).arg(&archive);
        let status = tar.arg("-C").arg(&parent).arg(&name).status().context("cannot start tar")?;
        anyhow::ensure!(status.success(), "tar: {status}");
        Ok(())
    })?;
    say(format_args!("{}", archive.display()));
    steps.finish();
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to).with_context(|| format!("cannot copy `{}`", from.display()))?;
    Ok(())
}
