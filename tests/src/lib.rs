//! What whole-system tests stand on: a fresh [`Folder`], a [`Host`] in it, a [`Client`] to that, and the command line.
//!
//! Nothing here knows the inside of the host: tests see what its users see. [`torture`] kills hosts and counts what
//! became of every task; `cargo xtask torture` runs it for long, the tests for short.

mod client;
mod command;
mod folder;
mod host;
pub mod places;
pub mod torture;
mod wait;

pub use client::{Answer, Client};
pub use command::Ran;
pub use folder::{Folder, variant_of};
pub use host::Host;
pub use wait::{eventually, skipped, within};
