//! Which due task goes first.

use serde::{Deserialize, Deserializer, Serialize};

/// −20 to 20, higher first, 0 by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Priority(i8);

impl Priority {
    /// Checks the range.
    pub fn try_new(value: i64) -> Result<Self, crate::TextError> {
        match i8::try_from(value) {
            Ok(value @ -20..=20) => Ok(Self(value)),
            _ => Err(crate::TextError {
                what: "priority",
                rule: "a whole number from -20 to 20",
                value: value.to_string(),
            }),
        }
    }

    /// The number.
    pub const fn get(self) -> i8 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Priority {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <i64 as Deserialize>::deserialize(deserializer)?;
        Self::try_new(value).map_err(serde::de::Error::custom)
    }
}
