//! What a catalogue is told.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::WorkspaceGrant;
use bulkhead_core::{Ceilings, HandlerName, JsonText, Overrides, TagSet};

/// The settings of a catalogue.
#[derive(Debug, Clone, Default)]
pub struct CatalogueSettings {
    /// The folder whose top-level `*.wasm` files are handlers.
    pub dir: PathBuf,
    /// The worker's capability tags.
    pub caps: TagSet,
    /// The handlers that may be live; empty, all of them.
    pub plugins: Vec<HandlerName>,
    /// `[handler.NAME]`.
    pub handlers: BTreeMap<HandlerName, HandlerSettings>,
    /// `[handlers.defaults]`.
    pub defaults: Overrides,
    /// What the host never exceeds.
    pub ceilings: Ceilings,
}

/// What the operator says of one handler.
#[derive(Debug, Clone, Default)]
pub struct HandlerSettings {
    /// Replaces the tags it exports.
    pub provides: Option<TagSet>,
    /// Overrides its options.
    pub options: Overrides,
    /// Static settings for the guest.
    pub settings: Option<JsonText>,
    /// `grants.workspace`: what it may do in the workspace of its task; none, it has none.
    pub workspace: Option<WorkspaceGrant>,
}

/// Why a catalogue could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The folder is not there.
    #[error("the handlers folder is missing: create it, or set handlers.dir: `{}`", .0.display())]
    Missing(PathBuf),
    /// The folder cannot be read.
    #[error("the handlers folder cannot be read: `{}`", .folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The system gave no thread.
    #[error("the catalogue's thread could not be started")]
    Thread(#[source] std::io::Error),
}
