//! Kills the host, again and again, while it works, and counts what became of every task.
//!
//! Each task has an id of its own, made here, and leaves an effect: one task of kind ROW, submitted in the very commit that
//! ends it, whose payload is the task's number. One in five fails at first, and one in ten waits for three children, which
//! leave effects, too. However often the host died, in the end every task must have succeeded, once, and every number must
//! be there, once. A submission whose answer was cut off is sent again, under the same ids.

mod ledger;
mod number;
mod plan;
mod rounds;
mod work;

pub use ledger::Ledger;
pub(crate) use ledger::{SETTLED, count_effects, ends, write_rows};
pub(crate) use number::children_of;
pub use plan::{Death, Engine, Plan};
pub(crate) use rounds::{run as run_rounds, settle, submit_chunk};
pub use work::{attempts_of, effects_of};

use anyhow::{Context, Result};

use crate::{Cluster, Folder};

const GUESTS: [&str; 1] = ["effect"];

/// Kills as planned, and gives the ledger; `say` is told of each round.
pub fn kills(plan: &Plan, say: &mut dyn FnMut(String)) -> Result<Ledger> {
    let cluster = match plan.engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(Cluster::start().context("there is no PostgreSQL; next: apt-get install postgresql")?),
    };
    let folder = match &cluster {
        None => Folder::with_guests(&GUESTS),
        Some(cluster) => Folder::on_server(&cluster.url(), "killed", &GUESTS, ""),
    };
    let began = std::time::Instant::now();
    say(format!("seed {}: {} tasks, {} deaths, {:?}", plan.seed, plan.tasks, plan.deaths.len(), plan.engine));
    rounds::run(&folder, plan, submit_chunk, say)?;
    let killed = began.elapsed();
    let (ledger, settled) = ledger::draw_up(&folder, plan.tasks)?;
    say(format!("{ledger}last task ended {:.1} s after the last death", settled.as_secs_f64()));
    say(format!("{:.1} s of deaths, {:.1} s in all", killed.as_secs_f64(), began.elapsed().as_secs_f64()));
    Ok(ledger)
}
