//! Other task queues, each tuned as its own benchmarks tune it; benches/peers says how, and what each keeps and survives.
//!
//! A peer gets a fresh server each time and the peers take turns, so that a machine that drifts drifts for all of them.
//! What the machine was worth meanwhile is measured, too: a loop that counts, and the share of time that was stolen.

use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::chore::{cargo, root, target};
use crate::install::path;
use crate::postgres::Cluster;
use crate::redis::Redis;
use crate::steps::Steps;
use crate::{guests, host, npm};

/// How often each takes its turn; a smoke run has one.
const TURNS: usize = 3;
/// A smoke run has this share of the tasks.
const QUICK_SHARE: u64 = 20;
/// The counting loop is as short as what schedulers hand out, so that it shows what is left to a process.
const CALIBRATION: Duration = Duration::from_millis(200);

/// What a peer keeps its tasks in.
#[derive(Clone, Copy, PartialEq)]
enum Keeper {
    Sqlite,
    Postgres,
    Redis,
}

/// The folder that stands for Bulkhead itself.
const OURS: &str = "bulkhead";

/// One peer, with one tuning.
struct Peer {
    /// Of benches/peers, or [`OURS`].
    folder: &'static str,
    arguments: &'static [&'static str],
    keeper: Keeper,
    /// What it does in ten seconds or so, on two cores.
    tasks: u64,
}

const PEERS: &[Peer] = &[
    Peer { folder: OURS, arguments: &[], keeper: Keeper::Sqlite, tasks: 500_000 },
    Peer { folder: OURS, arguments: &[], keeper: Keeper::Postgres, tasks: 500_000 },
    Peer { folder: "awa", arguments: &[], keeper: Keeper::Postgres, tasks: 100_000 },
    Peer { folder: "graphile-worker", arguments: &[], keeper: Keeper::Postgres, tasks: 40_000 },
    Peer { folder: "graphile-worker", arguments: &["--batched"], keeper: Keeper::Postgres, tasks: 200_000 },
    Peer { folder: "pg-boss", arguments: &[], keeper: Keeper::Postgres, tasks: 30_000 },
    Peer { folder: "pg-boss", arguments: &["--batched"], keeper: Keeper::Postgres, tasks: 200_000 },
    Peer { folder: "bullmq", arguments: &[], keeper: Keeper::Redis, tasks: 100_000 },
    Peer { folder: "celery", arguments: &[], keeper: Keeper::Redis, tasks: 20_000 },
];

/// One turn of one peer.
struct Turn {
    /// What its script printed.
    line: Value,
    loops: f64,
    stolen: f64,
}

/// Measures all of them, and gives the table.
pub(crate) fn measure(steps: &mut Steps, quick: bool) -> Result<String> {
    let path = path(&[npm::pinned_node(steps)?]);
    let (host, guests) = (host::build_release(steps)?, guests::build(steps)?);
    let run = |peer: &Peer| {
        if peer.folder == OURS {
            let mut run =
                cargo(&["bench", "--quiet", "--locked", "--package", "bulkhead-tests", "--bench", "drain", "--"]);
            run.env("BULKHEAD_TEST_HOST", &host).env("BULKHEAD_GUESTS", &guests);
            return run;
        }
        let mut run = Command::new(root().join("benches/peers").join(peer.folder).join("run.sh"));
        run.env("BULKHEAD_PEERS", target().join("peers")).env("PATH", &path).stdin(Stdio::null());
        run
    };
    for peer in PEERS.iter().filter(|peer| peer.folder != OURS && peer.arguments.is_empty()) {
        steps.run(&format!("install {}", peer.folder), run(peer).arg("--install"))?;
    }
    let mut turns: Vec<Vec<Turn>> = PEERS.iter().map(|_| Vec::new()).collect();
    for _ in 0..if quick { 1 } else { TURNS } {
        for (peer, turns) in PEERS.iter().zip(&mut turns) {
            let tasks = if quick { peer.tasks / QUICK_SHARE } else { peer.tasks };
            let mut run = run(peer);
            run.arg("--tasks").arg(tasks.to_string()).args(peer.arguments).stderr(Stdio::inherit());
            match one_turn(steps, peer, run) {
                Ok(turn) => turns.push(turn),
                // The others are worth having without it.
                Err(error) => steps.skip(format_args!("{error:#}")),
            }
        }
    }
    ensure!(turns.iter().any(|turns| !turns.is_empty()), "no peer could be measured");
    table(&turns)
}

