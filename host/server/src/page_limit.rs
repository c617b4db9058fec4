//! How long a page of a list may be.

use crate::problem::Problem;

/// The longest page.
pub(crate) const MAX_LIMIT: usize = 1_000;

/// The length of a page where none is given.
pub(crate) const LIMIT: usize = 100;

/// The length that is asked for, else `usual`; refused where it is out of bounds.
pub(crate) fn page_limit(asked: Option<usize>, usual: usize) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(usual);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::Malformed(format!("limit must be from 1 to {MAX_LIMIT}: `{limit}`")));
    }
    Ok(limit)
}
