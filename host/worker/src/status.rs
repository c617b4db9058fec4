//! What a worker says of itself.

use serde::Serialize;

/// Where a worker is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum WorkerState {
    /// It claims and runs.
    Running = 0,
    /// It claims nothing more and lets running work end.
    Draining = 1,
    /// It has ended.
    Drained = 2,
    /// It could not confirm its lease, has dropped its sandboxes, and tries to attach anew.
    CutOff = 3,
    /// It claims nothing until it is resumed; what it holds goes on.
    Paused = 4,
}

/// A worker as callers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkerStatus {
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub state: WorkerState,
    /// Tasks it holds, queued ones included.
    pub held: usize,
    /// Sandboxes in flight.
    pub in_flight: usize,
    /// Sandboxes that may be in flight.
    pub max_concurrent: u32,
    /// Sandboxes that may execute at once.
    pub cpu_slots: u32,
    /// Whether its leases are confirmed.
    pub lease_confirmed: bool,
}

/// How a drain went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DrainReport {
    /// Tasks given back that had not begun.
    pub released: usize,
    /// Runs that were interrupted since they took longer than the drain may.
    pub interrupted: usize,
}
