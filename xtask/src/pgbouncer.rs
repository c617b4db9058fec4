//! PgBouncer in front of a PostgreSQL, as many installations have it: each transaction may get another connection.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::debian::apt_install_without_service;
use crate::postgres::{self, Cluster, ROLE};
use crate::server::Server;
use crate::steps::Steps;
use crate::tools::quietly;

/// The address of a pooler: set by whoever has one, told to whoever needs one.
pub(crate) const ADDRESS: &str = "BULKHEAD_TEST_PGBOUNCER";

/// A pooler for as long as this value lives, or the one that `BULKHEAD_TEST_PGBOUNCER` names.
#[derive(Debug)]
pub(crate) struct Pooler {
    url: String,
    _own: Option<Server>,
}

impl Pooler {
    /// Starts one in front of the cluster, unless one is named; none before a server that was not started here, since its
    /// passwords are not known.
    pub(crate) fn start(steps: &mut Steps, cluster: &Cluster) -> Result<Option<Self>> {
        if let Ok(url) = std::env::var(ADDRESS) {
            return Ok(Some(Self { url, _own: None }));
        }
        let Some(behind) = cluster.own_port() else {
            steps.skip(format_args!("tests behind PgBouncer: {} is set, so set {ADDRESS}, too", postgres::ADDRESS));
            return Ok(None);
        };
        let pgbouncer = program(steps)?;
        steps.time("PgBouncer", || {
            let mut server = Server::new("pgbouncer", "TERM")?;
            let port = server.start(
                |server, port| {
                    let folder = server.folder();
                    std::fs::write(folder.join("users"), format!("\"{ROLE}\" \"\"\n"))?;
                    std::fs::write(folder.join("settings"), settings(port, behind))?;
                    let mut command = server.command(&pgbouncer)?;
                    command.arg("settings");
                    Ok(command)
                },
                |port| TcpStream::connect(("127.0.0.1", port)).is_ok(),
            )?;
            Ok(Some(Self { url: format!("postgres://{ROLE}@127.0.0.1:{port}/postgres"), _own: Some(server) }))
        })
    }

    /// Where it is, as clients are told.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Idle connections are given up soon, so that tests can drop their databases.
fn settings(port: u16, behind: u16) -> String {
    format!(
        "[databases]\n* = host=127.0.0.1 port={behind}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         unix_socket_dir =\nauth_type = trust\nauth_file = users\npool_mode = transaction\nmax_client_conn = 400\n\
         default_pool_size = 8\nserver_idle_timeout = 5\n"
    )
}

/// PgBouncer; installed where this user may.
fn program(steps: &mut Steps) -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    steps.time("install pgbouncer", || Ok(apt_install_without_service(&["pgbouncer"])))?;
    match find() {
        Some(found) => Ok(found),
        None => bail!(
            "there is no PgBouncer (`pgbouncer`), which the tests of the store need\nnext: apt-get install pgbouncer, or \
             set {ADDRESS} to the URL of one in transaction mode"
        ),
    }
}

/// On the path, else where Debian has it, which is on root's path alone.
fn find() -> Option<PathBuf> {
    let places = ["pgbouncer", "/usr/sbin/pgbouncer"].map(PathBuf::from);
    places.into_iter().find(|program| quietly(Command::new(program).arg("--version")))
}
