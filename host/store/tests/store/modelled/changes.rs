//! What callers ask of tasks, in the model.

use bulkhead_core::{Answer, JsonText, State};
use bulkhead_store::{Change, Fate};

use super::model::Model;
use super::task::{Number, Place};

impl Model {
    pub(super) fn change(&mut self, number: Number, change: &Change) -> Fate {
        if self.tasks[number].removed {
            return Fate::Unknown;
        }
        match change {
            Change::Cancel => self.cancel(number),
            Change::Pause => self.pause(number),
            Change::Resume(answer) => self.resume(number, answer.as_ref()),
            Change::Requeue => self.of_dead(number, Self::requeue),
            Change::Resolve(with) => self.of_dead(number, |model, number| model.resolve(number, &with.result)),
            Change::Remove => {
                // A child stays for as long as its parent does.
                if self.kin.iter().any(|kin| kin.child == number) {
                    return Fate::Refused(self.tasks[number].state());
                }
                self.of_dead(number, |model, number| {
                    model.tasks[number].removed = true;
                    model.kin.retain(|kin| kin.parent != number);
                })
            }
        }
    }

    fn of_dead(&mut self, number: Number, change: impl FnOnce(&mut Self, Number)) -> Fate {
        match self.tasks[number].state() {
            State::Dead => {
                change(self, number);
                Fate::Done
            }
            state => Fate::Refused(state),
        }
    }

    pub(super) fn cancel(&mut self, number: Number) -> Fate {
        let now = self.now;
        let task = &mut self.tasks[number];
        match &task.place {
            Place::Ended(end) => return Fate::Refused(end.state),
            Place::Running { .. } => {
                if task.cancelled_at.is_none() {
                    task.cancelled_at = Some(now);
                    self.marked.push(number);
                }
                return Fate::Underway;
            }
            Place::Suspended(_) => self.end_waiting(number, State::Cancelled, None),
            Place::Queue | Place::Parked | Place::Paused { .. } => self.end_unrun(number, State::Cancelled, None),
        }
        Fate::Done
    }

    fn pause(&mut self, number: Number) -> Fate {
        let task = &mut self.tasks[number];
        match task.place {
            Place::Queue => task.place = Place::Paused { parked: false },
            Place::Parked => task.place = Place::Paused { parked: true },
            Place::Paused { .. } => {}
            Place::Running { .. } => {
                task.pausing = true;
                return Fate::Underway;
            }
            Place::Suspended(_) | Place::Ended(_) => return Fate::Refused(task.state()),
        }
        Fate::Done
    }

    fn resume(&mut self, number: Number, answer: Option<&JsonText>) -> Fate {
        let now = self.now;
        let task = &mut self.tasks[number];
        match &task.place {
            Place::Paused { parked } if answer.is_none() => {
                let parked = *parked;
                task.put_back(parked);
            }
            Place::Suspended(_) if answer.is_none() && task.pausing => {
                task.pausing = false;
                return Fate::Stays(State::Suspended);
            }
            Place::Suspended(wait) if wait.join.is_some() => return Fate::OnChildren,
            Place::Suspended(_) => {
                let answer = Answer::Given(answer.cloned().unwrap_or_else(JsonText::null));
                task.advance(None, Some(answer), now);
                task.put_back(false);
            }
            Place::Running { .. } if answer.is_none() && task.pausing => {
                task.pausing = false;
                return Fate::Stays(State::Running);
            }
            _ => return Fate::Refused(task.state()),
        }
        Fate::Done
    }

    /// A new epoch: attempts, losses and fuel from the start, at the same stage with its state.
    fn requeue(&mut self, number: Number) {
        let now = self.now;
        let task = &mut self.tasks[number];
        task.end_attempt();
        let history = task.keep();
        history.epoch += 1;
        (history.attempts, history.losses, history.fuel) = (0, 0, 0);
        history.declined.clear();
        (task.due, task.due_by, task.reason, task.error) = (now, None, None, None);
        task.put_back(false);
        self.tell_parents(number);
    }

    fn resolve(&mut self, number: Number, result: &JsonText) {
        let now = self.now;
        let task = &mut self.tasks[number];
        task.result = Some(result.clone());
        if let Place::Ended(end) = &mut task.place {
            (end.state, end.at) = (State::Resolved, now);
        }
        self.tell_parents(number);
    }
}
