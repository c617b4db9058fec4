//! Where guest and host hand over to each other.

use wasmtime::{CallHook, Result, StoreContextMut};

use crate::fence::Fence;
use crate::host_state::HostState;

/// Called where guest and host hand over to each other: a call that returns is paid for.
///
/// Only there: compiled code keeps the fuel in a register, and looks at the store's again after a call of its own, but not
/// after the epoch's.
pub(crate) fn on_transition(mut store: StoreContextMut<'_, HostState>, transition: CallHook) -> Result<()> {
    if !matches!(transition, CallHook::ReturningFromHost) || store.data().meter.owed() == 0 {
        return Ok(());
    }
    let owed = store.data_mut().meter.settle()?;
    let left = store.get_fuel()?;
    store.set_fuel(left.checked_sub(owed).ok_or(Fence::OutOfFuel)?)
}
