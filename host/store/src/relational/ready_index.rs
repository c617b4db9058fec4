//! The heads of the ready table, in memory, so that a claim costs the same with one route or a thousand.
//!
//! A *lane* is the tasks of one route and one priority, in the order in which they are claimed. Of each lane the first
//! few are here, as they stand in the table; of each lane that a worker serves, the first is in that worker's set of
//! heads. So the next task for a worker is the first of its heads, whatever else waits.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use bulkhead_core::Timestamp;

use crate::{TaskSeq, WorkerId};

use super::slot::{Flags, Rank, RouteId};

/// Tasks of one lane kept in memory; a batch of claims takes about as many.
pub(super) const LANE_BUFFER: usize = 512;

/// One task of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) due: Timestamp,
    pub(super) seq: TaskSeq,
    pub(super) flags: Flags,
}

/// A lane's first task among those of other lanes; the order of the fields is the order of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    rank: Rank,
    due: Timestamp,
    seq: TaskSeq,
    route: RouteId,
}

#[derive(Debug, Default)]
struct Lane {
    entries: VecDeque<Entry>,
    /// Whether the table has no more of this lane than is here.
    whole: bool,
}

/// Tasks taken from one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) route: RouteId,
    pub(super) rank: Rank,
    /// Nothing of the lane is left in memory, but there may be more in the table: delete what was taken, then
    /// [`ReadyIndex::refill`].
    pub(super) drained: bool,
}

/// The first tasks of every lane.
#[derive(Debug, Default)]
pub(super) struct ReadyIndex {
    lanes: BTreeMap<(RouteId, Rank), Lane>,
    heads: HashMap<WorkerId, BTreeSet<Head>>,
    served: HashMap<RouteId, Vec<WorkerId>>,
}

impl ReadyIndex {
    /// Forgets every lane, not who serves what.
    pub(super) fn clear(&mut self) {
        self.lanes.clear();
        self.heads.values_mut().for_each(BTreeSet::clear);
    }

    /// Puts in the first tasks of a lane as the table has them; `whole` where the table has no more.
    pub(super) fn refill(&mut self, route: RouteId, rank: Rank, entries: VecDeque<Entry>, whole: bool) {
        if entries.is_empty() {
            self.lanes.remove(&(route, rank));
            return;
        }
        self.show(route, rank, entries.front().copied());
        self.lanes.insert((route, rank), Lane { entries, whole });
    }

    /// How many lanes hold anything.
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// The lanes that have so few tasks in memory, and more in the table.
    pub(super) fn low(&self, few: usize) -> impl Iterator<Item = (RouteId, Rank)> {
        self.lanes.iter().filter(move |(_, lane)| !lane.whole && lane.entries.len() <= few).map(|(lane, _)| *lane)
    }

    /// Forgets the tasks of a lane up to this one, which were taken out of the table; all of them where there is none.
    pub(super) fn taken(&mut self, route: RouteId, rank: Rank, last: Option<(Timestamp, TaskSeq)>) {
        let Some(lane) = self.lanes.get_mut(&(route, rank)) else { return };
        let before = lane.entries.front().copied();
        match last {
            Some(last) => {
                while lane.entries.front().is_some_and(|entry| (entry.due, entry.seq) <= last) {
                    lane.entries.pop_front();
                }
            }
            None => lane.entries.clear(),
        }
        let after = lane.entries.front().copied();
        if lane.entries.is_empty() {
            self.lanes.remove(&(route, rank));
        }
        if before != after {
            self.hide(route, rank, before);
            self.show(route, rank, after);
        }
    }

