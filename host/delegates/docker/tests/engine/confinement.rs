//! What a container cannot reach.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use bulkhead_core::{Container, DelegateError, Mount};

use crate::world::{IMAGE_WITH_VOLUME, World, printed, shell};

#[tokio::test(flavor = "multi_thread")]
async fn an_image_outside_of_the_list_is_denied_and_nothing_runs() {
    let Some(world) = World::new().await else { return };
    let request = Container { image: "alpine:3".to_owned(), ..shell("true") };
    let text = "`handler.render.grants.docker.images` does not list `alpine:3`; add it";
    assert_eq!(world.run(request).await, Err(DelegateError::Denied(text.to_owned())));
    assert_eq!(world.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_network_but_by_grant_and_request() {
    let Some(mut world) = World::new().await else { return };
    let links = "ip -o link | awk '{print $2}' | tr -d '\\n'";
    assert_eq!(printed(&world.shell(links).await.expect("it ran")), "lo:");
    let request = Container { network: true, ..shell(links) };
    assert!(matches!(world.run(request.clone()).await, Err(DelegateError::Denied(_))));
    world.grant.network = true;
    assert_eq!(printed(&world.shell(links).await.expect("it ran")), "lo:", "the grant alone gives none");
    let exit = world.run(request).await.expect("it ran");
    assert!(printed(&exit).contains("eth0"), "{exit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_nobody_without_capabilities_on_a_root_that_is_read_only() {
    let Some(world) = World::new().await else { return };
    let exit = world.shell("id -u; id -g; grep -E 'Cap|NoNewPrivs' /proc/self/status").await.expect("it ran");
    let lines = printed(&exit);
    let none = "0000000000000000";
    for expected in ["65534\n65534\n", "NoNewPrivs:\t1"] {
        assert!(lines.contains(expected), "{lines}");
    }
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(lines.contains(&format!("{set}:\t{none}")), "{lines}");
    }
    let exit = world.shell("touch /x || touch /bin/x || touch /etc/x").await.expect("it ran");
    assert!(exit.code != 0 && String::from_utf8_lossy(&exit.stderr).contains("Read-only file system"), "{exit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn even_root_by_grant_has_no_capabilities() {
    let Some(mut world) = World::new().await else { return };
    world.grant.user = bulkhead_docker::ContainerUser::parse("0:0").expect("a user");
    let exit = world.shell("id -u; grep CapEff /proc/self/status; touch /x").await.expect("it ran");
    assert_eq!(printed(&exit), "0\nCapEff:\t0000000000000000");
    assert_eq!(exit.code, 1, "the root is read-only for it too");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_socket_of_the_engine_and_no_device_is_inside() {
    let Some(world) = World::new().await else { return };
    let exit = world.shell(
        "ls /var/run/docker.sock /run/docker.sock; ls /dev | grep -v core | tr '\\n' ' '; echo $NVIDIA_VISIBLE_DEVICES",
    );
    let exit = exit.await.expect("it ran");
    assert_eq!(printed(&exit), "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero void");
}

#[tokio::test(flavor = "multi_thread")]
async fn tmp_can_be_written_and_run_from_and_volumes_of_the_image_are_as_bounded() {
    let Some(mut world) = World::new().await else { return };
    world.grant.tmpfs = bulkhead_core::Size::from_mib(8);
    let fill =
        |folder: &str| format!("dd if=/dev/zero of={folder}/x bs=1M count=100; ls -l {folder}/x | awk '{{print $5}}'");
    for folder in ["/tmp", "/dev/shm", "/data"] {
        let request = Container { image: IMAGE_WITH_VOLUME.to_owned(), ..shell(&fill(folder)) };
        assert_eq!(printed(&world.run(request).await.expect("it ran")), (8 << 20).to_string(), "{folder}");
    }
    let exit = world.shell("echo 'echo ran' > /tmp/x; echo '#!/bin/sh' > /tmp/y; echo 'echo ran' >> /tmp/y; /bin/busybox chmod 755 /tmp/y; /tmp/y");
    assert_eq!(printed(&exit.await.expect("it ran")), "ran");
}

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for inside in ["", "in", "out"] {
        let path = folder.path().join(inside);
        std::fs::create_dir_all(&path).expect("a folder");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).expect("permissions");
    }
    std::fs::write(folder.path().join("in/words"), "hello").expect("a file");
    folder
}

fn mount(source: &str, target: &str, read_only: bool) -> Mount {
    Mount { source: source.to_owned(), target: target.to_owned(), read_only }
}

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_of_the_workspace_are_read_and_written() {
    let folder = workspace();
    let Some(world) = World::new().await.map(|world| world.with_workspace(folder.path(), true)) else { return };
    let request = Container {
        mounts: vec![mount("in", "/in", true), mount("out", "/deep/er/out", false)],
        ..shell("cat /in/words > /deep/er/out/words; touch /in/x")
    };
    let exit = world.run(request).await.expect("it ran");
    assert_eq!(read(folder.path(), "out/words"), "hello");
    assert!(exit.code != 0 && !folder.path().join("in/x").exists(), "{exit:?}");
    let request = Container { mounts: vec![mount(".", "/w", false)], ..shell("cat /w/in/words") };
    assert_eq!(printed(&world.run(request).await.expect("it ran")), "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_of_the_workspace_is_mounted() {
    let folder = workspace();
    let Some(world) = World::new().await.map(|world| world.with_workspace(folder.path(), true)) else { return };
    symlink("/", folder.path().join("root")).expect("a link");
    symlink("../", folder.path().join("up")).expect("a link");
    for source in ["/", "..", "in/../..", "root", "root/etc", "up", "/var/run/docker.sock"] {
        let request = Container { mounts: vec![mount(source, "/m", true)], ..shell("ls /m") };
        assert!(matches!(world.run(request).await, Err(DelegateError::Denied(_))), "{source}");
    }
    for source in ["missing", "in/words"] {
        let request = Container { mounts: vec![mount(source, "/m", true)], ..shell("ls /m") };
        assert!(matches!(world.run(request).await, Err(DelegateError::Invalid(_))), "{source}");
    }
    assert!(!folder.path().join("missing").exists(), "the engine makes no folders");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_may_only_be_read_is_mounted_only_to_read() {
    let folder = workspace();
    let Some(world) = World::new().await.map(|world| world.with_workspace(folder.path(), false)) else { return };
    let request =
        |read_only| Container { mounts: vec![mount(".", "/w", read_only)], ..shell("touch /w/x; cat /w/in/words") };
    assert!(matches!(world.run(request(false)).await, Err(DelegateError::Denied(_))));
    assert_eq!(printed(&world.run(request(true)).await.expect("it ran")), "hello");
    assert!(!folder.path().join("x").exists());
}
