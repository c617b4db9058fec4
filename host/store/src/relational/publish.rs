//! Showing what a cycle has done, once it is durable.

use std::collections::BTreeMap;

use bulkhead_core::Timestamp;

use crate::{Delivery, TaskSeq, WorkerId};

use super::memory::Memory;
use super::outcome::{Claim, Outcome};
use super::shared::Depth;
use super::todo::Todo;

/// Brings memory up to date, delivers, answers, and wakes.
pub(super) fn publish(memory: &mut Memory, todo: Todo, mut outcome: Outcome, now: Timestamp) {
    super::events::tell(memory, &mut outcome, now);
    let mut latest = None;
    for (lease, _) in &outcome.done {
        let worker = match latest {
            Some((last, worker)) if last == *lease => worker,
            _ => {
                let Some(lease_of) = memory.leases.get(*lease) else { continue };
                latest = Some((*lease, lease_of.worker));
                lease_of.worker
            }
        };
        if let Some(attached) = memory.workers.get_mut(&worker) {
            attached.in_flight = attached.in_flight.saturating_sub(1);
        }
    }
    for route in &outcome.freed {
        if let Some(known) = memory.routes.get(*route) {
            memory.limits.free(&known.route.kind, 1);
        }
    }
    if memory.limits.reopen(now) {
        memory.serve_anew();
    }
    if let Some(many) = &mut memory.many_hosts {
        if let Some(cycle) = outcome.forgotten {
            many.forgot(cycle);
        }
        many.parked_seen = outcome.parked_seen.unwrap_or(many.parked_seen);
        if outcome.counts_saved {
            many.unsaved.clear();
        } else {
            outcome.counts.iter().for_each(|(route, change)| *many.unsaved.entry(*route).or_default() += change);
        }
    }
    outcome.over.iter().for_each(|lease| memory.leases.remove(*lease));
    for seq in &outcome.settled {
        memory.cancelled.remove(seq);
    }
    let mut cancels: BTreeMap<WorkerId, Vec<TaskSeq>> = BTreeMap::new();
    for (worker, seq) in &outcome.marked {
        // What stopped running in the same cycle is settled already.
        if let Some(worker) = worker.filter(|_| memory.cancelled.contains_key(seq)) {
            cancels.entry(worker).or_default().push(*seq);
        }
    }
    for (worker, seq) in &outcome.heard {
        cancels.entry(*worker).or_default().push(*seq);
    }
    show_depths(memory, &outcome);
    for (worker, fates) in outcome.fates {
        deliver(memory, worker, Delivery::Committed(fates));
    }
    for (worker, seqs) in cancels {
        deliver(memory, worker, Delivery::Cancel(seqs));
    }
    forget_workers(memory, &outcome.lost, &outcome.detached);
    let took = outcome.claiming_since.map(|since| since.elapsed()).unwrap_or_default();
    for Claim { id, lease, tasks } in outcome.claims {
        let worker = lease.worker;
        memory.leases.insert(id, lease);
        if let Some(attached) = memory.workers.get_mut(&worker) {
            attached.permits = attached.permits.saturating_sub(tasks.len());
            attached.in_flight += tasks.len();
            attached.deliver(Delivery::Claimed { tasks, took });
        }
    }
    let died = outcome
        .died
        .iter()
        .filter_map(|(route, reason)| Some((memory.routes.get(*route)?.route.kind.clone(), *reason)));
    memory.shared.count_deaths(died);
    memory.shared.count_settled(&outcome.standings);
    memory.shared.waiters.wake(&outcome.ended);
    memory.agenda.hear(&outcome.ended);
    todo.submits.into_iter().zip(outcome.submitted).for_each(|(submit, done)| drop(submit.answer.send(Ok(done))));
    todo.begins.into_iter().zip(outcome.begun).for_each(|(begin, done)| drop(begin.answer.send(Ok(done))));
    let changed = todo.workflow_changes.into_iter().zip(outcome.workflow_fates);
    changed.for_each(|(asked, fate)| drop(asked.answer.send(Ok(fate))));
    let changed = todo.changes.into_iter().zip(outcome.fates_of_changes);
    changed.for_each(|(asked, fates)| drop(asked.answer.send(Ok(fates))));
    let asked = todo.schedules.into_iter().zip(outcome.fates_of_schedules);
    asked.for_each(|(asked, fate)| drop(asked.answer.send(Ok(fate))));
    let asked = todo.events.into_iter().zip(outcome.event_replies);
    asked.for_each(|(asked, reply)| drop(asked.answer.send(Ok(reply))));
    todo.releases.into_iter().for_each(|(_, _, answer)| drop(answer.send(Ok(()))));
    let renewals = todo.renewals.into_iter().zip(outcome.renewed);
    renewals.for_each(|((_, answer), renewed)| drop(answer.send(Ok(renewed))));
}

/// Tells every worker that its leases are void, and forgets it.
pub(super) fn give_up(memory: &mut Memory) {
    let lost: Vec<WorkerId> = memory.workers.keys().copied().collect();
    forget_workers(memory, &lost, &[]);
}

/// Tells the workers whose leases ran out, and forgets them and those that left.
fn forget_workers(memory: &mut Memory, lost: &[WorkerId], detached: &[WorkerId]) {
    for worker in lost {
        deliver(memory, *worker, Delivery::LeasesLost);
    }
    for worker in lost.iter().chain(detached) {
        memory.workers.remove(worker);
        memory.ready.detach(*worker);
        for lease in memory.leases.of(*worker) {
            memory.leases.remove(lease);
        }
    }
}

fn deliver(memory: &mut Memory, worker: WorkerId, delivery: Delivery) {
    if let Some(attached) = memory.workers.get_mut(&worker) {
        attached.deliver(delivery);
    }
}

/// Shows the depths of the routes that changed.
fn show_depths(memory: &Memory, outcome: &Outcome) {
    let changed = outcome.counts.iter().map(|(route, _)| *route);
    let mut changed: Vec<_> = changed.chain(outcome.seen.iter().copied()).collect();
    changed.sort_unstable();
    changed.dedup();
    memory.shared.show(changed.into_iter().filter_map(|id| {
        let known = memory.routes.get(id)?;
        let depth = Depth {
            route: std::sync::Arc::clone(&known.route),
            pending: u64::try_from(known.pending).unwrap_or(0),
            oldest_due: memory.ready.oldest_due(id),
        };
        Some((id, depth))
    }));
}

/// Shows every route, when the store has been opened.
pub(super) fn show_all(memory: &Memory) {
    let counts = memory.routes.iter().map(|(id, known)| (id, known.pending)).collect();
    show_depths(memory, &Outcome { counts, ..Outcome::default() });
    memory.shared.show_held(memory.held.clone());
}
