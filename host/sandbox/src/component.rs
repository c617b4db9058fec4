//! A compiled component, linked and ready to be made into sandboxes.

use bulkhead_core::{Kind, Overrides, TagSet};
use serde::{Deserialize, Serialize};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker, TypedFunc};
use wasmtime::{Result, Store};

use crate::LoadError;
use crate::bindings::HANDLER;
use crate::bindings::exports::bulkhead::handler::handler::{Failure, Outcome, Task};
use crate::host_state::HostState;

/// What a component says of itself; asked once per version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) kind: Kind,
    pub(crate) provides: TagSet,
    pub(crate) defaults: Overrides,
}

/// A component with its imports resolved and the exports of a run looked up.
pub(crate) struct Compiled {
    pub(crate) description: Description,
    pub(crate) size_bytes: u64,
    ready: Ready,
}

/// What of a component is needed to enter it.
pub(crate) struct Ready {
    instance: InstancePre<HostState>,
    dispatch: ComponentExportIndex,
    handle: ComponentExportIndex,
}

/// The two exports of a run, in a fresh sandbox.
pub(crate) struct Entry<'a> {
    pub(crate) dispatch: TypedFunc<(Task<'a>,), (bool,)>,
    pub(crate) handle: TypedFunc<(Task<'a>,), (Result<Outcome, Failure>,)>,
}

impl Ready {
    pub(crate) fn new(linker: &Linker<HostState>, component: &Component) -> Result<Self, LoadError> {
        let instance = linker.instantiate_pre(component).map_err(|error| crate::inspect::link_error(&error))?;
        let missing = || LoadError::NotAHandler { expected: HANDLER.to_owned() };
        let handler = component.get_export_index(None, HANDLER).ok_or_else(missing)?;
        let export = |name: &str| {
            component
                .get_export_index(Some(&handler), name)
                .ok_or_else(|| LoadError::NotAHandler { expected: format!("{HANDLER}#{name}") })
        };
        Ok(Self { dispatch: export("dispatch")?, handle: export("handle")?, instance })
    }

    pub(crate) fn instance(&self) -> &InstancePre<HostState> {
        &self.instance
    }
}

impl Compiled {
    pub(crate) fn new(description: Description, size_bytes: u64, ready: Ready) -> Self {
        Self { description, size_bytes, ready }
    }

    /// Makes a sandbox. Only the exports of a run are looked up: checking the types of all five takes a microsecond.
    pub(crate) async fn instantiate<'a>(&self, store: &mut Store<HostState>) -> Result<Entry<'a>> {
        let instance = self.ready.instance.instantiate_async(&mut *store).await?;
        Ok(Entry {
            dispatch: instance.get_typed_func(&mut *store, self.ready.dispatch)?,
            handle: instance.get_typed_func(&mut *store, self.ready.handle)?,
        })
    }
}
