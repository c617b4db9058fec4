//! The Docker engine of the machine, and an image for it that is made here.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::skipped;

/// Where the engine is; `cargo xtask test` sets it.
const SOCKET: &str = "BULKHEAD_TEST_DOCKER_SOCKET";
const USUAL: &str = "/var/run/docker.sock";

/// The image that [`Engine::find`] makes: busybox, and nothing else.
pub const IMAGE: &str = "bulkhead-test-busybox:system";

/// An engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    socket: PathBuf,
}

impl Engine {
    /// The engine with the image in it; none where there is no engine, which is said, and a failure with `CI=true`.
    ///
    /// # Panics
    ///
    /// Where there must be one, and where the image cannot be made.
    pub fn find() -> Option<Self> {
        static MADE: OnceLock<()> = OnceLock::new();
        let engine = Self { socket: std::env::var_os(SOCKET).unwrap_or_else(|| USUAL.into()).into() };
        if let Err(error) = engine.ask(&["version"]) {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "no docker engine: {error:#}");
            skipped("no docker engine");
            return None;
        }
        MADE.get_or_init(|| engine.make_image().expect("the image is made"));
        Some(engine)
    }

    /// Where it is asked.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The containers of a task, running or not.
    ///
    /// # Panics
    ///
    /// Where the engine does not answer.
    pub fn containers_of(&self, task: &str) -> usize {
        self.containers_labelled(&format!("bulkhead.task={task}"))
    }

    /// The containers with this label, running or not.
    ///
    /// # Panics
    ///
    /// Where the engine does not answer.
    pub fn containers_labelled(&self, label: &str) -> usize {
        let filter = format!("label={label}");
        self.ask(&["ps", "--all", "--quiet", "--filter", &filter]).expect("a list").lines().count()
    }

    /// How many containers there are of any of these tasks.
    pub fn containers_among(&self, tasks: &HashSet<String>) -> Result<usize> {
        let listed = self.ask(&["ps", "--all", "--format", "{{.Label \"bulkhead.task\"}}"])?;
        Ok(listed.lines().filter(|task| tasks.contains(*task)).count())
    }

    /// Runs a line in a container of the image by Docker's own client, under the limits that a grant has by default.
    pub fn run_plainly(&self, line: &str) -> Result<()> {
        let limits = ["--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--init"];
        let bounds = ["--memory=512m", "--memory-swap=512m", "--cpus=1", "--pids-limit=128", "--tmpfs=/tmp:size=64m"];
        let mut arguments = vec!["run", "--rm", "--user=65534:65534", "--log-driver=none"];
        arguments.extend(limits.iter().chain(&bounds));
        arguments.extend([IMAGE, "/bin/sh", "-c", line]);
        self.ask(&arguments).map(|_| ())
    }

    fn ask(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).stdin(Stdio::null()).output().context("docker's client")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.arg("--host").arg(format!("unix://{}", self.socket.display())).args(arguments);
        command
    }

    fn make_image(&self) -> Result<()> {
        if self.ask(&["image", "inspect", IMAGE]).is_ok() {
            return Ok(());
        }
        let folder = tempfile::tempdir()?;
        let bin = folder.path().join("bin");
        std::fs::create_dir(&bin)?;
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).is_file());
        std::fs::copy(busybox.context("busybox: install busybox-static")?, bin.join("busybox"))?;
        for name in ["sh", "cat", "echo", "sleep", "ls", "id", "touch"] {
            std::os::unix::fs::symlink("busybox", bin.join(name))?;
        }
        let archive = Command::new("tar").arg("-C").arg(folder.path()).args(["-c", "bin"]).output()?.stdout;
        let mut import = self.command(&["import", "-", IMAGE]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        import.stdin.take().context("a pipe")?.write_all(&archive)?;
        if !import.wait()?.success() {
            bail!("docker import failed");
        }
        Ok(())
    }
}
