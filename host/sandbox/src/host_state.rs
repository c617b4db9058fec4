//! What the host keeps for one run.
//!
//! Made for every run, so it must cost next to nothing: what not every guest asks for (log, WASI, the facts of the task)
//! is made or copied only where it is there or asked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bulkhead_core::{Answer, HandlerName, Size};
use wasmtime_wasi::filesystem::WasiFilesystemView;
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use crate::bindings::bulkhead::handler::context::WorkflowStep;
use crate::bindings::bulkhead::handler::types::Cursor;
use crate::fence::Fence;
use crate::guest_log::{GuestLog, Stream};
use crate::host_http::Http;
use crate::limiter::Limiter;
use crate::meter::Meter;
use crate::wasi::Wasi;
use crate::workspace::{GuestFiles, RunFiles};
use crate::{Delegates, Observer, RunControl, RunFacts, RunRequest, StepFacts, Upstream, Workspace, WorkspaceBounds};

/// Everything that host functions reach.
pub(crate) struct HostState {
    pub(crate) limiter: Limiter,
    pub(crate) meter: Meter,
    /// When the current phase must be over.
    pub(crate) deadline: Instant,
    pub(crate) control: Arc<RunControl>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// Whether delegates may be asked: in `handle` alone.
    pub(crate) delegates_open: bool,
    pub(crate) delegates: Option<Arc<dyn Delegates>>,
    pub(crate) identity: Identity,
    pub(crate) facts: Option<Box<Facts>>,
    pub(crate) upstream: Option<Arc<dyn Upstream>>,
    pub(crate) audits: u32,
    log_bound: Size,
    log: Option<Arc<GuestLog>>,
    wasi: Option<Box<Wasi>>,
    http: Option<Box<Http>>,
    workspace: Option<Workspace>,
    files: RunFiles,
}

/// Whose run this is.
pub(crate) struct Identity {
    /// The handler's version where there is one already.
    pub(crate) handler: Option<crate::Handler>,
    pub(crate) task: Box<str>,
    pub(crate) stage: u32,
}

/// The facts of a task that has any.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) tenant: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) traceparent: Option<String>,
    pub(crate) settings: Option<Box<str>>,
    pub(crate) state: Option<Box<str>>,
    pub(crate) answer: Option<Answer>,
    pub(crate) step: Option<WorkflowStep>,
}

impl Facts {
    fn of(facts: &RunFacts<'_>) -> Option<Box<Self>> {
        let RunFacts { tenant, tags, traceparent, settings, state, answer, step } = *facts;
        let of_the_task = tenant.is_some() || tags.is_some() || traceparent.is_some();
        if !of_the_task && settings.is_none() && state.is_none() && answer.is_none() && step.is_none() {
            return None;
        }
        Some(Box::new(Self {
            tenant: tenant.map(str::to_owned),
            tags: tags.cloned().unwrap_or_default(),
            traceparent: traceparent.map(str::to_owned),
            settings: settings.map(|settings| settings.as_str().into()),
            state: state.map(|state| state.as_str().into()),
            answer: answer.cloned(),
            step: step.map(workflow_step),
        }))
    }
}

/// The workflow step that a task is, in the words of the contract.
fn workflow_step(step: StepFacts<'_>) -> WorkflowStep {
    WorkflowStep {
        workflow_id: step.workflow.to_owned(),
        workflow: step.template.to_owned(),
        name: step.name.to_owned(),
        method: step.method.map(str::to_owned),
        cursor: step.cursor.map(|cursor| Cursor {
            start: cursor.start,
            end: cursor.end,
            metadata: cursor.metadata.as_str().to_owned(),
        }),
    }
}

impl HostState {
    /// For a run.
    pub(crate) fn for_run(handler: &crate::Handler, request: &mut RunRequest<'_>, deadline: Instant) -> Self {
        Self {
            limiter: Limiter::new(request.limits.memory),
            meter: Meter::default(),
            deadline,
            control: Arc::clone(&request.control),
            observer: request.observer.take(),
            delegates_open: false,
            delegates: request.delegates.take(),
            identity: Identity { handler: Some(handler.clone()), task: request.id.into(), stage: request.stage },
            facts: Facts::of(&request.facts),
            upstream: request.upstream.take(),
            audits: 0,
            log_bound: request.limits.logs,
            log: None,
            wasi: None,
            http: None,
            files: RunFiles::of(request.workspace.as_ref()),
            workspace: request.workspace.take(),
        }
    }

