//! What is mounted while others write to the workspace.

use std::os::unix::fs::symlink;
use std::sync::Arc;

use bulkhead_core::{Caller, Container, DelegateError, LeaseId, Mount};
use bulkhead_docker::DockerSettings;

use crate::go_between::GoBetween;
use crate::world::{World, caller, shell};

fn mount(source: &str) -> Vec<Mount> {
    vec![Mount { source: source.to_owned(), target: "/m".to_owned(), read_only: true }]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_lease_left_is_gone_before_folders_are_looked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(world) = World::new().await.map(|world| world.with_workspace(folder.path(), true).with_lease(7)) else {
        return;
    };
    let earlier = {
        let (docker, grant) = (Arc::clone(&world.docker), world.grant.clone());
        let caller = Caller { lease: Some(LeaseId(3)), ..caller("task") };
        tokio::spawn(async move { docker.run(&caller, &grant, shell("sleep 1000"), &[], ()).await })
    };
    world.until_it_runs().await;
    // It is looked for, and not found, when what could put it there is gone.
    let told = world.run(Container { mounts: mount("missing"), ..shell("true") }).await;
    assert!(matches!(told, Err(DelegateError::Invalid(_))), "{told:?}");
    let told = earlier.await;
    assert!(matches!(told, Ok(Err(DelegateError::Failed(_)))), "{told:?}");
    assert_eq!(world.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_becomes_another_while_the_container_is_made_is_not_mounted() {
    let Some(_) = World::new().await else { return };
    for (becomes, is_denied) in [("/", true), ("other", false)] {
        let (folder, sockets) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        for name in ["in", "other"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let (inside, between) = (folder.path().join("in"), sockets.path().join("between.sock"));
        let _passes = GoBetween::start(&between, move |_| {
            std::fs::remove_dir(&inside).expect("removed");
            symlink(becomes, &inside).expect("a link");
        });
        let settings = DockerSettings { socket: between, ..DockerSettings::default() };
        let Some(world) = World::with(settings).await.map(|world| world.with_workspace(folder.path(), true)) else {
            return;
        };
        let told = world.run(Container { mounts: mount("in"), ..shell("ls /m") }).await;
        match told {
            Err(DelegateError::Denied(text)) if is_denied => assert!(text.contains("leads out"), "{text}"),
            Err(DelegateError::Failed(text)) if !is_denied => assert!(text.contains("was changed"), "{text}"),
            other => panic!("{becomes}: {other:?}"),
        }
        assert_eq!(world.count().await, 0);
    }
}
