//! The small words of a task's place in the queue.

use bulkhead_core::{Priority, Timestamp};

use crate::TaskSeq;
use crate::sql::{ToSql, ValueRef};

/// The number of an interned route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RouteId(pub(super) i64);

/// A priority as the index has it: negated, so that the smallest goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Rank(pub(super) i8);

impl Rank {
    pub(super) const FIRST: Self = Self(i8::MIN);
    pub(super) const LAST: Self = Self(i8::MAX);

    pub(super) fn of(priority: Priority) -> Self {
        Self(-priority.get())
    }

    pub(super) fn priority(self) -> Priority {
        Priority::try_new(-i64::from(self.0)).unwrap_or_default()
    }

    /// Every rank that a priority can have.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (-20..=20).map(Self)
    }
}

/// What is known of a task without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flags(pub(super) u8);

impl Flags {
    pub(super) const NONE: Self = Self(0);
    /// It has a row in `history`.
    pub(super) const HISTORY: Self = Self(1);
    /// It runs with nothing beside it.
    pub(super) const ALONE: Self = Self(2);

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Where a task belongs in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) seq: TaskSeq,
    pub(super) due: Timestamp,
    pub(super) route: RouteId,
    pub(super) rank: Rank,
    pub(super) flags: Flags,
}

macro_rules! to_sql {
    ($($name:ty),*) => {$(
        impl ToSql for $name {
            fn value(&self) -> ValueRef<'_> {
                ValueRef::Integer(i64::from(self.0))
            }
        }
    )*};
}
to_sql!(RouteId, Rank, Flags);
