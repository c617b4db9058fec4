//! What a database refuses, in one form.

use super::value::ValueRef;

/// Shorthand.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Why a statement could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Error {
    /// The row is refused; another may be taken.
    Refused(String),
    /// There is no row where one must be.
    NoRow,
    /// Another host was quicker, or two wait for each other: the transaction is to be made again.
    Raced(String),
    /// Nothing more can be written: the disk is full.
    Full,
    /// The database is not there, or no longer.
    Gone(String),
    /// Anything else.
    Other(String),
}

impl Error {
    /// A column has something else than it must have.
    pub(super) fn unexpected(wanted: &str, found: ValueRef<'_>) -> Self {
        let found = match found {
            ValueRef::Null => "nothing",
            ValueRef::Bool(_) => "a truth value",
            ValueRef::Integer(_) => "an integer",
            ValueRef::Real(_) => "a number",
            ValueRef::Text(_) => "a text",
            ValueRef::Blob(_) => "bytes",
        };
        Self::Other(format!("a column has {found} instead of {wanted}"))
    }

    /// The database's own words.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Refused(words) | Self::Raced(words) | Self::Gone(words) | Self::Other(words) => words,
            Self::NoRow => "a row is not there",
            Self::Full => "the disk is full",
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.words())
    }
}

impl std::error::Error for Error {}

/// Turns the lack of a row into `None`.
pub(crate) trait OptionalExtension<T> {
    /// The row, where there is one.
    fn optional(self) -> Result<Option<T>>;
}

impl<T> OptionalExtension<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(Error::NoRow) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
