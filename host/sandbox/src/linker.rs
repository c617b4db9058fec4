//! Everything that a guest may import.

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Result, StoreContextMut};
use wasmtime_wasi::p2::bindings::filesystem;

use crate::bindings::TaskHandler;
use crate::host_state::HostState;
use crate::workspace::WorkspaceFilesystem;

/// The name of the interface whose `remaining-fuel` is linked by hand.
const CONTEXT: &str = "bulkhead:handler/context@0.1.0";

/// WASI 0.2 in full, outgoing `wasi:http`, the contract's `context`, and all delegates.
pub(crate) fn build(engine: &Engine) -> Result<Linker<HostState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    TaskHandler::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |host| host)?;
    linker.allow_shadowing(true);
    filesystem::types::add_to_linker::<_, WorkspaceFilesystem>(&mut linker, HostState::files)?;
    linker.instance(CONTEXT)?.func_wrap("remaining-fuel", |mut store: StoreContextMut<'_, HostState>, (): ()| {
        store.data_mut().meter.charge(0);
        let owed = store.data().meter.owed();
        Ok((store.get_fuel()?.saturating_sub(owed),))
    })?;
    linker.allow_shadowing(false);
    Ok(linker)
}
