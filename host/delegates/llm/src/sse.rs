//! Server-sent events: a stream of bytes cut into the data of its events.

/// Cuts a stream into events; lines end in LF or CRLF.
#[derive(Debug)]
pub(crate) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    max: usize,
}

/// An event is longer than was allowed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EventTooLong;

impl Events {
    /// Cuts a stream whose events have at most `max` bytes each.
    pub(crate) const fn new(max: usize) -> Self {
        Self { line: Vec::new(), data: Vec::new(), max }
    }

    /// Takes the next bytes of the stream, and gives the data of the events that are complete with them.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, EventTooLong> {
        let mut events = Vec::new();
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            self.grow(line)?;
            events.extend(self.end_line());
        }
        self.grow(bytes)?;
        Ok(events)
    }

    /// The stream is at its end: gives the event that no empty line closed.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        self.end_line().or_else(|| self.end_line())
    }

    fn grow(&mut self, bytes: &[u8]) -> Result<(), EventTooLong> {
        if self.line.len() + self.data.len() + bytes.len() > self.max {
            return Err(EventTooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    /// Ends a line; an empty one gives the event that it closes.
    fn end_line(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if line.is_empty() {
            return Some(std::mem::take(&mut self.data)).filter(|data| !data.is_empty());
        }
        // Other fields (event, id, retry) and comments mean nothing here.
        if let Some(value) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STREAM: &[u8] = b": hello\r\n\r\ndata: one\r\n\r\nevent: x\ndata:two\ndata: lines\n\n\n\ndata: [DONE]";

    fn cut(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Events::new(64);
        let mut all: Vec<Vec<u8>> = pieces.iter().flat_map(|piece| events.push(piece).unwrap()).collect();
        all.extend(events.finish());
        all.into_iter().map(|event| String::from_utf8(event).unwrap()).collect()
    }

    #[test]
    fn events_end_at_an_empty_line_or_with_the_stream() {
        assert_eq!(cut(&[STREAM]), ["one", "two\nlines", "[DONE]"]);
        assert!(cut(&[b"", b"\n\n: nothing\n"]).is_empty());
    }

    #[test]
    fn an_event_that_does_not_end_is_refused() {
        let mut events = Events::new(8);
        assert!((0..10).any(|_| events.push(b"xx") == Err(EventTooLong)));
        let mut events = Events::new(20);
        assert!((0..10).any(|_| events.push(b"data: xxx\n") == Err(EventTooLong)));
    }

    proptest! {
        #[test]
        fn the_events_are_the_same_wherever_the_stream_is_cut(at in 0..=STREAM.len(), and in 0..=STREAM.len()) {
            let (first, last) = (at.min(and), at.max(and));
            let pieces = [&STREAM[..first], &STREAM[first..last], &STREAM[last..]];
            prop_assert_eq!(cut(&pieces), ["one", "two\nlines", "[DONE]"]);
        }
    }
}
