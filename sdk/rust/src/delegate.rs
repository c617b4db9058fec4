//! What all delegates share: why one did not do it, and how a program ended.

pub(crate) mod host;

use std::borrow::Cow;

use crate::Failure;

/// Why a delegate did not do it; the texts are for people.
///
/// `?` makes a [`Failure`] of it: one with the code of the case, which is tried again where another attempt may help.
///
/// | case | code | tried again |
/// |---|---|---|
/// | [`Denied`](Self::Denied) | `denied` | no: the operator has a setting to add |
/// | [`Unavailable`](Self::Unavailable) | `unavailable` | yes |
/// | [`Invalid`](Self::Invalid) | `invalid` | no: the same request would be refused again |
/// | [`TimedOut`](Self::TimedOut) | `timed_out` | yes |
/// | [`Failed`](Self::Failed) | `failed` | yes: nothing says that it goes wrong the next time, and attempts are bounded |
///
/// A handler that knows better matches on the case instead. Deliberately no [`std::error::Error`], which `?` would turn
/// into a failure without a code of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DelegateError {
    /// No grant; the text names the setting to add.
    Denied(String),
    /// The engine, device or backend is not there now.
    Unavailable(String),
    /// The request makes no sense; the text names the field.
    Invalid(String),
    /// The attempt's or the delegate's own time ran out.
    TimedOut,
    /// It was tried and went wrong.
    Failed(String),
}

impl std::fmt::Display for DelegateError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Denied(text) | Self::Unavailable(text) | Self::Invalid(text) | Self::Failed(text) => text,
            Self::TimedOut => "its time ran out",
        })
    }
}

impl From<DelegateError> for Failure {
    fn from(error: DelegateError) -> Self {
        let message = error.to_string();
        match error {
            DelegateError::Denied(_) => Self::permanent("denied", message),
            DelegateError::Unavailable(_) => Self::retryable("unavailable", message),
            DelegateError::Invalid(_) => Self::permanent("invalid", message),
            DelegateError::TimedOut => Self::timeout("timed_out", message),
            DelegateError::Failed(_) => Self::retryable("failed", message),
        }
    }
}

/// How a program ended that the host ran; a code other than 0 is no error of the delegate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; 128 + the signal's number where a signal ended it.
    pub code: i32,
    /// The beginning of its standard output: 4 MiB unless the operator set another limit.
    pub stdout: Vec<u8>,
    /// The beginning of its standard error, as much.
    pub stderr: Vec<u8>,
    /// Whether output beyond the limit was dropped.
    pub truncated: bool,
    /// Whether it was ended because it used up its memory.
    pub out_of_memory: bool,
    /// What it used.
    pub usage: Usage,
}

impl Exit {
    /// Whether its exit code is 0.
    pub fn is_success(&self) -> bool {
        self.code == 0
    }

    /// Its standard output as text; what is not UTF-8 is replaced.
    pub fn stdout_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }

    /// Its standard error as text; what is not UTF-8 is replaced.
    pub fn stderr_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stderr)
    }
}

/// What a program used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time from start to end, in milliseconds.
    pub wall_ms: u64,
    /// Time on all cores together, in milliseconds.
    pub cpu_ms: u64,
    /// The most memory it held at once.
    pub peak_memory_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Category;

    fn failure(error: DelegateError) -> Failure {
        fn fails(error: DelegateError) -> Result<(), Failure> {
            Err(error)?;
            Ok(())
        }
        fails(error).expect_err("it fails")
    }

    #[test]
    fn an_error_becomes_a_failure_with_the_code_of_its_case() {
        let text = || "why".to_owned();
        for (error, code, category, retryable) in [
            (DelegateError::Denied(text()), "denied", Category::Permanent, false),
            (DelegateError::Unavailable(text()), "unavailable", Category::Retryable, true),
            (DelegateError::Invalid(text()), "invalid", Category::Permanent, false),
            (DelegateError::TimedOut, "timed_out", Category::Timeout, true),
            (DelegateError::Failed(text()), "failed", Category::Retryable, true),
        ] {
            let failure = failure(error);
            assert_eq!((failure.code.as_str(), failure.category, failure.retryable), (code, category, retryable));
        }
    }

    #[test]
    fn what_the_host_said_is_the_message() {
        let said = "`handler.x.grants.docker.images` does not list `alpine:3`; add it";
        assert_eq!(failure(DelegateError::Denied(said.to_owned())).message, said);
    }
}
