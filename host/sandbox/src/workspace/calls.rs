//! What guests do with their files, as it is counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

/// What came of a call of a guest on its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileResult {
    /// It was done, or what it asked for is not there.
    Done,
    /// It may not be done.
    Denied,
    /// It makes no sense.
    Invalid,
    /// It was tried and went wrong, or there is no room for it.
    Failed,
}

/// Told of each call of a guest on its files; on whichever thread, so that it must be quick.
pub trait FileCalls: Send + Sync + std::fmt::Debug {
    /// A call has ended after this time.
    fn called(&self, result: FileResult, took: Duration);
}

impl FileResult {
    fn of<T>(done: &FsResult<T>) -> Self {
        let Err(error) = done else { return Self::Done };
        match error.downcast_ref() {
            Some(ErrorCode::NoEntry | ErrorCode::Exist) => Self::Done,
            Some(ErrorCode::NotPermitted | ErrorCode::Access | ErrorCode::ReadOnly) => Self::Denied,
            None | Some(ErrorCode::Io | ErrorCode::InsufficientSpace | ErrorCode::InsufficientMemory) => Self::Failed,
            Some(_) => Self::Invalid,
        }
    }
}

/// The calls of one guest; those of a guest whose calls nobody counts are not timed either.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(Option<Arc<dyn FileCalls>>);

impl Calls {
    pub(super) const fn told(to: Option<Arc<dyn FileCalls>>) -> Self {
        Self(to)
    }

    /// Makes a call, and tells of it. One that is given up by its guest is not told of.
    pub(super) async fn make<T>(self, call: impl Future<Output = FsResult<T>>) -> FsResult<T> {
        let Some(calls) = self.0 else { return call.await };
        let begun = Instant::now();
        let done = call.await;
        calls.called(FileResult::of(&done), begun.elapsed());
        done
    }

    /// Tells of what was read from a stream or written to it.
    pub(super) fn passed(&self, is_done: bool, took: Duration) {
        if let Some(calls) = &self.0 {
            calls.called(if is_done { FileResult::Done } else { FileResult::Failed }, took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_an_answer_and_a_full_disk_is_none() {
        let of = |code: ErrorCode| FileResult::of::<()>(&Err(code.into()));
        assert_eq!(FileResult::of(&Ok(())), FileResult::Done);
        assert_eq!(of(ErrorCode::NoEntry), FileResult::Done);
        assert_eq!(of(ErrorCode::NotPermitted), FileResult::Denied);
        assert_eq!(of(ErrorCode::NotDirectory), FileResult::Invalid);
        assert_eq!(of(ErrorCode::InsufficientSpace), FileResult::Failed);
    }
}
