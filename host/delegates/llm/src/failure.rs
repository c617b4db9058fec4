//! How a try can fail, and what follows from it.

use std::time::Duration;

use crate::KeyError;
use crate::pulse::is_blamed;

/// Why one try gave no answer. No text holds what a backend said, but for a short code of known form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// There is no key to ask with; guests are not told where it should be.
    #[error("{}; look at its `key`", .0.without_place())]
    Key(KeyError),
    /// There is no connection.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It said nothing at all within its time.
    #[error("it said nothing within {} s (its `timeout`)", .0.as_secs_f64())]
    Silent(Duration),
    /// It began to answer and was not done within its time.
    #[error("it was not done within {} s (its `timeout`)", .0.as_secs_f64())]
    Slow(Duration),
    /// It said nothing at all for as long as others could wait that may be asked in its place.
    #[error("it said nothing within {:.1} s, its share of the time that is left", .0.as_secs_f64())]
    Mute(Duration),
    /// It began to answer, and then said nothing for so long.
    #[error("it said nothing more for {:.1} s, its share of the time that was left", .0.as_secs_f64())]
    Stalled(Duration),
    /// It answered with another status than success.
    #[error("it answered {status}{}", hint(*.status, .reason.as_deref()))]
    Refused {
        /// The status.
        status: u16,
        /// A code such as `model_not_found`, where it gave one.
        reason: Option<String>,
        /// For how long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It broke off.
    #[error("it broke off: {0}")]
    Broken(String),
    /// It reported an error in its answer.
    #[error("it reported an error in its answer{}", hint(0, .0.as_deref()))]
    Reported(Option<String>),
    /// Its answer is none.
    #[error("its answer is malformed: {0}")]
    Malformed(String),
    /// Its answer is longer than what is allowed.
    #[error("its answer is longer than {0} bytes (llm.max_answer)")]
    TooLong(usize),
}

fn hint(status: u16, reason: Option<&str>) -> String {
    match (reason, status) {
        (_, 300..=399) => "; redirects are not followed, so its `url` must be where this one leads".to_owned(),
        (Some(reason), _) => format!(" ({reason})"),
        (None, 401 | 403) => "; look at its `key`".to_owned(),
        (None, 404) => "; look at its `url` and its `model`".to_owned(),
        (None, _) => String::new(),
    }
}

impl Failure {
    /// What metrics call it.
    pub(crate) const fn outcome(&self) -> &'static str {
        match self {
            Self::Key(_) => "no_key",
            Self::Unreachable(_) => "unreachable",
            Self::Silent(_) | Self::Slow(_) | Self::Mute(_) | Self::Stalled(_) => "timed_out",
            Self::Refused { status: 429, .. } => "rate_limited",
            Self::Refused { status: 500.., .. } => "server_error",
            Self::Refused { .. } => "refused",
            Self::Broken(_) => "broken",
            Self::Reported(_) => "reported",
            Self::Malformed(_) => "malformed",
            Self::TooLong(_) => "too_long",
        }
    }

    /// Whether the same backend may do better when it is asked again.
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Silent(_) | Self::Slow(_) | Self::Mute(_) | Self::Stalled(_) => true,
            Self::Broken(_) | Self::Reported(_) => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::Key(_) | Self::Malformed(_) | Self::TooLong(_) => false,
        }
    }

    /// Whether the backend is to blame, so that it may rest. What a handler can bring about by its request (long answers,
    /// refusals, its share of the rate) is not, else one handler could take a backend from all others.
    pub(crate) fn blames_backend(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Silent(_) | Self::Broken(_) | Self::Malformed(_) => true,
            Self::Refused { status, .. } => *status >= 500,
            Self::Mute(silence) => is_blamed(*silence),
            Self::Key(_) | Self::Slow(_) | Self::Stalled(_) | Self::Reported(_) | Self::TooLong(_) => false,
        }
    }

    /// For how long the backend wants to be left alone.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, status: 408 | 429 | 500.., .. } => *retry_after,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Failure {
        Failure::Refused { status, reason: None, retry_after: Some(Duration::from_secs(1)) }
    }

    #[test]
    fn only_408_429_and_5xx_pass_and_only_5xx_is_the_backends_fault() {
        for status in [302, 400, 401, 403, 404, 405, 408, 409, 422, 429, 499, 500, 502, 503, 504, 529] {
            let passes = matches!(status, 408 | 429 | 500..);
            assert_eq!(refused(status).may_pass(), passes, "{status}");
            assert_eq!(refused(status).retry_after().is_some(), passes, "{status}");
            assert_eq!(refused(status).blames_backend(), status >= 500, "{status}");
        }
    }

    #[test]
    fn a_silence_that_a_short_run_cut_off_is_not_the_backends_fault_and_a_long_one_is() {
        assert!(!Failure::Mute(Duration::from_secs(2)).blames_backend());
        assert!(Failure::Mute(Duration::from_secs(15)).blames_backend());
        assert!(!Failure::Stalled(Duration::from_secs(15)).blames_backend());
    }

    #[test]
    fn a_message_names_the_status_and_what_to_look_at() {
        for (failure, text) in [
            (refused(503), "it answered 503"),
            (refused(401), "it answered 401; look at its `key`"),
            (Failure::Reported(Some("overloaded".to_owned())), "it reported an error in its answer (overloaded)"),
            (Failure::Silent(Duration::from_millis(1_500)), "it said nothing within 1.5 s (its `timeout`)"),
        ] {
            assert_eq!(failure.to_string(), text);
        }
        assert!(refused(307).to_string().contains("redirects are not followed"));
    }
}
