//! What the sandbox promises, each promise with a guest that tests it.

mod cache;
mod catalogue;
mod fences;
mod harness;
mod http;
mod leaks;
mod limits;
mod load;
mod outcomes;
mod workspaces;
mod world;
