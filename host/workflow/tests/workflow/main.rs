//! Templates as people write them, read whole.

mod support;

mod begin;
mod broken;
mod graphs;
mod published;
mod templates;
