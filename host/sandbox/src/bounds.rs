//! How much a guest may hand to the host: the bounds of `wit/handler.wit`, in bytes of UTF-8 unless they count.

use bulkhead_core::JsonText;

/// A failure's code; the rest is cut, since a failure is worth keeping in any case.
pub(crate) const FAILURE_CODE: usize = 128;
/// A failure's message; the rest is cut.
pub(crate) const FAILURE_MESSAGE: usize = 4 << 10;
/// A failure's details.
pub(crate) const FAILURE_DETAILS: usize = 64 << 10;
/// Why a task was skipped; the rest is cut.
pub(crate) const SKIP_REASON: usize = 1 << 10;
/// What is said about a result.
pub(crate) const METADATA: usize = 64 << 10;
/// Tasks that one run may submit by `then`.
pub(crate) const THEN: usize = 1_000;
/// Children of one spawn.
pub(crate) const CHILDREN: usize = 10_000;
/// What is said about a range of a batch.
pub(crate) const CURSOR_METADATA: usize = 4 << 10;
/// Why a task waits for an answer; the rest is cut.
pub(crate) const SUSPEND_REASON: usize = 1 << 10;
/// What of upstream tasks a guest is given at once, less what one more may have.
pub(crate) const UPSTREAM_PAGE: usize = 16 << 20;
/// A child's name.
pub(crate) const CHILD_NAME: usize = 128;
/// A child's options.
pub(crate) const CHILD_OPTIONS: usize = 4 << 10;
/// The fields of a log line.
pub(crate) const LOG_FIELDS: usize = 64 << 10;
/// A progress report's stage, and an audit's code.
pub(crate) const SHORT_NAME: usize = 64;
/// A progress report's text.
pub(crate) const PROGRESS_TEXT: usize = 256;
/// A progress report's metadata.
pub(crate) const PROGRESS_METADATA: usize = 4 << 10;
/// An audit's details.
pub(crate) const AUDIT_DETAILS: usize = 4 << 10;
/// Audits of one run: they are kept for good, in the same commit as the result.
pub(crate) const AUDITS: u32 = 1_000;

/// A JSON object as a guest passes it; nothing at all stands for an empty one.
pub(crate) fn object(text: String, limit: usize) -> Result<JsonText, String> {
    if text.is_empty() {
        return Ok(JsonText::from_trusted("{}"));
    }
    let json = JsonText::parse(text, limit).map_err(|error| error.to_string())?;
    if json.as_str().trim_ascii_start().starts_with('{') { Ok(json) } else { Err("must be an object".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_taken_and_anything_else_is_refused() {
        assert_eq!(object(String::new(), 9).map(|json| json.as_str().to_owned()), Ok("{}".to_owned()));
        assert!(object(" {\"a\":1}".to_owned(), 9).is_ok());
        assert!(object("{\"a\":12345}".to_owned(), 9).is_err());
        assert_eq!(object("[1]".to_owned(), 9), Err("must be an object".to_owned()));
        assert!(object("{".to_owned(), 9).is_err());
    }
}
