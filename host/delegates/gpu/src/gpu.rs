//! The delegate.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Caller, DelegateError, Device, Exit, Job};
use tokio::time::{timeout, timeout_at};

use crate::admit::admit;
use crate::environment::environment;
use crate::launcher::{Launcher, Limits, Order};
use crate::ledger::Want;
use crate::pool::Pool;
use crate::run::{self, Assignment};
use crate::{DeviceLease, Devices, GpuError, GpuGrant, GpuSettings, NvmlDevices};

/// The most devices that a guest is told of (`interface gpu`).
const MAX_DEVICES: usize = 256;

/// How long a probe waits for a driver that hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// The devices of this host, leased to callers and to the programs that they may run; cheap to clone.
#[derive(Debug, Clone)]
pub struct Gpu {
    settings: Arc<GpuSettings>,
    launcher: Launcher,
    pool: Arc<Pool>,
}

impl Gpu {
    /// The delegate over NVML's devices, with this program as the launcher; starts and loads nothing yet.
    pub fn new(settings: GpuSettings) -> Result<Self, GpuError> {
        Self::with(settings, Arc::new(NvmlDevices::default()), Launcher::this_program())
    }

    /// The delegate over other devices, or with another launcher.
    pub fn with(settings: GpuSettings, devices: Arc<dyn Devices>, launcher: Launcher) -> Result<Self, GpuError> {
        settings.check()?;
        let pool = Arc::new(Pool::new(&settings, devices));
        Ok(Self { settings: Arc::new(settings), launcher, pool })
    }

    /// The devices that may be leased, as they are now; none where this host has none. Cancel safe.
    pub async fn devices(&self, caller: &Caller) -> Result<Vec<Device>, DelegateError> {
        let listed = timeout_at(caller.deadline.into(), self.pool.list()).await;
        let found = listed.unwrap_or(Err(DelegateError::TimedOut))?;
        Ok(found.into_iter().take(MAX_DEVICES).map(Device::from).collect())
    }

    /// Leases devices, each with so much free memory, in the order in which callers ask; waits until the deadline.
    ///
    /// `Invalid` where this host could never give them, `Unavailable` where it has none at all or NVML fails. Checks no
    /// grant: whoever calls it has one. Cancel safe: dropped while it waits, it loses its place and holds nothing.
    pub async fn lease(
        &self,
        caller: &Caller,
        count: u32,
        memory_each: Option<u64>,
    ) -> Result<DeviceLease, DelegateError> {
        self.pool.lease(Want { count, floor: memory_each.unwrap_or(0) }, caller.deadline).await
    }

    /// Runs a program of the operator's on devices leased for it, and waits for its end.
    ///
    /// Dropping the future, or the deadline, kills every process of the job; its devices are free once they are gone.
    pub async fn run(&self, caller: &Caller, grant: &GpuGrant, job: Job) -> Result<Exit, DelegateError> {
        let program = admit(&self.settings, &caller.handler, grant, &job)?;
        self.launcher.check()?;
        let lease = self.lease(caller, job.gpus, job.memory_bytes_each).await?;
        let limits = Limits {
            memory: self.settings.memory.map(bulkhead_core::Size::bytes),
            resident: self.settings.resident.map(bulkhead_core::Size::bytes),
            files: self.settings.files,
            file_size: self.settings.file_size.map(bulkhead_core::Size::bytes),
        };
        let order = Order {
            program: program.path.to_string_lossy().into_owned(),
            arguments: program.arguments.iter().cloned().chain(job.arguments).collect(),
            env: environment(&self.settings, program, &job.env, lease.devices(), caller.traceparent),
            folder: String::new(),
            limits,
            time_ms: 0,
            stdin_bytes: job.stdin.len(),
        };
        let workspace = caller.workspace.as_ref().filter(|workspace| workspace.writable);
        let assignment = Assignment {
            launcher: self.launcher.clone(),
            name: job.program,
            order,
            stdin: job.stdin,
            workspace: workspace.cloned(),
            scratch: self.settings.scratch.clone().unwrap_or_else(std::env::temp_dir),
            output: usize::try_from(self.settings.output.bytes()).unwrap_or(usize::MAX),
            lease,
        };
        run::run(assignment, caller.deadline).await
    }

    /// Whether devices can be leased now; the text says why not, and what of the settings is not so on this host.
    pub async fn probe(&self) -> Result<(), String> {
        let looked = timeout(PATIENCE, self.pool.look()).await;
        let found = looked.map_err(|_| "NVML does not answer: its driver hangs")?.map_err(|error| error.to_string())?;
        if let Some(missing) = self.pool.allowed().iter().find(|index| !found.iter().any(|one| one.index == **index)) {
            return Err(format!("`gpu.devices` names a device that this host does not have: `{missing}`"));
        }
        match found.iter().any(|device| self.pool.allows(device.index)) {
            true => Ok(()),
            false => Err("this host has no GPU that may be leased".into()),
        }
    }

    /// The capability tags that a worker of this host has: `gpu`, and `cudaNN` where the driver tells its version; none
    /// while no device can be leased.
    pub async fn capabilities(&self) -> Vec<String> {
        if self.probe().await.is_err() {
            return Vec::new();
        }
        let cuda = timeout(PATIENCE, self.pool.cuda_major()).await.ok().flatten();
        let cuda = cuda.map(|major| format!("cuda{major}"));
        std::iter::once("gpu".to_owned()).chain(cuda).collect()
    }
}
