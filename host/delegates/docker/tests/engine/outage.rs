//! What happens when the engine goes away in the middle: a go-between passes everything on until it is cut.

use std::path::Path;
use std::sync::Arc;

use bulkhead_core::{DelegateError, Exit};
use bulkhead_docker::DockerSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::world::{World, shell, socket};

/// Passes on what is said between the delegate and the engine.
struct GoBetween {
    is_up: watch::Sender<bool>,
    _running: JoinSet<()>,
}

impl GoBetween {
    /// Passes on; where it is told to, it is cut by itself when the engine has made a container and says so.
    fn start(socket: &Path, cut_at_creation: bool) -> Self {
        let listener = UnixListener::bind(socket).expect("bound");
        let is_up = watch::Sender::new(true);
        let mut running = JoinSet::new();
        let up = is_up.clone();
        running.spawn(async move {
            let mut passing = JoinSet::new();
            while let Ok((inner, _)) = listener.accept().await {
                if *up.borrow() {
                    passing.spawn(pass(inner, up.clone(), cut_at_creation));
                }
            }
        });
        Self { is_up, _running: running }
    }

    fn cut(&self) {
        self.is_up.send_replace(false);
    }

    fn mend(&self) {
        self.is_up.send_replace(true);
    }

    async fn is_cut(&self) {
        self.is_up.subscribe().wait_for(|up| !up).await.expect("it is there");
    }
}

async fn pass(mut inner: UnixStream, is_up: watch::Sender<bool>, cut_at_creation: bool) {
    let mut outer = UnixStream::connect(socket()).await.expect("the engine");
    let mut up = is_up.subscribe();
    let passing = async {
        let mut request = vec![0; 64 << 10];
        let read = inner.read(&mut request).await.unwrap_or(0);
        let is_creation = String::from_utf8_lossy(&request[..read]).contains("/containers/create");
        let _ = outer.write_all(&request[..read]).await;
        if is_creation && cut_at_creation {
            let _ = outer.read(&mut request).await;
            is_up.send_replace(false);
        }
        let _ = copy_bidirectional(&mut inner, &mut outer).await;
    };
    tokio::select! {
        biased;
        _ = up.wait_for(|up| !up) => {}
        () = passing => {}
    }
}

async fn world(cut_at_creation: bool) -> Option<(tempfile::TempDir, GoBetween, World)> {
    World::new().await?;
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("between.sock");
    let between = GoBetween::start(&socket, cut_at_creation);
    let world = World::with(DockerSettings { socket, failures: 100, ..DockerSettings::default() }).await?;
    Some((folder, between, world))
}

fn begin(world: &World) -> tokio::task::JoinHandle<Result<Exit, DelegateError>> {
    let (docker, caller, grant) = (Arc::clone(&world.docker), world.caller.clone(), world.grant.clone());
    tokio::spawn(async move { docker.run(&caller, &grant, shell("sleep 1000"), &[]).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_goes_away_while_a_container_runs_is_unavailable_and_rid_of_it_when_it_is_back() {
    let Some((_folder, between, world)) = world(false).await else { return };
    let running = begin(&world);
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
    let running = begin(&world);
    between.is_cut().await;
    let told = running.await;
    assert!(matches!(told, Ok(Err(DelegateError::Gone(_)))), "{told:?}");
    between.mend();
    assert_eq!(world.count().await, 1, "the engine had made it");
    world.docker.settled().await;
    assert_eq!(world.count().await, 0);
}
