//! What `/metrics` says of queue, catalogue and process.

use std::sync::{Mutex, PoisonError};

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::death_counts::DeathCounts;
use crate::kind_label::kind_label;
use crate::queue_reading::QueueReading;

/// What is read off the queue and the catalogue at each scrape.
#[derive(Debug)]
pub(crate) struct QueueMetrics {
    registry: Registry,
    pending: IntGaugeVec,
    oldest: GaugeVec,
    unroutable: IntGauge,
    load_errors: IntCounterVec,
    settled: IntCounterVec,
    /// Held from the reading to the gathering: what is reset in between is nothing for another scrape to see.
    deaths: Mutex<DeathCounts>,
}

impl QueueMetrics {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let pending = IntGaugeVec::new(Opts::new("queue_pending", "Tasks that wait, due or not."), &["kind"])?;
        let oldest =
            GaugeVec::new(Opts::new("queue_oldest_seconds", "How long the oldest due task has been due."), &["kind"])?;
        let unroutable = IntGauge::new("queue_unroutable", "Tasks that wait and that no live handler serves.")?;
        let load_errors = IntCounterVec::new(
            Opts::new("handler_load_errors_total", "Handler files that could not be loaded."),
            &["handler"],
        )?;
        let dead =
            IntCounterVec::new(Opts::new("queue_dead_total", "Tasks that became dead letters."), &["kind", "reason"])?;
        let settled = Opts::new("workflow_settled_total", "Workflows in which nothing more happens by itself.");
        let settled = IntCounterVec::new(settled, &["state"])?;
        let registry = Registry::new();
        let collectors: [Box<dyn Collector>; 7] = [
            Box::new(dead.clone()),
            Box::new(settled.clone()),
            Box::new(pending.clone()),
            Box::new(oldest.clone()),
            Box::new(unroutable.clone()),
            Box::new(load_errors.clone()),
            Box::new(ProcessCollector::for_self()),
        ];
        for collector in collectors {
            registry.register(collector)?;
        }
        let deaths = Mutex::new(DeathCounts::new(dead));
        Ok(Self { registry, pending, oldest, unroutable, load_errors, settled, deaths })
    }

    /// Everything as it is read now, one scrape after the other.
    pub(crate) fn gather(&self, read: impl FnOnce() -> QueueReading) -> Vec<MetricFamily> {
        let mut deaths = self.deaths.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = read();
        self.update(&reading);
        deaths.count(reading.deaths, &reading.live);
        self.registry.gather()
    }

    fn update(&self, reading: &QueueReading) {
        let now = reading.at.as_millis();
        self.pending.reset();
        self.oldest.reset();
        for kind in &reading.live {
            self.pending.with_label_values(&[kind.as_str()]).set(0);
        }
        for depth in &reading.depths {
            let kind = [kind_label(&depth.route.kind, &reading.live)];
            self.pending.with_label_values(&kind).add(gauged(depth.pending));
            if let Some(due) = depth.oldest_due {
                let gauge = self.oldest.with_label_values(&kind);
                gauge.set(gauge.get().max((now - due.as_millis()).max(0) as f64 / 1e3));
            }
        }
        self.unroutable.set(gauged(reading.unroutable));
        self.settled.reset();
        for (state, count) in &reading.settled {
            self.settled.with_label_values(&[state.as_str()]).inc_by(*count);
        }
        self.load_errors.reset();
        for (handler, errors) in &reading.load_errors {
            self.load_errors.with_label_values(&[handler.as_str()]).inc_by(*errors);
        }
    }
}

fn gauged(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use bulkhead_core::{DeadReason, Kind, Timestamp, WorkflowState};
    use bulkhead_store::DeadCount;

    use super::*;

    #[test]
    fn scrapes_at_once_count_nothing_twice_and_nothing_less() {
        let metrics = QueueMetrics::new().expect("metrics");
        let reading = QueueReading {
            at: Timestamp::from_millis(0),
            live: HashSet::new(),
            depths: vec![],
            unroutable: 0,
            deaths: vec![DeadCount { kind: Kind::parse("A").expect("a kind"), reason: DeadReason::Expired, count: 3 }],
            settled: vec![(WorkflowState::Succeeded, 3)],
            load_errors: BTreeMap::from([("a".to_owned(), 3)]),
        };
        let names = ["queue_dead_total", "workflow_settled_total", "handler_load_errors_total"];
        let scrape = || {
            let families = metrics.gather(|| reading.clone());
            names.map(|name| {
                let counts = families.iter().filter(|family| family.name() == name).flat_map(MetricFamily::get_metric);
                counts.map(|count| count.get_counter().get_value()).sum::<f64>()
            })
        };
        let scrapes = || (0..5_000).map(|_| scrape()).find(|counts| *counts != [3.0; 3]);
        std::thread::scope(|scope| {
            for wrong in [scope.spawn(scrapes), scope.spawn(scrapes)] {
                assert_eq!(wrong.join().expect("it scrapes"), None);
            }
        });
    }
}
