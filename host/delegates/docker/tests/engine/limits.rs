//! What a container cannot use up.

use std::time::{Duration, Instant};

use bulkhead_core::{Container, DelegateError, Size};
use bulkhead_docker::{Docker, DockerSettings};

use crate::world::{World, caller, printed, shell};

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_is_used_up_ends_it_and_is_noticed() {
    let Some(world) = World::new().await else { return };
    let hungry = Container { memory_bytes: Some(32 << 20), ..shell("x=a; while true; do x=$x$x; done") };
    let exit = world.run(hungry).await.expect("it ran");
    assert!(exit.out_of_memory, "{exit:?}");
    assert_eq!(exit.code, 128 + 9);
    assert!(exit.usage.peak_memory_bytes <= 32 << 20, "{exit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_in_tmp_count_as_memory() {
    let Some(mut world) = World::new().await else { return };
    world.grant.tmpfs = Size::from_mib(512);
    let request = Container { memory_bytes: Some(32 << 20), ..shell("head -c 100000000 /dev/zero > /tmp/x") };
    let exit = world.run(request).await.expect("it ran");
    assert!(exit.out_of_memory, "{exit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_has_the_processes_that_it_is_granted() {
    let Some(world) = World::new().await else { return };
    let request = Container {
        processes: Some(20),
        ..shell("n=0; while [ $n -lt 100 ]; do sleep 1000 & n=$((n+1)); done; echo unreachable")
    };
    let exit = world.run(request).await.expect("it ran");
    assert!(String::from_utf8_lossy(&exit.stderr).contains("can't fork"), "{exit:?}");
    assert_eq!(printed(&exit), "");
    let bomb = world.within(Duration::from_secs(2));
    match bomb.shell("b() { b | b & }; b; sleep 1000").await {
        Err(DelegateError::TimedOut) => {}
        // Its first shell found no room for another process either, and gave up.
        Ok(exit) => assert_eq!(exit.code, 2, "{exit:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(bomb.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_output_is_read_and_only_its_beginning_kept() {
    let Some(world) = World::new().await.map(|world| world.within(Duration::from_secs(60))) else { return };
    let exit = world.shell("head -c 1000000000 /dev/zero; echo end >&2").await.expect("it ran");
    assert_eq!((exit.stdout.len(), exit.truncated, exit.code), (4 << 20, true, 0));
    assert_eq!(exit.stderr, b"end\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn output_without_end_stops_at_the_deadline() {
    let Some(world) = World::new().await.map(|world| world.within(Duration::from_secs(2))) else { return };
    assert_eq!(world.shell("yes").await, Err(DelegateError::TimedOut));
    assert_eq!(world.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_kills_what_ignores_signals_and_nothing_is_left() {
    let Some(world) = World::new().await.map(|world| world.within(Duration::from_secs(2))) else { return };
    let began = Instant::now();
    let done = world.shell("trap '' TERM INT HUP QUIT; while true; do sleep 1; done").await;
    assert_eq!(done, Err(DelegateError::TimedOut));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(world.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_is_over_starts_nothing() {
    let Some(world) = World::new().await.map(|world| world.within(Duration::ZERO)) else { return };
    assert_eq!(world.shell("true").await, Err(DelegateError::TimedOut));
    assert_eq!(world.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_away_is_unavailable_then_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = DockerSettings { socket: folder.path().join("none.sock"), ..DockerSettings::default() };
    let docker = Docker::new(settings, "store".to_owned()).expect("no engine is needed to make one");
    assert!(docker.probe().await.expect_err("no engine").contains("there is no socket"));
    let mut grant = bulkhead_docker::DockerGrant::default();
    grant.images.push(bulkhead_docker::ImagePattern::parse("bulkhead-test-busybox:*").expect("a pattern"));
    for round in 0..4 {
        match docker.run(&caller("task"), &grant, shell("true"), &[], ()).await {
            Err(DelegateError::Gone(text)) if round < 3 => {
                assert_eq!(
                    text,
                    "the docker engine does not answer (there is no socket); start it, or set `docker.socket`"
                );
            }
            Err(DelegateError::Gone(text)) => {
                assert!(text.contains("is left alone: it is tried again in"), "{text}")
            }
            other => panic!("not unavailable: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_never_answers_is_unavailable_and_the_deadline_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("mute.sock");
    let _mute = tokio::net::UnixListener::bind(&socket).expect("bound");
    let docker = Docker::new(DockerSettings { socket, ..DockerSettings::default() }, "store".to_owned()).expect("made");
    assert!(docker.probe().await.expect_err("no engine").contains("no answer in time"));
    let mut grant = bulkhead_docker::DockerGrant::default();
    grant.images.push(bulkhead_docker::ImagePattern::parse("bulkhead-test-busybox:*").expect("a pattern"));
    let done = docker.run(&caller("task"), &grant, shell("true"), &[], ()).await;
    assert!(matches!(done, Err(DelegateError::Gone(_))), "{done:?}");
    let soon = bulkhead_core::Caller { deadline: Instant::now() + Duration::from_millis(100), ..caller("task") };
    assert_eq!(docker.run(&soon, &grant, shell("true"), &[], ()).await, Err(DelegateError::TimedOut));
}
