//! Kills the host, again and again, while it works, and counts what became of every task.
//!
//! Each task has an id of its own, made here, and leaves an effect: one task of kind ROW, submitted in the very commit that
//! ends it, whose payload is the task's number. However often the host died, in the end every task must have succeeded,
//! once, and every number must be there, once. A submission whose answer was cut off is sent again, under the same ids.

mod ledger;
mod plan;
mod rounds;

pub use ledger::Ledger;
pub(crate) use ledger::SETTLED;
pub use plan::{Death, Plan};
pub(crate) use rounds::{settle, submit_chunk};

use anyhow::Result;

use crate::Folder;

/// Kills as planned, and gives the ledger; `say` is told of each round.
pub fn kills(plan: &Plan, say: &mut dyn FnMut(String)) -> Result<Ledger> {
    let folder = Folder::with_guests(&["effect"]);
    let began = std::time::Instant::now();
    say(format!("seed {}: {} tasks, {} deaths", plan.seed, plan.tasks, plan.deaths.len()));
    rounds::run(&folder, plan, say)?;
    let ledger = ledger::draw_up(&folder, plan)?;
    say(format!("{ledger}\n{:.1} s", began.elapsed().as_secs_f64()));
    Ok(ledger)
}