    /// Notes a task that was put into the table.
    pub(super) fn insert(&mut self, route: RouteId, rank: Rank, entry: Entry) {
        let lane = self.lanes.entry((route, rank)).or_insert_with(|| Lane { entries: VecDeque::new(), whole: true });
        let before = lane.entries.front().copied();
        match lane.entries.back() {
            Some(last) if *last > entry => {
                let place = lane.entries.partition_point(|other| *other < entry);
                lane.entries.insert(place, entry);
                if lane.entries.len() > 2 * LANE_BUFFER {
                    lane.entries.truncate(LANE_BUFFER);
                    lane.whole = false;
                }
            }
            _ if !lane.whole => return,
            _ if lane.entries.len() >= LANE_BUFFER => {
                lane.whole = false;
                return;
            }
            _ => lane.entries.push_back(entry),
        }
        let after = lane.entries.front().copied();
        if before != after {
            self.hide(route, rank, before);
            self.show(route, rank, after);
        }
    }

    /// Notes a task that was taken out of the table by itself. True where the lane must be filled again.
    pub(super) fn remove(&mut self, route: RouteId, rank: Rank, due: Timestamp, seq: TaskSeq) -> bool {
        let Some(lane) = self.lanes.get_mut(&(route, rank)) else { return false };
        let place = lane.entries.partition_point(|other| (other.due, other.seq) < (due, seq));
        if lane.entries.get(place).is_none_or(|other| other.seq != seq) {
            return false;
        }
        let before = lane.entries.front().copied();
        lane.entries.remove(place);
        let after = lane.entries.front().copied();
        let (empty, whole) = (lane.entries.is_empty(), lane.whole);
        if empty {
            self.lanes.remove(&(route, rank));
        }
        if before != after {
            self.hide(route, rank, before);
            self.show(route, rank, after);
        }
        empty && !whole
    }

    /// Takes for a worker, in order, tasks of the lane that is first, as long as no other lane comes before them.
    pub(super) fn take(&mut self, worker: WorkerId, most: usize, taken: &mut Vec<Entry>) -> Option<Taken> {
        let mut heads = self.heads.get(&worker)?.iter();
        let first = *heads.next()?;
        let next = heads.next().copied();
        let (route, rank) = (first.route, first.rank);
        let lane = self.lanes.get_mut(&(route, rank))?;
        let before = lane.entries.front().copied();
        let first_turn = taken.len();
        while let Some(entry) = lane.entries.front()
            && taken.len() - first_turn < most
            && next.is_none_or(|next| (rank, entry.due, entry.seq) < (next.rank, next.due, next.seq))
        {
            taken.push(*entry);
            lane.entries.pop_front();
        }
        let after = lane.entries.front().copied();
        let drained = lane.entries.is_empty() && !lane.whole;
        if lane.entries.is_empty() {
            self.lanes.remove(&(route, rank));
        }
        self.hide(route, rank, before);
        self.show(route, rank, after);
        Some(Taken { route, rank, drained })
    }

    /// The route of the worker's next task.
    pub(super) fn first(&self, worker: WorkerId) -> Option<RouteId> {
        self.heads.get(&worker)?.first().map(|head| head.route)
    }

    /// Whether anything waits that the worker serves.
    pub(super) fn has_work(&self, worker: WorkerId) -> bool {
        self.heads.get(&worker).is_some_and(|heads| !heads.is_empty())
    }

    /// Says which routes a worker serves from here on.
    pub(super) fn serve(&mut self, worker: WorkerId, routes: impl Iterator<Item = RouteId>) {
        self.detach(worker);
        let mut heads = BTreeSet::new();
        for route in routes {
            self.served.entry(route).or_default().push(worker);
            for ((_, rank), lane) in self.lanes.range((route, Rank::FIRST)..=(route, Rank::LAST)) {
                if let Some(entry) = lane.entries.front() {
                    heads.insert(Head { rank: *rank, due: entry.due, seq: entry.seq, route });
                }
            }
        }
        self.heads.insert(worker, heads);
    }

    /// Says that a worker serves a route that is new.
    pub(super) fn serve_also(&mut self, worker: WorkerId, route: RouteId) {
        let workers = self.served.entry(route).or_default();
        if !workers.contains(&worker) {
            workers.push(worker);
            for rank in Rank::all() {
                let head = self.lanes.get(&(route, rank)).and_then(|lane| lane.entries.front()).copied();
                self.show(route, rank, head);
            }
        }
    }

