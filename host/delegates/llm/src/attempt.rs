//! One try at one backend, with all that must be put right when it ends or is dropped.

use std::time::{Duration, Instant};

use bulkhead_core::{BreakerState, Candidate};
use tokio::sync::SemaphorePermit;

use crate::backend::Backend;
use crate::charge::{Charge, Share};
use crate::exchange::{self, Sent};
use crate::failure::Failure;
use crate::metrics::HandlerMetrics;
use crate::pulse::Pulse;
use crate::question::Question;

/// A try that may go out. Dropped before its end it counts as cancelled, and says nothing of the backend unless that was
/// silent for long.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    backend: &'a Backend,
    metrics: HandlerMetrics<'a>,
    /// Whether the breaker waits for what becomes of it.
    trying: bool,
    outcome: &'static str,
    pulse: Pulse,
    _slot: SemaphorePermit<'a>,
}

impl<'a> Attempt<'a> {
    /// A try with this slot, unless the backend rests or asked to be left alone.
    pub(crate) fn begin(backend: &'a Backend, slot: SemaphorePermit<'a>, metrics: HandlerMetrics<'a>) -> Option<Self> {
        let trying = match backend.ask() {
            BreakerState::Closed => false,
            BreakerState::Trying => true,
            BreakerState::Open(_) => return None,
        };
        Some(Self { backend, metrics, trying, outcome: "cancelled", pulse: Pulse::new(), _slot: slot })
    }

    /// Asks for an answer of at most so many bytes and tokens; for `patience` at most it waits for a word, since others are
    /// there to be asked.
    pub(crate) async fn run(
        mut self,
        question: &Question,
        share: &Share<'_>,
        (max_bytes, max_tokens): (usize, u64),
        patience: Option<Duration>,
    ) -> Result<Candidate, Failure> {
        let (backend, limit) = (self.backend, self.backend.settings().timeout.duration());
        let most = backend.settings().max_tokens.map_or(u64::MAX, |most| u64::from(most.get()));
        let max_tokens = max_tokens.min(most);
        let body = question.body(backend.settings(), max_tokens);
        let body = body.map_err(|_| Failure::Malformed("the question cannot be written".to_owned()))?;
        let sent = Sent { body, traceparent: question.traceparent(), max_bytes };
        let mut charge = Charge::new(backend, self.metrics, (share, &self.pulse), (question.prompt, max_tokens));
        let since = Instant::now();
        let asked = tokio::time::timeout(limit, exchange::ask(backend, sent, &mut charge));
        let patience = patience.filter(|patience| *patience < limit);
        let answer = tokio::select! {
            answer = asked => answer.unwrap_or_else(|_| {
                Err(if self.pulse.has_beaten() { Failure::Slow(limit) } else { Failure::Silent(limit) })
            }),
            () = quiet(&self.pulse, patience) => {
                let patience = patience.unwrap_or(limit);
                Err(if self.pulse.has_beaten() { Failure::Stalled(patience) } else { Failure::Mute(patience) })
            }
        };
        self.metrics.took(backend.name(), since.elapsed());
        match answer {
            Ok((text, reported)) => {
                self.outcome = "ok";
                self.trying = false;
                backend.succeeded();
                let (prompt_tokens, completion_tokens) = charge.settled(reported);
                Ok(Candidate { backend: backend.name().to_owned(), text, prompt_tokens, completion_tokens })
            }
            Err(failure) => {
                self.outcome = failure.outcome();
                if failure.blames_backend() {
                    self.trying = false;
                    backend.failed();
                }
                if let Some(wait) = failure.retry_after() {
                    backend.leave_alone(wait);
                }
                if let Failure::Key(error) = &failure {
                    tracing::warn!(backend = backend.name(), %error, "a language model cannot be asked");
                }
                tracing::debug!(backend = backend.name(), %failure, "a language model gave no answer");
                Err(failure)
            }
        }
    }
}

/// Waits until nothing came for so long; for ever where it may take as long as it likes.
async fn quiet(pulse: &Pulse, patience: Option<Duration>) {
    match patience {
        Some(patience) => pulse.stops(patience).await,
        None => std::future::pending().await,
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        // Its run's time is over, or nobody wants the answer any more: such a silence is the backend's all the same.
        if self.outcome == "cancelled" && self.pulse.is_dead() {
            (self.outcome, self.trying) = ("timed_out", false);
            self.backend.failed();
        }
        self.metrics.called(self.backend.name(), self.outcome);
        if self.trying {
            self.backend.abandoned();
        }
    }
}
