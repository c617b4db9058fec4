//! The handlers that are live at one moment.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use bulkhead_core::{Digest, Kind, Route, TagSet};
use serde::Serialize;

use crate::LiveHandler;

/// What the catalogue held at one moment; it never changes.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Grows with each change.
    pub generation: u64,
    entries: Vec<HandlerEntry>,
    serving: HashMap<Kind, Vec<Arc<LiveHandler>>>,
}

/// A file of the handlers folder and what became of it.
#[derive(Debug, Clone)]
pub struct HandlerEntry {
    /// The file's stem.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// What became of it.
    pub status: HandlerStatus,
    /// The version that serves tasks, if any.
    pub live: Option<Arc<LiveHandler>>,
}

/// What became of a file of the handlers folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandlerStatus {
    /// It serves tasks.
    Live,
    /// It is fine, but this worker does not take it, for this reason.
    KeptOut(String),
    /// It is no handler, for this reason; the version before it goes on serving where there is one.
    Broken(String),
}

impl HandlerStatus {
    /// The public name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::KeptOut(_) => "kept_out",
            Self::Broken(_) => "broken",
        }
    }

    /// Why it is not live.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Live => None,
            Self::KeptOut(reason) | Self::Broken(reason) => Some(reason),
        }
    }
}

/// An entry as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HandlerView {
    /// The file's stem.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// `live`, `kept_out` or `broken`.
    pub status: &'static str,
    /// Why it is not live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The kind that the live version serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The tags that the live version provides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provides: Option<TagSet>,
    /// The live version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<bulkhead_core::Digest>,
    /// The live version's size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
}

impl HandlerEntry {
    /// The entry as lists show it.
    pub fn view(&self) -> HandlerView {
        let handler = self.live.as_ref().map(|live| &live.handler);
        HandlerView {
            name: self.name.clone(),
            file: self.file.clone(),
            status: self.status.as_str(),
            reason: self.status.reason().map(str::to_owned),
            kind: handler.map(|handler| handler.kind().clone()),
            provides: self.live.as_ref().map(|live| live.provides.clone()),
            digest: handler.map(|handler| handler.version().digest),
            size_bytes: handler.map(crate::Handler::size_bytes),
        }
    }
}

impl Snapshot {
    /// Sorts the entries by name and indexes those that are live by kind.
    pub(crate) fn new(generation: u64, mut entries: Vec<HandlerEntry>) -> Self {
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        let mut serving: HashMap<Kind, Vec<Arc<LiveHandler>>> = HashMap::new();
        for live in entries.iter().filter_map(|entry| entry.live.as_ref()) {
            serving.entry(live.handler.kind().clone()).or_default().push(Arc::clone(live));
        }
        Self { generation, entries, serving }
    }

    /// The live handlers of a kind, in name order.
    pub fn serving(&self, kind: &Kind) -> &[Arc<LiveHandler>] {
        self.serving.get(kind).map_or(&[], Vec::as_slice)
    }

    /// The live handlers that may serve tasks of this route and are none of these versions, in name order.
    pub fn serving_beside(&self, route: &Route, declined: &[Digest]) -> impl Iterator<Item = &Arc<LiveHandler>> {
        self.serving(&route.kind).iter().filter(|live| {
            bulkhead_core::serves(&route.kind, &live.provides, route)
                && !declined.contains(&live.handler.version().digest)
        })
    }

    /// Whether a live handler may serve tasks of this route.
    pub fn serves(&self, route: &Route) -> bool {
        self.serving_beside(route, &[]).next().is_some()
    }

    /// Every file of the folder with what became of it, in name order.
    pub fn entries(&self) -> &[HandlerEntry] {
        &self.entries
    }

    /// The kinds that are served.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.serving.keys()
    }
}
