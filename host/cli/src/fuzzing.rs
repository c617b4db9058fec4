//! What `fuzz/` reaches of this crate.

use bulkhead_sandbox::CatalogueSettings;

use crate::settings::{self, Resolved};
use crate::{assemble, telemetry};

/// Settings that were accepted.
#[derive(Debug)]
pub struct Accepted(Resolved);

/// Reads a settings file and an environment as the binary does; else the refusal in words.
pub fn settings(text: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Accepted, String> {
    let resolved = settings::resolve_text(Some("bulkhead.toml".into()), text, variables, &[]);
    resolved.map(Accepted).map_err(|error| error.to_string())
}

impl Accepted {
    /// Every setting with its value, as `bulkhead config show` lists them.
    pub fn rows(&self) -> Vec<(String, String)> {
        self.0.rows().into_iter().map(|(key, value, _)| (key, value.to_string())).collect()
    }

    /// The settings as a file.
    pub fn written(&self) -> Result<String, String> {
        toml::to_string(&self.0.settings).map_err(|error| error.to_string())
    }

    /// What a host makes of them before it touches a disk; else the refusal in words.
    pub fn assembled(&self) -> Result<CatalogueSettings, String> {
        let settings = &self.0.settings;
        let words = |error: anyhow::Error| format!("{error:#}");
        bulkhead_server::check_address(settings.server.listen).map_err(|error| error.to_string())?;
        telemetry::filter(settings).map_err(words)?;
        assemble::store_place(settings).map_err(words)?;
        assemble::catalogue(settings, &settings.handlers.dir, settings.worker.caps.tags()).map_err(words)
    }
}
