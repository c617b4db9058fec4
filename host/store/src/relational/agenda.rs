//! When which schedule is to be looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bulkhead_core::{ScheduleName, Timestamp};

use crate::TaskSeq;

/// The moments at which schedules are looked at; all of it can be read back from the file.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    ticks: BTreeMap<ScheduleName, Timestamp>,
    /// The earliest of them.
    next_tick: Option<Timestamp>,
    /// Those to be looked at whatever the time.
    at_once: BTreeSet<ScheduleName>,
    /// Tasks whose end lets a tick that waits become a task.
    awaited: HashMap<TaskSeq, ScheduleName>,
}

impl Agenda {
    /// When the next schedule is to be looked at.
    pub(super) fn next(&self) -> Option<Timestamp> {
        if self.at_once.is_empty() { self.next_tick } else { Some(Timestamp::from_millis(i64::MIN)) }
    }

    /// Looks at a schedule at this moment, and at no other.
    pub(super) fn look_at(&mut self, name: &ScheduleName, moment: Option<Timestamp>) {
        match moment {
            Some(moment) => self.ticks.insert(name.clone(), moment),
            None => self.ticks.remove(name),
        };
        self.next_tick = self.ticks.values().min().copied();
    }

    /// Looks at a schedule in the next cycle.
    pub(super) fn look_at_once(&mut self, name: &ScheduleName) {
        self.at_once.insert(name.clone());
    }

    /// Looks at a schedule when this task has ended.
    pub(super) fn look_when_ended(&mut self, name: &ScheduleName, task: TaskSeq) {
        self.awaited.insert(task, name.clone());
    }

    /// Hears which tasks have ended.
    pub(super) fn hear(&mut self, ended: &[TaskSeq]) {
        if !self.awaited.is_empty() {
            self.at_once.extend(ended.iter().filter_map(|task| self.awaited.remove(task)));
        }
    }

    /// Looks at a schedule no more.
    pub(super) fn forget(&mut self, name: &ScheduleName) {
        self.at_once.remove(name);
        self.look_at(name, None);
    }

    /// The schedules to be looked at by now, at most so many.
    pub(super) fn due(&self, now: Timestamp, at_most: usize) -> Vec<ScheduleName> {
        if self.next().is_none_or(|next| next > now) {
            return Vec::new();
        }
        let ticking = self.ticks.iter().filter(|(_, tick)| **tick <= now).map(|(name, _)| name);
        let ticking = ticking.filter(|name| !self.at_once.contains(*name));
        self.at_once.iter().chain(ticking).take(at_most).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ScheduleName {
        ScheduleName::parse(text).unwrap()
    }

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn each_schedule_is_due_at_its_own_moment_and_once() {
        let mut agenda = Agenda::default();
        assert_eq!((agenda.next(), agenda.due(at(9), 9)), (None, vec![]));
        for (which, moment) in [("a", 5), ("b", 3), ("c", 7), ("b", 4)] {
            agenda.look_at(&name(which), Some(at(moment)));
        }
        assert_eq!((agenda.next(), agenda.due(at(3), 9)), (Some(at(4)), vec![]));
        assert_eq!(agenda.due(at(6), 9), [name("a"), name("b")]);
        assert_eq!(agenda.due(at(6), 1), [name("a")]);
        agenda.look_at_once(&name("b"));
        assert_eq!(agenda.due(at(0), 9), [name("b")]);
        assert_eq!(agenda.due(at(9), 9), [name("b"), name("a"), name("c")]);
        agenda.forget(&name("b"));
        assert_eq!((agenda.next(), agenda.due(at(9), 9)), (Some(at(5)), vec![name("a"), name("c")]));
    }

    #[test]
    fn the_end_of_a_task_makes_those_who_wait_for_it_due() {
        let mut agenda = Agenda::default();
        agenda.look_when_ended(&name("a"), TaskSeq(7));
        agenda.hear(&[TaskSeq(6), TaskSeq(8)]);
        assert_eq!(agenda.next(), None);
        agenda.hear(&[TaskSeq(6), TaskSeq(7)]);
        assert_eq!(agenda.due(at(0), 9), [name("a")]);
    }
}
