//! Requests of handlers, against servers on this machine.

mod bounds;
mod certificates;
mod closing;
mod passing;
mod rules;
mod server;
mod world;
