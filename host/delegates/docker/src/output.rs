//! What a container prints: the beginning of each stream is kept, the rest is read and dropped.

use bollard::container::LogOutput;
use bollard::errors::Error;
use futures::{Stream, StreamExt};

/// The beginning of what was printed.
#[derive(Debug, Default)]
pub(crate) struct Output {
    limit: usize,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) truncated: bool,
}

impl Output {
    /// Keeps so many bytes of each stream.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Reads to the end. A program that prints more than is kept must not come to a halt, so all of it is read.
    pub(crate) async fn read(&mut self, mut stream: impl Stream<Item = Result<LogOutput, Error>> + Unpin) {
        while let Some(read) = stream.next().await {
            match read {
                Ok(part) => self.take(part),
                Err(error) => {
                    // How the container ended is asked of the engine, and says more.
                    tracing::debug!(%error, "a container's output broke off");
                    return;
                }
            }
        }
    }

    fn take(&mut self, part: LogOutput) {
        let (kept, new) = match part {
            LogOutput::StdOut { message } | LogOutput::Console { message } => (&mut self.stdout, message),
            LogOutput::StdErr { message } => (&mut self.stderr, message),
            LogOutput::StdIn { .. } => return,
        };
        let room = self.limit.saturating_sub(kept.len());
        self.truncated |= new.len() > room;
        kept.extend_from_slice(&new[..new.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[tokio::test]
    async fn the_beginning_of_each_stream_is_kept() {
        let mut output = Output::new(5);
        let out = |text: &'static str| Ok(LogOutput::StdOut { message: Bytes::from_static(text.as_bytes()) });
        let err = |text: &'static str| Ok(LogOutput::StdErr { message: Bytes::from_static(text.as_bytes()) });
        output.read(futures::stream::iter([out("abc"), err("12345"), out("de")])).await;
        assert_eq!((output.stdout.as_slice(), output.truncated), (b"abcde".as_slice(), false));
        output.read(futures::stream::iter([out("f"), err("6")])).await;
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (b"abcde".as_slice(), b"12345".as_slice()));
        assert!(output.truncated);
    }
}
