//! What is told of what a container used.

use std::path::PathBuf;

use bulkhead_docker::DockerSettings;

use crate::world::{World, note, printed, socket};

/// Holds some 50 MiB at once: a file in `/tmp`.
const HOLD: &str = "dd if=/dev/zero of=/tmp/x bs=1M count=50";

#[tokio::test(flavor = "multi_thread")]
async fn the_peak_of_memory_is_known_of_short_programs_too() {
    let Some(world) = World::new().await else { return };
    let exit = world.shell(HOLD).await.expect("it ran");
    let peak = exit.usage.peak_memory_bytes >> 20;
    assert!((50..80).contains(&peak), "{peak} MiB: {exit:?}");
    for _ in 0..10 {
        let peak = world.shell("true").await.expect("it ran").usage.peak_memory_bytes;
        assert!(peak > 0 && peak < 40 << 20, "{peak}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_peak_of_memory_is_what_the_program_itself_had() {
    let Some(world) = World::new().await else { return };
    for mebibytes in [8, 32, 96] {
        let hold = format!("text=$(head -c {}m /dev/zero | tr '\\0' x)", mebibytes);
        let exit = world.shell(&format!("{hold}; grep VmHWM /proc/$$/status; true")).await.expect("it ran");
        // What `/usr/bin/time -v` calls the maximum resident set size, in KiB.
        let own = printed(&exit).split_whitespace().find_map(|word| word.parse::<u64>().ok()).expect("a number") >> 10;
        let told = exit.usage.peak_memory_bytes >> 20;
        assert!(own >= mebibytes, "{own}: {exit:?}");
        // The program's own file may be counted where it was read first; the init process and the rest of the pipe come to it.
        assert!((own - 2..own + 24).contains(&told), "{own} MiB by its own account: {exit:?}");
        note(&format!("{own} MiB by its own account, {told} MiB told"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_on_the_processor_and_on_the_wall_are_told_apart() {
    let Some(world) = World::new().await else { return };
    let sleeps = world.shell("sleep 0.5").await.expect("it ran").usage;
    // The engine notes the start once the program runs already.
    assert!(sleeps.wall_ms >= 400 && sleeps.wall_ms < 3000, "{sleeps:?}");
    assert!(sleeps.cpu_ms < 300, "{sleeps:?}");
    let exit = world.shell("i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; cat /proc/self/stat /proc/$$/stat");
    let exit = exit.await.expect("it ran");
    // The shell's own count of its time, in hundredths of a second.
    let line = printed(&exit).lines().last().unwrap_or_default().to_owned();
    let fields: Vec<u64> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    assert!(exit.usage.cpu_ms >= 100, "{exit:?} {fields:?}");
    assert!(exit.usage.cpu_ms <= exit.usage.wall_ms + 300, "{exit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_is_asked_where_its_groups_are_not_seen() {
    let settings = DockerSettings { socket: socket(), cgroups: PathBuf::from("/nowhere"), ..DockerSettings::default() };
    let Some(world) = World::with(settings).await else { return };
    let exit = world.shell(&format!("{HOLD}; sleep 1")).await.expect("it ran");
    let peak = exit.usage.peak_memory_bytes >> 20;
    assert!((50..80).contains(&peak), "{peak} MiB");
    assert!(exit.usage.cpu_ms > 0);
}
