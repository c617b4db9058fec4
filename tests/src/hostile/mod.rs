//! Guests that must not win: each with the end that the host must give it, and a good task's neighbour meanwhile.
//!
//! The guests are those of `tests/guests/hostile`, and [`files`] that are no handlers at all. [`Arena`] holds a host with all
//! of them; [`Arena::attack`] runs one many times beside a canary and says what was seen.

mod arena;
mod canary;
pub mod files;
mod guest {
    include!(concat!(env!("OUT_DIR"), "/hostile_guests.rs"));
}
mod row;
mod rows;
mod seen;
mod slow_server;
mod verdict;

pub use arena::Arena;
pub use canary::{Canary, Sung};
pub use guest::Guest;
pub use row::{End, Row};
pub use rows::rows;
pub use seen::Seen;
