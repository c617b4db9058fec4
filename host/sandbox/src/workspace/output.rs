//! A file that a guest writes as a stream.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::WorkspaceRoom;
use super::calls::Calls;
use crate::meter::Toll;

/// The most bytes of one write.
const WRITE_PERMIT: usize = 64 << 10;

/// Where the next bytes go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    At(u64),
    End,
}

enum State {
    Ready,
    Writing(JoinHandle<io::Result<()>>),
    Failed(io::Error),
    Closed,
}

/// Writes within the bounds of a workspace.
pub(super) struct BoundedOutput {
    file: Arc<File>,
    room: Arc<WorkspaceRoom>,
    toll: Arc<Toll>,
    calls: Calls,
    place: Place,
    state: State,
}

impl BoundedOutput {
    pub(super) fn new(
        file: Arc<File>,
        room: Arc<WorkspaceRoom>,
        (toll, calls): (Arc<Toll>, Calls),
        place: Place,
    ) -> Self {
        Self { file, room, toll, calls, place, state: State::Ready }
    }

    /// Begins to write; the bytes are those of one write at most.
    fn begin(&mut self, bytes: Bytes) {
        self.toll.charge(bytes.len());
        let (file, room, calls, place) =
            (Arc::clone(&self.file), Arc::clone(&self.room), self.calls.clone(), self.place);
        if let Place::At(position) = &mut self.place {
            // A write that fails closes the stream, so that this is where a next one goes.
            *position = position.saturating_add(bytes.len() as u64);
        }
        self.state = State::Writing(spawn_blocking(move || {
            let begun = Instant::now();
            let done = match place {
                Place::At(position) => room.write_all_at(&file, &bytes, position),
                Place::End => room.append_all(&file, &bytes),
            };
            calls.passed(done.is_ok(), begun.elapsed());
            done
        }));
    }

    /// Tells of a failure, once.
    fn check(&mut self) -> StreamResult<()> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Closed => Err(StreamError::Closed),
            State::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
            state => {
                self.state = state;
                Ok(())
            }
        }
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for BoundedOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.check()?;
        if matches!(self.state, State::Writing(_)) || bytes.len() > WRITE_PERMIT {
            return Err(StreamError::trap("more is written than was permitted"));
        }
        self.begin(bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.check()?;
        Ok(if matches!(self.state, State::Ready) { WRITE_PERMIT } else { 0 })
    }

    async fn cancel(&mut self) {
        // What was begun is not left behind: it would write while the guest thinks that it is over.
        self.ready().await;
        self.state = State::Closed;
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for BoundedOutput {
    async fn ready(&mut self) {
        if let State::Writing(writing) = &mut self.state {
            self.state = match writing.await {
                Ok(Ok(())) => State::Ready,
                Ok(Err(error)) => State::Failed(error),
                Err(_) => State::Failed(io::Error::other("the write was given up")),
            };
        }
    }
}
