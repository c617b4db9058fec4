//! From settings to the rooms of a host.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bulkhead_core::{JsonText, TagSet, overdue_by};
use bulkhead_delegates::{DelegateMetrics, DelegateSettings, Delegates};
use bulkhead_sandbox::compiler::{self, CompilerSettings};
use bulkhead_sandbox::{Catalogue, CatalogueSettings, HandlerSettings, Sandbox, SandboxSettings, WorkspaceBounds};
use bulkhead_store::postgres::{self, PostgresSettings};
use bulkhead_store::sqlite::{self, SqliteSettings};
use bulkhead_store::{DatabaseStore, QueueSettings};
use bulkhead_worker::WorkspaceSettings;
use bulkhead_workflow::{Served, ShelfSettings, TemplateSettings};

use crate::settings::{Grants, Settings};
use crate::store_place::StorePlace;

/// Opens the store that the settings name.
pub(crate) fn store(settings: &Settings) -> Result<Arc<DatabaseStore>> {
    let store = match store_place(settings)? {
        StorePlace::File(path) => {
            let (cache_bytes, queue) = (settings.store.cache.bytes(), queue(settings));
            sqlite::open(SqliteSettings { cache_bytes, queue, ..SqliteSettings::at(path) })?
        }
        StorePlace::Server { url, .. } => postgres::open(server(settings, url)?)?,
    };
    Ok(Arc::new(store))
}

/// Where the settings say that the store is.
pub(crate) fn store_place(settings: &Settings) -> Result<StorePlace> {
    StorePlace::parse("store.url", &settings.store.url)
}

/// What a store on this server is told.
pub(crate) fn server(settings: &Settings, url: String) -> Result<PostgresSettings> {
    let listen_url = match settings.store.listen_url.as_deref() {
        Some(said) => match StorePlace::parse("store.listen_url", said)? {
            StorePlace::Server { url, .. } => Some(url),
            StorePlace::File(_) => {
                bail!("store.listen_url must be postgres://USER@HOST/DATABASE, as store.url is: `{said}`")
            }
        },
        None => None,
    };
    let (ca, pooled, queue) = (settings.store.ca.clone(), settings.store.pooled, queue(settings));
    Ok(PostgresSettings { listen_url, ca, pooled, queue, ..PostgresSettings::at(url) })
}

fn queue(settings: &Settings) -> QueueSettings {
    let Settings { store, retention, limits, .. } = settings;
    QueueSettings {
        key_ttl: store.key_ttl.duration(),
        limits: limits.clone(),
        max_pending: store.max_pending,
        max_descendants: store.max_descendants,
        retention: retention.kept(),
        ..QueueSettings::default()
    }
}

/// The workspaces of a host: they are swept soon after the first of their tasks can be gone.
pub(crate) fn workspaces(settings: &Settings) -> WorkspaceSettings {
    let Settings { workspace, retention, .. } = settings;
    let shortest = retention.succeeded.min(retention.dead).min(workspace.keep_unused).duration();
    WorkspaceSettings {
        root: workspace.root.clone(),
        bounds: WorkspaceBounds { bytes: workspace.max_bytes, files: workspace.max_files },
        keep_unused: workspace.keep_unused.duration(),
        shared: workspace.shared,
        sweep_every: overdue_by(shortest, Duration::from_secs(1)..=Duration::from_secs(3600)),
    }
}

/// Sets up the sandbox of a host: with a cache, and a process of its own for each compilation.
pub(crate) fn host_sandbox(settings: &Settings) -> Result<Sandbox> {
    let compile = &settings.handlers.compile;
    let program = compiler::this_program().context("this program's own file is not known")?;
    Ok(Sandbox::try_new(&SandboxSettings {
        cache: Some(settings.handlers.cache.clone()),
        pools: settings.worker.cpu_slots.get(),
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
        pools: 1,
        max_memory: settings.handlers.ceilings.memory,
        cache_size: settings.handlers.cache_size,
        cache: None,
        compiler: None,
    }
}

/// The delegates of a host that works on this store, to be made on the runtime that is to make their calls.
pub(crate) fn delegates(settings: &Settings, store: &str, metrics: &prometheus::Registry) -> Result<Arc<Delegates>> {
    let delegates =
        DelegateSettings { docker: settings.docker.clone(), gpu: settings.gpu.clone(), llm: settings.llm.clone() };
    let grants = settings.handler.iter().map(|(name, table)| {
        let Grants { workspace: _, docker, gpu, llm, http } = table.grants.clone();
        (name.clone(), bulkhead_delegates::Grants { docker, gpu, llm, http })
    });
    Ok(Delegates::new(delegates, grants.collect(), store, DelegateMetrics::register(metrics)?)?)
}

/// What the catalogue of a folder is told.
pub(crate) fn catalogue(settings: &Settings, folder: &Path, caps: TagSet) -> Result<CatalogueSettings> {
    let mut handlers = std::collections::BTreeMap::new();
    for (name, table) in &settings.handler {
        let guest = table.settings.as_ref().map(guest_settings).transpose();
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

/// How templates are read by a host that has no handlers to ask.
pub(crate) fn templates(settings: &Settings) -> TemplateSettings {
    TemplateSettings {
        environment: settings.workflow.environment.clone(),
        callables: settings.workflow.callables.clone(),
        handlers: None,
        refuse_unroutable: false,
    }
}

/// Where templates lie, and how they are read beside these handlers.
pub(crate) fn shelf(settings: &Settings, catalogue: &Arc<Catalogue>) -> ShelfSettings {
    let catalogue = Arc::clone(catalogue);
    let served = move || {
        let snapshot = catalogue.snapshot();
        let live = snapshot.entries().iter().filter_map(|entry| entry.live.as_ref());
        live.map(|live| Served { kind: live.handler.kind().clone(), provides: live.provides.clone() }).collect()
    };
    let templates = TemplateSettings {
        handlers: Some(Arc::new(served)),
        refuse_unroutable: !settings.store.allow_unknown_kinds,
        ..templates(settings)
    };
    ShelfSettings { dir: settings.workflow.dir.clone(), templates }
}

/// Settings as a guest reads them.
fn guest_settings(table: &toml::Table) -> Result<JsonText> {
    if let Some(number) = table.values().find_map(not_in_json) {
        // serde_json would write `null`, which nobody said.
        bail!("JSON has no such number: `{number}`");
    }
    Ok(JsonText::from_value(table)?)
}

/// A number that TOML has and JSON has not.
fn not_in_json(value: &toml::Value) -> Option<&toml::Value> {
    match value {
        toml::Value::Float(number) => Some(value).filter(|_| !number.is_finite()),
        toml::Value::Array(values) => values.iter().find_map(not_in_json),
        toml::Value::Table(table) => table.values().find_map(not_in_json),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(settings: &str) -> Result<String> {
        let settings: Settings = toml::from_str(&format!("[handler.a.settings]\n{settings}\n"))?;
        let catalogue = catalogue(&settings, Path::new("handlers"), TagSet::default())?;
        let handler = catalogue.handlers.into_values().next().context("no handler")?;
        Ok(handler.settings.context("no settings")?.to_string())
    }

    #[test]
    fn a_number_that_json_has_not_is_refused_by_its_handler() {
        for (text, number) in [("x = nan", "`nan`"), ("x = [{ y = -inf }]", "`-inf`")] {
            let error = format!("{:#}", told(text).expect_err("refused"));
            assert!(error.contains("handler `a`") && error.contains(number), "{error}");
        }
    }
}
