//! How one candidate comes about: from backend to backend, until one answers or none is left.

use std::time::Duration;

use bulkhead_core::{Backoff, BackoffCurve, Candidate, DelegateError, Span};
use futures::future::select_all;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use crate::attempt::Attempt;
use crate::backend::Backend;
use crate::charge::Share;
use crate::choose::{Past, Standing, Step, View, next_step};
use crate::failure::Failure;
use crate::metrics::HandlerMetrics;
use crate::question::Question;

/// The pause between two rounds: 250 ms and doubled, half of it by chance.
const PAUSE: Backoff =
    Backoff { curve: BackoffCurve::Exponential, base: Span::from_millis(250), max: Span::from_secs(8), jitter: 0.5 };

/// What the candidates of one call have in common.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) backends: Vec<&'a Backend>,
    pub(crate) question: Question,
    pub(crate) metrics: HandlerMetrics<'a>,
    pub(crate) max_tries: u32,
    pub(crate) max_bytes: usize,
    pub(crate) deadline: Instant,
    /// The setting that bounds the tokens.
    pub(crate) tokens: String,
}

/// A backend and how it was to this candidate.
struct Course<'a> {
    backend: &'a Backend,
    past: Past,
    failure: Option<Failure>,
}

/// One candidate on its way.
struct Way<'c, 'a> {
    call: &'c Call<'a>,
    courses: Vec<Course<'a>>,
    tries: u32,
    round: u32,
}

impl<'a> Call<'a> {
    /// Makes one candidate; safe to drop at any time, which closes the connection.
    pub(crate) async fn candidate(&self, share: Share<'_>) -> Result<Candidate, DelegateError> {
        let courses = self.backends.iter().map(|&backend| Course { backend, past: Past::Fresh, failure: None });
        let mut way = Way { call: self, courses: courses.collect(), tries: 0, round: 1 };
        match tokio::time::timeout_at(self.deadline, way.walk(&share)).await {
            Ok(end) => end,
            Err(_) => Err(DelegateError::TimedOut),
        }
    }
}

impl<'a> Way<'_, 'a> {
    async fn walk(&mut self, share: &Share<'_>) -> Result<Candidate, DelegateError> {
        let Call { question, max_tries, max_bytes, tokens, .. } = self.call;
        while self.tries < *max_tries {
            let asked = question.max_tokens.map_or(u64::from(u32::MAX), u64::from);
            let max_tokens = share.left().saturating_sub(question.prompt).min(asked);
            if max_tokens == 0 {
                let text = format!("the tries used up what `{tokens}` leaves for it; raise it: {}", self.story());
                return Err(DelegateError::Denied(text).bounded());
            }
            let Some((index, attempt)) = self.next().await else { break };
            let patience = self.patience(index);
            self.tries += 1;
            match attempt.run(question, share, (*max_bytes, max_tokens), patience).await {
                Ok(candidate) => return Ok(candidate),
                Err(failure) => self.failed(index, failure),
            }
        }
        Err(self.given_up())
    }

    fn failed(&mut self, index: usize, failure: Failure) {
        if let Some(course) = self.courses.get_mut(index) {
            course.past = if failure.may_pass() { Past::Failed } else { Past::Out };
            course.failure = Some(failure);
        }
    }

    /// The next try, when it may go out; none where there is nothing to wait for within the deadline.
    async fn next(&mut self) -> Option<(usize, Attempt<'a>)> {
        let mut pause = PAUSE.delay(self.round, fastrand::u64(..));
        loop {
            let (index, slot) = match next_step(&self.views(), pause, fastrand::f64()) {
                Step::Ask(index) => match self.courses.get(index)?.backend.try_slot() {
                    Some(slot) => (index, slot),
                    // Another was quicker: it is busy now.
                    None => continue,
                },
                Step::Queue(among) => self.queue(&among).await?,
                Step::Wait(wait) => {
                    if !self.pause(wait).await {
                        return None;
                    }
                    pause = PAUSE.delay(self.round, fastrand::u64(..));
                    continue;
                }
                Step::GiveUp => return None,
            };
            let course = self.courses.get_mut(index)?;
            match Attempt::begin(course.backend, slot, self.call.metrics) {
                Some(attempt) => return Some((index, attempt)),
                // It asked to be left alone, or another tries whether it is well again: the next round knows more.
                None => course.past = Past::Failed,
            }
        }
    }

    /// How long this one may say nothing, where others are there to be asked in its place: as long as each of them. One that
    /// is the last has all the time that is left.
    fn patience(&self, index: usize) -> Option<Duration> {
        let may_follow = |course: &Course<'_>| {
            course.past == Past::Fresh && matches!(course.backend.standing(), Standing::Free | Standing::Busy)
        };
        let others = self.courses.iter().enumerate().filter(|(other, course)| *other != index && may_follow(course));
        let others = u32::try_from(others.count()).unwrap_or(u32::MAX);
        let turns = others.saturating_add(1).min(self.call.max_tries.saturating_sub(self.tries));
        (turns > 1).then(|| self.call.deadline.saturating_duration_since(Instant::now()) / turns)
    }

    fn views(&self) -> Vec<View> {
        let view = |course: &Course<'_>| View {
            weight: course.backend.settings().weight,
            standing: course.backend.standing(),
            past: course.past,
        };
        self.courses.iter().map(view).collect()
    }

    /// The first slot that becomes free at one of these.
    async fn queue(&self, among: &[usize]) -> Option<(usize, SemaphorePermit<'a>)> {
        let waiting = among.iter().filter_map(|&index| Some((index, self.courses.get(index)?.backend)));
        let slots: Vec<_> =
            waiting.map(|(index, backend)| Box::pin(async move { (index, backend.slot().await) })).collect();
        if slots.is_empty() {
            return None;
        }
        let ((index, slot), ..) = select_all(slots).await;
        slot.map(|slot| (index, slot))
    }

    /// Waits, and begins a new round; not where the deadline would come first.
    async fn pause(&mut self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        if until >= self.call.deadline {
            return false;
        }
        tokio::time::sleep_until(until).await;
        self.round = self.round.saturating_add(1);
        for course in &mut self.courses {
            if course.past == Past::Failed {
                course.past = Past::Fresh;
            }
        }
        true
    }

    fn given_up(&self) -> DelegateError {
        let passes = |course: &Course<'_>| course.failure.as_ref().is_none_or(Failure::may_pass);
        let text = format!("no backend answered in {} of {} tries: {}", self.tries, self.call.max_tries, self.story());
        if self.courses.iter().any(passes) {
            DelegateError::Unavailable(text).bounded()
        } else {
            DelegateError::Failed(text).bounded()
        }
    }

    /// What became of each backend.
    fn story(&self) -> String {
        let told: Vec<String> = self.courses.iter().filter_map(Course::told).collect();
        told.join("; ")
    }
}

impl Course<'_> {
    fn told(&self) -> Option<String> {
        let mut told: Vec<String> = self.failure.iter().map(Failure::to_string).collect();
        match self.backend.standing() {
            Standing::Rests(rest) => {
                told.push(format!(
                    "it rests after failures in a row, and is tried again in {:.1} s",
                    rest.as_secs_f64()
                ));
            }
            Standing::Waits(wait) => told.push(format!("it asks to be left alone for {:.1} s", wait.as_secs_f64())),
            Standing::Free | Standing::Busy => {}
        }
        (!told.is_empty()).then(|| format!("`{}`: {}", self.backend.name(), told.join(", ")))
    }
}
