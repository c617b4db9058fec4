//! Whether this worker takes a handler, and with what the operator says of it.

use std::sync::Arc;

use bulkhead_core::{Ceilings, HandlerName, Overrides, TagSet, admits};

use crate::{CatalogueSettings, Handler, HandlerSettings, LiveHandler};

/// The settings of a catalogue as admission asks them.
pub(crate) struct Admission {
    settings: CatalogueSettings,
    ceilings: Arc<Ceilings>,
    defaults: Arc<Overrides>,
}

impl Admission {
    pub(crate) fn new(settings: CatalogueSettings) -> Self {
        let (ceilings, defaults) = (Arc::new(settings.ceilings.clone()), Arc::new(settings.defaults.clone()));
        Self { settings, ceilings, defaults }
    }

    /// The folder of the catalogue.
    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.settings.dir
    }

    /// The tags of the worker are these from now on; whether they were others before.
    pub(crate) fn set_caps(&mut self, caps: TagSet) -> bool {
        let changed = self.settings.caps != caps;
        self.settings.caps = caps;
        changed
    }

    /// Whether a file of this stem may be loaded at all; else why not.
    pub(crate) fn name(&self, stem: &str) -> Result<HandlerName, String> {
        let name = HandlerName::parse(stem).map_err(|error| format!("{error}; rename the file"))?;
        let plugins = &self.settings.plugins;
        if plugins.is_empty() || plugins.contains(&name) {
            Ok(name)
        } else {
            Err(format!("not on the list of handlers to load; add it to worker.plugins (WORKER_PLUGINS): `{name}`"))
        }
    }

    /// The handler as it goes live; else why it is kept out.
    pub(crate) fn admit(&self, handler: Handler) -> Result<LiveHandler, String> {
        let HandlerSettings { provides, options, settings, workspace } =
            self.settings.handlers.get(&handler.version().name).cloned().unwrap_or_default();
        let provides = provides.unwrap_or_else(|| handler.provides().clone());
        admits(&self.settings.caps, &provides).map_err(|error| error.to_string())?;
        let mut live = LiveHandler {
            handler,
            provides,
            operator: options,
            options: Arc::default(),
            settings,
            workspace,
            ceilings: Arc::clone(&self.ceilings),
            defaults: Arc::clone(&self.defaults),
        };
        live.options = Arc::new(live.sources(None).resolve());
        Ok(live)
    }
}
