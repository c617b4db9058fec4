//! Several hosts on one PostgreSQL, while hosts die, stand still, are cut off or drained, the server itself is killed, and its
//! disk is full.
//!
//! The tasks are those of [`kills`](crate::kills). In the end every task
//! must have succeeded, once, with its own number of attempts and one effect, and whatever ran on a lost host must have been
//! taken over in time.

mod member;
mod plan;
mod rounds;

pub use plan::{Fault, Plan};

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};

use crate::kills::{Ledger, SETTLED, settle};
use rounds::{Scene, Was};

/// Hosts on one database.
const HOSTS: usize = 3;
/// How long a lease lasts, and how much later its tasks are taken over at most.
const TAKEN_OVER: Duration = Duration::from_secs(17);
/// A server that was killed needs time to come back, and whoever lost it to find it again.
const RECOVERED: Duration = Duration::from_secs(15);

/// Does what is planned, and gives the ledger; `say` is told of each fault.
pub fn hosts(plan: &Plan, say: &mut dyn FnMut(String)) -> Result<Ledger> {
    let began = Instant::now();
    say(format!("seed {}: {} tasks, {HOSTS} hosts, {} faults", plan.seed, plan.tasks, plan.faults.len()));
    let mut scene = Scene::start(plan.seed, HOSTS)?;
    let were = scene.run(plan, say)?;
    let client = scene.anybody().context("nobody is there")?;
    let settled = settle(client, SETTLED)?.as_secs_f64();
    let ledger = Ledger::count(client, plan.tasks)?;
    let late: Vec<_> =
        ledger.losses.iter().map(|(worker, at)| (lost_for(worker, *at, &were), limit_of(*at, &were))).collect();
    let slowest = late.iter().map(|(late, _)| *late).max().unwrap_or_default().as_secs_f64();
    say(format!("{ledger}slowest takeover {slowest:.1} s, last task ended {settled:.1} s after all were back"));
    say(format!("{:.1} s", began.elapsed().as_secs_f64()));
    for (late, limit) in late {
        ensure!(
            late <= limit,
            "a task was taken over {late:?} after its host was lost, later than {limit:?}\n{ledger}"
        );
    }
    for member in &scene.members {
        member.check()?;
    }
    for member in &mut scene.members {
        member.drain()?;
    }
    Ok(ledger)
}

/// How long a worker had been lost then: since what last befell it, or the server.
fn lost_for(worker: &str, at: Timestamp, were: &[Was]) -> SignedDuration {
    let befell = |was: &&Was| was.host.is_none_or(|host| worker == format!("host-{host}"));
    let since = were.iter().filter(befell).map(|was| at.duration_since(was.at));
    since.filter(|since| !since.is_negative()).min().unwrap_or(SignedDuration::MAX)
}

/// How long a takeover may take that ended then: longer where the server was killed meanwhile.
fn limit_of(at: Timestamp, were: &[Was]) -> SignedDuration {
    let mut limit = TAKEN_OVER;
    for was in were {
        if let Fault::Database(down) | Fault::Full(down) = was.fault
            && at >= was.at
            && at.duration_since(was.at).unsigned_abs() < TAKEN_OVER + RECOVERED + down
        {
            limit = TAKEN_OVER + RECOVERED + down;
        }
    }
    SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX)
}
