//! What goes into a program and comes out of it.

use bulkhead_core::{Container, DelegateError, Traceparent};

use crate::world::{IMAGE_WITH_VOLUME, World, printed, shell};

#[tokio::test(flavor = "multi_thread")]
async fn output_and_exit_code_are_those_of_the_program() {
    let Some(world) = World::new().await else { return };
    let exit = world.shell("echo out; echo err >&2; exit 7").await.expect("it ran");
    assert_eq!(
        (exit.code, exit.stdout.as_slice(), exit.stderr.as_slice()),
        (7, b"out\n".as_slice(), b"err\n".as_slice())
    );
    assert!(!exit.truncated && !exit.out_of_memory);
    assert_eq!(world.count().await, 0, "it is removed when the answer is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_ended_it_is_128_and_its_number() {
    let Some(world) = World::new().await else { return };
    assert_eq!(world.shell("kill -TERM $$").await.expect("it ran").code, 128 + 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_is_read_to_its_end() {
    let Some(world) = World::new().await else { return };
    let request = Container { stdin: b"some words".to_vec(), ..shell("cat; echo .") };
    assert_eq!(printed(&world.run(request).await.expect("it ran")), "some words.");
    assert_eq!(printed(&world.shell("cat; echo .").await.expect("it ran")), ".", "without any it is at its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_input_goes_through_and_need_not_be_read() {
    let Some(world) = World::new().await else { return };
    let request = |line| Container { stdin: vec![b'x'; 16 << 20], ..shell(line) };
    assert_eq!(printed(&world.run(request("wc -c")).await.expect("it ran")), "16777216");
    assert_eq!(printed(&world.run(request("echo done")).await.expect("it ran")), "done");
    let back = world.run(request("cat")).await.expect("it ran");
    assert_eq!((back.stdout.len(), back.truncated), (4 << 20, true), "read and written at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn environment_and_working_directory_are_given() {
    let Some(world) = World::new().await else { return };
    let request = Container {
        env: vec![("NAME".to_owned(), "a value = $HOME".to_owned())],
        working_dir: Some("/tmp".to_owned()),
        ..shell("echo $NAME; pwd")
    };
    assert_eq!(printed(&world.run(request).await.expect("it ran")), "a value = $HOME\n/tmp");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_finds_its_place_in_the_trace() {
    const PLACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let Some(mut world) = World::new().await else { return };
    world.caller.traceparent = Traceparent::parse(PLACE).ok();
    assert_eq!(printed(&world.shell("echo $TRACEPARENT").await.expect("it ran")), PLACE);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_command_the_image_says_what_runs_and_with_one_it_does_not() {
    let Some(world) = World::new().await else { return };
    let request = Container { image: IMAGE_WITH_VOLUME.to_owned(), ..Container::default() };
    assert_eq!(printed(&world.run(request.clone()).await.expect("it ran")), "from-the-image");
    let request = Container { command: vec!["/bin/echo".to_owned(), "mine".to_owned()], ..request };
    assert_eq!(printed(&world.run(request).await.expect("it ran")), "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_there_is_an_end_with_127() {
    let Some(world) = World::new().await else { return };
    let request = Container { command: vec!["/no/such".to_owned()], ..shell("") };
    let exit = world.run(request).await.expect("it ran");
    assert_eq!(exit.code, 127);
    assert!(String::from_utf8_lossy(&exit.stderr).contains("/no/such"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_not_there_is_unavailable_and_named() {
    let Some(world) = World::new().await else { return };
    let request = Container { image: "bulkhead-test-busybox:missing".to_owned(), ..shell("true") };
    match world.run(request).await {
        Err(DelegateError::Unavailable(text)) => {
            assert!(text.contains("run `docker pull bulkhead-test-busybox:missing`"), "{text}");
            assert!(text.contains("`handler.render.grants.docker.pull = true`"), "{text}");
        }
        other => panic!("not unavailable: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_be_fetched_is_unavailable() {
    let Some(mut world) = World::new().await else { return };
    // A port at which nobody listens, for it is bound and not listened at.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("bound");
    let image = format!("{}/none:1", socket.local_addr().expect("an address"));
    world.grant.pull = true;
    world.grant.images = vec![bulkhead_docker::ImagePattern::parse(&image).expect("a pattern")];
    match world.run(Container { image: image.clone(), ..shell("true") }).await {
        Err(DelegateError::Unavailable(text)) => {
            assert!(text.starts_with(&format!("the image `{image}` cannot be fetched")), "{text}")
        }
        other => panic!("not unavailable: {other:?}"),
    }
}
