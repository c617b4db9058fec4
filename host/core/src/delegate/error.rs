//! Why a delegate did not do it.

use crate::HandlerName;

/// The longest text that a guest is told, in bytes (`interface delegate`).
const MAX_TEXT: usize = 4 << 10;

/// Why a delegate did not do it; the texts are for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DelegateError {
    /// No grant; the text names the setting to add.
    #[error("{0}")]
    Denied(String),
    /// The engine, device or backend is not there now: another attempt may help.
    #[error("{0}")]
    Unavailable(String),
    /// The engine itself cannot be reached, or may not be asked now: the run is interrupted, which is not charged to it.
    #[error("{0}")]
    Gone(String),
    /// The request makes no sense; the text names the field.
    #[error("{0}")]
    Invalid(String),
    /// The attempt's or the delegate's own time ran out.
    #[error("its time ran out")]
    TimedOut,
    /// It was tried and went wrong.
    #[error("{0}")]
    Failed(String),
}

impl DelegateError {
    /// The handler was granted nothing of this delegate, such as `docker`.
    pub fn no_grant(handler: &HandlerName, delegate: &str) -> Self {
        Self::Denied(format!(
            "handler `{handler}` has no grant for {delegate}: add [handler.{handler}.grants.{delegate}]"
        ))
    }

    /// The public name of the case, for metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::Unavailable(_) => "unavailable",
            Self::Gone(_) => "gone",
            Self::Invalid(_) => "invalid",
            Self::TimedOut => "timed_out",
            Self::Failed(_) => "failed",
        }
    }

    /// The same with its text cut to the bound of the contract.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        if let Self::Denied(text)
        | Self::Unavailable(text)
        | Self::Gone(text)
        | Self::Invalid(text)
        | Self::Failed(text) = &mut self
        {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
        }
        self
    }
}
