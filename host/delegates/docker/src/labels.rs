//! The labels by which containers are known to be ours, and whose they were.

use std::collections::HashMap;

use bulkhead_core::{LeaseId, TaskId, Traceparent};

use crate::maker::Maker;

/// The store whose task it runs for.
pub(crate) const STORE: &str = "bulkhead.store";

/// The host that made it, for whoever looks at an engine; whether it is over is never told by it.
pub(crate) const HOST: &str = "bulkhead.host";

/// The task it runs for.
pub(crate) const TASK: &str = "bulkhead.task";

/// The lease under which the task ran; empty where it had none.
pub(crate) const LEASE: &str = "bulkhead.lease";

/// The process that made it, where it has no lease by which to tell whether it is over.
pub(crate) const MAKER: &str = "bulkhead.process";

/// Where it stands in its task's trace; not there where the task is part of none.
pub(crate) const TRACEPARENT: &str = "bulkhead.traceparent";

/// What a container is labelled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Labels {
    pub(crate) store: String,
    pub(crate) host: String,
    pub(crate) task: TaskId,
    pub(crate) lease: Option<LeaseId>,
    pub(crate) traceparent: Option<Traceparent>,
}

impl Labels {
    /// As the engine keeps them.
    pub(crate) fn to_map(&self) -> HashMap<String, String> {
        let mut labels = HashMap::from([
            (STORE.to_owned(), self.store.clone()),
            (HOST.to_owned(), self.host.clone()),
            (TASK.to_owned(), self.task.as_str().to_owned()),
            (LEASE.to_owned(), self.lease.map(|lease| lease.0.to_string()).unwrap_or_default()),
        ]);
        if self.lease.is_none() {
            labels.extend(Maker::this().map(|maker| (MAKER.to_owned(), maker.to_label())));
        }
        labels.extend(self.traceparent.map(|place| (TRACEPARENT.to_owned(), place.to_string())));
        labels
    }

    /// A filter that finds all containers of this task, under whatever lease.
    pub(crate) fn of_task(&self) -> HashMap<String, Vec<String>> {
        let labels = vec![format!("{STORE}={}", self.store), format!("{TASK}={}", self.task)];
        HashMap::from([("label".to_owned(), labels)])
    }

    /// Whether a container of the same task was left by an earlier lease. Leases are numbered in the order in which they
    /// were given: a later one than ours means that we are the one that is over, and it is left alone.
    pub(crate) fn is_earlier(&self, labels: &HashMap<String, String>) -> bool {
        match (self.lease, lease_of(labels)) {
            (Some(ours), Some(theirs)) => theirs < ours,
            _ => false,
        }
    }
}

/// This host among all: the name of its machine, and the number of its process there.
pub(crate) fn this_host() -> String {
    format!("{} {}", rustix::system::uname().nodename().to_string_lossy(), std::process::id())
}

/// The lease that a container is labelled with.
pub(crate) fn lease_of(labels: &HashMap<String, String>) -> Option<LeaseId> {
    labels.get(LEASE)?.parse().ok().map(LeaseId)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(lease: Option<i64>) -> Labels {
        let task = TaskId::parse("t").expect("an id");
        let (store, host) = ("s".to_owned(), this_host());
        Labels { store, host, task, lease: lease.map(LeaseId), traceparent: None }
    }

    #[test]
    fn only_what_an_earlier_lease_left_is_earlier_and_without_a_lease_the_process_is_named() {
        let ours = labels(Some(5));
        assert!(ours.is_earlier(&labels(Some(4)).to_map()));
        for theirs in [Some(5), Some(6), None] {
            assert!(!ours.is_earlier(&labels(theirs).to_map()), "{theirs:?}");
        }
        assert!(labels(None).to_map().contains_key(MAKER) && !labels(Some(4)).to_map().contains_key(MAKER));
        assert!(!labels(None).is_earlier(&labels(Some(4)).to_map()));
    }

    #[test]
    fn a_container_names_its_host_and_is_earlier_whichever_that_was() {
        let theirs = Labels { host: "another 1".to_owned(), ..labels(Some(4)) }.to_map();
        assert_eq!(theirs.get("bulkhead.host").map(String::as_str), Some("another 1"));
        let ours = labels(Some(5));
        assert!(ours.is_earlier(&theirs));
        assert!(!ours.of_task().values().flatten().any(|label| label.starts_with(HOST)));
        let this = this_host();
        assert!(this.ends_with(&format!(" {}", std::process::id())) && !this.starts_with(' '), "{this}");
    }
}
