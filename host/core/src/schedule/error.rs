//! Why a schedule is refused.

use crate::SubmissionError;

/// Why a schedule is refused, for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A field's text is not what it should be.
    #[error("{field}: {rule}{}: `{}`", advice(.fix), shown(.value))]
    Text {
        /// The field's name.
        field: &'static str,
        /// What is allowed.
        rule: String,
        /// What to write instead.
        fix: Option<String>,
        /// What was given.
        value: String,
    },
    /// Fields that do not go together, or one that is missing.
    #[error("{field}: {rule}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The task that each tick makes could not be submitted.
    #[error("task.{0}")]
    Task(SubmissionError),
}

fn advice(fix: &Option<String>) -> String {
    fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default()
}

/// The longest value that a message repeats, in characters.
const MAX_SHOWN: usize = 80;

/// The value as it may stand in a message: control characters escaped, cut where it is long.
fn shown(value: &str) -> String {
    let mut shown: String = value.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
    if value.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
