//! Which events somebody wants to hear of.

use crate::{Event, EventType, EventTypes, Kind, TaskId};

/// Which events somebody wants to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Of these types.
    pub types: EventTypes,
    /// Of tasks of these kinds; of all where it is empty.
    pub kinds: Vec<Kind>,
    /// Of tasks of this tenant only.
    pub tenant: Option<String>,
    /// Of this task only.
    pub task: Option<TaskId>,
}

impl Default for EventFilter {
    fn default() -> Self {
        Self { types: EventTypes::ALL, kinds: Vec::new(), tenant: None, task: None }
    }
}

impl EventFilter {
    /// Whether events of this type, of tasks of this kind, may be wanted.
    pub fn may_want(&self, event: EventType, kind: &Kind) -> bool {
        self.types.has(event) && (self.kinds.is_empty() || self.kinds.contains(kind))
    }

    /// Whether the event is wanted.
    pub fn wants(&self, event: &Event) -> bool {
        let data = &event.data;
        self.may_want(event.event_type, &data.kind)
            && self.tenant.as_ref().is_none_or(|tenant| data.tenant.as_ref() == Some(tenant))
            && self.task.as_ref().is_none_or(|task| data.task == *task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventData, EventFacts, Timestamp};

    fn event(event_type: EventType, kind: &str, tenant: Option<&str>) -> Event {
        let task = TaskId::parse("t").unwrap();
        let (kind, tenant) = (Kind::parse(kind).unwrap(), tenant.map(str::to_owned));
        let data = EventData { task, kind, tenant, facts: EventFacts::default() };
        Event { event_type, timestamp: Timestamp::default(), data }
    }

    #[test]
    fn an_event_is_wanted_where_every_part_of_the_filter_meets_it() {
        let everything = EventFilter::default();
        assert!(everything.wants(&event(EventType::Claimed, "A", None)));
        let some = EventFilter {
            types: [EventType::Dead].into_iter().collect(),
            kinds: vec![Kind::parse("A").unwrap()],
            tenant: Some("x".to_owned()),
            task: None,
        };
        assert!(some.wants(&event(EventType::Dead, "A", Some("x"))));
        for other in [
            event(EventType::Claimed, "A", Some("x")),
            event(EventType::Dead, "B", Some("x")),
            event(EventType::Dead, "A", Some("y")),
            event(EventType::Dead, "A", None),
        ] {
            assert!(!some.wants(&other), "{other:?}");
        }
    }
}
