//! Runs a handler as ordinary Rust: no WebAssembly, no host.
//!
//! A test feeds a sample task, with a context made up for it, and asserts what came of it. What only the sandbox gives
//! (fuel, memory limit, deadline, traps) is not there: a panic is an ordinary panic of the test. Delegates answer what the
//! test says, and `denied` where it says nothing.

mod delegates;
mod host;

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use crate::docker::Container;
use crate::gpu::{Device, Job};
use crate::http::{self, HttpError};
use crate::llm::{Candidate, Request};
use crate::{
    Answer, Context, DelegateError, Exit, Failure, Handler, Level, Outcome, Progress, RawTask, Step, Upstream,
    UpstreamEnd, handler,
};
use delegates::Answers;
use host::FakeHost;

pub(crate) use delegates::{devices, generate, run_container, run_job, send_http};

/// A sample task, and what its context answers.
#[derive(Debug, Clone)]
pub struct TestTask {
    task: RawTask,
    tenant: Option<String>,
    tags: Vec<(String, String)>,
    settings: Value,
    state: Option<Value>,
    resumption: Option<Answer>,
    upstream: Vec<Upstream>,
    step: Option<Step>,
    cancelled: bool,
    workspace: Option<PathBuf>,
    answers: Answers,
}

/// What came of a run.
#[derive(Debug)]
pub struct TestRun {
    /// What the handler answered.
    pub outcome: Result<Outcome, Failure>,
    /// What it logged: level, message, fields.
    pub logs: Vec<(Level, String, Value)>,
    /// The progress it reported.
    pub progress: Vec<Progress>,
    /// Its audit trail: code and details.
    pub audits: Vec<(String, Value)>,
    /// The containers it asked for, in order.
    pub containers: Vec<Container>,
    /// The jobs it asked for, in order.
    pub jobs: Vec<Job>,
    /// What it asked language models, in order.
    pub requests: Vec<Request>,
    /// What it asked others by HTTP, in order.
    pub http_requests: Vec<http::Request>,
}

impl TestTask {
    /// A first attempt at a task with this payload.
    ///
    /// # Panics
    ///
    /// Where the payload cannot be written as JSON.
    pub fn new(payload: impl Serialize) -> Self {
        let payload = serde_json::to_string(&payload).expect("the payload can be written as JSON");
        Self::with_text(payload)
    }

    /// A first attempt at a task whose payload is this text.
    pub fn with_text(payload: impl Into<String>) -> Self {
        Self {
            task: RawTask {
                id: "test-task".to_owned(),
                kind: String::new(),
                payload: payload.into(),
                requires: Vec::new(),
                attempt: 1,
                max_attempts: 3,
                stage: 0,
            },
            tenant: None,
            tags: Vec::new(),
            settings: Value::Object(serde_json::Map::new()),
            state: None,
            resumption: None,
            upstream: Vec::new(),
            step: None,
            cancelled: false,
            workspace: None,
            answers: Answers::default(),
        }
    }

