//! A Docker engine for the tests that run containers: one that is there, else one of our own.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::debian::{apt_install, apt_install_without_service};
use crate::server::Server;
use crate::steps::{Steps, say};
use crate::tools::quietly;

/// Where tests are told that the engine's socket is.
pub(crate) const SOCKET: &str = "BULKHEAD_TEST_DOCKER_SOCKET";

/// Where an engine usually is.
const USUAL: &str = "/var/run/docker.sock";

/// What test images are made of.
const BUSYBOX: [&str; 2] = ["/bin/busybox", "/usr/bin/busybox"];

/// An engine; where it is our own, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Engine {
    socket: PathBuf,
    _own: Option<Server>,
}

impl Engine {
    /// The engine that is named, or one that answers, or our own; none where there can be none, which the tests say.
    pub(crate) fn start(steps: &mut Steps) -> Option<Self> {
        if !BUSYBOX.iter().any(|path| Path::new(path).is_file()) {
            let _ = steps.time("install busybox-static", || Ok(apt_install(&["busybox-static"])));
        }
        if let Some(socket) = std::env::var_os(SOCKET) {
            return Some(Self { socket: socket.into(), _own: None });
        }
        if answers(Path::new(USUAL)) {
            return Some(Self { socket: USUAL.into(), _own: None });
        }
        match Self::start_own(steps) {
            Ok(engine) => Some(engine),
            Err(error) => {
                say(format_args!("no Docker engine can be started here: {error:#}"));
                None
            }
        }
    }

    fn start_own(steps: &mut Steps) -> Result<Self> {
        let there = || quietly(Command::new("dockerd").arg("--version"));
        if !there() {
            steps.time("install docker.io", || Ok(apt_install_without_service(&["docker.io", "iptables"])))?;
        }
        steps.time("Docker", || {
            let mut server = Server::of_ours("docker", "TERM")?;
            let folder = server.folder().to_owned();
            let socket = folder.join("docker.sock");
            server.start(
                |server, _| {
                    let mut dockerd = server.command("dockerd")?;
                    dockerd.arg("--host").arg(format!("unix://{}", folder.join("docker.sock").display()));
                    dockerd.arg("--data-root").arg(folder.join("data")).arg("--exec-root").arg(folder.join("run"));
                    dockerd.arg("--pidfile").arg(folder.join("pid"));
                    Ok(dockerd)
                },
                |_| answers(&socket),
            )?;
            Ok(Self { socket: socket.clone(), _own: Some(server) })
        })
    }

    /// Where it is asked.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }
}

/// Whether an engine takes connections there.
fn answers(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}
