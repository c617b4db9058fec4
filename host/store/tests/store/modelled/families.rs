//! Parents and children, in the model.

use bulkhead_core::{DeadReason, Join, JoinCount, JoinEnd, JoinStep, Spawn, State, join_step};
use bulkhead_store::Spawned;

use super::model::{Accepted, Kin, Model, Taken};
use super::task::{Number, Place};

impl Model {
    /// Creates the children of a spawn that are not there yet.
    pub(super) fn spawn(&mut self, parent: Number, spawn: &Spawn) -> Result<(), Taken> {
        let history = self.tasks[parent].known();
        let (epoch, stage) = (history.epoch, history.stage);
        let of_this = move |kin: &Kin| kin.parent == parent && kin.epoch == epoch && kin.stage == stage;
        let total = spawn.children.len() as u32;
        self.kin.retain(|kin| !of_this(kin) || kin.position < total);
        for (position, child) in (0..).zip(&spawn.children) {
            let name = child.name.clone();
            if let Some(there) = self.kin.iter_mut().find(|kin| of_this(kin) && kin.position == position) {
                there.name = name;
                continue;
            }
            let Accepted { number, duplicate } = self.accept(&child.task)?;
            self.kin.push(Kin { parent, epoch, stage, position, child: number, own: !duplicate, name });
        }
        Ok(())
    }

    /// The children of one spawn, in their order.
    pub(super) fn children(&self, parent: Number, epoch: u32, stage: u32) -> Vec<&Kin> {
        let of_this = |kin: &&Kin| kin.parent == parent && kin.epoch == epoch && kin.stage == stage;
        let mut children: Vec<&Kin> = self.kin.iter().filter(of_this).collect();
        children.sort_by_key(|kin| kin.position);
        children
    }

    /// How far the children are that a task waits for now.
    pub(super) fn count(&self, parent: Number, join: &Join) -> JoinCount {
        let history = self.tasks[parent].known();
        let children = self.children(parent, history.epoch, history.stage);
        let mut count = JoinCount { total: children.len() as u32, ..JoinCount::default() };
        for kin in children {
            let critical = join.is_critical(kin.name.as_deref());
            count.critical += u32::from(critical);
            if self.tasks[kin.child].is_ended() {
                count.add(JoinEnd { state: self.tasks[kin.child].state(), critical });
            }
        }
        count
    }

    /// Lets a parent go on, or end, where its children have come so far.
    pub(super) fn join(&mut self, parent: Number) {
        let Place::Suspended(wait) = &self.tasks[parent].place else { return };
        let Some(join) = wait.join.clone() else { return };
        let count = self.count(parent, &join);
        match join_step(&join, &count) {
            JoinStep::Wait => {}
            JoinStep::Resume => {
                let history = self.tasks[parent].known();
                let upstream = Spawned { epoch: history.epoch, stage: history.stage, count: count.total };
                let now = self.now;
                self.tasks[parent].advance(Some(upstream), None, now);
                self.tasks[parent].put_back(false);
            }
            JoinStep::Fail => {
                self.end_waiting(parent, State::Dead, Some(DeadReason::Permanent));
                self.cancel_children(parent);
            }
        }
    }

    /// Parents that wait for a task which has ended, or lives again, look at how far their children are.
    pub(super) fn tell_parents(&mut self, child: Number) {
        let waits_for = |kin: &&Kin| {
            let history = self.tasks[kin.parent].known();
            kin.child == child && (kin.epoch, kin.stage) == (history.epoch, history.stage)
        };
        let parents: Vec<Number> = self.kin.iter().filter(waits_for).map(|kin| kin.parent).collect();
        for parent in parents {
            self.join(parent);
        }
    }

    /// Cancels what a task spawned and nobody waits for any more.
    pub(super) fn cancel_children(&mut self, parent: Number) {
        let own: Vec<Number> =
            self.kin.iter().filter(|kin| kin.parent == parent && kin.own).map(|kin| kin.child).collect();
        for child in own {
            if !self.tasks[child].is_ended() {
                self.cancel(child);
            }
        }
    }

    /// The task that spawned this one.
    pub(super) fn parent_of(&self, child: Number) -> Option<Number> {
        self.kin.iter().find(|kin| kin.child == child && kin.own).map(|kin| kin.parent)
    }
}
