//! Events: noted while a cycle writes, kept in its transaction where somebody subscribed to them, told after its commit.
//!
//! `desk` knows what is subscribed, `notes` are taken where things happen, `log` writes and numbers what is kept,
//! `channel` tells those who listen on this host. `webhooks` and `deliveries` are the way to receivers outside.

mod asks;
mod channel;
mod deliveries;
mod desk;
mod events_store;
mod log;
mod notes;
mod reads;
mod webhooks;

pub(super) use asks::{AskedEvents, EventReply};
pub(super) use channel::{Channel, tell};
pub(super) use desk::{Desk, INTERESTS, Interests};
pub(super) use notes::{Noted, run_after};
