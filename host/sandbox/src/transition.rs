//! Where guest and host hand over to each other.

use wasmtime::{CallHook, Result, StoreContextMut};

use crate::fence::Fence;
use crate::host_state::HostState;

/// Called where guest and host hand over to each other: a call that returns is paid for.
///
/// Only there: compiled code keeps the fuel in a register, and looks at the store's again after a call of its own, but not
/// after what it has the host do beside that, which comes through here, too: the epoch's call, and growing a memory. What is
/// taken off the store's fuel there is lost, so that nothing is, while the host is in the middle of a call
/// ([`Meter::is_due`](crate::meter::Meter::is_due)).
pub(crate) fn on_transition(mut store: StoreContextMut<'_, HostState>, transition: CallHook) -> Result<()> {
    match transition {
        CallHook::CallingWasm => store.data_mut().meter.enter(),
        CallHook::ReturningFromWasm => store.data_mut().meter.leave(),
        CallHook::ReturningFromHost if store.data().meter.is_due() => {
            let owed = store.data_mut().meter.settle()?;
            let left = store.get_fuel()?;
            store.set_fuel(left.checked_sub(owed).ok_or(Fence::OutOfFuel)?)?;
        }
        CallHook::ReturningFromHost | CallHook::CallingHost => {}
    }
    Ok(())
}
