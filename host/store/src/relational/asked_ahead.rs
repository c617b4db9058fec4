//! What a cycle asks a server in one breath with its beginning.
//!
//! Each question is a way to the server and back, which takes as long as the answer where little is going on. What is
//! to be known or held in any case is therefore asked for together with `BEGIN`, in the order in which rows are locked.

use std::collections::BTreeSet;

use tokio_postgres::types::Type;

use crate::postgres::{OwnValue, Ticket};
use crate::{LeaseId, WorkerId};

use super::cycle::Cycle;
use super::events::INTERESTS;
use super::failure::Halt;
use super::many_hosts::NUMBERS;
use super::todo::Todo;
use super::workflow::BeginWorkflow;

/// About so few rows a server is asked before it is known which of them matter: some in vain take less time than another
/// way to it.
pub(super) const FEW: usize = 64;

/// The questions that are on their way.
#[derive(Debug, Default)]
pub(super) struct AskedAhead {
    /// Which of these leases are there, under which something is to end; they are held.
    pub(super) leases: Option<(BTreeSet<LeaseId>, Ticket)>,
    /// What is there of cancels, families and the like.
    pub(super) flags: Option<Ticket>,
    /// Numbers for new tasks.
    pub(super) numbers: Option<Ticket>,
    /// When these workers renewed their leases; nobody takes them until the cycle is over.
    pub(super) attachments: Option<(BTreeSet<WorkerId>, Ticket)>,
}

impl Cycle<'_> {
    /// Asks for what this cycle will need.
    pub(super) fn ask_ahead(&mut self, todo: &Todo) -> Result<AskedAhead, Halt> {
        let mut asked = AskedAhead::default();
        let Some(client) = self.connection.postgres() else { return Ok(asked) };
        let mut ending: BTreeSet<LeaseId> = BTreeSet::new();
        todo.commits.iter().for_each(|(_, commits)| ending.extend(commits.iter().map(|commit| commit.lease)));
        todo.releases.iter().for_each(|(_, tasks, _)| ending.extend(tasks.iter().map(|(lease, _)| *lease)));
        todo.detached.iter().for_each(|worker| ending.extend(self.memory.leases.of(*worker)));
        let ends = !ending.is_empty();
        if ends {
            const SELECT: &str = "SELECT id FROM leases WHERE id = ANY(?1) ORDER BY id FOR UPDATE";
            let ticket = client.ask_ahead(SELECT, vec![numbers(ending.iter().map(|lease| lease.0))])?;
            asked.leases = Some((ending, ticket));
        }
        let submitted: usize = todo.submits.iter().map(|submit| submit.tasks.len()).sum();
        let begun: usize = todo.begins.iter().map(BeginWorkflow::size).sum();
        if ends || self.looks || begun > 0 {
            asked.flags = Some(client.ask_ahead(&flags(), Vec::new())?);
        }
        if submitted + begun > 0 {
            let count = i64::try_from(submitted + begun).unwrap_or(i64::MAX);
            asked.numbers = Some(client.ask_ahead(NUMBERS, vec![(Box::new(count), Type::INT8)])?);
        }
        let workers: BTreeSet<WorkerId> =
            self.memory.workers.iter().filter(|(_, attached)| attached.has_room()).map(|(id, _)| *id).collect();
        // Not where nothing will be claimed: while they are held, nobody can take the leases of one that is late.
        let comes = submitted + begun > 0 || ends && (self.memory.has_steps || self.memory.has_kin);
        if todo.claim && !workers.is_empty() && (comes || workers.iter().any(|worker| self.may_claim(*worker))) {
            let values = vec![numbers(workers.iter().map(|worker| worker.0))];
            asked.attachments = Some((workers, client.ask_ahead(super::attachments::HELD, values)?));
        }
        Ok(asked)
    }
}

/// Numbers as one value of a statement.
fn numbers(numbers: impl Iterator<Item = i64>) -> OwnValue {
    (Box::new(numbers.collect::<Vec<i64>>()), Type::INT8_ARRAY)
}

/// What is read before anything ends or a workflow begins: what there is of what only some stores have, the versions of
/// the schema, and who is to hear of events.
fn flags() -> String {
    const FLAGS: &str = "EXISTS (SELECT 1 FROM kin), EXISTS (SELECT 1 FROM workflows), \
        EXISTS (SELECT 1 FROM pausing), EXISTS (SELECT 1 FROM cancels)";
    const SCHEMA: &str = "(SELECT value FROM meta WHERE name = 'min_compatible'), \
        (SELECT value FROM meta WHERE name = 'schema_version')";
    format!("SELECT {FLAGS}, {SCHEMA}, {INTERESTS}")
}
