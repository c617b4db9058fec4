//! What a try costs, whatever becomes of it.

use crate::TokenMeter;
use crate::backend::Backend;
use crate::estimate::tokens_of;
use crate::metrics::HandlerMetrics;
use crate::pulse::Pulse;
use crate::reading::Reported;

/// The tokens that one candidate may use over all its tries.
#[derive(Debug)]
pub(crate) struct Share<'a> {
    total: u64,
    own: TokenMeter,
    all: &'a TokenMeter,
}

impl<'a> Share<'a> {
    /// So many tokens; what is used is also counted by `all`.
    pub(crate) const fn new(total: u64, all: &'a TokenMeter) -> Self {
        Self { total, own: TokenMeter::new(), all }
    }

    /// What is left of it.
    pub(crate) fn left(&self) -> u64 {
        self.total.saturating_sub(self.own.spent())
    }
}

/// The tokens of one try, counted when it is dropped.
#[derive(Debug)]
pub(crate) struct Charge<'a> {
    backend: &'a Backend,
    metrics: HandlerMetrics<'a>,
    share: &'a Share<'a>,
    pulse: &'a Pulse,
    prompt: u64,
    max_completion: u64,
    completion: u64,
    sent: bool,
}

impl<'a> Charge<'a> {
    /// A try with a question of about `prompt` tokens that asks for at most so many of an answer.
    pub(crate) const fn new(
        backend: &'a Backend,
        metrics: HandlerMetrics<'a>,
        (share, pulse): (&'a Share<'a>, &'a Pulse),
        (prompt, max_completion): (u64, u64),
    ) -> Self {
        Self { backend, metrics, share, pulse, prompt, max_completion, completion: 0, sent: false }
    }

    /// The question goes out: from now on it counts.
    pub(crate) const fn sent(&mut self) {
        self.sent = true;
    }

    /// The backend did nothing for it: it does not count.
    pub(crate) const fn waived(&mut self) {
        self.sent = false;
    }

    /// The backend begins to answer.
    pub(crate) fn answering(&self) {
        self.pulse.beat();
    }

    /// So many bytes of the answer are there: it counts as an estimate of them, but no more than was asked for.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.pulse.beat();
        self.completion = tokens_of(bytes as u64).min(self.max_completion);
    }

    /// What the backend itself reported counts in place of the estimates, which are kept where it reported none; gives
    /// what counts of question and answer.
    pub(crate) fn settled(&mut self, reported: Reported) -> (u32, u32) {
        // What no question and no answer has would turn counters over.
        let counted =
            |reported: Option<u64>, estimate: u64| u32::try_from(reported.unwrap_or(estimate)).unwrap_or(u32::MAX);
        let prompt = counted(reported.prompt_tokens, self.prompt);
        let completion = counted(reported.completion_tokens, self.completion);
        (self.prompt, self.completion) = (prompt.into(), completion.into());
        (prompt, completion)
    }
}

impl Drop for Charge<'_> {
    fn drop(&mut self) {
        if self.sent {
            let tokens = self.prompt.saturating_add(self.completion);
            self.share.own.add(tokens);
            self.share.all.add(tokens);
            self.metrics.used(self.backend.name(), self.prompt, self.completion);
        }
    }
}
