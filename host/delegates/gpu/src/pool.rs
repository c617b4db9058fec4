//! Leases of devices, in the order in which callers ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bulkhead_core::{Breaker, BreakerRules, BreakerState, DelegateError};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

use crate::ledger::{Ledger, Want};
use crate::locks::{DeviceLock, Locks};
use crate::{Devices, DevicesError, FoundDevice, GpuSettings};

/// How often the one at the front looks again whether memory became free: programs outside of the host tell nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// All devices of the host, and who has them.
#[derive(Debug)]
pub(crate) struct Pool {
    devices: Arc<dyn Devices>,
    allowed: Option<Vec<u32>>,
    per_device: u32,
    ledger: Mutex<Ledger>,
    locks: Locks,
    /// Held by the one whose turn it is; tokio gives it to those who wait in their order.
    front: tokio::sync::Mutex<()>,
    freed: Notify,
    /// One question to the driver at a time: one that hangs must not take a thread for every caller.
    asking: Arc<tokio::sync::Mutex<()>>,
    breaker: Arc<Mutex<Breaker>>,
    rules: BreakerRules,
    started: Instant,
}

/// Devices that nobody else is given while this is there, by this host or another of the machine, unless the operator
/// shares them; dropping it frees them.
#[derive(Debug)]
pub struct DeviceLease {
    pool: Arc<Pool>,
    devices: Vec<FoundDevice>,
    floor: u64,
    locks: Vec<DeviceLock>,
}

impl DeviceLease {
    /// The numbers of the devices, ascending.
    pub fn indices(&self) -> Vec<u32> {
        self.devices.iter().map(|device| device.index).collect()
    }

    /// The devices as they were when they were leased, by number.
    pub fn devices(&self) -> &[FoundDevice] {
        &self.devices
    }
}

impl Drop for DeviceLease {
    fn drop(&mut self) {
        // Before this host gives them to others of its own, who lock them anew.
        self.locks.clear();
        self.pool.ledger().give_back(self.floor, &self.devices);
        self.pool.freed.notify_one();
    }
}

impl Pool {
    pub(crate) fn new(settings: &GpuSettings, devices: Arc<dyn Devices>) -> Self {
        Self {
            devices,
            allowed: settings.devices.clone(),
            per_device: settings.per_device,
            ledger: Mutex::default(),
            locks: Locks::new(settings),
            front: tokio::sync::Mutex::default(),
            freed: Notify::new(),
            asking: Arc::default(),
            breaker: Arc::default(),
            rules: BreakerRules { failures: settings.failures, rest: settings.rest.duration() },
            started: Instant::now(),
        }
    }

    /// Leases devices, after all who asked before have theirs.
    ///
    /// A large request is not overtaken by small ones behind it: what it needs becomes free while they wait. Cancel
    /// safe: a caller that goes away loses its place, and nothing else.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        want: Want,
        deadline: std::time::Instant,
    ) -> Result<DeviceLease, DelegateError> {
        let lease = async {
            // Both at once, the place in the queue first: what can never be must not wait for its turn to be told so.
            let turn = async { Ok(self.front.lock().await) };
            let possible = async { want.check(&self.list().await?) };
            let (_turn, ()) = futures::future::try_join(turn, possible).await?;
            loop {
                let devices = self.list().await?;
                want.check(&devices)?;
                let pool = Arc::clone(self);
                // Where nobody waits for it any more, what was taken is dropped, and given back.
                let taken = tokio::task::spawn_blocking(move || pool.take(want, devices)).await;
                let taken = taken.unwrap_or_else(|_| Err(DelegateError::Unavailable("the host is stopping".into())))?;
                if let Some(lease) = taken {
                    return Ok(lease);
                }
                let _ = timeout(LOOK_AGAIN, self.freed.notified()).await;
            }
        };
        timeout_at(deadline.into(), lease).await.unwrap_or(Err(DelegateError::TimedOut))
    }

    /// Takes devices that nobody has, of this host or another; none where too few are suitable. Blocks for a moment.
    fn take(self: Arc<Self>, want: Want, mut devices: Vec<FoundDevice>) -> Result<Option<DeviceLease>, DelegateError> {
        loop {
            let Some(taken) = self.ledger().take(want, &devices, self.per_device) else {
                return Ok(None);
            };
            match self.lock(&taken) {
                Ok(Ok(locks)) => {
                    return Ok(Some(DeviceLease { pool: self, devices: taken, floor: want.floor, locks }));
                }
                // Of the others there may still be enough.
                Ok(Err(index)) => {
                    self.ledger().give_back(want.floor, &taken);
                    devices.retain(|device| device.index != index);
                }
                Err(error) => {
                    self.ledger().give_back(want.floor, &taken);
                    tracing::warn!(folder = %self.locks.folder().display(), %error, "a device cannot be locked");
                    let text = format!("a device cannot be locked, see `gpu.locks`: {error}");
                    return Err(DelegateError::Unavailable(text));
                }
            }
        }
    }

    /// Locks all of these devices; or none, and tells which of them another host has.
    fn lock(&self, devices: &[FoundDevice]) -> std::io::Result<Result<Vec<DeviceLock>, u32>> {
        let mut locks = Vec::new();
        for device in devices {
            match self.locks.take(device)? {
                Some(lock) => locks.push(lock),
                None => return Ok(Err(device.index)),
            }
        }
        Ok(Ok(locks))
    }

    /// The devices that may be leased, as they are now; none where the host has none.
    pub(crate) async fn list(&self) -> Result<Vec<FoundDevice>, DelegateError> {
        let devices = match self.look().await {
            Ok(devices) => devices,
            Err(DevicesError::Absent(_)) => Vec::new(),
            Err(error) => return Err(DelegateError::Unavailable(error.to_string())),
        };
        Ok(devices.into_iter().filter(|device| self.allows(device.index)).collect())
    }

    /// The devices of the host, allowed or not.
    pub(crate) async fn look(&self) -> Result<Vec<FoundDevice>, DevicesError> {
        let (devices, breaker) = (Arc::clone(&self.devices), Arc::clone(&self.breaker));
        let (rules, started) = (self.rules, self.started);
        self.ask(move || {
            if let BreakerState::Open(rest) = lock(&breaker).ask(started.elapsed()) {
                let seconds = rest.as_millis().div_ceil(1000);
                let text = format!("it did so {} times, and is asked again in {seconds} s", rules.failures);
                return Err(DevicesError::Broken(text));
            }
            let answer = devices.list();
            match &answer {
                Err(DevicesError::Broken(_)) => lock(&breaker).failed(rules, started.elapsed()),
                Ok(_) | Err(DevicesError::Absent(_)) => lock(&breaker).succeeded(),
            }
            answer
        })
        .await
        .unwrap_or_else(|| Err(DevicesError::Broken("the question was lost".into())))
    }

    pub(crate) async fn cuda_major(&self) -> Option<u32> {
        let devices = Arc::clone(&self.devices);
        self.ask(move || devices.cuda_major()).await.flatten()
    }

    pub(crate) fn allows(&self, index: u32) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&index))
    }

    /// Numbers that the operator allows.
    pub(crate) fn allowed(&self) -> &[u32] {
        self.allowed.as_deref().unwrap_or_default()
    }

    /// Has a question answered on a thread of its own, to its end, whether or not the caller waits for it.
    async fn ask<T: Send + 'static>(&self, question: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let turn = Arc::clone(&self.asking).lock_owned().await;
        let asked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            question()
        });
        asked.await.ok()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
