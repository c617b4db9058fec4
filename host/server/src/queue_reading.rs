//! What a scrape reads off queue and catalogue.

use std::collections::{BTreeMap, HashSet};

use bulkhead_core::{Kind, Timestamp, WorkflowState};
use bulkhead_sandbox::Catalogue;
use bulkhead_store::{DeadCount, RouteDepth, Store};

/// Queue and catalogue as they were at one moment.
#[derive(Debug, Clone)]
pub(crate) struct QueueReading {
    /// The moment.
    pub(crate) at: Timestamp,
    /// The kinds that live handlers served.
    pub(crate) live: HashSet<Kind>,
    /// How much of each route waited.
    pub(crate) depths: Vec<RouteDepth>,
    /// How much waited that no live handler served.
    pub(crate) unroutable: u64,
    /// How many had become dead letters since the store was opened.
    pub(crate) deaths: Vec<DeadCount>,
    /// How many workflows had come to rest since then.
    pub(crate) settled: Vec<(WorkflowState, u64)>,
    /// How often each handler's file could not be loaded.
    pub(crate) load_errors: BTreeMap<String, u64>,
}

impl QueueReading {
    pub(crate) fn take(catalogue: &Catalogue, store: &dyn Store) -> Self {
        let snapshot = catalogue.snapshot();
        let depths = store.depths();
        let unroutable = depths.iter().filter(|depth| !snapshot.serves(&depth.route)).map(|depth| depth.pending).sum();
        Self {
            at: bulkhead_worker::now(),
            live: snapshot.kinds().cloned().collect(),
            depths,
            unroutable,
            deaths: store.deaths(),
            settled: store.settled(),
            load_errors: catalogue.load_errors(),
        }
    }
}
