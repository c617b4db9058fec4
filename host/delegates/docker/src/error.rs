//! What is wrong with settings or a grant.

use std::path::PathBuf;

use bulkhead_core::{HandlerName, Size};

/// What is wrong with settings or a grant.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DockerError {
    /// The socket is no absolute path.
    #[error("`docker.socket` must be the absolute path of a unix socket, such as `/var/run/docker.sock`: `{}`", .0.display())]
    Socket(PathBuf),
    /// The breaker would be open from the start.
    #[error("`docker.failures` must be at least 1: `0`")]
    Failures,
    /// The store has a name that no label can carry.
    #[error("the store's name must be 1 to 256 bytes, for it is a label of containers: `{0}`")]
    Store(String),
    /// An engine starts no container with so little memory.
    #[error("`handler.{handler}.grants.docker.memory` must be at least {}: `{given}`", crate::admit::MIN_MEMORY)]
    Memory {
        /// Whose grant it is.
        handler: HandlerName,
        /// What it says.
        given: Size,
    },
    /// No number of cores.
    #[error("`handler.{handler}.grants.docker.cpus` must be 0.01 to 4096: `{given}`")]
    Cpus {
        /// Whose grant it is.
        handler: HandlerName,
        /// What it says.
        given: f64,
    },
    /// A container without a process is none.
    #[error("`handler.{handler}.grants.docker.processes` must be 1 to 1000000: `{given}`")]
    Processes {
        /// Whose grant it is.
        handler: HandlerName,
        /// What it says.
        given: u32,
    },
}
