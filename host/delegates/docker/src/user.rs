//! As whom a container's program runs.

use bulkhead_core::TextError;
use serde::{Deserialize, Serialize};

/// A user and a group of a container, by number or name: `65534:65534`, `1000`, `app:app`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerUser(String);

impl ContainerUser {
    /// Parses a user, with or without a group.
    pub fn parse(text: impl Into<String>) -> Result<Self, TextError> {
        let value = text.into();
        let mut parts = value.split(':');
        let (user, group, more) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        if is_name(user) && group.is_none_or(is_name) && more.is_none() {
            return Ok(Self(value));
        }
        Err(TextError { what: "user", rule: "a user's number or name, and a group's after a colon", value })
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ContainerUser {
    /// Nobody.
    fn default() -> Self {
        Self("65534:65534".to_owned())
    }
}

impl TryFrom<String> for ContainerUser {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(text)
    }
}

impl From<ContainerUser> for String {
    fn from(user: ContainerUser) -> Self {
        user.0
    }
}

fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_a_number_or_a_name_with_or_without_a_group() {
        for text in ["65534:65534", "1000", "app", "app:staff", "0:0"] {
            assert!(ContainerUser::parse(text).is_ok(), "{text}");
        }
        for text in ["", ":", "1:", ":1", "1:2:3", "a b", "1000:$(id)"] {
            assert!(ContainerUser::parse(text).is_err(), "{text}");
        }
    }
}
