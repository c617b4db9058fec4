//! The epoch: the guest's own code looks at it, and comes here when it has moved on, where deadline and
//! control are read, and the thread is lent to others.

use std::sync::Arc;

use wasmtime::{Result, StoreContextMut, UpdateDeadline};

use crate::fence::Fence;
use crate::host_state::HostState;

/// Ticks until a guest first looks up, so that it has at least one whole tick for itself.
pub(crate) const FIRST_LOOK: u64 = 2;
/// Ticks between looks after that.
const NEXT_LOOK: u64 = 1;

/// Called on the guest's fiber when the epoch has passed its deadline.
pub(crate) fn on_epoch(mut store: StoreContextMut<'_, HostState>) -> Result<UpdateDeadline> {
    let host = store.data_mut();
    if let Some(why) = host.control.stopped() {
        return Err(Fence::Stopped(why).into());
    }
    if host.control.now() >= host.deadline {
        return Err(Fence::TimedOut.into());
    }
    let control = Arc::clone(&store.data().control);
    Ok(UpdateDeadline::YieldCustom(NEXT_LOOK, Box::pin(async move { control.stand_aside().await })))
}
