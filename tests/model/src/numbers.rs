//! The small numbers of the model, each a type of its own, so that the two kinds of clock are never mixed up.

/// A moment on the store's clock: the only one by which a lease runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreTime(pub i8);

impl StoreTime {
    /// The ticks since an earlier moment.
    pub const fn since(self, earlier: Self) -> i8 {
        self.0 - earlier.0
    }
}

/// A moment on one worker's own clock: it says nothing to anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerTime(pub i8);

impl WorkerTime {
    /// So many ticks later.
    pub const fn after(self, ticks: i8) -> Self {
        Self(self.0 + ticks)
    }
}

macro_rules! numbers {
    ($($(#[$documentation:meta])* $name:ident),* $(,)?) => {$(
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u8);

        impl $name {
            /// Its place in a list.
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The one that comes after it.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }
    )*};
}

numbers! {
    /// Which worker process.
    WorkerNumber,
    /// Which task.
    TaskNumber,
    /// One claimed batch: the fence.
    LeaseNumber,
    /// One attachment of a worker to the store.
    AttachmentNumber,
    /// Which claim of one task a run comes from. The protocol does not know it; the properties are stated by it.
    RunNumber,
}
