//! When the store's thread has something to do, and how long it may sleep.

use std::time::Duration;

use bulkhead_core::Timestamp;

use crate::WorkerId;

use super::attached::{AloneTurn, Attached};
use super::claim::DRAIN_PATIENCE;
use super::memory::Memory;
use super::thread::{DELIVER_AGAIN, LONGEST_SLEEP, Thread};

impl Thread {
    /// The time, as far as it can be known without asking the database.
    pub(super) fn estimate(&self, boot: Duration) -> Timestamp {
        match &self.memory.many_hosts {
            Some(many) if many.database_time => self.latest.after(boot.saturating_sub(self.latest_at)),
            _ => self.latest.max(self.memory.settings.clock.now()),
        }
    }

    /// Whether other hosts may have done something by now.
    pub(super) fn is_time_to_look(&self, boot: Duration) -> bool {
        self.memory.many_hosts.as_ref().is_some_and(|many| many.look_at <= boot || self.memory.stale)
    }

    /// Whether something is to be done that nobody asked for.
    pub(super) fn is_due(&self, now: Timestamp, boot: Duration, asked: bool) -> bool {
        let memory = &self.memory;
        let past = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= now);
        past(memory.next_delayed)
            || past(memory.next_expiry)
            || past(memory.next_wake)
            || past(memory.limits.next_at(now))
            || past(memory.agenda.next())
            || self.is_time_to_look(boot)
            || (asked && memory.many_hosts.is_some())
            // What fell due in a cycle that was rolled back is due still, and only the file knows of it.
            || memory.stale
            || past(Some(memory.retention_walk.next_at))
            || !memory.unparking.is_empty()
            || memory.new_catalogue
            || (asked && memory.next_name_sweep <= now)
            || memory.workers.iter().any(|(id, attached)| {
                (memory.many_hosts.is_none()
                    && boot.saturating_sub(attached.renewed_at) > memory.settings.lease_duration)
                    || self.can_claim(*id, attached, boot)
            })
    }

    /// Whether a claim for the worker would bring something, or move its turn on.
    pub(super) fn can_claim(&self, worker: WorkerId, attached: &Attached, boot: Duration) -> bool {
        if attached.permits == 0 || attached.gone || !attached.is_caught_up() {
            return false;
        }
        let lone = || self.memory.alone.iter().any(|lone| self.memory.ready.servers(lone.route).contains(&worker));
        match attached.alone {
            AloneTurn::Running if attached.in_flight > 0 => false,
            AloneTurn::Draining(since) if attached.in_flight > 0 => boot.saturating_sub(since) >= DRAIN_PATIENCE,
            _ => self.memory.ready.has_work(worker) || lone(),
        }
    }

    /// How long the thread may sleep; `None`: until somebody asks.
    pub(super) fn idle_for(&self) -> Option<Duration> {
        let clock = &self.memory.settings.clock;
        let boot = clock.since_boot();
        let now = self.estimate(boot);
        if !self.backlog.is_empty() {
            return Some(Duration::ZERO);
        }
        let mut sleep: Option<Duration> = None;
        let mut at_most = |limit: Duration| sleep = Some(sleep.map_or(limit, |sleep| sleep.min(limit)));
        if self.memory.workers.values().any(|attached| !attached.is_caught_up()) {
            at_most(DELIVER_AGAIN);
        }
        if let Some(trouble) = self.trouble {
            at_most(trouble.again_at.saturating_sub(boot));
            return sleep;
        }
        if self.is_due(now, boot, false) {
            return Some(Duration::ZERO);
        }
        if let Some(many) = &self.memory.many_hosts {
            at_most(many.look_at.saturating_sub(boot).max(Duration::from_millis(1)));
        }
        let Memory { next_delayed, next_expiry, next_wake, .. } = self.memory;
        let (walk, tick) = (Some(self.memory.retention_walk.next_at), self.memory.agenda.next());
        let limits = self.memory.limits.next_at(now);
        for moment in [next_delayed, next_expiry, next_wake, walk, tick, limits].into_iter().flatten() {
            let millis = u64::try_from(moment.as_millis().saturating_sub(now.as_millis())).unwrap_or(0);
            at_most(Duration::from_millis(millis).min(LONGEST_SLEEP));
        }
        for attached in self.memory.workers.values().filter(|_| self.memory.many_hosts.is_none()) {
            let lost_at = attached.renewed_at + self.memory.settings.lease_duration + Duration::from_millis(1);
            at_most(lost_at.saturating_sub(boot));
            if let AloneTurn::Draining(since) = attached.alone {
                at_most((since + DRAIN_PATIENCE).saturating_sub(boot).max(Duration::from_millis(1)));
            }
        }
        sleep
    }
}
