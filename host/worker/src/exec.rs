//! One task in this process, without a queue.

use std::sync::Arc;

use bulkhead_core::NewTask;
use bulkhead_delegates::RunDelegates;
use bulkhead_sandbox::{
    LiveHandler, Observer, RunControl, RunFacts, RunLimits, RunReport, RunRequest, Sandbox, Workspace,
};

/// Runs a task once by the handler given: its first attempt, and its last.
pub async fn exec_once(
    sandbox: &Sandbox,
    live: &LiveHandler,
    task: &NewTask,
    workspace: Option<Workspace>,
    delegates: Option<Arc<RunDelegates>>,
    observer: Option<Arc<dyn Observer>>,
) -> RunReport {
    let extras = task.extras.as_deref();
    let options = live.options_for(extras);
    let traceparent = extras.and_then(|extras| extras.traceparent).map(String::from);
    let request = RunRequest {
        id: task.id.as_ref().map_or("exec", |id| id.as_str()),
        kind: task.route.kind.as_str(),
        payload: task.payload.as_str(),
        requires: &task.route.requires,
        attempt: 1,
        max_attempts: 1,
        stage: 0,
        facts: RunFacts {
            tenant: extras.and_then(|extras| extras.tenant.as_deref()),
            tags: extras.map(|extras| &extras.tags),
            traceparent: traceparent.as_deref(),
            settings: live.settings.as_ref(),
            state: None,
            answer: None,
            step: None,
        },
        limits: RunLimits::from(&*options),
        control: Arc::new(RunControl::new()),
        observer,
        upstream: None,
        delegates: delegates.map(|delegates| delegates as Arc<dyn bulkhead_sandbox::Delegates>),
        workspace,
    };
    sandbox.run(&live.handler, request).await
}