/// On a fresh server, which is gone afterwards.
fn one_turn(steps: &mut Steps, peer: &Peer, mut run: Command) -> Result<Turn> {
    let (postgres, redis);
    match peer.keeper {
        Keeper::Sqlite => {}
        Keeper::Postgres => {
            postgres = Cluster::start_own(steps)?;
            run.env("DATABASE_URL", postgres.url());
        }
        Keeper::Redis => {
            redis = Redis::start(steps)?;
            run.env("REDIS_URL", redis.url());
        }
    }
    let name = [&[peer.folder], peer.arguments].concat().join(" ");
    steps.time(&name, || {
        let loops = count_loops();
        let before = Times::now()?;
        let output = run.output().with_context(|| format!("cannot start {run:?}"))?;
        let stolen = Times::now()?.stolen_since(&before);
        ensure!(output.status.success(), "{}: {run:?}", output.status);
        let text = String::from_utf8(output.stdout)?;
        let mut lines = text.lines();
        let (Some(line), None) = (lines.next(), lines.next()) else { bail!("not one line of JSON: {text}") };
        Ok(Turn { line: serde_json::from_str(line).with_context(|| line.to_owned())?, loops, stolen })
    })
}

fn table(peers: &[Vec<Turn>]) -> Result<String> {
    let mut table = format!(
        "{:<26} {:>9} {:>8} {:>9} {:>19} {:>8} {:>8} {:>8} {:>8} {:>8}\n",
        "", "version", "tasks", "tasks/s", "least … most", "ours", "p50 ms", "p99 ms", "loops", "stolen"
    );
    let rates = |turns: &[Turn]| -> Vec<f64> {
        turns.iter().filter_map(|turn| turn.line.get("rate").and_then(Value::as_f64)).collect()
    };
    // Bulkhead on PostgreSQL beside those that are on it, on SQLite beside the others.
    let ours = |of: Keeper| {
        let on_postgres = of == Keeper::Postgres;
        let mut both = PEERS.iter().zip(peers).filter(|(peer, _)| peer.folder == OURS);
        let (_, turns) = both.find(|(peer, _)| (peer.keeper == Keeper::Postgres) == on_postgres)?;
        (!turns.is_empty()).then(|| median(rates(turns)))
    };
    let all: Vec<f64> = peers.iter().flatten().map(|turn| turn.loops).collect();
    let usual_loops = median(all);
    let mut notes = String::new();
    for (peer, turns) in PEERS.iter().zip(peers) {
        let Some(first) = turns.first() else { continue };
        let text = |key: &str| first.line.get(key).and_then(Value::as_str).unwrap_or("?");
        let each = |key: &str| -> Vec<f64> {
            turns.iter().filter_map(|turn| turn.line.get(key).and_then(Value::as_f64)).collect()
        };
        let rates = rates(turns);
        ensure!(rates.len() == turns.len(), "`{}` gives no rate", text("peer"));
        let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let most = rates.iter().copied().fold(0.0, f64::max);
        writeln!(
            table,
            "{:<26} {:>9} {:>8} {:>9.0} {:>19} {:>7.1}× {:>8.2} {:>8.2} {:>8.2} {:>7.1}%",
            text("peer"),
            text("version"),
            first.line.get("tasks").and_then(Value::as_u64).unwrap_or_default(),
            median(rates.clone()),
            format!("{least:.0} … {most:.0}"),
            ours(peer.keeper).map_or(f64::NAN, |ours| ours / median(rates.clone())),
            median(each("p50_ms")),
            median(each("p99_ms")),
            median(turns.iter().map(|turn| turn.loops).collect()) / usual_loops,
            median(turns.iter().map(|turn| turn.stolen).collect()) * 100.0,
        )?;
        writeln!(notes, "{}: {}; {}", text("peer"), text("settings"), text("server"))?;
    }
    Ok(format!(
        "{table}\n{notes}\nours: Bulkhead's rate over this one; on PostgreSQL where the peer is on it, else on SQLite\nloops: what this machine counted just before, as a share of what it usually did here\n"
    ))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How far this process counts, on the core that it gets.
fn count_loops() -> f64 {
    let began = Instant::now();
    let mut count = 0_u64;
    while began.elapsed() < CALIBRATION {
        for _ in 0..1_000 {
            count = std::hint::black_box(count + 1);
        }
    }
    count as f64
}

/// What the cores have done since the machine started.
struct Times {
    all: u64,
    stolen: u64,
}

impl Times {
    fn now() -> Result<Self> {
        let text = std::fs::read_to_string("/proc/stat")?;
        let first = text.lines().next().unwrap_or_default();
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are part of user.
        let fields: Vec<u64> =
            first.split_whitespace().skip(1).take(8).filter_map(|field| field.parse().ok()).collect();
        Ok(Self { all: fields.iter().sum(), stolen: fields.get(7).copied().unwrap_or_default() })
    }

    fn stolen_since(&self, before: &Self) -> f64 {
        let all = self.all.saturating_sub(before.all).max(1);
        self.stolen.saturating_sub(before.stolen) as f64 / all as f64
    }
}
