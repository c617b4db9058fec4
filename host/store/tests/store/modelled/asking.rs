//! What operators ask of tasks and kinds.

use bulkhead_core::{JsonText, Kind, TaskId};
use bulkhead_store::{Change, Fate};

use super::driver::{Checked, Driver, same};
use super::hosts::Hosts;
use super::operation::Asked;
use super::task::Number;

impl<H: Hosts> Driver<H> {
    pub(super) async fn change(&mut self, host: usize, tasks: &[usize], asked: Asked) -> Checked {
        if self.model.tasks.is_empty() {
            return Ok(());
        }
        let change = match asked {
            Asked::Cancel => Change::Cancel,
            Asked::Pause => Change::Pause,
            Asked::Resume => Change::Resume(None),
            Asked::Answer => Change::Resume(Some(JsonText::from_trusted("\"yes\""))),
            Asked::Requeue => Change::Requeue,
            Asked::Resolve => Change::Resolve(JsonText::from_trusted("7")),
            Asked::Remove => Change::Remove,
        };
        let numbers: Vec<Number> = tasks.iter().map(|task| task % self.model.tasks.len()).collect();
        self.ask(host, &numbers, &change).await
    }

    pub(super) async fn ask(&mut self, host: usize, numbers: &[Number], change: &Change) -> Checked {
        let ids: Vec<TaskId> = numbers.iter().map(|number| self.model.tasks[*number].id.clone().unwrap()).collect();
        let fates = self.hosts.store(host).change(ids, change.clone()).await.unwrap();
        let expected: Vec<Fate> = numbers.iter().map(|number| self.model.change(*number, change)).collect();
        same("fates", &fates, &expected)?;
        self.settle().await
    }

    pub(super) async fn hold(&mut self, host: usize, which: Option<Kind>, held: bool) -> Checked {
        self.hosts.store(host).hold(which.clone(), held).await.unwrap();
        match (which, held) {
            (None, held) => self.model.all_held = held,
            (Some(kind), true) => drop(self.model.held.insert(kind)),
            (Some(kind), false) => drop(self.model.held.remove(&kind)),
        }
        self.settle().await
    }
}
