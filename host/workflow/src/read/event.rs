//! What a step tells once it has ended.

use bulkhead_core::{DomainEvent, PublishCondition};

use crate::yaml::Node;
use crate::{NotActedOn, Problem, shown};

/// The most events of one step.
const MAX_EVENTS: usize = 100;

pub(super) fn read_events(
    step: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
    not_acted_on: &mut Vec<NotActedOn>,
) -> Vec<DomainEvent> {
    let Some(list) = step.get("publishes_events") else { return Vec::new() };
    if list.items().len() > MAX_EVENTS {
        problems.push(Problem::at(list.mark, format!("a step may tell at most {MAX_EVENTS} events")));
        return Vec::new();
    }
    let mut events = Vec::new();
    for (index, item) in list.items().iter().enumerate() {
        let Some(name) = item.text().or_else(|| item.get("name")?.text()) else { continue };
        if !is_name(name) {
            let message = format!("an event's name must be 1 to 128 of A–Z a–z 0–9 _ . -: `{}`", shown(name));
            problems.push(Problem::at(item.mark, message));
            continue;
        }
        let said = item.get("condition");
        let condition = match said.and_then(Node::text) {
            None | Some("success") => PublishCondition::Success,
            Some("failure" | "permanent_failure") => PublishCondition::Failure,
            Some("retryable_failure") => {
                let line = said.map_or(item.mark.line, |node| node.mark.line);
                let key = format!("{path}.publishes_events[{index}]");
                let about = "A failure that is tried again is not told; `task.retried` is.";
                not_acted_on.push(NotActedOn { key, line, about });
                continue;
            }
            Some(_) => PublishCondition::Always,
        };
        events.push(DomainEvent { name: name.to_owned(), condition });
    }
    events
}

fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}
