//! Keys that are taken and do nothing.

/// A key of Tasker's that is taken, kept in the file, and does nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotActedOn {
    /// The path of the key, such as `steps[0].result_schema`.
    pub key: String,
    /// The line of the key, from 1.
    pub line: u32,
    /// What it is with Tasker, or what does the same here.
    pub about: &'static str,
}

impl std::fmt::Display for NotActedOn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: not acted on: {}", self.key, self.about)
    }
}
