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

/// Nobody, on every Linux.
const NOBODY: &str = "65534:65534";

impl ContainerUser {
    /// As whom a container runs for a host of this user and group.
    ///
    /// What root starts is nobody's: root can remove it all the same. A host that is not root could never remove a folder
    /// that another user filled, so that what it starts is its own; it has no capabilities either way.
    fn of_host(user: u32, group: u32) -> Self {
        Self(if user == 0 { NOBODY.to_owned() } else { format!("{user}:{group}") })
    }
}

impl Default for ContainerUser {
    /// Nobody where the host is root, else as whom the host runs.
    fn default() -> Self {
        Self::of_host(rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
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
    fn a_container_of_root_is_nobodys_and_one_of_anybody_else_is_the_hosts_own() {
        assert_eq!(ContainerUser::of_host(0, 0).as_str(), "65534:65534");
        assert_eq!(ContainerUser::of_host(0, 50).as_str(), "65534:65534");
        assert_eq!(ContainerUser::of_host(1000, 100).as_str(), "1000:100");
        assert!(ContainerUser::parse(ContainerUser::default().as_str()).is_ok());
    }

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
