//! The delegate on a machine with a real GPU: `cargo xtask test-gpu`.
//!
//! On a machine without NVML each says so, which xtask looks for, and passes.

#![allow(clippy::print_stderr, reason = "whoever runs these must see what was skipped")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::{Caller, Device, Job, TaskId};
use bulkhead_gpu::{Gpu, GpuGrant, GpuSettings, Launcher, NvmlDevices, ProgramSettings};

fn caller() -> Caller {
    Caller {
        handler: "render".parse().unwrap(),
        task: TaskId::parse("task-1").unwrap(),
        lease: None,
        workspace: None,
        traceparent: None,
        deadline: Instant::now() + Duration::from_secs(60),
    }
}

fn gpu() -> Gpu {
    let mut settings = GpuSettings::default();
    let folders = ["/usr/bin", "/usr/local/bin", "/usr/local/nvidia/bin", "/bin"];
    let smi = folders.iter().map(|folder| PathBuf::from(folder).join("nvidia-smi")).find(|path| path.exists());
    let sh = ProgramSettings { path: "/bin/sh".into(), ..ProgramSettings::default() };
    settings.programs.insert("sh".into(), sh);
    if let Some(path) = smi {
        let mut smi = ProgramSettings { path, arguments: vec!["-L".into()], ..ProgramSettings::default() };
        if let Ok(libraries) = std::env::var("LD_LIBRARY_PATH") {
            smi.env.insert("LD_LIBRARY_PATH".into(), libraries);
        }
        settings.programs.insert("smi".into(), smi);
    }
    let launcher = Launcher::at(env!("CARGO_BIN_EXE_bulkhead-gpu-launcher"));
    Gpu::with(settings, Arc::new(NvmlDevices::default()), launcher).unwrap()
}

fn grant() -> GpuGrant {
    GpuGrant { programs: vec!["smi".into(), "sh".into()], ..GpuGrant::default() }
}

/// The delegate and its devices; none where this machine has none.
async fn real() -> Option<(Gpu, Vec<Device>)> {
    let gpu = gpu();
    if let Err(text) = gpu.probe().await {
        eprintln!("skipped: no NVML: {text}");
        return None;
    }
    let devices = gpu.devices(&caller()).await.unwrap();
    Some((gpu, devices))
}

#[tokio::test]
#[ignore = "needs a GPU"]
async fn nvml_lists_devices_with_their_memory() {
    let Some((gpu, devices)) = real().await else { return };
    eprintln!("{devices:?}, {:?}", gpu.capabilities().await);
    assert!(devices.iter().all(|device| !device.name.is_empty() && device.memory_bytes > 1 << 30));
    assert!(devices.iter().all(|device| device.free_memory_bytes <= device.memory_bytes));
    assert!(gpu.capabilities().await.iter().any(|tag| tag.starts_with("cuda")));
}

#[tokio::test]
#[ignore = "needs a GPU"]
async fn nvidia_smi_runs_as_a_program_and_names_the_leased_device() {
    let Some((gpu, _)) = real().await else { return };
    let job = job_of("smi");
    let exit = gpu.run(&caller(), &grant(), job).await.unwrap();
    let listed = String::from_utf8(exit.stdout).unwrap();
    eprintln!("{listed}{:?}", exit.usage);
    assert_eq!((exit.code, String::from_utf8(exit.stderr).unwrap().as_str()), (0, ""));
    let lease = gpu.lease(&caller(), 1, None).await.unwrap();
    assert!(listed.contains(lease.devices()[0].uuid.as_deref().unwrap()), "{listed}");
    drop(lease);
    let shown = Job { arguments: vec!["-c".into(), "echo $CUDA_VISIBLE_DEVICES".into()], ..job_of("sh") };
    let shown = String::from_utf8(gpu.run(&caller(), &grant(), shown).await.unwrap().stdout).unwrap();
    assert!(shown.starts_with("GPU-") && listed.contains(shown.trim()), "{shown}");
}

#[tokio::test]
#[ignore = "needs a GPU"]
async fn a_floor_of_memory_is_held_against_what_nvml_says() {
    let Some((gpu, devices)) = real().await else { return };
    let most = devices.iter().map(|device| device.memory_bytes).max().unwrap();
    assert!(gpu.lease(&caller(), 1, Some(most + 1)).await.is_err());
    let free = devices.iter().map(|device| device.free_memory_bytes).max().unwrap();
    assert_eq!(gpu.lease(&caller(), 1, Some(free / 2)).await.unwrap().indices().len(), 1);
}

fn job_of(program: &str) -> Job {
    Job { program: program.into(), gpus: 1, ..Job::default() }
}
