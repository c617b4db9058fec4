//! Kinds of which only so many may run, or begin.

use std::collections::{BTreeMap, HashMap};

use bulkhead_core::{Bucket, Kind, KindLimit, Route, Timestamp};

/// The limits of one store, and how far each is used up.
#[derive(Debug, Default)]
pub(super) struct KindLimits {
    kinds: HashMap<Kind, Limited>,
    /// Whether any kind is closed.
    any_closed: bool,
}

#[derive(Debug)]
struct Limited {
    concurrent: Option<u32>,
    running: u32,
    bucket: Option<Bucket>,
    /// Nothing more of it is claimed for now.
    closed: bool,
}

impl Limited {
    fn allowance(&self, now: Timestamp) -> u32 {
        let free = self.concurrent.map_or(u32::MAX, |concurrent| concurrent.saturating_sub(self.running));
        free.min(self.bucket.map_or(u32::MAX, |bucket| bucket.available(now)))
    }
}

impl KindLimits {
    pub(super) fn new(limits: &BTreeMap<Kind, KindLimit>, now: Timestamp) -> Self {
        let limited = |limit: &KindLimit| Limited {
            concurrent: limit.concurrent.map(std::num::NonZeroU32::get),
            running: 0,
            bucket: limit.rate.map(|rate| Bucket::full(rate, now)),
            closed: false,
        };
        Self { kinds: limits.iter().map(|(kind, limit)| (kind.clone(), limited(limit))).collect(), any_closed: false }
    }

    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The kinds that are limited.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.keys()
    }

    /// How far a limit is used up, as all hosts know it.
    pub(super) fn set(&mut self, kind: &Kind, running: u32, held: Option<(f64, Timestamp)>) {
        if let Some(limited) = self.kinds.get_mut(kind) {
            limited.running = running;
            if let (Some(bucket), Some((tokens, filled_at))) = (&mut limited.bucket, held) {
                *bucket = Bucket::holding(bucket.rate(), tokens, filled_at);
            }
        }
    }

    /// How far a limit is used up.
    pub(super) fn get(&self, kind: &Kind) -> Option<(u32, Option<(f64, Timestamp)>)> {
        let limited = self.kinds.get(kind)?;
        Some((limited.running, limited.bucket.as_ref().map(Bucket::held)))
    }

    /// Whether nothing of the route may be claimed for now.
    pub(super) fn is_closed(&self, route: &Route) -> bool {
        self.any_closed && self.kinds.get(&route.kind).is_some_and(|limited| limited.closed)
    }

    /// How many tasks of the kind may be claimed now.
    pub(super) fn allowance(&self, kind: &Kind, now: Timestamp) -> usize {
        self.kinds.get(kind).map_or(usize::MAX, |limited| limited.allowance(now) as usize)
    }

    /// Counts tasks that were claimed, or, with a negative count, were not after all.
    pub(super) fn claim(&mut self, kind: &Kind, count: i64, now: Timestamp) {
        if let Some(limited) = self.kinds.get_mut(kind) {
            limited.running = limited.running.saturating_add_signed(i32::try_from(count).unwrap_or(0));
            if let Some(bucket) = &mut limited.bucket {
                bucket.take(count, now);
            }
        }
    }

    /// Counts tasks that run no more.
    pub(super) fn free(&mut self, kind: &Kind, count: u32) {
        if let Some(limited) = self.kinds.get_mut(kind) {
            limited.running = limited.running.saturating_sub(count);
        }
    }

    /// Closes a kind until there is an allowance again.
    pub(super) fn close(&mut self, kind: &Kind) {
        if let Some(limited) = self.kinds.get_mut(kind) {
            (limited.closed, self.any_closed) = (true, true);
        }
    }

    /// Opens the kinds that have an allowance again; whether there were any.
    pub(super) fn reopen(&mut self, now: Timestamp) -> bool {
        if !self.any_closed {
            return false;
        }
        let mut opened = false;
        for limited in self.kinds.values_mut().filter(|limited| limited.closed) {
            limited.closed = limited.allowance(now) == 0;
            opened |= !limited.closed;
        }
        self.any_closed = self.kinds.values().any(|limited| limited.closed);
        opened
    }

    /// When a closed kind may have an allowance again without anything else happening.
    pub(super) fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        let closed = self.kinds.values().filter(|limited| limited.closed);
        closed
            .filter(|limited| limited.concurrent.is_none_or(|concurrent| limited.running < concurrent))
            .filter_map(|limited| Some(limited.bucket?.next_at(now)))
            .min()
    }
}
