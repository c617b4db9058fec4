//! A program whose `main` begins as a host's must can be its own launcher.

#![allow(clippy::print_stdout, reason = "what a test runner asks is answered there")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::{Caller, Job, TaskId};
use bulkhead_gpu::{FoundDevice, GivenDevices, Gpu, GpuGrant, GpuSettings, Launcher, ProgramSettings};

fn main() {
    bulkhead_gpu::take_over_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let says = |argument: &str| arguments.iter().any(|one| one == argument);
    if says("--list") && !says("--ignored") {
        println!("it_runs_programs: test");
    }
    // Those who run tests one by one ask for a list first, and none of it is ignored.
    if says("--list") || says("--ignored") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(it_runs_programs());
}

async fn it_runs_programs() {
    let locks = tempfile::tempdir().unwrap();
    let mut settings = GpuSettings { locks: Some(locks.path().to_owned()), ..GpuSettings::default() };
    settings.programs.insert("sh".into(), ProgramSettings { path: "/bin/sh".into(), ..ProgramSettings::default() });
    let devices = Arc::new(GivenDevices::new(vec![FoundDevice::given(0, 1)]));
    let gpu = Gpu::with(settings, devices, Launcher::this_program()).unwrap();
    let caller = Caller {
        handler: "render".parse().unwrap(),
        task: TaskId::parse("task-1").unwrap(),
        lease: None,
        workspace: None,
        traceparent: None,
        deadline: Instant::now() + Duration::from_secs(60),
    };
    let grant = GpuGrant { programs: vec!["sh".into()], ..GpuGrant::default() };
    let arguments = vec!["-c".into(), "cat; tr '\\0' '\\n' < /proc/$PPID/cmdline >&2".into()];
    let job = Job { program: "sh".into(), arguments, stdin: b"given".to_vec(), gpus: 1, ..Job::default() };
    let exit = gpu.run(&caller, &grant, job).await.unwrap();
    let said = (exit.code, String::from_utf8(exit.stdout).unwrap(), String::from_utf8(exit.stderr).unwrap());
    assert_eq!(said, (0, "given".into(), "bulkhead: gpu launcher\n".into()));
}
