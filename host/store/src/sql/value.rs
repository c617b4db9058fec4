//! What is put into statements, and taken out of rows.

use super::error::{Error, Result};

/// A value of any column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ValueRef<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// The same, owned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl<'a> ValueRef<'a> {
    /// The text that it must be.
    pub(crate) fn as_str(self) -> Result<&'a str> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(Error::unexpected("a text", other)),
        }
    }

    /// The text that it must be, if it is anything.
    pub(crate) fn as_str_or_null(self) -> Result<Option<&'a str>> {
        match self {
            Self::Null => Ok(None),
            other => other.as_str().map(Some),
        }
    }

    /// The bytes that it must be, if it is anything.
    pub(crate) fn as_bytes_or_null(self) -> Result<Option<&'a [u8]>> {
        match self {
            Self::Null => Ok(None),
            other => other.as_bytes().map(Some),
        }
    }

    /// The bytes that it must be.
    pub(crate) fn as_bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Blob(bytes) => Ok(bytes),
            other => Err(Error::unexpected("bytes", other)),
        }
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(is) => Self::Bool(*is),
            Value::Integer(number) => Self::Integer(*number),
            Value::Real(number) => Self::Real(*number),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

/// What can be put into a statement.
pub(crate) trait ToSql {
    /// It as a column has it.
    fn value(&self) -> ValueRef<'_>;
}

/// What can be taken out of a row.
pub(crate) trait FromSql: Sized {
    /// It from a column.
    fn from_sql(value: ValueRef<'_>) -> Result<Self>;
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl ToSql for $integer {
            fn value(&self) -> ValueRef<'_> {
                // Databases' integers are signed; what is larger is kept as the largest.
                ValueRef::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }

        impl FromSql for $integer {
            fn from_sql(value: ValueRef<'_>) -> Result<Self> {
                match value {
                    ValueRef::Integer(number) => {
                        Self::try_from(number).map_err(|_| Error::unexpected(stringify!($integer), value))
                    }
                    other => Err(Error::unexpected(stringify!($integer), other)),
                }
            }
        }
    )*};
}
integers!(i8, u8, u32, i64, u64);

impl ToSql for bool {
    fn value(&self) -> ValueRef<'_> {
        ValueRef::Bool(*self)
    }
}

impl FromSql for bool {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        match value {
            ValueRef::Bool(is) => Ok(is),
            ValueRef::Integer(number) => Ok(number != 0),
            other => Err(Error::unexpected("yes or no", other)),
        }
    }
}

impl ToSql for f64 {
    fn value(&self) -> ValueRef<'_> {
        ValueRef::Real(*self)
    }
}

impl FromSql for f64 {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        match value {
            ValueRef::Real(number) => Ok(number),
            ValueRef::Integer(number) => Ok(number as Self),
            other => Err(Error::unexpected("a number", other)),
        }
    }
}

impl ToSql for str {
    fn value(&self) -> ValueRef<'_> {
        ValueRef::Text(self)
    }
}

impl ToSql for String {
    fn value(&self) -> ValueRef<'_> {
        ValueRef::Text(self)
    }
}

impl FromSql for String {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl ToSql for [u8] {
    fn value(&self) -> ValueRef<'_> {
        ValueRef::Blob(self)
    }
}

impl ToSql for Vec<u8> {
    fn value(&self) -> ValueRef<'_> {
        ValueRef::Blob(self)
    }
}

impl FromSql for Vec<u8> {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        value.as_bytes().map(<[u8]>::to_vec)
    }
}

impl ToSql for Value {
    fn value(&self) -> ValueRef<'_> {
        ValueRef::from(self)
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Bool(is) => Self::Bool(is),
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(text) => Self::Text(text.to_owned()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

impl FromSql for Value {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        Ok(Self::from(value))
    }
}

impl<T: ToSql + ?Sized> ToSql for &T {
    fn value(&self) -> ValueRef<'_> {
        (**self).value()
    }
}

impl<T: ToSql> ToSql for Option<T> {
    fn value(&self) -> ValueRef<'_> {
        self.as_ref().map_or(ValueRef::Null, ToSql::value)
    }
}

impl<T: FromSql> FromSql for Option<T> {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::from_sql(value).map(Some),
        }
    }
}

/// The values of one statement, in the order of `?1`, `?2`, …
pub(crate) trait Params {
    /// Hands them over.
    fn with<T>(&self, each: impl FnOnce(&[&dyn ToSql]) -> T) -> T;
}

impl Params for &[&dyn ToSql] {
    fn with<T>(&self, each: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        each(self)
    }
}

/// One array of each length, so that `[]` needs no type.
macro_rules! arrays {
    ($($length:literal),*) => {$(
        impl<P: ToSql> Params for [P; $length] {
            fn with<T>(&self, each: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
                each(&self.each_ref().map(|value| value as &dyn ToSql))
            }
        }
    )*};
}
arrays!(1, 2, 3, 4);

impl Params for [&dyn ToSql; 0] {
    fn with<T>(&self, each: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        each(&[])
    }
}

impl Params for Vec<Value> {
    fn with<T>(&self, each: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
        let values: Vec<&dyn ToSql> = self.iter().map(|value| value as &dyn ToSql).collect();
        each(&values)
    }
}

/// Values of different kinds, for one statement.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn $crate::sql::ToSql),*] as &[&dyn $crate::sql::ToSql]
    };
}
pub(crate) use params;
