//! How a handler says that it failed.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

/// A label for failures; whether the task is retried is said by [`Failure::retryable`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// The task's input is wrong.
    Validation,
    /// Trying again cannot help.
    Permanent,
    /// Trying again may help.
    Retryable,
    /// The handler itself went wrong.
    Handler,
    /// Something took too long.
    Timeout,
}

/// A failure: what went wrong, and whether another attempt may help.
///
/// Deliberately no [`std::error::Error`], so that `?` can turn every standard error into one.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The label.
    pub category: Category,
    /// Stable, for programs, such as `EMPTY_CART`; at most 128 bytes.
    pub code: String,
    /// For people; at most 4 KiB.
    pub message: String,
    /// Whether the task is tried again while it has attempts left.
    pub retryable: bool,
    /// The wait before the next attempt, instead of the back-off; at most an hour.
    pub retry_after: Option<Duration>,
    /// More, for programs; at most 64 KiB of JSON. Boxed, so that a `Result` of it stays small.
    pub details: Box<Value>,
}

impl Failure {
    /// Trying again cannot help.
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Category::Permanent, code, message, false)
    }

    /// Trying again may help.
    pub fn retryable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Category::Retryable, code, message, true)
    }

    /// The task's input is wrong.
    pub fn validation(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Category::Validation, code, message, false)
    }

    /// Something took too long; tried again.
    pub fn timeout(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Category::Timeout, code, message, true)
    }

    fn new(category: Category, code: impl Into<String>, message: impl Into<String>, retryable: bool) -> Self {
        Self {
            category,
            code: code.into(),
            message: message.into(),
            retryable,
            retry_after: None,
            details: Box::default(),
        }
    }

    /// Waits so long before the next attempt.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Adds something for programs; what cannot be written as JSON is left out.
    #[must_use]
    pub fn with_details(mut self, details: impl Serialize) -> Self {
        *self.details = serde_json::to_value(details).unwrap_or_default();
        self
    }
}

/// An error that a handler did not expect: retried, with its causes in the message.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(source) = cause {
            message.push_str(": ");
            message.push_str(&source.to_string());
            cause = source.source();
        }
        Self::new(Category::Handler, "handler_error", message, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_becomes_a_retryable_failure_with_its_causes() {
        fn fails() -> Result<(), Failure> {
            Err(std::io::Error::other("no route"))?;
            Ok(())
        }
        let failure = fails().expect_err("it fails");
        assert_eq!((failure.category, failure.retryable), (Category::Handler, true));
        assert_eq!(failure.message, "no route");
    }
}
