//! The delegate with real processes, over devices that the tests give.

mod ending;
mod leases;
mod programs;
mod world;
