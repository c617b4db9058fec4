//! A compiled component, linked and ready to be made into sandboxes.

use std::sync::OnceLock;

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
    first: Ready,
    /// The same in the pools after the first, once it was asked for there; none where it could not be made.
    others: Box<[OnceLock<Option<Ready>>]>,
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

    /// The compiled code, as another engine of the same settings takes it.
    pub(crate) fn code(&self) -> Result<Vec<u8>> {
        self.instance.component().serialize()
    }

    /// Makes a sandbox. Only the exports of a run are looked up: checking the types of all five takes a microsecond.
    pub(crate) async fn instantiate<'a>(&self, store: &mut Store<HostState>) -> Result<Entry<'a>> {
        let instance = self.instance.instantiate_async(&mut *store).await?;
        Ok(Entry {
            dispatch: instance.get_typed_func(&mut *store, self.dispatch)?,
            handle: instance.get_typed_func(&mut *store, self.handle)?,
        })
    }
}

impl Compiled {
    /// A component in the first of so many pools.
    pub(crate) fn new(description: Description, size_bytes: u64, first: Ready, pools: usize) -> Self {
        let others = (1..pools).map(|_| OnceLock::new()).collect();
        Self { description, size_bytes, first, others }
    }

    /// In the first pool.
    pub(crate) const fn first(&self) -> &Ready {
        &self.first
    }

    /// In the pool of this number, made of the first where it is not there yet; none where that cannot be.
    pub(crate) fn in_pool(&self, pool: usize, make: impl FnOnce(&Ready) -> Option<Ready>) -> Option<&Ready> {
        match pool.checked_sub(1) {
            None => Some(&self.first),
            Some(other) => self.others.get(other)?.get_or_init(|| make(&self.first)).as_ref(),
        }
    }
}
