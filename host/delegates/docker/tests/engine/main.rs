//! Containers on a real engine. Where none is reached the tests say so and pass, but in CI.

mod cleanup;
mod confinement;
mod folders;
mod go_between;
mod limits;
mod outage;
mod program;
mod timing;
mod usage;
mod world;
