//! A PostgreSQL server of a test's own, which may be killed.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::{SmallDisk, places};

/// A server must take connections within this, after a crash, too.
const START: Duration = Duration::from_secs(60);
/// Between two questions whether it does.
const ASK: Duration = Duration::from_millis(20);
/// A server whose disk has room again recovers by itself within this, or has ended.
const BY_ITSELF: Duration = Duration::from_secs(5);
/// Why it ends as soon as it is started, for a while.
const IN_THE_WAY: [&str; 3] = ["pre-existing shared memory block", "could not create any TCP/IP sockets", "lock file"];
/// Holds the server, and ends it with the test, however that ends. What is left of a crash is removed with the folder.
const KEEPER: &str = r#"
folder=$1; shift
"$@" > "$folder/log" 2>&1 &
server=$!
read -r line
kill -s QUIT "$server"
wait "$server"
[ "$line" = stay ] || rm -rf -- "$folder"
"#;

/// A server on a free port of the loopback; as durable as PostgreSQL is.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    keeper: Option<Child>,
    /// Further settings.
    settings: Vec<String>,
    /// Where its files are, unless they are on the disk of everything else.
    disk: Option<SmallDisk>,
}

impl Cluster {
    /// Starts one, empty; none where PostgreSQL is not installed.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start() -> Option<Self> {
        Self::start_with(None, &[], &[])
    }

    /// Starts one that can count statements: it has `pg_stat_statements` loaded.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start_that_counts_statements() -> Option<Self> {
        Self::start_with(None, &[], &["shared_preload_libraries=pg_stat_statements"])
    }

    /// Starts one whose disk has so many MiB, where this user may mount one.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start_on_small_disk(size_mib: u32) -> Option<Self> {
        Self::start_with(Some(size_mib), &[], &[])
    }

    /// Starts one that speaks TLS, with this certificate and its key, both in PEM.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn start_with_tls(certificate: &str, key: &str) -> Option<Self> {
        Self::start_with(None, &[("ssl_cert_file", certificate), ("ssl_key_file", key)], &["ssl=on"])
    }

    /// `files`: what settings name as files, and what is in them.
    fn start_with(size_mib: Option<u32>, files: &[(&str, &str)], settings: &[&str]) -> Option<Self> {
        let programs = places::postgres_programs()?;
        let started = Self::try_start(programs, size_mib, files, settings);
        Some(started.unwrap_or_else(|error| panic!("no PostgreSQL: {error:#}")))
    }

    fn try_start(programs: PathBuf, size_mib: Option<u32>, files: &[(&str, &str)], settings: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bulkhead-cluster-").tempdir()?.keep();
        let disk = size_mib.and_then(|size| SmallDisk::mount(&folder.join("disk"), size));
        if let Some((user, group)) = unprivileged() {
            chown(&folder, Some(user), Some(group))?;
            if disk.is_some() {
                chown(folder.join("disk"), Some(user), Some(group))?;
            }
        }
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut cluster = Self { programs, folder, port: 0, keeper: None, settings, disk };
        let mut initdb = cluster.command(&cluster.programs.join("initdb"));
        initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions", "--no-sync"]);
        let made = initdb.args(["--username=bulkhead", "--pgdata"]).arg(cluster.data()).output()?;
        if !made.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
        }
        for (name, text) in files {
            let file = cluster.folder.join(name);
            std::fs::write(&file, text)?;
            std::fs::set_permissions(&file, Permissions::from_mode(0o600))?;
            if let Some((user, group)) = unprivileged() {
                chown(&file, Some(user), Some(group))?;
            }
            cluster.settings.push(format!("{name}={}", file.display()));
        }
        cluster.port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        cluster.serve()?;
        Ok(cluster)
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("postgres://bulkhead@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends the whole server at once, as a crash of its machine would.
    ///
    /// # Panics
    ///
    /// Where it does not run.
    pub fn kill(&mut self) {
        let pid = std::fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        let pid = pid.lines().next().and_then(|line| line.parse().ok()).and_then(Pid::from_raw).expect("its number");
        kill_process(pid, Signal::KILL).expect("it can be killed");
        self.leave("stay\n");
    }

    /// Starts it again after it was killed, and waits until it has recovered.
    ///
    /// # Panics
    ///
    /// Where it does not start.
    pub fn restart(&mut self) {
        self.serve().unwrap_or_else(|error| panic!("PostgreSQL does not recover: {error:#}"));
    }

    /// Takes all room from its disk; whether it has one of its own.
    pub fn fill(&self) -> bool {
        self.disk.as_ref().map(|disk| disk.take(usize::MAX)).is_some()
    }

    /// Gives the room back, and starts the server again if it has ended for want of it.
    ///
    /// # Panics
    ///
    /// Where it does not start, or its disk was not full.
    pub fn make_room(&mut self) {
        self.disk.as_ref().expect("a disk of its own").give_back();
        let began = Instant::now();
        while !self.is_ready() {
            if began.elapsed() > BY_ITSELF {
                self.leave("stay\n");
                return self.restart();
            }
            std::thread::sleep(ASK);
        }
    }

    fn serve(&mut self) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < START {
            let port = self.port.to_string();
            let mut keeper = self.command(Path::new("sh"));
            keeper.args(["-c", KEEPER, "keeper"]).arg(&self.folder).arg(self.programs.join("postgres"));
            keeper.arg("-D").arg(self.data()).arg("-k").arg(&self.folder).args(["-p", &port]);
            keeper.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=100"]);
            keeper.args(self.settings.iter().flat_map(|setting| ["-c", setting]));
            // In a group of its own: Ctrl-C is for the test, not for what clears up behind it.
            self.keeper = Some(keeper.stdin(Stdio::piped()).process_group(0).spawn().context("cannot start sh")?);
            loop {
                if self.is_ready() {
                    return Ok(());
                }
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                if began.elapsed() > START {
                    bail!("not ready in {} s:\n{log}", START.as_secs());
                }
                if IN_THE_WAY.iter().any(|words| log.contains(words)) {
                    break;
                }
                std::thread::sleep(ASK);
            }
            // What was killed may not have let go yet, and a port that was free may be taken.
            self.leave("stay\n");
            std::thread::sleep(ASK);
        }
        bail!("it ends as soon as it is started:\n{}", std::fs::read_to_string(self.folder.join("log"))?)
    }

    fn is_ready(&self) -> bool {
        let mut ask = Command::new(self.programs.join("pg_isready"));
        ask.args(["--quiet", "--host=127.0.0.1", &format!("--port={}", self.port)]);
        ask.status().is_ok_and(|status| status.success())
    }

    fn data(&self) -> PathBuf {
        self.folder.join(if self.disk.is_some() { "disk/data" } else { "data" })
    }

    /// A program in the folder, by the user that the server runs as: it refuses to run as root.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).stdout(Stdio::null()).stderr(Stdio::piped());
        if let Some((user, group)) = unprivileged() {
            command.uid(user).gid(group);
        }
        command
    }

    /// Lets the keeper end, and what it holds.
    fn leave(&mut self, word: &str) {
        let Some(mut keeper) = self.keeper.take() else { return };
        if let Some(mut input) = keeper.stdin.take() {
            // One that has ended needs no word.
            let _ = std::io::Write::write_all(&mut input, word.as_bytes());
        }
        let _ = keeper.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.leave("\n");
        drop(self.disk.take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Whom the server runs as, where this process is root.
fn unprivileged() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    ["postgres", "nobody"].into_iter().find_map(|name| Some((id("-u", name)?, id("-g", name)?)))
}

fn id(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([which, name]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
