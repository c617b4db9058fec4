//! The delegates of one run, put together as a host has them.

mod trace;
