//! A PostgreSQL of its own for whoever needs one: tests, benchmarks, a developer at work.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::debian::apt_install_without_service;
use crate::pgbouncer::Pooler;
use crate::server::Server;
use crate::steps::{Steps, say};
use crate::tools::quietly;

/// The address of a server: set by whoever has one, told to whoever needs one.
pub(crate) const ADDRESS: &str = "BULKHEAD_TEST_POSTGRES";
/// The one role, which may do everything.
pub(crate) const ROLE: &str = "bulkhead";
/// Where Debian has the programs, a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// As durable as PostgreSQL is, and room for tests that run side by side; all else is as it comes.
const SETTINGS: [&str; 6] = [
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    // A host has six; tests have a few hosts each, and run on every core.
    "max_connections=500",
    "listen_addresses=127.0.0.1",
    "unix_socket_permissions=0700",
];

/// A server for as long as this value lives, or the one that `BULKHEAD_TEST_POSTGRES` names.
#[derive(Debug)]
pub(crate) struct Cluster {
    url: String,
    own: Option<(Server, u16)>,
}

impl Cluster {
    /// Starts one, empty, unless one is named.
    pub(crate) fn start(steps: &mut Steps) -> Result<Self> {
        if let Ok(url) = std::env::var(ADDRESS) {
            return Ok(Self { url, own: None });
        }
        Self::start_own(steps)
    }

    /// Starts one, empty, even where one is named.
    pub(crate) fn start_own(steps: &mut Steps) -> Result<Self> {
        Self::start_own_with(steps, &[])
    }

    /// The same, with further settings.
    pub(crate) fn start_own_with(steps: &mut Steps, more: &[&str]) -> Result<Self> {
        let programs = programs(steps)?;
        Self::start_of(steps, &programs, more)
    }

    /// Starts one of these programs.
    pub(crate) fn start_of(steps: &mut Steps, programs: &Path, more: &[&str]) -> Result<Self> {
        steps.time("PostgreSQL", || {
            let mut server = Server::new("postgres", "QUIT")?;
            let data = server.folder().join("data");
            let mut initdb = server.command(programs.join("initdb"))?;
            // Nothing of it outlives the machine, so the empty cluster need not be synced.
            initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions", "--no-sync"]);
            initdb.arg(format!("--username={ROLE}")).arg("--pgdata").arg(&data);
            server.run(initdb)?;
            let port = server.start(
                |server, port| {
                    let mut postgres = server.command(programs.join("postgres"))?;
                    postgres.arg("-D").arg(&data).arg("-p").arg(port.to_string());
                    postgres.arg("-k").arg(server.folder());
                    postgres.args(SETTINGS.iter().chain(more).flat_map(|setting| ["-c", setting]));
                    Ok(postgres)
                },
                |port| is_ready(programs, port),
            )?;
            Ok(Self { url: format!("postgres://{ROLE}@127.0.0.1:{port}/postgres"), own: Some((server, port)) })
        })
    }

    /// Where it is, as clients are told.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The port of one that was started here.
    pub(crate) fn own_port(&self) -> Option<u16> {
        self.own.as_ref().map(|(_, port)| *port)
    }
}

/// Starts one, says where, and waits until it is interrupted; a pooler in front of it where that is asked for.
pub(crate) fn run(pgbouncer: bool) -> Result<()> {
    let mut steps = Steps::of("postgres");
    let mut cluster = Cluster::start(&mut steps)?;
    say(format_args!("{ADDRESS}={}", cluster.url()));
    let pooler = if pgbouncer { Pooler::start(&mut steps, &cluster)? } else { None };
    if let Some(pooler) = &pooler {
        say(format_args!("{}={}", crate::pgbouncer::ADDRESS, pooler.url()));
    }
    match &mut cluster.own {
        Some((server, _)) => {
            say("── it stays up until you press Ctrl-C, and is removed then");
            server.wait()
        }
        None => bail!("{ADDRESS} is set, so none was started\nnext: unset it"),
    }
}

/// The folder of PostgreSQL's programs; installed where this user may.
pub(crate) fn programs(steps: &mut Steps) -> Result<PathBuf> {
    if let Some(found) = find_programs() {
        return Ok(found);
    }
    steps.time("install postgresql", || Ok(apt_install_without_service(&["postgresql"])))?;
    match find_programs() {
        Some(found) => Ok(found),
        None => bail!(
            "there is no PostgreSQL (`initdb`), which the tests of the store need\nnext: apt-get install postgresql, or \
             set {ADDRESS} to the URL of a server that tests may fill"
        ),
    }
}

/// On the path, else where Debian has the newest.
fn find_programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let debian = versions.into_iter().rev().map(|(_, folder)| folder);
    std::env::split_paths(&path).chain(debian).find(|folder| has_all(folder))
}

fn has_all(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_isready"].iter().all(|program| folder.join(program).is_file())
}

fn is_ready(programs: &Path, port: u16) -> bool {
    let port = port.to_string();
    quietly(Command::new(programs.join("pg_isready")).args(["--quiet", "--host=127.0.0.1", "--port", &port]))
}
