//! A Redis of its own, for the peers that keep their tasks in one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::debian::apt_install_without_service;
use crate::server::Server;
use crate::steps::Steps;
use crate::tools::quietly;

/// Everything is appended to a file that is synced each second: a crash of the machine may take the last second along.
const SETTINGS: [&str; 10] =
    ["--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--loglevel", "warning"];
/// An answer to a ping takes no longer.
const ANSWER: Duration = Duration::from_secs(1);

/// A server for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Redis {
    port: u16,
    _server: Server,
}

impl Redis {
    /// Starts one, empty.
    pub(crate) fn start(steps: &mut Steps) -> Result<Self> {
        need_redis(steps)?;
        steps.time("Redis", || {
            let mut server = Server::new("redis", "KILL")?;
            let port = server.start(
                |server, port| {
                    let mut redis = server.command("redis-server")?;
                    redis.args(SETTINGS).arg("--port").arg(port.to_string()).arg("--dir").arg(server.folder());
                    Ok(redis)
                },
                |port| answers(port).is_ok_and(|answer| answer == *b"+PONG"),
            )?;
            Ok(Self { port, _server: server })
        })
    }

    /// Where it is, as clients are told.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// Installed where this user may.
fn need_redis(steps: &mut Steps) -> Result<()> {
    let there = || quietly(Command::new("redis-server").arg("--version"));
    if !there() {
        steps.time("install redis-server", || Ok(apt_install_without_service(&["redis-server"])))?;
    }
    if !there() {
        bail!(
            "there is no Redis (`redis-server`), which some peers keep their tasks in\nnext: apt-get install redis-server"
        );
    }
    Ok(())
}

fn answers(port: u16) -> std::io::Result<[u8; 5]> {
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    connection.set_read_timeout(Some(ANSWER))?;
    connection.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    connection.read_exact(&mut answer)?;
    Ok(answer)
}
