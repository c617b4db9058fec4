//! B5: how long one task takes over HTTP on a host that has nothing else to do.
//!
//! One connection, kept alive: `POST /v1/tasks`, then `GET /v1/tasks/{id}?wait=10s`, until the answer says succeeded. The
//! floor is what no durable queue can go below: an fsync for the submission and one for its end, measured in the same
//! folder, in turns with the tasks. A second client behaves as ordinary ones do (header and body in two writes, no
//! `TCP_NODELAY`), which shows stalls of 40 ms where a server causes them.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Tasks, or floors, before the other takes its turn.
const TURN: usize = 50;
/// What a commit of one small task writes to the log of SQLite, roughly.
const COMMIT_BYTES: usize = 8 << 10;
/// The host must answer within this.
const START: Duration = Duration::from_secs(60);

/// Measures, and gives the table.
pub(crate) fn measure(host: &Path, noop: &Path, quick: bool) -> Result<String> {
    let turns = if quick { 2 } else { 20 };
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("handlers"))?;
    std::fs::copy(noop, folder.path().join("handlers/noop.wasm"))?;
    let host = Host::start(host, folder.path())?;
    let mut quick_client = Client::connect(&host.address, Manner::OneWrite)?;
    let mut ordinary_client = Client::connect(&host.address, Manner::TwoWrites)?;
    let mut floor_file = File::create(folder.path().join("floor"))?;
    let (mut floor, mut ours, mut ordinary) = (Vec::new(), Vec::new(), Vec::new());
    // The first turn warms all of it up.
    for turn in 0..=turns {
        for (samples, work) in [
            (&mut floor, &mut (|| two_fsyncs(&mut floor_file)) as &mut dyn FnMut() -> Result<()>),
            (&mut ours, &mut || quick_client.one_task()),
            (&mut ordinary, &mut || ordinary_client.one_task()),
        ] {
            for _ in 0..TURN {
                let began = Instant::now();
                work()?;
                if turn > 0 {
                    samples.push(began.elapsed());
                }
            }
        }
    }
    host.stop()?;
    table(&mut [("floor: two fsyncs", floor), ("bulkhead", ours), ("bulkhead, ordinary client", ordinary)])
}

fn table(rows: &mut [(&str, Vec<Duration>)]) -> Result<String> {
    for (_, samples) in rows.iter_mut() {
        samples.sort();
    }
    let at = |samples: &[Duration], share: f64| samples[((samples.len() - 1) as f64 * share) as usize];
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    let (floor_p50, floor_p99) = (ms(at(&rows[0].1, 0.5)), ms(at(&rows[0].1, 0.99)));
    let mut table = format!(
        "{:<26} {:>7} {:>9} {:>9} {:>9} {:>11} {:>11}\n",
        "", "samples", "p50 ms", "p99 ms", "max ms", "p50/floor", "p99/floor"
    );
    for (name, samples) in rows.iter() {
        let (p50, p99, max) = (ms(at(samples, 0.5)), ms(at(samples, 0.99)), ms(at(samples, 1.0)));
        writeln!(
            table,
            "{name:<26} {:>7} {p50:>9.3} {p99:>9.3} {max:>9.3} {:>11.2} {:>11.2}",
            samples.len(),
            p50 / floor_p50,
            p99 / floor_p99
        )?;
    }
    Ok(table)
}

fn two_fsyncs(file: &mut File) -> Result<()> {
    for _ in 0..2 {
        file.write_all(&[7; COMMIT_BYTES])?;
        file.sync_all()?;
    }
    Ok(())
}

/// A host of its own.
struct Host {
    process: Child,
    address: String,
}

impl Host {
    fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let ready = folder.join("ready");
        let mut process = Command::new(binary)
            .args(["run", "--listen", "127.0.0.1:0", "--ready-file", "ready"])
            .current_dir(folder)
            .env("BULKHEAD_LOG__FILTER", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("host.log"))?)
            .spawn()
            .context("cannot start the host")?;
        let began = Instant::now();
        loop {
            if let Ok(text) = std::fs::read_to_string(&ready) {
                let address = text.trim().trim_start_matches("http://").to_owned();
                return Ok(Self { process, address });
            }
            if process.try_wait()?.is_some() || began.elapsed() > START {
                bail!("the host did not start: {}", std::fs::read_to_string(folder.join("host.log"))?);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn stop(mut self) -> Result<()> {
        let status = Command::new("kill").arg(self.process.id().to_string()).status()?;
        anyhow::ensure!(status.success(), "kill: {status}");
        let status = self.process.wait()?;
        anyhow::ensure!(status.success(), "the host ended with {status}");
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It has ended already, but where something failed before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How a client writes its requests.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    OneWrite,
    TwoWrites,
}

/// One connection.
struct Client {
    stream: BufReader<TcpStream>,
    address: String,
    manner: Manner,
}

impl Client {
    fn connect(address: &str, manner: Manner) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(manner == Manner::OneWrite)?;
        stream.set_read_timeout(Some(START))?;
        Ok(Self { stream: BufReader::new(stream), address: address.to_owned(), manner })
    }

    fn one_task(&mut self) -> Result<()> {
        let task = self.ask("POST", "/v1/tasks", r#"{"kind":"NOOP","payload":{"n":1}}"#)?;
        let id = task.get("id").and_then(Value::as_str).with_context(|| format!("no id: {task}"))?;
        let ended = self.ask("GET", &format!("/v1/tasks/{id}?wait=10s"), "")?;
        match ended.get("state").and_then(Value::as_str) {
            Some("succeeded") => Ok(()),
            _ => bail!("the task did not succeed: {ended}"),
        }
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Value> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let stream = self.stream.get_mut();
        match self.manner {
            Manner::OneWrite => stream.write_all(format!("{head}{body}").as_bytes())?,
            Manner::TwoWrites => {
                stream.write_all(head.as_bytes())?;
                stream.write_all(body.as_bytes())?;
            }
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(text) = line.strip_prefix("content-length:") {
                length = text.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        Ok(serde_json::from_slice(&answer)?)
    }
}
