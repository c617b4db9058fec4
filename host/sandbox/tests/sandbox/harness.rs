//! One sandbox for all tests of the process, and a short way to make a run.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bulkhead_core::{Answer, Fuel, HandlerName, JsonText, Options, RunEnd, Size, TagSet};
use bulkhead_sandbox::{
    Delegates, Handler, LogLevel, Observer, Progress, RunControl, RunFacts, RunLimits, RunReport, RunRequest, Sandbox,
    SandboxSettings, StepFacts, Upstream, Workspace,
};

pub(crate) const ID: &str = "019aa5c7-6f5e-7d7b-8f0a-0123456789ab";

/// Compiled guests are kept between test runs.
pub(crate) static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-guests");
    let settings = SandboxSettings {
        max_concurrent: 16,
        max_memory: Size::from_mib(256),
        cache: Some(cache),
        ..Default::default()
    };
    Sandbox::try_new(&settings).unwrap()
});

pub(crate) fn name(name: &str) -> HandlerName {
    HandlerName::parse(name).unwrap()
}

pub(crate) fn guest(guest: &str) -> Vec<u8> {
    bulkhead_test_guests::guest_bytes(guest)
}

pub(crate) fn load(of: &str) -> Handler {
    SANDBOX.load(&name(of), &guest(of)).unwrap_or_else(|error| panic!("{of}: {error}"))
}

/// A run of a guest, with everything that a test may want to set.
pub(crate) struct Run {
    pub(crate) handler: Handler,
    pub(crate) payload: String,
    pub(crate) requires: TagSet,
    pub(crate) limits: RunLimits,
    pub(crate) control: Arc<RunControl>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) tenant: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) traceparent: Option<String>,
    pub(crate) settings: Option<JsonText>,
    pub(crate) state: Option<JsonText>,
    pub(crate) workspace: Option<Workspace>,
    pub(crate) answer: Option<Answer>,
    pub(crate) step: Option<StepFacts<'static>>,
    pub(crate) upstream: Option<Arc<dyn Upstream>>,
    pub(crate) delegates: Option<Arc<dyn Delegates>>,
}

impl Run {
    pub(crate) fn of(guest: &str) -> Self {
        Self::handler(load(guest))
    }

    pub(crate) fn handler(handler: Handler) -> Self {
        Self {
            handler,
            payload: "null".to_owned(),
            requires: TagSet::default(),
            limits: RunLimits::from(&Options::default()),
            control: Arc::new(RunControl::new()),
            observer: None,
            tenant: None,
            tags: None,
            traceparent: None,
            settings: None,
            state: None,
            workspace: None,
            answer: None,
            step: None,
            upstream: None,
            delegates: None,
        }
    }

    pub(crate) fn payload(mut self, payload: impl ToString) -> Self {
        self.payload = payload.to_string();
        self
    }

    pub(crate) fn fuel(mut self, units: u64) -> Self {
        self.limits.fuel = Fuel::try_new(units).unwrap();
        self
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    pub(crate) fn memory(mut self, memory: Size) -> Self {
        self.limits.memory = memory;
        self
    }

    pub(crate) fn observed_by(mut self, observer: &Arc<impl Observer + 'static>) -> Self {
        self.observer = Some(observer.clone());
        self
    }

    pub(crate) async fn report_in(&self, sandbox: &Sandbox) -> RunReport {
        sandbox
            .run(
                &self.handler,
                RunRequest {
                    id: ID,
                    kind: self.handler.kind().as_str(),
                    payload: &self.payload,
                    requires: &self.requires,
                    attempt: 2,
                    max_attempts: 3,
                    stage: 4,
                    facts: RunFacts {
                        tenant: self.tenant.as_deref(),
                        tags: self.tags.as_ref(),
                        traceparent: self.traceparent.as_deref(),
                        settings: self.settings.as_ref(),
                        state: self.state.as_ref(),
                        answer: self.answer.as_ref(),
                        step: self.step,
                    },
                    limits: self.limits,
                    control: Arc::clone(&self.control),
                    observer: self.observer.clone(),
                    upstream: self.upstream.clone(),
                    delegates: self.delegates.clone(),
                    workspace: self.workspace.clone(),
                },
            )
            .await
    }

    pub(crate) async fn report(&self) -> RunReport {
        self.report_in(&SANDBOX).await
    }

    pub(crate) async fn end(&self) -> RunEnd {
        self.report().await.end
    }

    /// The result of a run that must complete.
    pub(crate) async fn result(&self) -> String {
        match self.end().await {
            RunEnd::Completed(completion) => completion.result.as_str().to_owned(),
            other => panic!("not completed: {other:?}"),
        }
    }
}

/// Remembers what it hears.
#[derive(Default)]
pub(crate) struct Ears(pub(crate) Mutex<Vec<String>>);

impl Ears {
    pub(crate) fn heard(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Ears {
    fn log(&self, level: LogLevel, message: &str, fields: &str) {
        self.0.lock().unwrap().push(format!("{} {message} {fields}", level.as_str()));
    }

    fn progress(&self, progress: Progress<'_>) {
        let Progress { stage, text, fraction, metadata } = progress;
        self.0.lock().unwrap().push(format!("{stage} {text} {fraction:?} {metadata}"));
    }

    fn audit(&self, code: &str, details: &str) {
        self.0.lock().unwrap().push(format!("{code} {details}"));
    }
}
