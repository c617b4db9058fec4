//! What stands between the delegate and the engine, and passes everything on until it is cut.

use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::world::socket;

/// Passes on what is said between the delegate and the engine.
pub(crate) struct GoBetween {
    is_up: watch::Sender<bool>,
    _running: JoinSet<()>,
}

impl GoBetween {
    /// Passes on until it is cut; does this whenever the engine has made a container, before it is heard to say so.
    pub(crate) fn start(socket: &Path, at_creation: impl Fn(&watch::Sender<bool>) + Send + Sync + 'static) -> Self {
        let listener = UnixListener::bind(socket).expect("bound");
        let is_up = watch::Sender::new(true);
        let mut running = JoinSet::new();
        let (up, at_creation) = (is_up.clone(), Arc::new(at_creation));
        running.spawn(async move {
            let mut passing = JoinSet::new();
            while let Ok((inner, _)) = listener.accept().await {
                if *up.borrow() {
                    passing.spawn(pass(inner, up.clone(), Arc::clone(&at_creation)));
                }
            }
        });
        Self { is_up, _running: running }
    }

    pub(crate) fn cut(&self) {
        self.is_up.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.is_up.send_replace(true);
    }

    pub(crate) async fn is_cut(&self) {
        self.is_up.subscribe().wait_for(|up| !up).await.expect("it is there");
    }
}

async fn pass(mut inner: UnixStream, is_up: watch::Sender<bool>, at_creation: Arc<impl Fn(&watch::Sender<bool>)>) {
    let mut outer = UnixStream::connect(socket()).await.expect("the engine");
    let mut up = is_up.subscribe();
    let passing = async {
        let mut request = vec![0; 64 << 10];
        let read = inner.read(&mut request).await.unwrap_or(0);
        let is_creation = String::from_utf8_lossy(&request[..read]).contains("/containers/create");
        let _ = outer.write_all(&request[..read]).await;
        if is_creation {
            let mut answer = vec![0; 64 << 10];
            let read = outer.read(&mut answer).await.unwrap_or(0);
            at_creation(&is_up);
            // A cut takes effect here at the latest.
            tokio::task::yield_now().await;
            let _ = inner.write_all(&answer[..read]).await;
        }
        let _ = copy_bidirectional(&mut inner, &mut outer).await;
    };
    tokio::select! {
        biased;
        _ = up.wait_for(|up| !up) => {}
        () = passing => {}
    }
}