    /// For asking a component what it is.
    pub(crate) fn for_description(memory: Size, deadline: Instant) -> Self {
        Self {
            limiter: Limiter::new(memory),
            meter: Meter::default(),
            deadline,
            control: Arc::default(),
            observer: None,
            delegates_open: false,
            delegates: None,
            identity: Identity { handler: None, task: Box::default(), stage: 0 },
            facts: None,
            upstream: None,
            audits: 0,
            log_bound: Size::from_bytes(0),
            log: None,
            wasi: None,
            http: None,
            files: RunFiles::default(),
            workspace: None,
        }
    }

    /// The handler's name, where the run is that of a handler.
    pub(crate) fn handler_name(&self) -> Option<&HandlerName> {
        self.identity.handler.as_ref().map(|handler| &handler.version().name)
    }

    /// The most memory that the sandbox may hold.
    pub(crate) const fn memory_limit(&self) -> Size {
        self.limiter.limit()
    }

    /// The run's log.
    pub(crate) fn log(&mut self) -> &Arc<GuestLog> {
        self.log.get_or_insert_with(|| Arc::new(GuestLog::new(self.log_bound, self.observer.clone())))
    }

    /// Lets the guest at its delegates and its workspace: in `handle` alone.
    pub(crate) fn open_delegates(&mut self) {
        self.delegates_open = true;
        if let Some(wasi) = &mut self.wasi {
            wasi.open_workspace();
        }
        if self.http.is_some() {
            self.http = Some(self.make_http());
        }
    }

    fn make_http(&mut self) -> Box<Http> {
        let (delegates, toll) = (self.opened("http"), self.meter.toll());
        Box::new(Http::new(delegates, toll, Arc::clone(self.log())))
    }

    /// WASI, ready for a call, and what else its functions need.
    fn parts(&mut self) -> (&mut Wasi, &mut RunFiles, &mut Meter) {
        // Every function of WASI comes through here, and none can be refused here: `transition` does.
        self.meter.charge(0);
        let log = Arc::clone(self.log());
        let (workspace, open) = (self.workspace.as_ref(), self.delegates_open);
        let wasi = self.wasi.get_or_insert_with(|| Box::new(Wasi::new(&log, workspace, open)));
        if wasi.lacks_workspace {
            // A guest that is told of no folder would fail for good, and it is the host that fails.
            self.meter.refuse(Fence::Unavailable);
        }
        if !open {
            wasi.shut_workspace();
        }
        (wasi, &mut self.files, &mut self.meter)
    }

    /// The guest's files, for one call.
    pub(crate) fn files(&mut self) -> GuestFiles<'_> {
        let (wasi, run, meter) = self.parts();
        GuestFiles { wasi: wasi.filesystem(), run, meter }
    }

    /// Says in the log what the workspace had no room for: the guest is told no more than that.
    pub(crate) fn tell_what_was_refused(&mut self) {
        if let Some(WorkspaceBounds { bytes, files }) = self.files.refused_for() {
            let log = Arc::clone(self.log());
            log.print(
                Stream::Error,
                format!("the workspace is full: at most {bytes} and {files} files (workspace.max_bytes, max_files)\n")
                    .as_bytes(),
            );
        }
    }

    /// Closes the log and says how many bytes of it nobody heard.
    pub(crate) fn finish_log(&self) -> u64 {
        self.log.as_ref().map_or(0, |log| log.finish())
    }
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.parts().0.ctx()
    }
}

impl WasiHttpView for HostState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.meter.charge(0);
        let log = Arc::clone(self.log());
        let mut http = self.http.take().unwrap_or_else(|| self.make_http());
        let (workspace, open) = (self.workspace.as_ref(), self.delegates_open);
        // One table for both: streams and pollables of `wasi:http` are read and awaited by `wasi:io`.
        let wasi = self.wasi.get_or_insert_with(|| Box::new(Wasi::new(&log, workspace, open)));
        if http.holds_too_much(&mut wasi.table) {
            self.meter.refuse(Fence::Handles);
        }
        let http = self.http.insert(http);
        WasiHttpCtxView { hooks: &mut http.hooks, table: &mut wasi.table, ctx: &mut http.context }
    }
}
