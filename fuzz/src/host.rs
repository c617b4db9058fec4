//! A whole host without a socket: requests go straight to its routes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use bulkhead_core::{Size, SubmissionLimits};
use bulkhead_delegates::Delegates;
use bulkhead_sandbox::{Catalogue, CatalogueSettings};
use bulkhead_server::{App, AppSettings, StreamSettings};
use bulkhead_store::DatabaseStore;
use bulkhead_store::Store;
use bulkhead_store::sqlite::{self, SqliteSettings};
use bulkhead_webhooks::WebhookSettings;
use bulkhead_worker::{Metrics, Worker, WorkerSettings, WorkspaceSettings};
use bulkhead_workflow::Shelf;
use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tower::ServiceExt;

/// A file system in memory, where a store that waits for its disk costs nothing.
const MEMORY: &str = "/dev/shm";

/// One host with an empty folder of handlers, so that nothing ever runs.
pub struct Host {
    runtime: Runtime,
    router: Router,
    store: Arc<DatabaseStore>,
    worker: Arc<Worker>,
    _stop: watch::Sender<bool>,
    _folder: TempDir,
}

/// What a host answers.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON of the body; a payload in it is its text.
    pub body: Value,
}

impl Host {
    /// Starts one on a store of its own.
    pub fn start() -> Self {
        let memory = PathBuf::from(MEMORY);
        let folder = tempfile::tempdir_in(if memory.is_dir() { memory } else { std::env::temp_dir() });
        let folder = folder.expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let store = sqlite::open(SqliteSettings::at(folder.path().join("fuzz.db"))).expect("a store");
        let store = Arc::new(store);
        let sandbox = crate::sandbox::sandbox().clone();
        let catalogue = CatalogueSettings { dir: folder.path().to_owned(), ..CatalogueSettings::default() };
        let catalogue = Catalogue::open(sandbox.clone(), catalogue).expect("a catalogue");
        let metrics = Metrics::new().expect("metrics");
        let settings = WorkerSettings {
            name: "fuzz".to_owned(),
            max_concurrent: 1,
            cpu_slots: 1,
            drain_timeout: Duration::from_secs(1),
            max_payload: Size::from_mib(1),
            workspaces: WorkspaceSettings::at(folder.path().join("workspaces")),
        };
        let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let delegates = {
            let _on = runtime.enter();
            Delegates::none().expect("delegates")
        };
        let worker = runtime.block_on(Worker::start(
            Arc::clone(&shared),
            sandbox,
            Arc::clone(&catalogue),
            delegates,
            settings,
            Arc::clone(&metrics),
        ));
        let worker = Arc::new(worker.expect("a worker"));
        let (stop, stopping) = watch::channel(false);
        let settings = AppSettings {
            limits: SubmissionLimits::default(),
            allow_unknown_kinds: true,
            streams: StreamSettings::default(),
            webhooks: WebhookSettings::default(),
        };
        let templates = Shelf::empty();
        let app = App::new(shared, catalogue, templates, Arc::clone(&worker), metrics, settings, stopping);
        let app = app.expect("an app");
        Self { runtime, router: bulkhead_server::routes(app), store, worker, _stop: stop, _folder: folder }
    }

    /// Sends one request; none where the path is nothing that HTTP could carry.
    pub fn ask(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> Option<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, media_type)
            .body(Body::from(body.to_vec()))
            .ok()?;
        let answer = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("routes never fail");
            let (head, body) = response.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
            let text = String::from_utf8(body.to_vec()).expect("answers are text");
            let body = read(&text).unwrap_or_else(|error| panic!("no JSON: {error}: {text}"));
            Answer { status: head.status.as_u16(), body }
        });
        answer.check();
        Some(answer)
    }

    /// Ends it in order.
    pub fn stop(self) {
        let Self { runtime, router, store, worker, .. } = self;
        runtime.block_on(async {
            worker.drain().await;
            drop((router, worker));
            store.close().await.expect("the store closes");
        });
        runtime.shutdown_timeout(Duration::from_secs(5));
    }
}

/// Payloads are left as text: they may nest deeper than readers go, and hold numbers that no reader has room for.
fn read(text: &str) -> serde_json::Result<Value> {
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text)?;
    let value = |(name, raw): (String, Box<RawValue>)| match name.as_str() {
        "payload" => Ok((name, Value::String(raw.get().to_owned()))),
        _ => serde_json::from_str(raw.get()).map(|value| (name, value)),
    };
    members.into_iter().map(value).collect()
}

impl Answer {
    /// Done, or refused in words; never the host's own fault.
    fn check(&self) {
        assert!(self.status < 500, "the host's own fault: {self:?}");
        if self.status >= 400 {
            assert_eq!(self.body["status"], self.status, "{self:?}");
            assert!(self.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{self:?}");
        }
    }
}
