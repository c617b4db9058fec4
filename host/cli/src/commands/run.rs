//! `bulkhead run`

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bulkhead_core::SubmissionLimits;
use bulkhead_delegates::look_after;
use bulkhead_sandbox::Catalogue;
use bulkhead_server::{App, AppSettings};
use bulkhead_store::Store;
use bulkhead_webhooks::Sender;
use bulkhead_worker::{Metrics, Worker, WorkerSettings};
use bulkhead_workflow::Shelf;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::arguments::RunArguments;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::{Caps, Flag, Settings};
use crate::{assemble, telemetry};

/// Threads of the host's own runtime; guests have threads of their own.
const HOST_THREADS: usize = 2;

/// How long the removal of the last containers is waited for at the end.
const LAST_REMOVALS: Duration = Duration::from_secs(10);

impl RunArguments {
    /// The settings that its flags make.
    pub(crate) fn flags(&self) -> Vec<Flag<'static>> {
        let mut flags: Vec<Flag<'static>> = Vec::new();
        if let Some(listen) = self.listen {
            flags.push((&["server", "listen"], "--listen", listen.to_string()));
        }
        if let Some(store) = &self.store {
            flags.push((&["store", "url"], "--store", store.clone()));
        }
        if let Some(handlers) = &self.handlers {
            flags.push((&["handlers", "dir"], "--handlers", handlers.display().to_string()));
        }
        flags
    }
}

