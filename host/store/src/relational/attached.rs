//! A worker that is attached, as the store's thread sees it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Sender, error::TrySendError};

use crate::{Delivery, ServedRoutes};

/// Deliveries that may wait unread. Each holds at least one task or answers one message of the worker, so a worker that
/// reads at all stays far below; past it, deliveries wait on the store's side and the worker is given nothing new.
pub(super) const DELIVERIES: usize = 4_096;

/// One worker.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) name: Arc<str>,
    pub(super) routes: Option<ServedRoutes>,
    pub(super) permits: usize,
    /// Tasks under its leases.
    pub(super) in_flight: usize,
    pub(super) renewed_at: Duration,
    pub(super) alone: AloneTurn,
    line: Sender<Delivery>,
    unsent: VecDeque<Delivery>,
    /// Nobody reads the line any more.
    pub(super) gone: bool,
}

/// How a worker takes turns between tasks that run beside others and tasks that run alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum AloneTurn {
    /// Tasks beside others; a task that runs alone may have its turn after so many more.
    #[default]
    Open,
    /// A lone task had its turn; so many others go first.
    Others(usize),
    /// Nothing more is claimed, since then, until the window is empty.
    Draining(Duration),
    /// One task runs alone.
    Running,
}

impl Attached {
    pub(super) fn new(name: Arc<str>, line: Sender<Delivery>, now: Duration) -> Self {
        Self {
            name,
            routes: None,
            permits: 0,
            in_flight: 0,
            renewed_at: now,
            alone: AloneTurn::Open,
            line,
            unsent: VecDeque::new(),
            gone: false,
        }
    }

    /// Whether it can be given tasks.
    pub(super) fn has_room(&self) -> bool {
        self.permits > 0 && !self.gone && self.is_caught_up()
    }

    /// Whether it has taken all that was sent.
    pub(super) fn is_caught_up(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Sends, or keeps for later what does not fit; never waits.
    pub(super) fn deliver(&mut self, delivery: Delivery) {
        self.unsent.push_back(delivery);
        self.catch_up();
    }

    /// Sends what was kept, as far as it fits.
    pub(super) fn catch_up(&mut self) {
        while let Some(delivery) = self.unsent.pop_front() {
            match self.line.try_send(delivery) {
                Ok(()) => {}
                Err(TrySendError::Full(delivery)) => {
                    self.unsent.push_front(delivery);
                    return;
                }
                Err(TrySendError::Closed(_)) => {
                    self.gone = true;
                    self.unsent.clear();
                }
            }
        }
        self.gone |= self.line.is_closed();
    }
}
