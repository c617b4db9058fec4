//! The kinds of events there are.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{State, TextError, WorkflowState};

/// What happened to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventType {
    /// It was accepted.
    Submitted,
    /// A worker has it.
    Claimed,
    /// It said how far it has come.
    Progress,
    /// It made an entry in its audit trail.
    Audit,
    /// It will be tried again.
    Retried,
    /// It ended well.
    Succeeded,
    /// It ended badly, and is a dead letter.
    Dead,
    /// Somebody cancelled it.
    Cancelled,
    /// It waits for its children or for somebody outside.
    Suspended,
    /// It waits no longer.
    Resumed,
    /// It has made children.
    Spawned,
    /// A dead letter was closed by hand.
    Resolved,
    /// A workflow was accepted.
    WorkflowBegun,
    /// All steps of a workflow have ended well.
    WorkflowSucceeded,
    /// All steps of a workflow have ended, some of them badly.
    WorkflowFailed,
    /// A workflow goes on only once somebody helps a dead step.
    WorkflowBlocked,
    /// All steps of a workflow have ended, and some were cancelled.
    WorkflowCancelled,
    /// What a template tells of its own when a step has ended.
    WorkflowEvent,
}

impl EventType {
    /// All of them; the place of each is its number in stores, so new ones go to the end.
    pub const ALL: [Self; 18] = [
        Self::Submitted,
        Self::Claimed,
        Self::Progress,
        Self::Audit,
        Self::Retried,
        Self::Succeeded,
        Self::Dead,
        Self::Cancelled,
        Self::Suspended,
        Self::Resumed,
        Self::Spawned,
        Self::Resolved,
        Self::WorkflowBegun,
        Self::WorkflowSucceeded,
        Self::WorkflowFailed,
        Self::WorkflowBlocked,
        Self::WorkflowCancelled,
        Self::WorkflowEvent,
    ];

    /// Its public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "task.submitted",
            Self::Claimed => "task.claimed",
            Self::Progress => "task.progress",
            Self::Audit => "task.audit",
            Self::Retried => "task.retried",
            Self::Succeeded => "task.succeeded",
            Self::Dead => "task.dead",
            Self::Cancelled => "task.cancelled",
            Self::Suspended => "task.suspended",
            Self::Resumed => "task.resumed",
            Self::Spawned => "task.spawned",
            Self::Resolved => "task.resolved",
            Self::WorkflowBegun => "workflow.begun",
            Self::WorkflowSucceeded => "workflow.succeeded",
            Self::WorkflowFailed => "workflow.failed",
            Self::WorkflowBlocked => "workflow.blocked",
            Self::WorkflowCancelled => "workflow.cancelled",
            Self::WorkflowEvent => "workflow.event",
        }
    }

    /// Parses a public name.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        Self::ALL.into_iter().find(|event| event.as_str() == text).ok_or_else(|| TextError {
            what: "event type",
            rule: "task. and one of submitted claimed progress audit retried succeeded dead cancelled suspended \
                   resumed spawned resolved, or workflow. and one of begun succeeded failed blocked cancelled event",
            value: text.to_owned(),
        })
    }

    /// Whether it is kept for those who subscribed to it, and numbered; the others are told to who listens just then.
    pub const fn is_durable(self) -> bool {
        match self {
            Self::Succeeded
            | Self::Dead
            | Self::Cancelled
            | Self::Suspended
            | Self::Resolved
            | Self::WorkflowSucceeded
            | Self::WorkflowFailed
            | Self::WorkflowBlocked
            | Self::WorkflowCancelled
            | Self::WorkflowEvent => true,
            Self::WorkflowBegun
            | Self::Submitted
            | Self::Claimed
            | Self::Progress
            | Self::Audit
            | Self::Retried
            | Self::Resumed
            | Self::Spawned => false,
        }
    }

    /// The event of a workflow that came to stand so by itself.
    pub const fn of_workflow(state: WorkflowState) -> Option<Self> {
        match state {
            WorkflowState::Succeeded => Some(Self::WorkflowSucceeded),
            WorkflowState::Failed => Some(Self::WorkflowFailed),
            WorkflowState::Blocked => Some(Self::WorkflowBlocked),
            WorkflowState::Cancelled => Some(Self::WorkflowCancelled),
            WorkflowState::Pending | WorkflowState::Running | WorkflowState::Waiting => None,
        }
    }

    /// The event of a task that came to this end.
    pub const fn of_end(state: State) -> Option<Self> {
        match state {
            State::Succeeded => Some(Self::Succeeded),
            State::Dead => Some(Self::Dead),
            State::Cancelled => Some(Self::Cancelled),
            State::Resolved => Some(Self::Resolved),
            State::Waiting
            | State::Ready
            | State::Running
            | State::Suspended
            | State::Paused
            | State::Blocked
            | State::Skipped => None,
        }
    }

    /// Its number in stores.
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The one of this number.
    pub fn of_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied())
    }
}

impl std::fmt::Display for EventType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A set of event types; written as a list of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTypes(i64);

impl EventTypes {
    /// Every type there is.
    pub const ALL: Self = Self((1 << EventType::ALL.len()) - 1);
    /// None.
    pub const NONE: Self = Self(0);

    /// Every type that is kept.
    pub fn durable() -> Self {
        EventType::ALL.into_iter().filter(|event| event.is_durable()).collect()
    }

    /// Whether the type is among them.
    pub const fn has(self, event: EventType) -> bool {
        self.0 >> event.number() & 1 == 1
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those among them, in the order of [`EventType::ALL`].
    pub fn iter(self) -> impl Iterator<Item = EventType> {
        EventType::ALL.into_iter().filter(move |event| self.has(*event))
    }

    /// As a number: bit n is the type of number n.
    pub const fn bits(self) -> i64 {
        self.0
    }

    /// Of such a number; types that are not known are left out.
    pub const fn of_bits(bits: i64) -> Self {
        Self(bits & Self::ALL.0)
    }
}

impl FromIterator<EventType> for EventTypes {
    fn from_iter<T: IntoIterator<Item = EventType>>(events: T) -> Self {
        Self(events.into_iter().fold(0, |bits, event| bits | 1 << event.number()))
    }
}

impl Serialize for EventTypes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for EventTypes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<EventType>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_name_and_its_number() {
        for event in EventType::ALL {
            assert_eq!(EventType::parse(event.as_str()), Ok(event));
            assert_eq!(EventType::of_number(event.number()), Some(event));
        }
        assert!(EventType::parse("task.begun").is_err());
    }

    #[test]
    fn a_set_has_what_was_put_into_it() {
        let set: EventTypes = [EventType::Dead, EventType::Claimed].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [EventType::Claimed, EventType::Dead]);
        assert_eq!(EventTypes::of_bits(set.bits()), set);
        assert_eq!(EventTypes::of_bits(-1), EventTypes::ALL);
    }

    #[test]
    fn every_end_that_is_durable_has_its_event() {
        for state in State::ALL {
            let event = EventType::of_end(state);
            assert_eq!(event.is_some(), state.is_ended() && state != State::Skipped, "{state:?}");
        }
    }
}
