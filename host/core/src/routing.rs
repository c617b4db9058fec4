//! Which handler and which worker may serve a task.

use crate::{Home, Kind, TagSet};

/// What decides where a task can run: tasks of one route can be served by the same workers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Route {
    /// The kind of task.
    pub kind: Kind,
    /// The tags it requires.
    pub requires: TagSet,
    /// Where its workspace is, which no caller says: only hosts of that home serve it.
    pub home: Option<Home>,
}

impl Route {
    /// The route of tasks that no home binds.
    pub const fn new(kind: Kind, requires: TagSet) -> Self {
        Self { kind, requires, home: None }
    }
}

/// Why a worker keeps a handler out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingError {
    /// The handler provides what the worker has not.
    #[error(
        "provides tags that this worker lacks: `{0}`; add them to worker.caps (WORKER_CAPS), or take them out by `provides` in [handler.NAME]"
    )]
    LacksCaps(String),
}

/// The second half of the capability rule, asked at load: `handler.provides ⊆ worker.caps`.
pub fn admits(caps: &TagSet, provides: &TagSet) -> Result<(), RoutingError> {
    let missing: Vec<&str> = provides.missing_from(caps).map(crate::Tag::as_str).collect();
    if missing.is_empty() { Ok(()) } else { Err(RoutingError::LacksCaps(missing.join(" "))) }
}

/// The first half, asked at every claim: same kind, and `task.requires ⊆ handler.provides`.
pub fn serves(kind: &Kind, provides: &TagSet, route: &Route) -> bool {
    *kind == route.kind && route.requires.is_subset(provides)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tags() -> impl Strategy<Value = TagSet> {
        proptest::collection::vec("[a-e]", 0..5).prop_map(|tags| TagSet::parse(tags).unwrap())
    }

    proptest! {
        #[test]
        fn a_task_is_served_only_where_requires_provides_and_caps_nest(requires in tags(), provides in tags(), caps in tags()) {
            let kind = Kind::parse("RENDER").unwrap();
            let route = Route::new(kind.clone(), requires.clone());
            let runs = admits(&caps, &provides).is_ok() && serves(&kind, &provides, &route);
            let nested = requires.iter().all(|tag| provides.contains(tag.as_str()))
                && provides.iter().all(|tag| caps.contains(tag.as_str()));
            prop_assert_eq!(runs, nested);
        }
    }
}
