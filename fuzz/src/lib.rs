//! What the fuzz targets share.
//!
//! A target is one file of `fuzz_targets/`: it takes bytes and asserts what must hold of them. A panic, a hang or a lost
//! task is a finding; a refusal in words is not. `seeds/TARGET` holds the inputs that a run begins with,
//! `dictionaries/TARGET.dict` the words that it mixes in; what it finds out goes to the target folder.
//! `cargo xtask fuzz` builds and runs them.

mod guest;
mod host;
mod sandbox;
mod sections;

pub use guest::component;
pub use host::{Answer, Host};
pub use sandbox::load_and_run;
pub use sections::mutate;
