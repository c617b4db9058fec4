//! The delegates of one run, under the grants of its handler.

use std::borrow::Borrow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::{Caller, Candidate, ChatRequest, Container, DelegateError, Device, Exit, Job};
use bulkhead_http::HttpAccess;
use bulkhead_llm::TokenMeter;
use bulkhead_sandbox::{DelegateAnswer, Delegates as Answering, HttpBody, HttpFailure, HttpRequest};
use tokio::time::timeout;

use crate::calls::call;
use crate::open_calls::OpenCalls;
use crate::overrun::within_bounds;
use crate::{Delegates, Grants};

/// When what the run begins now is over at the latest; none, and it may begin nothing: its lease is not confirmed.
type Until = Box<dyn Fn() -> Option<Instant> + Send + Sync>;

/// How long the tokens of calls that were cut off are waited for. The runtime drops a call as soon as it comes to it.
const UNTIL_COUNTED: Duration = Duration::from_secs(2);

/// What answers the calls of one run.
pub struct RunDelegates {
    delegates: Arc<Delegates>,
    grants: Arc<Grants>,
    http: Option<Arc<HttpAccess>>,
    caller: Caller,
    /// Tokens that the task used in earlier runs.
    earlier: u64,
    meter: Arc<TokenMeter>,
    /// Its questions that are not over, or not counted yet.
    questions: Arc<OpenCalls>,
    until: Until,
}

impl std::fmt::Debug for RunDelegates {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RunDelegates").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl RunDelegates {
    pub(crate) fn new(
        delegates: Arc<Delegates>,
        grants: Arc<Grants>,
        http: Option<Arc<HttpAccess>>,
        caller: Caller,
        earlier: u64,
        until: Until,
    ) -> Self {
        let (meter, questions) = (Arc::default(), Arc::default());
        Self { delegates, grants, http, caller, earlier, meter, questions, until }
    }

    /// Waits until nothing is left of what was begun.
    pub async fn settled(&self) {
        self.delegates.settled().await;
    }

    /// Tokens that this run has used, which is over: its end may have cut off questions, and they are counted a moment later.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost by dropping the future.
    pub async fn tokens(&self) -> u64 {
        if timeout(UNTIL_COUNTED, self.questions.over()).await.is_err() {
            let task = self.caller.task.as_str();
            tracing::warn!(task, "the tokens of a question that was cut off are not counted: the host is too busy");
        }
        self.meter.spent()
    }

    /// Makes a call with a grant, where there is one and something may begin.
    fn ask<G: Clone, T: Send + 'static, E, Work>(
        &self,
        delegate: &'static str,
        grant: Option<&G>,
        work: impl FnOnce(Arc<Delegates>, Caller, G) -> Work,
    ) -> DelegateAnswer<T, E>
    where
        Work: Future<Output = Result<T, E>> + Send + 'static,
        E: Borrow<DelegateError> + From<DelegateError> + Send + 'static,
    {
        let refused = match (grant, (self.until)()) {
            (None, _) => DelegateError::no_grant(&self.caller.handler, delegate),
            (_, None) => DelegateError::Gone("the lease is not confirmed, so nothing may begin under it".to_owned()),
            (Some(grant), Some(deadline)) => {
                let Delegates { runtime, metrics, .. } = &*self.delegates;
                let mut caller = Caller { deadline, ..self.caller.clone() };
                caller.traceparent = caller.traceparent.map(|run| run.child(fastrand::u64(..)));
                let work = work(Arc::clone(&self.delegates), caller.clone(), grant.clone());
                return call(runtime, metrics, delegate, &caller, work);
            }
        };
        self.delegates.metrics.count(delegate, Some(Err(&refused)), 0.0);
        Box::pin(std::future::ready(Err(refused.into())))
    }
}

impl Answering for RunDelegates {
    fn run_container(&self, container: Container) -> DelegateAnswer<Exit> {
        self.ask("docker", self.grants.docker.as_ref(), |delegates, caller, grant| async move {
            // Who asks for more than was granted is refused by the delegate, and waits for none.
            let lease = match container.gpus {
                count if count > 0 && count <= grant.gpus => Some(delegates.gpu.lease(&caller, count, None).await?),
                _ => None,
            };
            let indices = lease.as_ref().map(|lease| lease.indices()).unwrap_or_default();
            // The lease is over when nothing of the container runs any more, and not when nobody waits for it.
            within_bounds(&caller, delegates.docker.run(&caller, &grant, container, &indices, lease)).await
        })
    }

    fn devices(&self) -> DelegateAnswer<Vec<Device>> {
        self.ask(
            "gpu",
            self.grants.gpu.as_ref(),
            |delegates, caller, _| async move { delegates.gpu.devices(&caller).await },
        )
    }

    fn run_job(&self, job: Job) -> DelegateAnswer<Exit> {
        self.ask("gpu", self.grants.gpu.as_ref(), |delegates, caller, grant| async move {
            within_bounds(&caller, delegates.gpu.run(&caller, &grant, job)).await
        })
    }

    fn generate(&self, request: ChatRequest) -> DelegateAnswer<Vec<Candidate>> {
        let (earlier, meter, open) = (self.earlier, Arc::clone(&self.meter), self.questions.open());
        self.ask("llm", self.grants.llm.as_ref(), |delegates, caller, grant| async move {
            // Dropped after the question, which counts what it has used when it is dropped.
            let _open = open;
            delegates.llm.generate(&caller, &grant, earlier, &meter, request).await
        })
    }

    fn send(&self, request: HttpRequest) -> DelegateAnswer<http::Response<HttpBody>, HttpFailure> {
        self.ask("http", self.http.as_ref(), |_, caller, access| async move { access.send(&caller, request).await })
    }
}
