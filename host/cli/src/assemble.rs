//! From settings to the rooms of a host.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bulkhead_core::{JsonText, TagSet};
use bulkhead_sandbox::compiler::{self, CompilerSettings};
use bulkhead_sandbox::{CatalogueSettings, HandlerSettings, Sandbox, SandboxSettings};
use bulkhead_store::sqlite::{SqliteSettings, SqliteStore};

use crate::settings::Settings;

/// Opens the store that the settings name.
pub(crate) fn store(settings: &Settings) -> Result<Arc<SqliteStore>> {
    let path = database(settings)?;
    let (key_ttl, cache_bytes) = (settings.store.key_ttl.duration(), settings.store.cache.bytes());
    let settings = SqliteSettings { key_ttl, cache_bytes, ..SqliteSettings::at(path) };
    Ok(Arc::new(SqliteStore::open(settings)?))
}

/// The database file that the settings name.
pub(crate) fn database(settings: &Settings) -> Result<PathBuf> {
    let url = &settings.store.url;
    match url.split_once(':') {
        Some(("sqlite", path)) if !path.is_empty() => Ok(path.into()),
        Some(("postgres" | "postgresql", _)) => {
            bail!("store.url: PostgreSQL is not served by this version; use sqlite:FILE")
        }
        _ => bail!("store.url must be sqlite:FILE, such as sqlite:bulkhead.db: `{url}`"),
    }
}

/// Sets up the sandbox of a host: with a cache, and a process of its own for each compilation.
pub(crate) fn host_sandbox(settings: &Settings) -> Result<Sandbox> {
    let compile = &settings.handlers.compile;
    let program = compiler::this_program().context("this program's own file is not known")?;
    Ok(Sandbox::try_new(&SandboxSettings {
        cache: Some(settings.handlers.cache.clone()),
        compiler: Some(CompilerSettings { program, timeout: compile.timeout.duration(), memory: compile.memory }),
        ..sandbox_settings(settings)
    })?)
}

/// Sets up the sandbox of a command that somebody waits for: nothing is cached, and it compiles by itself.
pub(crate) fn sandbox(settings: &Settings) -> Result<Sandbox> {
    Ok(Sandbox::try_new(&sandbox_settings(settings))?)
}

fn sandbox_settings(settings: &Settings) -> SandboxSettings {
    SandboxSettings {
        max_concurrent: settings.worker.max_concurrent.get(),
        max_memory: settings.handlers.ceilings.memory,
        cache_size: settings.handlers.cache_size,
        cache: None,
        compiler: None,
    }
}

/// What the catalogue of a folder is told.
pub(crate) fn catalogue(settings: &Settings, folder: &Path, caps: TagSet) -> Result<CatalogueSettings> {
    let mut handlers = std::collections::BTreeMap::new();
    for (name, table) in &settings.handler {
        let guest = table.settings.as_ref().map(JsonText::from_value).transpose();
        let settings = HandlerSettings {
            provides: table.provides.clone(),
            options: table.options.clone(),
            settings: guest.with_context(|| format!("the settings of handler `{name}` cannot be written as JSON"))?,
            workspace: table.grants.workspace,
        };
        handlers.insert(name.clone(), settings);
    }
    Ok(CatalogueSettings {
        dir: folder.to_owned(),
        caps,
        plugins: settings.worker.plugins.clone(),
        handlers,
        defaults: settings.handlers.defaults.clone(),
        ceilings: settings.handlers.ceilings.clone(),
    })
}
