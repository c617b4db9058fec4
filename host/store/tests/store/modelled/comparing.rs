//! Compares what the store shows with the model.

use std::collections::BTreeMap;
use std::time::Duration;

use bulkhead_core::{State, Timestamp, UpstreamEnd};
use bulkhead_store::{ChildrenView, TaskFilter, TaskView, UpstreamPart, WaitView};

use super::driver::{Checked, Driver, same};
use super::hosts::Hosts;
use super::model::{Model, bit};
use super::task::{Attempt, Number, Place, Task};
use crate::harness::select;

/// Longer than an answer takes that is there already.
const AT_ONCE: Duration = Duration::from_secs(10);

impl<H: Hosts> Driver<H> {
    /// Lists and depths, as after every operation.
    pub(super) fn compare(&mut self, views: &[TaskView]) -> Checked {
        let there = self.model.tasks.iter().filter(|task| !task.removed).count();
        same("how many tasks there are", &views.len(), &there)?;
        for view in views {
            let number = self.model.number_of(&view.id).unwrap();
            let task = &mut self.model.tasks[number];
            if let Some(latest) = task.due_by.take().filter(|_| !view.state.is_ended()) {
                if view.run_at < task.due || view.run_at > latest {
                    return Err(format!("due at {}, and not from {} to {latest}", view.run_at, task.due));
                }
                task.due = view.run_at;
            }
            self.model.check_view(number, view, H::COUNT == 1).map_err(|wrong| format!("task {number}: {wrong}"))?;
        }
        let expected = self.model.depths();
        for host in 0..H::COUNT {
            let depths: BTreeMap<u8, (u64, Option<Timestamp>)> = self
                .hosts
                .store(host)
                .depths()
                .into_iter()
                .filter(|depth| depth.pending > 0)
                .map(|depth| (bit(&depth.route), (depth.pending, depth.oldest_due)))
                .collect();
            same("depths", &depths, &expected)?;
        }
        Ok(())
    }

    /// Everything that can be asked of every task.
    pub(super) async fn look(&mut self) -> Checked {
        for number in 0..self.model.tasks.len() {
            self.look_at(number).await.map_err(|wrong| format!("task {number}: {wrong}"))?;
        }
        let store = self.hosts.store(0);
        for state in State::ALL {
            let filter = TaskFilter { states: vec![state], ..TaskFilter::default() };
            let listed = store.list(select(filter.clone())).await.unwrap().items;
            let listed: Vec<Option<Number>> = listed.iter().map(|view| self.model.number_of(&view.id)).collect();
            let meets = |number: &Number| {
                let task = &self.model.tasks[*number];
                !task.removed && task.state() == state
            };
            let mut expected: Vec<Number> = (0..self.model.tasks.len()).filter(meets).collect();
            same("a count", &store.count(filter).await.unwrap(), &(expected.len() as u64))?;
            let mut listed: Vec<Number> = listed.into_iter().flatten().collect();
            listed.sort_unstable();
            expected.truncate(100);
            if expected.len() < 100 {
                same("a list", &listed, &expected)?;
            }
        }
        same("what is held", &(store.held().all, store.held().kinds), &(self.model.all_held, self.model.held.clone()))
    }

    async fn look_at(&self, number: Number) -> Checked {
        let (store, task) = (self.hosts.store(0), &self.model.tasks[number]);
        let id = task.id.as_ref().unwrap();
        let view = store.get(id).await.unwrap();
        same("whether it is there", &view.is_some(), &!task.removed)?;
        let Some(view) = view else { return Ok(()) };
        same("payload", &view.payload.as_ref(), &Some(&task.new.payload))?;
        same("result", &view.result, &task.result)?;
        let attempts: Vec<Attempt> = view
            .attempts()
            .iter()
            .map(|attempt| Attempt {
                number: attempt.number,
                epoch: attempt.epoch,
                end: attempt.end.clone(),
                worker: attempt.worker.clone(),
                ended_at: attempt.ended_at,
            })
            .collect();
        same("attempts", &attempts, &task.attempts)?;
        let parent = self.model.parent_of(number).map(|parent| self.model.tasks[parent].id.clone().unwrap());
        same("parent", &view.parent, &parent)?;
        if task.is_ended() {
            let waited = tokio::time::timeout(AT_ONCE, store.wait(id, AT_ONCE * 2)).await;
            let waited = waited.map_err(|_| "who waits for what has ended is not answered")?;
            same("what a waiter gets", &waited.unwrap().map(|view| view.state), &Some(task.state()))?;
        }
        if let (Some(upstream), Some(claimed)) = (task.known().upstream, self.claimed.get(&number)) {
            let part = UpstreamPart::Page { offset: 0, count: 100, bytes: 1 << 20 };
            let ends = store.upstream(claimed.seq, upstream, part).await.unwrap();
            let ends: Vec<(String, Option<State>)> = ends.into_iter().map(|end| (end.name, state(&end.end))).collect();
            let children = self.model.children(number, upstream.epoch, upstream.stage);
            let expected: Vec<(String, Option<State>)> =
                children.iter().map(|kin| (kin.name.clone().unwrap(), shown(&self.model.tasks[kin.child]))).collect();
            same("how children ended", &ends, &expected)?;
        }
        Ok(())
    }
}

