//! GPUs leased to programs that handlers ask for, under a grant.
//!
//! [`Gpu`] is the delegate. What it does, in order:
//!
//! 1. `admit` holds a [`Job`](bulkhead_core::Job) against the bounds of the contract, the [`GpuGrant`] and the
//!    operator's allow-list, and says what is to be done;
//! 2. `pool` leases devices ([`DeviceLease`]): each to one caller unless the operator shares them, with floors of free
//!    memory, in the order in which callers asked; `locks` keeps other hosts of this machine from them meanwhile;
//! 3. `run` has the program started by a launcher, a process of its own (`launcher`), which ends every process of the
//!    job, and tells what they used.
//!
//! Where devices come from is behind [`Devices`]: [`NvmlDevices`] in a host, [`GivenDevices`] in a test. A host without
//! NVIDIA's library is an ordinary host that has no devices.
//!
//! # What a program is given
//!
//! - Its environment is `PATH` (`gpu.path`), `HOME=/nonexistent`, `CUDA_DEVICE_ORDER=PCI_BUS_ID`, `CUDA_VISIBLE_DEVICES`,
//!   what the operator fixed for it, and what the job adds of the names that the operator lists for it (`job_env`);
//!   nothing of the host's own. `CUDA_VISIBLE_DEVICES` names the leased devices by
//!   UUID, since CUDA's own numbers may follow another order than NVML's; by number where a device tells no UUID. A
//!   device in MIG mode is left out of the list of devices: CUDA would show a program one slice of it.
//! - Its folder is the task's workspace where that may be written to, else an empty one that is removed afterwards: the
//!   program runs as the host's user, so nothing would keep it from writing to a workspace granted for reading.
//! - It leads a session and group of processes of its own, has no controlling terminal, no core dumps, may not gain
//!   privileges (`no_new_privs`: no setuid helper works, so `/dev/nvidia-uvm` must be there before, as
//!   `nvidia-persistenced` or `nvidia-modprobe -u` at boot sees to), and has the limits of [`GpuSettings`].
//!
//! # What is guaranteed of its end
//!
//! When the program ends, the deadline passes, the caller goes away or the host dies, every process that the job started
//! is killed with SIGKILL, however often they forked or left their group or session: the launcher is their subreaper
//! (`PR_SET_CHILD_SUBREAPER`), so an orphan becomes its child, and it kills until it has no children. Devices are free
//! again when all of them are gone, not before.
//!
//! Not guaranteed: a program runs as the host's user and is trusted that far; one that kills its launcher on purpose is
//! ended by its session, and a process that had left the session before lives on. A process that forks into new groups
//! faster than they are looked through can hold its devices long (its caller is answered at the deadline all the same).
//! A process that the kernel cannot end, in a driver that hangs, keeps its devices until it is gone.
//!
//! # How exact what it used is
//!
//! - Wall time runs from the start of the program to its own end; what it left behind is ended after that.
//! - Time on cores is the kernel's own account (`getrusage`) of every process of the job that was waited for, by the
//!   launcher or by its parent: all but children of a process that ignores `SIGCHLD`.
//! - Peak memory is the larger of two: the most that a single process ever held, which the kernel keeps exactly and which
//!   is never less than the few MiB that starting takes; and the most that all together were seen to hold, looked at after
//!   10 ms and then ever less often down to four times a second, with pages that processes share counted once for each.
//!   So it is exact for a job of one process. Memory of the devices is not in it.
//! - `out_of_memory` is certain where `gpu.resident` ended the job. Where a SIGKILL that nobody here sent ended the program
//!   and the kernel counted a kill for memory meanwhile, it is likely. A program that `gpu.memory` refuses memory ends as
//!   it sees fit, and this does not tell.

mod admit;
mod capture;
mod devices;
mod environment;
mod error;
mod gpu;
mod grant;
mod launcher;
mod ledger;
mod locks;
mod nvml;
mod pool;
mod processes;
mod run;
mod settings;

pub use devices::{Devices, DevicesError, FoundDevice, GivenDevices};
pub use error::GpuError;
pub use gpu::Gpu;
pub use grant::GpuGrant;
pub use launcher::{Launcher, take_over_if_asked};
pub use nvml::NvmlDevices;
pub use pool::DeviceLease;
pub use settings::{GpuSettings, ProgramSettings};
