//! Containers that handlers ask for, run on a Docker engine under a grant.
//!
//! [`Docker::run`] checks a request against the bounds of the contract and the grant (`admit`), and runs it to its end in
//! a task of its own (`run`), which looks for the folders to mount (`look`, `mounts`, `turns`) and removes the container
//! however it ends: by itself, by the deadline, or because nobody waits for it any more. What a container may do is decided in one place, `body`; what it used is read
//! by `meter`. Containers carry labels (`labels`), by which those of a host that died are found again
//! ([`Docker::leftovers`]), and those that had no lease ([`Docker::remove_orphans`]). An engine that keeps failing is left alone for a while (`engine`).
//!
//! The engine is reached by a unix socket, and is on this machine: workspaces are mounted by their path. It has its init
//! program (`docker-init`, Podman's `catatonit`). Podman's socket speaks the same language, in a dialect.

mod admit;
mod body;
mod cgroup;
mod docker;
mod end;
mod engine;
mod error;
mod fault;
mod grant;
mod image;
mod labels;
mod leftover;
mod look;
mod maker;
mod meter;
mod mounts;
mod orphans;
mod output;
mod removal;
mod run;
mod settings;
mod turns;
mod user;

pub use docker::Docker;
pub use error::DockerError;
pub use grant::DockerGrant;
pub use image::{ImagePattern, ImageReference};
pub use leftover::Leftover;
pub use settings::DockerSettings;
pub use user::ContainerUser;
