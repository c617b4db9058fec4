//! Templates as people write them, read whole.

mod support;

mod begin;
mod branches;
mod broken;
mod expansion;
mod fan_outs;
mod graphs;
mod hostile;
mod published;
mod routes;
mod templates;
