//! What happens when the engine goes away in the middle.

use std::sync::Arc;

use bulkhead_core::{DelegateError, Exit};
use bulkhead_docker::DockerSettings;
use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::go_between::GoBetween;
use crate::world::{World, shell};

async fn world(cut_at_creation: bool) -> Option<(tempfile::TempDir, GoBetween, World)> {
    World::new().await?;
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("between.sock");
    let between = GoBetween::start(&socket, move |is_up| {
        if cut_at_creation {
            is_up.send_replace(false);
        }
    });
    let world = World::with(DockerSettings { socket, failures: 100, ..DockerSettings::default() }).await?;
    Some((folder, between, world))
}

fn begin(world: &World, held: impl Send + 'static) -> tokio::task::JoinHandle<Result<Exit, DelegateError>> {
    let (docker, caller, grant) = (Arc::clone(&world.docker), world.caller.clone(), world.grant.clone());
    tokio::spawn(async move { docker.run(&caller, &grant, shell("sleep 1000"), &[], held).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_goes_away_while_a_container_runs_is_unavailable_and_rid_of_it_when_it_is_back() {
    let Some((_folder, between, world)) = world(false).await else { return };
    let running = begin(&world, ());
    while world.count().await == 0 {
        tokio::task::yield_now().await;
    }
    between.cut();
    let told = running.await;
    assert!(matches!(told, Ok(Err(DelegateError::Gone(_)))), "{told:?}");
    between.mend();
    assert_eq!(world.count().await, 1, "it could not be removed yet");
    world.docker.settled().await;
    assert_eq!(world.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_of_whose_making_nothing_was_heard_is_removed_all_the_same() {
    let Some((_folder, between, world)) = world(true).await else { return };
    let running = begin(&world, ());
    between.is_cut().await;
    let told = running.await;
    assert!(matches!(told, Ok(Err(DelegateError::Gone(_)))), "{told:?}");
    between.mend();
    assert_eq!(world.count().await, 1, "the engine had made it");
    world.docker.settled().await;
    assert_eq!(world.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_for_a_container_is_held_while_the_engine_is_away_and_may_still_run_it() {
    let Some((_folder, between, world)) = world(false).await else { return };
    let (held, mut dropped) = oneshot::channel::<()>();
    let running = begin(&world, held);
    world.until_it_runs().await;
    between.cut();
    let told = running.await;
    assert!(matches!(told, Ok(Err(DelegateError::Gone(_)))), "{told:?}");
    assert_eq!(dropped.try_recv(), Err(TryRecvError::Empty), "nobody could remove the container yet");
    between.mend();
    assert!(dropped.await.is_err());
    assert_eq!(world.count().await, 0, "it was dropped before the container was gone");
}
