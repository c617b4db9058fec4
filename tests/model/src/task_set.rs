//! A set of tasks, in one byte.

use crate::TaskNumber;

/// Some of the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TaskSet(u8);

impl TaskSet {
    /// The first `count` tasks.
    pub const fn first(count: u8) -> Self {
        Self((1 << count) - 1)
    }

    /// Whether the task is one of them.
    pub const fn contains(self, task: TaskNumber) -> bool {
        self.0 & (1 << task.0) != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds a task.
    pub const fn insert(&mut self, task: TaskNumber) {
        self.0 |= 1 << task.0;
    }

    /// Takes a task out.
    pub const fn remove(&mut self, task: TaskNumber) {
        self.0 &= !(1 << task.0);
    }

    /// The tasks, in order.
    pub fn iter(self) -> impl Iterator<Item = TaskNumber> {
        (0..8).map(TaskNumber).filter(move |task| self.contains(*task))
    }

    /// The first task alone.
    #[must_use]
    pub fn head(self) -> Self {
        Self(self.0 & self.0.wrapping_neg())
    }
}
