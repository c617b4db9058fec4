//! What the chores need beyond cargo: found, fetched where that is harmless, or said to be missing.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::chore::{WASM, cargo, root, target};
use crate::debian::apt_install;
use crate::steps::Steps;

/// Sees to it that the toolchain has everything; rustup does not add components and targets to one that is already
/// there, even where rust-toolchain.toml lists them.
pub(crate) fn set_up(steps: &mut Steps) -> Result<()> {
    let needed = [
        ("cc", "C compiler (`cc`), which SQLite and the linker need"),
        ("make", "`make`, which jemalloc is built with"),
    ];
    for (program, what) in needed {
        if !quietly(Command::new(program).arg("--version")) {
            bail!("there is no {what}\nnext: apt-get install gcc libc6-dev make");
        }
    }
    for component in ["rustfmt", "clippy"] {
        let command = component.strip_prefix("rust").unwrap_or(component);
        if !quietly(&mut cargo(&[command, "--version"])) {
            rustup(steps, &["component", "add", component])?;
        }
    }
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()).output()?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    if !sysroot.join("lib/rustlib").join(WASM).is_dir() {
        rustup(steps, &["target", "add", WASM])?;
    }
    Ok(())
}

fn rustup(steps: &mut Steps, arguments: &[&str]) -> Result<()> {
    let mut rustup = Command::new("rustup");
    rustup.args(arguments).current_dir(root());
    steps
        .run(&format!("rustup {}", arguments.join(" ")), &mut rustup)
        .or_else(|error| bail!("{error:#}\nnext: install rustup (https://rustup.rs), or add this by your own means"))
}

/// Sees to it that there is a C++ compiler, which libFuzzer is built with.
pub(crate) fn need_cpp() -> Result<()> {
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    if !quietly(Command::new(&compiler).arg("--version")) {
        let compiler = compiler.display();
        bail!("there is no C++ compiler (`{compiler}`), which libFuzzer needs\nnext: apt-get install g++");
    }
    Ok(())
}

/// What this machine's compiler makes programs for.
pub(crate) fn host_triple() -> Result<String> {
    let said = Command::new("rustc").arg("-vV").current_dir(root()).output()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let triple = said.lines().find_map(|line| line.strip_prefix("host: "));
    triple.map(str::to_owned).context("`rustc -vV` names no host")
}

/// Whether nextest is there; plain `cargo test` does where it is not.
pub(crate) fn has_nextest() -> bool {
    quietly(&mut cargo(&["nextest", "--version"]))
}

/// The program that checks `/metrics`: the one on the path, else the one inside Debian's package, unpacked into the
/// target folder. Nothing is installed and nothing is started.
pub(crate) fn promtool(steps: &mut Steps) -> Option<PathBuf> {
    if quietly(Command::new("promtool").arg("--version")) {
        return Some(PathBuf::from("promtool"));
    }
    let folder = target().join("tools/prometheus");
    let promtool = folder.join("usr/bin/promtool");
    if !promtool.is_file() {
        let fetched = steps.time("fetch promtool", || {
            std::fs::create_dir_all(&folder)?;
            if !fetch(&folder) && quietly(Command::new("apt-get").args(["update", "-qq"])) {
                fetch(&folder);
            }
            Ok(())
        });
        if let Err(error) = fetched {
            steps.skip(format_args!("{error:#}"));
        }
    }
    if quietly(Command::new(&promtool).arg("--version")) {
        return Some(promtool);
    }
    steps.skip("promtool check metrics: install promtool (Debian package prometheus) to have /metrics checked");
    None
}

/// Python 3, which the rendered service is written in; installed where this user may, since Debian has it.
pub(crate) fn python(steps: &mut Steps) -> Option<PathBuf> {
    let python = PathBuf::from("python3");
    if quietly(Command::new(&python).arg("--version")) {
        return Some(python);
    }
    let installed = steps.time("install python3", || Ok(apt_install(&["python3-minimal", "libpython3-stdlib"])));
    if matches!(installed, Ok(true)) && quietly(Command::new(&python).arg("--version")) {
        return Some(python);
    }
    steps.skip("the tests of the rendered service: install python3 to have them run");
    None
}

/// Downloads Debian's package and unpacks it into the folder.
fn fetch(folder: &std::path::Path) -> bool {
    if !quietly(Command::new("apt-get").args(["download", "-qq", "prometheus"]).current_dir(folder)) {
        return false;
    }
    let packages = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    packages.filter(|path| path.extension().is_some_and(|extension| extension == "deb")).any(|package| {
        let unpacked = quietly(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(folder));
        let _ = std::fs::remove_file(package);
        unpacked
    })
}

/// Whether the program starts and is content.
pub(crate) fn quietly(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
