//! Why an expression is refused, or gives nothing.

use crate::problem::nearest;
use crate::shown;

/// Why an expression is refused, or gives nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It is not an expression.
    #[error("not a valid expression: {0}")]
    Malformed(String),
    /// It is too long.
    #[error("an expression of {length} bytes; the limit is {limit}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// It has too many operators, filters, subscripts and commas.
    #[error("an expression has at most {0} operators, filters, subscripts and commas")]
    TooManyOperators(usize),
    /// It multiplies too often.
    #[error("an expression has at most {0} `*`, since `*` also repeats texts")]
    TooManyProducts(usize),
    /// It writes out lists that may be long.
    #[error("an expression with `map` or `range` cannot have `~`, which would write their lists out")]
    WritesLists,
    /// It could give something large for each item of a list.
    #[error("`map` takes numbers, flags and texts of at most {0} bytes: what it is given may stand for each item")]
    MapsAtLarge(usize),
    /// It asks for a filter that there is not.
    #[error("not a valid expression: unknown filter: `{0}`")]
    UnknownFilter(String),
    /// It asks for a test that there is not.
    #[error("not a valid expression: unknown test: `{0}`")]
    UnknownTest(String),
    /// It multiplies beside what builds lists or texts, which could grow without bound.
    #[error("an expression with `*` cannot have this, too: `{0}`; `*` also repeats lists and texts")]
    Grows(&'static str),
    /// It names something that there is not.
    #[error("unknown name in an expression: `{name}`; {hint}")]
    UnknownName {
        /// The name.
        name: String,
        /// What there is.
        hint: String,
    },
    /// It could not be evaluated.
    #[error("the expression failed: {0}")]
    Failed(String),
    /// A list is expected, and it gave something else.
    #[error("the expression gives no list: `{0}`")]
    NotAList(String),
    /// The list is too long.
    #[error("the list has more than {0} items")]
    TooManyItems(usize),
    /// The items of the list are too long together.
    #[error("the items of the list are together longer than {0} bytes")]
    ListTooLong(usize),
    /// An item of the list is no JSON, or too large.
    #[error("item {index} of the list: {why}")]
    Item {
        /// Which, from 0.
        index: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl ExpressionError {
    pub(super) fn malformed(error: minijinja::Error) -> Self {
        Self::Malformed(words(&error))
    }

    pub(super) fn failed(error: minijinja::Error) -> Self {
        Self::Failed(words(&error))
    }

    pub(super) fn unknown_name<'a>(name: String, known: impl IntoIterator<Item = &'a str> + Copy) -> Self {
        let known_names = || crate::shape::quoted(known.into_iter());
        let hint = match nearest(&name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known names: {}", known_names()),
        };
        Self::UnknownName { name: shown(&name), hint }
    }
}

/// The engine's words without its talk of templates and lines.
fn words(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}
