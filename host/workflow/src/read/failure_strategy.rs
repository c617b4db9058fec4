//! What becomes of a batch one of whose workers ends badly.

/// What becomes of a batch one of whose workers ends badly; Tasker's failure strategies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum FailureStrategy {
    /// The others go on, and the convergence step finds the errors.
    #[default]
    ContinueOnFailure,
    /// The others are cancelled, and the step is dead.
    FailFast,
    /// The others go on; what comes after waits until the bad ones are requeued or resolved.
    Isolate,
}

impl FailureStrategy {
    /// Every strategy, for messages and schemas.
    pub(crate) const ALL: [Self; 3] = [Self::ContinueOnFailure, Self::FailFast, Self::Isolate];

    /// The public name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ContinueOnFailure => "continue_on_failure",
            Self::FailFast => "fail_fast",
            Self::Isolate => "isolate",
        }
    }
}