pub(super) fn run(arguments: &RunArguments, settings: &Settings, printer: &mut Printer) -> Result<ExitStatus> {
    telemetry::start(settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(HOST_THREADS)
        .thread_name("host")
        .enable_all()
        .build()
        .context("the host's threads could not be started")?;
    runtime.block_on(host(arguments, settings, printer))
}

async fn host(arguments: &RunArguments, settings: &Settings, printer: &mut Printer) -> Result<ExitStatus> {
    // What costs nothing and may be refused comes first: the port, then the store, then the handlers.
    let listener = bulkhead_server::bind(settings.server.listen).await?;
    let address = listener.local_addr().context("the listening address cannot be read")?;
    let store = assemble::store(settings)?;
    let sandbox = assemble::host_sandbox(settings)?;
    let metrics = Metrics::new()?;
    let delegates = assemble::delegates(settings, store.identity(), metrics.registry())?;
    let follows = settings.worker.caps == Caps::Auto;
    let caps = if follows { delegates.tags().await } else { settings.worker.caps.tags() };
    let catalogue_settings = assemble::catalogue(settings, &settings.handlers.dir, caps)?;
    let catalogue = {
        let sandbox = sandbox.clone();
        tokio::task::spawn_blocking(move || Catalogue::open(sandbox, catalogue_settings)).await??
    };
    let templates = {
        let shelf = assemble::shelf(settings, &catalogue);
        tokio::task::spawn_blocking(move || Shelf::open(shelf)).await??
    };
    let keeping = tokio::spawn(follow_handlers(Arc::clone(&templates), catalogue.changes()));
    let worker_settings = WorkerSettings {
        name: settings.worker.name.clone(),
        max_concurrent: settings.worker.max_concurrent.get(),
        cpu_slots: settings.worker.cpu_slots.get(),
        drain_timeout: settings.worker.drain_timeout.duration(),
        max_payload: settings.store.max_payload,
        workspaces: assemble::workspaces(settings),
    };
    let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
    let (for_worker, counted) = (Arc::clone(&delegates), Arc::clone(&metrics));
    let worker =
        Worker::start(Arc::clone(&shared), sandbox, Arc::clone(&catalogue), for_worker, worker_settings, counted);
    let worker = Arc::new(worker.await?);
    let upkeep = look_after(Arc::clone(&delegates), Arc::clone(&shared), Arc::clone(&catalogue), follows);
    let upkeep = tokio::spawn(upkeep);
    let (stop, stopping) = watch::channel(false);
    let app_settings = AppSettings {
        limits: SubmissionLimits { payload: usize::try_from(settings.store.max_payload.bytes()).unwrap_or(usize::MAX) },
        allow_unknown_kinds: settings.store.allow_unknown_kinds,
        streams: settings.events.streams(),
        webhooks: settings.webhooks.sender(&settings.events),
    };
    let sent = app_settings.webhooks.clone();
    let app = App::new(
        Arc::clone(&shared),
        Arc::clone(&catalogue),
        Arc::clone(&templates),
        Arc::clone(&worker),
        metrics,
        app_settings,
        stopping.clone(),
    )?;
    let sender = Sender::start(shared, sent, app.webhook_metrics());
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be listened for")?;
    let server = tokio::spawn(bulkhead_server::serve(listener, app, stopping));
    announce(settings, address, &catalogue, printer)?;
    announce_templates(&templates, printer);
    ready(arguments, address)?;

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("draining; a second signal leaves at once");
    let drained = async {
        let report = worker.drain().await;
        upkeep.abort();
        keeping.abort();
        if tokio::time::timeout(LAST_REMOVALS, delegates.settled()).await.is_err() {
            tracing::warn!("containers are left behind; the next host of this store removes them");
        }
        // Nobody is left to notice a failed send.
        let _ = stop.send(true);
        let _ = server.await;
        sender.stop().await;
        let closed = store.close().await;
        (report, closed)
    };
    tokio::select! {
        (report, closed) = drained => {
            closed.context("the store could not be closed in order")?;
            tracing::info!(released = report.released, interrupted = report.interrupted, "drained");
            Ok(ExitStatus::Success)
        }
        _ = terminate.recv() => Ok(ExitStatus::Failure),
        _ = interrupt.recv() => Ok(ExitStatus::Failure),
    }
}

/// Says where the host is and what it serves.
fn announce(
    settings: &Settings,
    address: std::net::SocketAddr,
    catalogue: &Catalogue,
    printer: &mut Printer,
) -> Result<()> {
    let snapshot = catalogue.snapshot();
    let live = snapshot.entries().iter().filter(|entry| entry.live.is_some()).count();
    printer.note(format_args!(
        "bulkhead {} at http://{address} · store {} · {live} handlers live in {}",
        env!("CARGO_PKG_VERSION"),
        assemble::store_place(settings)?,
        settings.handlers.dir.display()
    ));
    for entry in snapshot.entries() {
        if let Some(reason) = entry.status.reason() {
            printer.note(format_args!("handler {}: {reason}", entry.name));
        }
    }
    Ok(())
}

/// Says which templates are there, and which files are none.
fn announce_templates(templates: &Shelf, printer: &mut Printer) {
    let snapshot = templates.snapshot();
    if !snapshot.files().is_empty() {
        printer.note(format_args!("{} workflow templates live", snapshot.templates().count()));
    }
    for error in snapshot.files().iter().filter_map(|file| file.error.as_deref()) {
        printer.note(format_args!("template {error}"));
    }
}

/// Tells whoever waits for it that the host answers, and where.
fn ready(arguments: &RunArguments, address: std::net::SocketAddr) -> Result<()> {
    match &arguments.ready_file {
        Some(file) => write_whole(file, &format!("http://{address}\n")),
        None => Ok(()),
    }
}

/// Reads the templates anew whenever the live handlers are others: kinds of callables and warnings follow from them.
async fn follow_handlers(templates: Arc<Shelf>, mut changes: watch::Receiver<u64>) {
    while changes.changed().await.is_ok() {
        let templates = Arc::clone(&templates);
        // The folder that cannot be read now is looked at again by the shelf itself.
        let _ = tokio::task::spawn_blocking(move || templates.reload()).await;
    }
}

/// Writes a file so that whoever waits for it never sees half of it.
fn write_whole(file: &Path, text: &str) -> Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".tmp");
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, file))
        .with_context(|| format!("cannot write `{}`", file.display()))
}
