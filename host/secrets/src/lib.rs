//! Secrets that are kept outside of the settings, and named there by `env:NAME` or `file:PATH`.
//!
//! [`SecretPlace`] is where one is, and the only thing that reads it. What stands in a settings file where a place should
//! may be the secret itself, given by mistake: [`text_or_none`] takes it in without an error that would show it.

mod error;
mod place;
mod text_or_none;

pub use error::SecretError;
pub use place::SecretPlace;
pub use text_or_none::text_or_none;
