//! The delegates of one host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bulkhead_core::{Caller, HandlerName};
use bulkhead_docker::{Docker, DockerError};
use bulkhead_gpu::{Gpu, GpuError};
use bulkhead_http::{HttpAccess, HttpError};
use bulkhead_llm::{Llm, LlmError};
use bulkhead_sandbox::workspace::FileCalls;
use tokio::runtime::Handle;

use crate::{DelegateMetrics, DelegateSettings, Grants, RunDelegates};

/// Why the delegates of a host could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DelegatesError {
    /// Something is wrong in `[docker]`, or in a grant of it.
    #[error("the settings of docker are refused")]
    Docker(#[from] DockerError),
    /// Something is wrong in `[gpu]`, or in a grant of it.
    #[error("the settings of gpu are refused")]
    Gpu(#[from] GpuError),
    /// Something is wrong in `[llm]`.
    #[error("the settings of llm are refused")]
    Llm(#[from] LlmError),
    /// Something is wrong in a grant of http.
    #[error("a grant of http is refused")]
    Http(#[from] HttpError),
    /// They cannot be counted.
    #[error("the metrics of delegates are refused")]
    Metrics(#[from] prometheus::Error),
    /// Something is wrong in a grant.
    #[error("the grants of handler `{handler}` are refused: {reason}")]
    Grant {
        /// Whose grants they are.
        handler: HandlerName,
        /// What is wrong with them.
        reason: String,
    },
}

/// What a host does for its handlers; calls are made on the runtime on which this was made.
#[derive(Debug)]
pub struct Delegates {
    pub(crate) docker: Docker,
    pub(crate) gpu: Gpu,
    pub(crate) llm: Llm,
    /// Whether any backend is set.
    pub(crate) has_models: bool,
    pub(crate) metrics: DelegateMetrics,
    pub(crate) runtime: Handle,
    grants: BTreeMap<HandlerName, Arc<Grants>>,
    http: BTreeMap<HandlerName, Arc<HttpAccess>>,
}

impl Delegates {
    /// Makes them; asks nothing of any engine yet. `store` names the store whose leases containers are labelled with.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    pub fn new(
        settings: DelegateSettings,
        grants: BTreeMap<HandlerName, Grants>,
        store: &str,
        metrics: DelegateMetrics,
    ) -> Result<Arc<Self>, DelegatesError> {
        let mut http = BTreeMap::new();
        for (handler, grants) in &grants {
            let refused = |reason| DelegatesError::Grant { handler: handler.clone(), reason };
            if let Some(docker) = &grants.docker {
                docker.check(handler)?;
            }
            if let Some(llm) = &grants.llm {
                llm.check(&settings.llm).map_err(refused)?;
            }
            if let Some(grant) = &grants.http {
                http.insert(handler.clone(), Arc::new(HttpAccess::try_new(handler, grant)?));
            }
        }
        let DelegateSettings { docker, gpu, llm } = settings;
        Ok(Arc::new(Self {
            has_models: !llm.backends.is_empty(),
            docker: Docker::new(docker, store.to_owned())?,
            gpu: Gpu::new(gpu)?,
            llm: Llm::new(llm)?.with_metrics(metrics.llm.clone()),
            metrics,
            runtime: Handle::current(),
            grants: grants.into_iter().map(|(name, grants)| (name, Arc::new(grants))).collect(),
            http,
        }))
    }

    /// Delegates of whom nobody was granted anything.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    pub fn none() -> Result<Arc<Self>, DelegatesError> {
        Self::new(DelegateSettings::default(), BTreeMap::new(), "none", DelegateMetrics::unread()?)
    }

    /// Whether the handler has a grant for anything.
    pub fn grants_any(&self, handler: &HandlerName) -> bool {
        self.grants.get(handler).is_some_and(|grants| !grants.is_empty())
    }

    /// Whether what the handler may begin can change its workspace: a container, or a program.
    pub fn may_change_files(&self, handler: &HandlerName) -> bool {
        self.grants.get(handler).is_some_and(|grants| grants.docker.is_some() || grants.gpu.is_some())
    }

    /// Whether any handler has a grant for containers.
    pub(crate) fn grants_docker(&self) -> bool {
        self.grants.values().any(|grants| grants.docker.is_some())
    }

    /// Where the calls of guests on their workspaces are counted.
    pub fn file_calls(&self) -> Arc<dyn FileCalls> {
        Arc::clone(&self.metrics.files) as Arc<dyn FileCalls>
    }

    /// The delegates of one run, whose task has used so many tokens before. `until` is asked at each call when that ends at the
    /// latest, and stands in place of the caller's deadline; while it says nothing, calls are refused. Where the caller is in
    /// a trace, each call is a span of its own under it.
    pub fn for_run(
        self: &Arc<Self>,
        caller: Caller,
        tokens: u64,
        until: impl Fn() -> Option<Instant> + Send + Sync + 'static,
    ) -> Arc<RunDelegates> {
        let grants = self.grants.get(&caller.handler).cloned().unwrap_or_default();
        let http = self.http.get(&caller.handler).cloned();
        Arc::new(RunDelegates::new(Arc::clone(self), grants, http, caller, tokens, Box::new(until)))
    }

    /// Waits until nothing is left of what was begun for runs that are over.
    pub async fn settled(&self) {
        self.docker.settled().await;
    }
}