/// How a child ended, as its parent is told; none where it failed or has not ended.
const fn state(end: &UpstreamEnd) -> Option<State> {
    match end {
        UpstreamEnd::Succeeded(_) => Some(State::Succeeded),
        UpstreamEnd::Resolved(_) => Some(State::Resolved),
        UpstreamEnd::Cancelled => Some(State::Cancelled),
        UpstreamEnd::Skipped => Some(State::Skipped),
        UpstreamEnd::Failed(_) => None,
    }
}

fn shown(task: &Task) -> Option<State> {
    Some(task.state()).filter(|state| task.is_ended() && *state != State::Dead)
}

impl Model {
    /// A task as lists show it.
    fn check_view(&self, number: Number, view: &TaskView, knows_routes: bool) -> Checked {
        let task = &self.tasks[number];
        let history = task.known();
        same("state", &view.state, &task.state())?;
        // Of several hosts, each knows what its own workers serve, and of the others' sooner or later.
        if knows_routes || view.reason.as_deref() != Some("unroutable") {
            same("reason", &view.reason, &self.reason(task, knows_routes))?;
        }
        let attempt = match &task.place {
            Place::Ended(end) => end.attempt,
            place => history.attempts + u32::from(matches!(place, Place::Running { .. })),
        };
        same("attempt", &(view.epoch, view.attempt, view.stage), &(history.epoch, attempt, history.stage))?;
        same("max_attempts", &view.max_attempts, &task.max_attempts)?;
        same("created_at", &view.created_at, &task.created_at)?;
        let ended_at = match &task.place {
            Place::Ended(end) => Some(end.at),
            _ => None,
        };
        same("ended_at", &view.ended_at, &ended_at)?;
        if ended_at.is_none() {
            same("run_at", &view.run_at, &task.due)?;
        }
        same("error", &view.error.as_ref().map(|error| error.code.clone()), &task.error)?;
        let (route, priority) = (&task.new.route, task.new.priority);
        same("route", &(&view.kind, &view.requires, view.priority), &(&route.kind, &route.requires, priority))?;
        same("waits", &view.waits.as_ref().map(stripped), &self.wait_view(number))
    }

    fn reason(&self, task: &Task, knows_routes: bool) -> Option<String> {
        match &task.place {
            Place::Running { .. } | Place::Paused { .. } => None,
            Place::Suspended(wait) => Some(if wait.join.is_some() { "children" } else { "answer" }.to_owned()),
            Place::Ended(end) => end.reason.map(|reason| reason.as_str().to_owned()),
            Place::Parked => Some("no_capable_worker".to_owned()),
            Place::Queue if task.due > self.now => {
                Some(task.reason.map_or("scheduled", bulkhead_core::ReadyReason::as_str).to_owned())
            }
            Place::Queue => {
                let mut said = self.workers.values().filter(|worker| worker.has_said && !worker.orphaned).peekable();
                let known = knows_routes && said.peek().is_some();
                if known && !said.any(|worker| worker.serves & bit(&task.new.route) != 0) {
                    return Some("unroutable".to_owned());
                }
                task.runs_alone().then(|| "worker_lost".to_owned())
            }
        }
    }

    fn wait_view(&self, number: Number) -> Option<WaitView> {
        let Place::Suspended(wait) = &self.tasks[number].place else { return None };
        let count = wait.join.as_ref().map(|join| self.count(number, join));
        Some(WaitView {
            since: wait.since,
            until: wait.limits.timeout_at,
            stale_at: wait.limits.stale_at,
            nearly_stale: wait.flagged,
            children: count.map(|count| ChildrenView { total: count.total, ended: count.ended, succeeded: count.well }),
            reason: None,
            metadata: None,
        })
    }
}

fn stripped(view: &WaitView) -> WaitView {
    WaitView { reason: None, metadata: None, ..view.clone() }
}