    /// Forgets a worker.
    pub(super) fn detach(&mut self, worker: WorkerId) {
        if self.heads.remove(&worker).is_some() {
            self.served.retain(|_, workers| {
                workers.retain(|other| *other != worker);
                !workers.is_empty()
            });
        }
    }

    /// Who serves a route.
    pub(super) fn servers(&self, route: RouteId) -> &[WorkerId] {
        self.served.get(&route).map_or(&[], Vec::as_slice)
    }

    /// Forgets a route that holds nothing.
    pub(super) fn forget(&mut self, route: RouteId) {
        self.served.remove(&route);
    }

    /// When the oldest due task of a route fell due.
    pub(super) fn oldest_due(&self, route: RouteId) -> Option<Timestamp> {
        self.lanes
            .range((route, Rank::FIRST)..=(route, Rank::LAST))
            .filter_map(|(_, lane)| lane.entries.front().map(|entry| entry.due))
            .min()
    }

    fn hide(&mut self, route: RouteId, rank: Rank, entry: Option<Entry>) {
        let (Some(entry), Some(workers)) = (entry, self.served.get(&route)) else { return };
        let head = Head { rank, due: entry.due, seq: entry.seq, route };
        for worker in workers {
            if let Some(heads) = self.heads.get_mut(worker) {
                heads.remove(&head);
            }
        }
    }

    fn show(&mut self, route: RouteId, rank: Rank, entry: Option<Entry>) {
        let (Some(entry), Some(workers)) = (entry, self.served.get(&route)) else { return };
        let head = Head { rank, due: entry.due, seq: entry.seq, route };
        for worker in workers {
            if let Some(heads) = self.heads.get_mut(worker) {
                heads.insert(head);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKER: WorkerId = WorkerId(1);

    fn entry(due: i64, seq: i64) -> Entry {
        Entry { due: Timestamp::from_millis(due), seq: TaskSeq(seq), flags: Flags::NONE }
    }

    fn take_all(index: &mut ReadyIndex) -> Vec<i64> {
        let mut taken = Vec::new();
        while index.take(WORKER, 3, &mut taken).is_some() {}
        taken.iter().map(|entry| entry.seq.0).collect()
    }

    #[test]
    fn priority_goes_first_then_due_time_then_age() {
        let mut index = ReadyIndex::default();
        index.serve(WORKER, [RouteId(1), RouteId(2)].into_iter());
        index.insert(RouteId(1), Rank(0), entry(5, 1));
        index.insert(RouteId(2), Rank(0), entry(4, 2));
        index.insert(RouteId(2), Rank(-3), entry(9, 3));
        index.insert(RouteId(1), Rank(0), entry(4, 4));
        index.insert(RouteId(3), Rank(-9), entry(0, 5));
        assert_eq!(take_all(&mut index), [3, 2, 4, 1]);
    }

    #[test]
    fn a_full_lane_forgets_its_end_and_asks_to_be_filled_again() {
        let mut index = ReadyIndex::default();
        index.serve(WORKER, std::iter::once(RouteId(1)));
        for seq in 0..=LANE_BUFFER as i64 {
            index.insert(RouteId(1), Rank(0), entry(0, seq));
        }
        let mut taken = Vec::new();
        let last = index.take(WORKER, usize::MAX, &mut taken).unwrap();
        assert_eq!((taken.len(), last.drained), (LANE_BUFFER, true));
    }

    #[test]
    fn removing_the_head_shows_the_next() {
        let mut index = ReadyIndex::default();
        index.serve(WORKER, std::iter::once(RouteId(1)));
        for seq in 1..4 {
            index.insert(RouteId(1), Rank(0), entry(seq, seq));
        }
        assert!(!index.remove(RouteId(1), Rank(0), Timestamp::from_millis(1), TaskSeq(1)));
        assert!(!index.remove(RouteId(1), Rank(0), Timestamp::from_millis(3), TaskSeq(3)));
        assert_eq!(take_all(&mut index), [2]);
    }
}
