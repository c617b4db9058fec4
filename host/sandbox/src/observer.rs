//! Who hears what a guest tells of its run.

/// How much a line of a guest's log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Every step.
    Trace,
    /// For whoever debugs the handler.
    Debug,
    /// What a user may want to know; the guest's standard output.
    Info,
    /// Something is odd; the guest's standard error.
    Warn,
    /// Something went wrong.
    Error,
}

impl LogLevel {
    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// How far a run says it has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress<'a> {
    /// The part of the work, in the handler's own words.
    pub stage: &'a str,
    /// For people.
    pub text: &'a str,
    /// From 0 to 1, where known.
    pub fraction: Option<f64>,
    /// More, as JSON text.
    pub metadata: &'a str,
}

/// Hears a run: called on the guest's thread, so it must be quick and must not block.
///
/// Texts come with their control characters escaped, bounded in length and, for logs, in sum.
pub trait Observer: Send + Sync {
    /// A line of the guest's log, with its fields as a JSON object.
    fn log(&self, level: LogLevel, message: &str, fields: &str);
    /// How far the run has come.
    fn progress(&self, progress: Progress<'_>);
    /// Something worth keeping in the task's audit trail, with its details as JSON text.
    fn audit(&self, code: &str, details: &str);
}
