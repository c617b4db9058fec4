//! How hosts of one database tell each other that there is something to look at.

use std::sync::Arc;

/// Rings at the other hosts; never waits, and may be lost: each host looks by itself now and then.
pub(crate) trait Bell: Send + Sync + std::fmt::Debug {
    /// Tells the others.
    fn ring(&self);
}

/// Begins to listen: calls what it is given whenever another host rings, and gives what to ring with.
pub(crate) type Listen = Box<dyn FnOnce(Box<dyn Fn() + Send>) -> Arc<dyn Bell> + Send>;
