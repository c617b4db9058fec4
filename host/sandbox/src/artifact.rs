//! The one place with `unsafe` in this host: taking machine code that was compiled before.

use std::path::Path;

use wasmtime::component::Component;
use wasmtime::{Engine, Result};

/// Maps a component that [`crate::cache::Cache`] compiled itself.
///
/// wasmtime trusts such a file to be machine code that it made, and checks only that it was made by this version with
/// these settings. That trust is earned before this is called: the file was written by this crate, as this user, into a
/// folder that no other user can write to (checked when the cache is opened), is a plain file of this user with a single
/// link, and its BLAKE3 checksum was compared just now with the one that was kept beside it when it was written. Nothing
/// rewrites it in place: the cache replaces files by renaming new ones over them. Someone who can still change it runs as
/// the same user, and could change this process as well.
pub(crate) fn map(engine: &Engine, file: &Path) -> Result<Component> {
    #[expect(unsafe_code, reason = "the file is this cache's own, private and just verified, as said above")]
    unsafe {
        Component::deserialize_file(engine, file)
    }
}

/// Takes what the compiler of this host has just made.
///
/// As with [`map`], wasmtime trusts the bytes. They were made in this process, or come through a pipe of a child that it
/// started from its own program, and were nowhere else in between. What the compiler can be made to do by its input it could be made to do in this
/// process as well; a process of its own bounds what compiling costs, not what its product may be.
pub(crate) fn take(engine: &Engine, code: &[u8]) -> Result<Component> {
    #[expect(unsafe_code, reason = "the bytes are this host's own, straight from its compiler, as said above")]
    unsafe {
        Component::deserialize(engine, code)
    }
}
