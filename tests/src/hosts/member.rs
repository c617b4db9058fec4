//! One of several hosts, with its way to the database.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{Client, Folder, Host, Wire};

/// The guest that all of them run.
const GUEST: &str = "effect";
/// A worker that is cut off has stopped its sandboxes by then.
const FENCED: Duration = Duration::from_secs(12);
/// A host that was told to stop, and holds what others wait for, may have to wait for the database.
const STOPPED: Duration = Duration::from_secs(60);

/// A host that may be away.
#[derive(Debug)]
pub(super) struct Member {
    folder: Folder,
    wire: Wire,
    host: Option<Host>,
    away: Option<Away>,
}

/// Out of reach until then.
#[derive(Debug)]
struct Away {
    since: Instant,
    until: Instant,
    frozen: bool,
}

impl Member {
    /// Starts a host on this database.
    pub(super) fn start(url: &str, name: &str) -> Result<Self> {
        let wire = Wire::to(url);
        let folder = Folder::on_server(&wire.url, name, &[GUEST], "worker.drain_timeout = \"2s\"\n");
        let host = Some(Host::start(&folder, &[])?);
        Ok(Self { folder, wire, host, away: None })
    }

    /// Its API, where it can be reached and reaches the database.
    pub(super) fn client(&self) -> Option<&Client> {
        self.host.as_ref().filter(|_| self.away.is_none()).map(|host| &host.client)
    }

    /// How many sandboxes it has in flight; none where it is away.
    pub(super) fn in_flight(&self) -> u64 {
        let workers = self.client().and_then(|client| client.try_get("/v1/workers").ok());
        workers.and_then(|answer| answer.body.pointer("/items/0/in_flight").and_then(Value::as_u64)).unwrap_or(0)
    }

    /// Ends it at once; another takes its place.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.host.take().context("it runs")?.kill();
        self.host = Some(Host::start(&self.folder, &[])?);
        Ok(())
    }

    /// Tells it to stop; another takes its place.
    pub(super) fn drain(&mut self) -> Result<()> {
        let mut host = self.host.take().context("it runs")?;
        host.terminate();
        let status = host.wait(STOPPED).with_context(|| format!("it did not drain:\n{}", host.log()))?;
        ensure!(status.success(), "it did not drain in order: {status}\n{}", host.log());
        self.host = Some(Host::start(&self.folder, &[])?);
        Ok(())
    }

    /// Takes it away for so long: its network, or its time.
    pub(super) fn take_away(&mut self, time: Duration, frozen: bool) -> Result<()> {
        if frozen {
            self.host.as_ref().context("it runs")?.freeze();
        } else {
            self.wire.cut();
        }
        let since = Instant::now();
        self.away = Some(Away { since, until: since + time, frozen });
        Ok(())
    }

    /// Brings it back once its time is over; whether it is there.
    pub(super) fn bring_back(&mut self) -> Result<bool> {
        let (Some(away), Some(host)) = (&self.away, &self.host) else { return Ok(true) };
        if !away.frozen && away.since.elapsed() > FENCED {
            let runs = host.client.metric(&format!("handler_active{{handler=\"{GUEST}\"}}"));
            ensure!(runs == 0.0, "a worker that is cut off runs {runs} sandboxes after {:?}", away.since.elapsed());
        }
        if Instant::now() < away.until {
            return Ok(false);
        }
        if away.frozen {
            host.thaw();
        } else {
            self.wire.mend();
        }
        self.away = None;
        Ok(true)
    }

    /// Looks, from beside the host, whether the store is whole.
    pub(super) fn check(&self) -> Result<()> {
        let checked = self.folder.bulkhead(&["db", "check"]);
        ensure!(checked.code == Some(0), "{}{}", checked.stdout, checked.stderr);
        Ok(())
    }
}