    /// Gives it this id, of which its idempotency key is made.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.task.id);
        self
    }

    /// Makes it require these tags.
    #[must_use]
    pub fn requiring<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.task.requires = tags.into_iter().map(Into::into).collect();
        self.task.requires.sort();
        self
    }

    /// Makes it attempt number `attempt` of `max_attempts`.
    #[must_use]
    pub fn attempt(mut self, attempt: u32, max_attempts: u32) -> Self {
        self.task.attempt = attempt;
        self.task.max_attempts = max_attempts;
        self
    }

    /// Makes it a later stage, with what the stage before left.
    #[must_use]
    pub fn resumed(mut self, stage: u32, state: Value) -> Self {
        self.task.stage = stage;
        self.state = Some(state);
        self
    }

    /// Gives it an answer to its suspension.
    #[must_use]
    pub fn answered(mut self, answer: Answer) -> Self {
        self.resumption = Some(answer);
        self
    }

    /// Gives it a task that it waited for, which succeeded with this result.
    #[must_use]
    pub fn upstream(self, name: &str, result: Value) -> Self {
        self.upstream_ended(name, UpstreamEnd::Succeeded(result))
    }

    /// Gives it a task that it waited for, which ended so.
    #[must_use]
    pub fn upstream_ended(mut self, name: &str, end: UpstreamEnd) -> Self {
        self.upstream.push(Upstream { name: name.to_owned(), id: format!("test-{name}"), end });
        self
    }

    /// Makes it a step of a workflow.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.step = Some(step);
        self
    }

    /// Gives the handler settings.
    #[must_use]
    pub fn settings(mut self, settings: Value) -> Self {
        self.settings = settings;
        self
    }

    /// Gives the task a tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: &str) -> Self {
        self.tenant = Some(tenant.to_owned());
        self
    }

    /// Gives the task a label.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes somebody have cancelled the task.
    #[must_use]
    pub fn cancelled(mut self) -> Self {
        self.cancelled = true;
        self
    }

    /// Gives it a workspace: what [`Context::workspace`] says.
    #[must_use]
    pub fn workspace(mut self, folder: impl Into<PathBuf>) -> Self {
        self.workspace = Some(folder.into());
        self
    }

    /// Grants it containers, which end so.
    #[must_use]
    pub fn docker(mut self, answer: impl Fn(&Container) -> Result<Exit, DelegateError> + 'static) -> Self {
        self.answers.docker = Some(Rc::new(answer));
        self
    }

    /// Grants it programs with devices, which end so.
    #[must_use]
    pub fn gpu(mut self, answer: impl Fn(&Job) -> Result<Exit, DelegateError> + 'static) -> Self {
        self.answers.gpu = Some(Rc::new(answer));
        self
    }

    /// Gives its host these devices.
    #[must_use]
    pub fn devices(mut self, devices: impl IntoIterator<Item = Device>) -> Self {
        self.answers.devices = devices.into_iter().collect();
        self
    }

    /// Grants it language models, which answer so.
    #[must_use]
    pub fn llm(mut self, answer: impl Fn(&Request) -> Result<Vec<Candidate>, DelegateError> + 'static) -> Self {
        self.answers.llm = Some(Rc::new(answer));
        self
    }

    /// Grants it requests by HTTP, which are answered so.
    #[must_use]
    pub fn http(mut self, answer: impl Fn(&http::Request) -> Result<http::Response, HttpError> + 'static) -> Self {
        self.answers.http = Some(Rc::new(answer));
        self
    }

    /// Asks the handler whether the task is for it.
    pub fn dispatch<H: Handler>(mut self) -> bool {
        H::KIND.clone_into(&mut self.task.kind);
        delegates::answering(Answers::default(), || H::dispatch(&self.task)).0
    }

    /// Runs the handler on it.
    pub fn run<H: Handler>(mut self) -> TestRun {
        H::KIND.clone_into(&mut self.task.kind);
        let task = self.task.clone();
        let answers = self.answers.clone();
        let host = FakeHost { task: self, told: RefCell::default() };
        let (outcome, asked) = delegates::answering(answers, || handler::run::<H>(task, &Context::new(&host)));
        let told = host.told.into_inner();
        TestRun {
            outcome,
            logs: told.logs,
            progress: told.progress,
            audits: told.audits,
            containers: asked.containers,
            jobs: asked.jobs,
            requests: asked.requests,
            http_requests: asked.http_requests,
        }
    }
}

impl TestRun {
    /// The result of a run that completed.
    ///
    /// # Panics
    ///
    /// Where the run did not complete.
    #[track_caller]
    pub fn result(&self) -> Value {
        match &self.outcome {
            Ok(Outcome::Complete { result, .. }) => result.clone(),
            other => panic!("the handler did not complete: {other:?}"),
        }
    }

    /// The failure of a run that failed.
    ///
    /// # Panics
    ///
    /// Where the run did not fail.
    #[track_caller]
    pub fn failure(&self) -> &Failure {
        match &self.outcome {
            Err(failure) => failure,
            Ok(outcome) => panic!("the handler did not fail: {outcome:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[derive(Default)]
    struct Total;

    #[derive(Deserialize)]
    struct Cart {
        prices: Vec<f64>,
    }

    impl Handler for Total {
        const KIND: &'static str = "TOTAL";
        type Payload = Cart;

        fn dispatch(task: &RawTask) -> bool {
            !task.payload.contains("wholesale")
        }

        fn handle(&self, task: Task<Cart>, context: &Context) -> Result<Outcome, Failure> {
            if task.payload.prices.is_empty() {
                return Err(Failure::validation("EMPTY_CART", "there is nothing in the cart"));
            }
            context.info("adding");
            context.audit("cart_added", json!({ "items": task.payload.prices.len() }));
            let rate: f64 = context.dependency_result("tax").unwrap_or(0.0);
            complete(task.payload.prices.iter().sum::<f64>() * (1.0 + rate))
        }
    }

    #[test]
    fn a_sample_task_gives_a_result_logs_and_an_audit_trail() {
        let run = TestTask::new(json!({"prices": [1.5, 2.5]})).upstream("tax", json!(0.5)).run::<Total>();
        assert_eq!(run.result(), json!(6.0));
        assert_eq!(run.logs[0].1, "adding");
        assert_eq!(run.audits, [("cart_added".to_owned(), json!({"items": 2}))]);
    }

    #[test]
    fn a_payload_of_the_wrong_shape_is_refused_and_not_retried() {
        let run = TestTask::new(json!({"prices": "none"})).run::<Total>();
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("bad_payload", false));
        assert!(run.failure().message.contains("invalid type"));
    }

    #[test]
    fn dispatch_sees_the_payload_as_text() {
        assert!(TestTask::new(json!({"prices": []})).dispatch::<Total>());
        assert!(!TestTask::new(json!({"wholesale": []})).dispatch::<Total>());
    }

    #[test]
    fn a_failure_keeps_its_code() {
        assert_eq!(TestTask::new(json!({"prices": []})).run::<Total>().failure().code, "EMPTY_CART");
    }
}
