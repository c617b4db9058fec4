//! The delegates of one run, put together as a host has them.

mod deadline;
mod tokens;
mod trace;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::{Caller, HandlerName, TaskId};
use bulkhead_delegates::{DelegateMetrics, DelegateSettings, Delegates, Grants};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A run of the handler that `delegates` grants something, which ends then.
fn caller(deadline: Instant) -> Caller {
    Caller {
        handler: HandlerName::parse("fetch").unwrap(),
        task: TaskId::parse("t1").unwrap(),
        lease: None,
        workspace: None,
        traceparent: None,
        deadline,
    }
}

/// Delegates that are granted to one handler.
fn delegates(settings: DelegateSettings, grants: Grants) -> Arc<Delegates> {
    let metrics = DelegateMetrics::register(&prometheus::Registry::new()).unwrap();
    let grants = BTreeMap::from([(HandlerName::parse("fetch").unwrap(), grants)]);
    Delegates::new(settings, grants, "test", metrics).unwrap()
}
