//! How long a run takes beside `docker run --rm`; prints, and asserts nothing: `cargo test -p bulkhead-docker -- --ignored`.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::world::{IMAGE, World, note, shell};

const RUNS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, and needs the docker client"]
async fn a_run_beside_docker_run() {
    let Some(world) = World::new().await else { return };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        assert!(world.run(shell("true")).await.is_ok());
        ours.push(began.elapsed());
        let limits = ["--init", "--read-only", "--log-driver=none", "--network=none", "--memory=512m", "--cpus=1"];
        let mut command = std::process::Command::new("docker");
        command.args(["run", "--rm"]).args(limits).args([IMAGE, "/bin/sh", "-c", "true"]).stdout(Stdio::null());
        let began = Instant::now();
        assert!(command.status().is_ok_and(|status| status.success()));
        theirs.push(began.elapsed());
    }
    note(&format!("run:               {}", told(ours)));
    note(&format!("docker run --rm:   {}", told(theirs)));
    let mut peaks = Vec::new();
    for _ in 0..RUNS {
        let exit = world.shell("dd if=/dev/zero of=/tmp/x bs=1M count=50 2>/dev/null").await.expect("it ran");
        peaks.push(exit.usage.peak_memory_bytes >> 10);
    }
    note(&format!("KiB at the peak of a program that holds 50 MiB for an instant: {peaks:?}"));
}

fn told(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let mean = times.iter().sum::<Duration>() / RUNS as u32;
    format!("median {:?}, mean {mean:?}, fastest {:?}, slowest {:?}", times[RUNS / 2], times[0], times[RUNS - 1])
}
