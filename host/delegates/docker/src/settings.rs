//! The host's settings for containers.

use std::path::PathBuf;

use bulkhead_core::{BreakerRules, Size, Span};
use serde::{Deserialize, Serialize};

use crate::DockerError;

/// The table `[docker]` of the settings file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DockerSettings {
    /// The engine's unix socket, Docker's or Podman's, as an absolute path; `/var/run/docker.sock`.
    pub socket: PathBuf,
    /// So many failures of the engine in a row, and it is left alone for a while; 3.
    pub failures: u32,
    /// How long it is then left alone; `10s`.
    pub rest: Span,
    /// Bytes that are kept of a container's standard output, and as many of its standard error; `4MiB`.
    pub output: Size,
    /// Where this host sees the engine's control groups, from which is read what containers used; `/sys/fs/cgroup`.
    pub cgroups: PathBuf,
}

impl Default for DockerSettings {
    fn default() -> Self {
        Self {
            socket: PathBuf::from("/var/run/docker.sock"),
            failures: 3,
            rest: Span::from_secs(10),
            output: Size::from_mib(4),
            cgroups: PathBuf::from("/sys/fs/cgroup"),
        }
    }
}

impl DockerSettings {
    /// When the engine is left alone.
    pub(crate) fn breaker(&self) -> BreakerRules {
        BreakerRules { failures: self.failures, rest: self.rest.duration() }
    }

    /// Whether they can be worked with.
    pub(crate) fn check(&self) -> Result<(), DockerError> {
        if !self.socket.is_absolute() || self.socket.to_str().is_none() {
            return Err(DockerError::Socket(self.socket.clone()));
        }
        if self.failures == 0 {
            return Err(DockerError::Failures);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_is_the_default_and_unknown_keys_are_refused() {
        assert_eq!(serde_json::from_str::<DockerSettings>("{}").ok(), Some(DockerSettings::default()));
        assert!(serde_json::from_str::<DockerSettings>(r#"{"host": "x"}"#).is_err());
    }

    #[test]
    fn a_socket_must_be_an_absolute_path_and_one_failure_at_least_opens_the_breaker() {
        let relative = DockerSettings { socket: PathBuf::from("docker.sock"), ..DockerSettings::default() };
        assert_eq!(relative.check(), Err(DockerError::Socket(PathBuf::from("docker.sock"))));
        let never = DockerSettings { failures: 0, ..DockerSettings::default() };
        assert_eq!(never.check(), Err(DockerError::Failures));
        assert_eq!(DockerSettings::default().check(), Ok(()));
    }
}
