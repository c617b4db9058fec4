//! The beginning of what a program prints.

use tokio::io::{AsyncRead, AsyncReadExt};

/// How much is read at once: as much as a pipe holds.
const CHUNK: usize = 64 << 10;

/// What a program printed on one stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Captured {
    /// Its beginning.
    pub(crate) bytes: Vec<u8>,
    /// Whether there was more.
    pub(crate) truncated: bool,
}

/// Reads a stream to its end, so that nobody waits to write to it, and keeps its first `most` bytes.
pub(crate) async fn capture(stream: Option<impl AsyncRead + Unpin>, most: usize) -> Captured {
    let mut captured = Captured::default();
    let Some(mut stream) = stream else {
        return captured;
    };
    let mut chunk = vec![0; CHUNK];
    // A pipe that cannot be read is over, as far as anybody can tell.
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        let kept = count.min(most - captured.bytes.len());
        captured.bytes.extend_from_slice(&chunk[..kept]);
        captured.truncated |= kept < count;
    }
    captured
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_beginning_is_kept_and_the_rest_is_told_of() {
        let text: &[u8] = b"abcdef";
        assert_eq!(capture(Some(text), 6).await, Captured { bytes: b"abcdef".into(), truncated: false });
        assert_eq!(capture(Some(text), 5).await, Captured { bytes: b"abcde".into(), truncated: true });
        assert_eq!(capture(Some(text), 0).await, Captured { bytes: Vec::new(), truncated: true });
    }
}
