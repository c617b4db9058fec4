//! The operator's language models.

use std::collections::BTreeMap;

use bulkhead_core::{Caller, Candidate, ChatRequest, DelegateError};
use bulkhead_outbound::Trust;
use futures::future::join_all;
use tokio::time::Instant;

use crate::admit::admit;
use crate::backend::Backend;
use crate::candidate::Call;
use crate::charge::Share;
use crate::probe::{self, BackendHealth};
use crate::question::Question;
use crate::{LlmError, LlmGrant, LlmMetrics, LlmSettings, TokenMeter};

/// The operator's language models: an ensemble of backends that are asked by weight.
#[derive(Debug)]
pub struct Llm {
    settings: LlmSettings,
    backends: BTreeMap<String, Backend>,
    metrics: LlmMetrics,
}

impl Llm {
    /// The backends of the settings; asks none of them, and needs none to be there.
    ///
    /// Reads each backend's key and `ca`, and the certificates of the system where one is asked over https.
    pub fn new(settings: LlmSettings) -> Result<Self, LlmError> {
        settings.check()?;
        let encrypted = |backend: &crate::BackendSettings| backend.url.parse().is_ok_and(|url| url.scheme() == "https");
        let needs_trust = settings.backends.values().any(encrypted);
        let system = if needs_trust { Trust::of_the_system() } else { Trust::none() };
        let backends = settings.backends.iter().map(|(name, backend)| {
            Backend::new(name, backend, settings.rules(), &system).map(|made| (name.clone(), made))
        });
        let backends = backends.collect::<Result<_, _>>()?;
        Ok(Self { settings, backends, metrics: LlmMetrics::new()? })
    }

    /// The same, counted by these metrics.
    #[must_use]
    pub fn with_metrics(mut self, metrics: LlmMetrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Asks for candidates, all at the same time: as many as come about until the deadline, at least one where it succeeds.
    ///
    /// `spent` is what the task has used of its tokens beside what `meter` already shows. What this call uses is added to
    /// `meter` as it is used, so that it is there after a failure and after the call was dropped, too.
    ///
    /// Safe to drop at any time: connections are closed, and nothing goes on.
    pub async fn generate(
        &self,
        caller: &Caller,
        grant: &LlmGrant,
        spent: u64,
        meter: &TokenMeter,
        request: ChatRequest,
    ) -> Result<Vec<Candidate>, DelegateError> {
        let spent = spent.saturating_add(meter.spent());
        let plan = admit(&caller.handler, grant, &self.settings, spent, &request).map_err(DelegateError::bounded)?;
        let deadline = Instant::from_std(caller.deadline);
        if deadline <= Instant::now() {
            return Err(DelegateError::TimedOut);
        }
        let question = Question::new(&request, plan.prompt, caller.traceparent)
            .map_err(|_| DelegateError::Invalid("`messages` cannot be written as JSON".to_owned()))?;
        let call = Call {
            backends: plan.backends.iter().filter_map(|name| self.backends.get(name)).collect(),
            question,
            metrics: self.metrics.of(&caller.handler),
            max_tries: self.settings.retries.get(),
            max_bytes: self.settings.max_answer(),
            deadline,
            tokens: format!("handler.{}.grants.llm.tokens", caller.handler),
        };
        // The question is written; its messages, up to 4 MiB, need not stay for as long as it takes.
        let candidates = request.candidates;
        drop(request);
        let ends = join_all((0..candidates).map(|_| call.candidate(Share::new(plan.share, meter)))).await;
        together(ends)
    }

    /// Asks each backend for its models: whether it is there and takes the key. Takes 3 s at most.
    pub async fn probe(&self) -> Vec<BackendHealth> {
        join_all(self.backends.values().map(probe::probe)).await
    }
}

/// The candidates that came about; where none did, the failure that says most of what another attempt can hope for.
fn together(ends: Vec<Result<Candidate, DelegateError>>) -> Result<Vec<Candidate>, DelegateError> {
    let mut candidates = Vec::with_capacity(ends.len());
    let mut worst: Option<DelegateError> = None;
    for end in ends {
        match end {
            Ok(candidate) => candidates.push(candidate),
            Err(error) if worst.as_ref().is_none_or(|worst| hope(&error) > hope(worst)) => worst = Some(error),
            Err(_) => {}
        }
    }
    match (candidates.is_empty(), worst) {
        (true, Some(error)) => Err(error),
        (true, None) => Err(DelegateError::Invalid("`candidates` must be at least 1".to_owned())),
        (false, _) => Ok(candidates),
    }
}

/// How much another attempt can hope for.
const fn hope(error: &DelegateError) -> u8 {
    match error {
        DelegateError::TimedOut => 3,
        DelegateError::Unavailable(_) => 2,
        DelegateError::Denied(_) => 1,
        // `Failed`: a candidate ends in no other way.
        _ => 0,
    }
}
