//! That nothing is left, and nothing of others is touched.

use std::sync::Arc;
use std::time::Duration;

use bollard::query_parameters::InspectContainerOptions;
use bulkhead_core::{Caller, DelegateError, InUse, LeaseId};
use bulkhead_docker::Leftover;
use futures::future::join_all;
use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::world::{World, caller, engine, shell};

/// Starts a container that would run for long, and waits until the engine has it.
async fn begin(world: &World, caller: Caller) -> tokio::task::JoinHandle<Result<bulkhead_core::Exit, DelegateError>> {
    let (docker, grant) = (Arc::clone(&world.docker), world.grant.clone());
    let (task, lease) = (Some(caller.task.clone()), caller.lease);
    let running = tokio::spawn(async move { docker.run(&caller, &grant, shell("sleep 1000"), &[], ()).await });
    let is_its = |left: &Leftover| (&left.task, left.lease) == (&task, lease);
    let engine = engine();
    loop {
        assert!(!running.is_finished(), "it ended before the engine had it");
        // The engine lists a container a moment before it can be asked about it.
        if let Some(left) = world.docker.leftovers().await.expect("a list").into_iter().find(is_its)
            && engine.inspect_container(&left.id, None::<InspectContainerOptions>).await.is_ok()
        {
            return running;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_future_leaves_nothing_at_whatever_point_it_is_dropped() {
    let Some(world) = World::new().await else { return };
    let cancels = (0..100).map(|_| async {
        let after = Duration::from_millis(fastrand::u64(0..2000));
        let _ = tokio::time::timeout(after, world.shell("sleep 1000")).await;
    });
    join_all(cancels).await;
    // Long before the deadline, which would end them too.
    let settled = tokio::time::timeout(Duration::from_secs(60), world.docker.settled()).await;
    assert!(settled.is_ok(), "it was not noticed that nobody waits");
    assert_eq!(world.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_lease_left_is_removed_first_and_a_later_one_is_not() {
    let Some(world) = World::new().await.map(|world| world.with_lease(7)) else { return };
    // First, or it would remove the other.
    let later = begin(&world, Caller { lease: Some(LeaseId(9)), ..caller("task") }).await;
    let earlier = begin(&world, Caller { lease: Some(LeaseId(3)), ..caller("task") }).await;
    let other_task = begin(&world, Caller { lease: Some(LeaseId(3)), ..caller("another") }).await;
    assert_eq!(world.shell("true").await.map(|exit| exit.code), Ok(0));
    let told = earlier.await;
    assert!(matches!(told, Ok(Err(DelegateError::Failed(_)))), "whose container is removed is told so: {told:?}");
    let mut left: Vec<_> = world
        .docker
        .leftovers()
        .await
        .expect("a list")
        .into_iter()
        .map(|left| (left.task.map(|task| task.to_string()), left.lease))
        .collect();
    left.sort();
    assert_eq!(left, [(Some("another".to_owned()), Some(LeaseId(3))), (Some("task".to_owned()), Some(LeaseId(9)))]);
    later.abort();
    other_task.abort();
    let _ = (later.await, other_task.await);
    world.docker.settled().await;
    assert_eq!(world.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_for_a_container_and_the_use_of_its_workspace_end_after_it_and_before_the_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(world) = World::new().await.map(|world| world.with_workspace(folder.path(), true)) else { return };
    for ends_by_itself in [true, false] {
        let (held, mut dropped) = oneshot::channel::<()>();
        let (in_use, mut unused) = oneshot::channel::<()>();
        let mut caller = world.caller.clone();
        caller.workspace.as_mut().expect("a workspace").in_use = InUse::of(Arc::new(in_use));
        let (docker, grant) = (Arc::clone(&world.docker), world.grant.clone());
        let line = if ends_by_itself { "true" } else { "sleep 1000" };
        let running = tokio::spawn(async move { docker.run(&caller, &grant, shell(line), &[], held).await });
        if ends_by_itself {
            assert!(running.await.is_ok());
            assert_eq!((dropped.try_recv(), unused.try_recv()), (Err(TryRecvError::Closed), Err(TryRecvError::Closed)));
        } else {
            world.until_it_runs().await;
            running.abort();
            assert!(dropped.await.is_err());
            assert_eq!(world.count().await, 0, "it was dropped before the container was gone");
            assert!(unused.await.is_err());
        }
        assert_eq!(world.count().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_runs_is_not_held() {
    let Some(world) = World::new().await else { return };
    for image in ["bulkhead-test-busybox:missing", "not-granted:1"] {
        let (held, mut dropped) = oneshot::channel::<()>();
        let request = bulkhead_core::Container { image: image.to_owned(), ..shell("true") };
        assert!(world.docker.run(&world.caller, &world.grant, request, &[], held).await.is_err());
        assert_eq!(dropped.try_recv(), Err(TryRecvError::Closed));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_of_another_store_are_neither_listed_nor_removed() {
    let (Some(world), Some(other)) = (World::new().await, World::new().await) else { return };
    let running = begin(&other, caller("task")).await;
    let theirs = other.docker.leftovers().await.expect("a list").remove(0);
    assert_eq!((theirs.lease, world.count().await), (Some(LeaseId(1)), 0));
    // The same task's name with a later lease, and the very id, do it no harm.
    let world = world.with_lease(5);
    assert_eq!(world.shell("true").await.map(|exit| exit.code), Ok(0));
    assert_eq!(world.docker.remove(std::slice::from_ref(&theirs.id)).await, Ok(0));
    assert_eq!(other.count().await, 1);
    assert_eq!(other.docker.remove(&[theirs.id, "no such".to_owned()]).await, Ok(1));
    assert_eq!(other.count().await, 0);
    let told = running.await;
    assert!(matches!(told, Ok(Err(DelegateError::Failed(_)))), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_volumes_of_an_image_are_not_left_on_the_engine() {
    let Some(world) = World::new().await else { return };
    let request = bulkhead_core::Container { image: crate::world::IMAGE_WITH_VOLUME.to_owned(), ..shell("sleep 1000") };
    let (docker, caller, grant) = (Arc::clone(&world.docker), world.caller.clone(), world.grant.clone());
    let running = tokio::spawn(async move { docker.run(&caller, &grant, request, &[], ()).await });
    let engine = engine();
    let mounts = loop {
        // The engine lists a container a moment before it can be asked about it.
        let listed = world.docker.leftovers().await.expect("a list").pop().map(|left| left.id).unwrap_or_default();
        if let Ok(inspected) = engine.inspect_container(&listed, None::<InspectContainerOptions>).await {
            break inspected.mounts.unwrap_or_default();
        }
    };
    assert_eq!(mounts, [], "no volume was made");
    running.abort();
    let _ = running.await;
    world.docker.settled().await;
    assert_eq!(world.count().await, 0);
}
