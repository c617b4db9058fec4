//! What workers say that needs no transaction.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::Kind;
use tokio::sync::mpsc;

use crate::{ServedRoutes, TaskSeq, WorkLine, WorkerId};

use super::attached::{Attached, DELIVERIES};
use super::crash_point::crash_point;
use super::line::Line;
use super::request::{Answer, Request};
use super::thread::Thread;
use super::todo::Todo;

impl Thread {
    /// Hears a worker; what needs no transaction is done at once.
    pub(super) fn hear(&mut self, request: Request, boot: Duration, todo: &mut Todo) {
        match request {
            Request::Attach { name, answer } => {
                let worker = self.memory.new_worker();
                if self.memory.many_hosts.is_some() {
                    todo.attaches.push((worker, name.into(), answer));
                } else {
                    self.attached(worker, name.into(), answer, boot);
                }
            }
            Request::Work { worker, commits, permits } => {
                if let Some(attached) = self.memory.workers.get_mut(&worker) {
                    attached.permits += permits;
                    if !commits.is_empty() {
                        todo.commits.push((worker, commits));
                    }
                }
            }
            Request::Report { worker, progress } => todo.reports.push((worker, progress)),
            Request::Serve { worker, routes } => self.serve(worker, routes),
            Request::StopClaiming { worker, answer } => {
                if let Some(attached) = self.memory.workers.get_mut(&worker) {
                    attached.permits = 0;
                }
                let _ = answer.send(Ok(()));
            }
            Request::Renew { worker, answer } if self.memory.many_hosts.is_some() => {
                todo.renewals.push((worker, answer));
            }
            Request::Renew { worker, answer } => {
                crash_point("mid_heartbeat");
                let lease_duration = self.memory.settings.lease_duration;
                let renewed = self.memory.workers.get_mut(&worker).is_some_and(|attached| {
                    let in_time = boot.saturating_sub(attached.renewed_at) <= lease_duration;
                    if in_time {
                        attached.renewed_at = boot;
                    }
                    in_time
                });
                let _ = answer.send(Ok(renewed));
            }
            Request::Release { worker, tasks, answer } => todo.releases.push((worker, tasks, answer)),
            Request::Detach { worker } => {
                if self.memory.workers.contains_key(&worker) {
                    todo.detached.push(worker);
                }
            }
            Request::Submit(_)
            | Request::Begin(_)
            | Request::Workflow(_)
            | Request::Change(_)
            | Request::Schedule(_)
            | Request::Events(_)
            | Request::Hold { .. }
            | Request::Tick { .. }
            | Request::Look
            | Request::Close { .. }
            | Request::Abandon => {}
        }
    }

    /// Gives a worker its line.
    pub(super) fn attached(&mut self, worker: WorkerId, name: Arc<str>, answer: Answer<WorkLine>, boot: Duration) {
        let (sender, deliveries) = mpsc::channel(DELIVERIES);
        self.memory.workers.insert(worker, Attached::new(name, sender, boot));
        let line = Line { worker, inbox: Arc::clone(&self.inbox) };
        // Where nobody waits for it, the line is dropped here and takes itself off.
        let _ = answer.send(Ok(WorkLine { worker, sender: Arc::new(line), deliveries }));
    }

    fn serve(&mut self, worker: WorkerId, routes: ServedRoutes) {
        let Some(attached) = self.memory.workers.get_mut(&worker) else { return };
        let changed = attached.routes.as_ref().is_none_or(|before| before.generation != routes.generation);
        attached.routes = Some(routes);
        let served = self.memory.served_by(worker);
        if changed {
            // What is held back is offered again as well, once it is not.
            let waiting = self.memory.waiting_for(worker);
            self.memory.unparking.extend(waiting.into_iter().map(|id| (id, TaskSeq(i64::MIN))));
            self.memory.new_catalogue = true;
        }
        self.memory.ready.serve(worker, served.into_iter());
        self.show_served();
    }

    /// Serves every worker anew, since a kind is held back, or no longer.
    pub(super) fn held(&mut self, kind: Option<Kind>, held: bool) {
        match (kind, held) {
            (None, held) => self.memory.held.all = held,
            (Some(kind), true) => drop(self.memory.held.kinds.insert(kind)),
            (Some(kind), false) => drop(self.memory.held.kinds.remove(&kind)),
        }
        self.memory.shared.show_held(self.memory.held.clone());
        self.memory.serve_anew();
    }

    pub(super) fn show_served(&self) {
        let known = self.memory.workers.values().any(|attached| attached.routes.is_some());
        self.memory.shared.show_served(known, self.memory.routable());
    }
}
