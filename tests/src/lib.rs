//! What whole-system tests stand on: a fresh [`Folder`], a [`Host`] in it, a [`Client`] to that, and the command line.
//!
//! Nothing here knows the inside of the host: tests see what its users see. [`kills`] ends hosts and counts what became of
//! every task, [`hosts`] does so to several hosts on one server, [`hostile`] sends guests that must not win:
//! `cargo xtask torture` runs them for long, the tests for short.

pub mod cancels;
mod client;
mod cluster;
mod command;
mod database;
mod engine;
pub mod evolving;
mod folder;
mod host;
pub mod hostile;
pub mod hosts;
pub mod killed_workflows;
pub mod kills;
mod model_server;
pub mod places;
mod receiver;
mod resident;
mod small_disk;
pub mod soak;
mod stream;
pub mod swaps;
mod wait;
mod wire;

pub use client::{Answer, Client};
pub use cluster::Cluster;
pub use command::Ran;
pub use database::{Database, ask};
pub use engine::{Engine, IMAGE};
pub use folder::{Folder, variant_of};
pub use host::Host;
pub use model_server::{ModelServer, Reply};
pub use receiver::{Manner, Message, Receiver};
pub use resident::resident;
pub use small_disk::SmallDisk;
pub use stream::{Stream, Told};
pub use wait::{eventually, skipped, within};
pub use wire::Wire;
