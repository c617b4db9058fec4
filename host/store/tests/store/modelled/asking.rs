//! What operators ask of tasks and kinds.

use bulkhead_core::{JsonText, Kind, State, TaskId};
use bulkhead_store::{Change, Fate};

use super::driver::{Checked, Driver, same};
use super::hosts::Hosts;
use super::operation::Asked;
use super::task::Number;

/// Numbers from here on name tasks as they are, for sequences that are written by hand.
pub(super) const EXACTLY: usize = 1_000;

impl<H: Hosts> Driver<H> {
    /// A task: mostly one in a state in which it can be asked for this.
    fn pick(&self, which: usize, asked: Asked) -> Number {
        if let Some(number) = which.checked_sub(EXACTLY) {
            return number;
        }
        let tasks = &self.model.tasks;
        let fits = |number: &Number| match asked {
            Asked::Cancel | Asked::Pause => !tasks[*number].is_ended(),
            Asked::Resume => tasks[*number].state() == State::Paused,
            Asked::Answer => tasks[*number].state() == State::Suspended,
            Asked::Requeue | Asked::Resolve | Asked::Remove => tasks[*number].state() == State::Dead,
        };
        let fitting: Vec<Number> = (0..tasks.len()).filter(fits).collect();
        if which.is_multiple_of(5) || fitting.is_empty() { which % tasks.len() } else { fitting[which % fitting.len()] }
    }

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
            Asked::Resolve => Change::Resolve(JsonText::from_trusted("7").into()),
            Asked::Remove => Change::Remove,
        };
        let numbers: Vec<Number> = tasks.iter().map(|task| self.pick(*task, asked)).collect();
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
