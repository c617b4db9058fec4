//! Where a guest's words go: bounded, escaped, line by line.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use bulkhead_core::Size;

use crate::{LogLevel, Observer};

/// A line of standard output is passed on at this length even where it has not ended.
const LONGEST_LINE: usize = 8 << 10;

/// The two streams that a guest may print to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// The log of one run; made when the guest first says something.
pub(crate) struct GuestLog {
    observer: Option<Arc<dyn Observer>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    left: u64,
    dropped: u64,
    output: Vec<u8>,
    error: Vec<u8>,
}

impl GuestLog {
    pub(crate) fn new(bound: Size, observer: Option<Arc<dyn Observer>>) -> Self {
        Self { observer, state: Mutex::new(State { left: bound.bytes(), ..State::default() }) }
    }

    /// Passes on one line, if the bound allows it.
    pub(crate) fn log(&self, level: LogLevel, message: &str, fields: &str) {
        let allowed = self.state().take(message.len() + fields.len());
        if let (true, Some(observer)) = (allowed, &self.observer) {
            observer.log(level, &escape(message), fields);
        }
    }

    /// Takes what the guest prints, and passes on the lines that are complete.
    pub(crate) fn print(&self, stream: Stream, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let mut state = self.state();
            if state.left == 0 {
                state.dropped += bytes.len() as u64;
                return;
            }
            let line = state.line(stream);
            let room = LONGEST_LINE - line.len();
            let end = bytes.iter().take(room).position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(room.min(bytes.len()));
            line.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken + usize::from(end.is_some())..];
            let complete = end.is_some() || line.len() == LONGEST_LINE;
            let line = if complete { std::mem::take(line) } else { Vec::new() };
            drop(state);
            self.line(stream, &line);
        }
    }

    /// Passes on what was printed without a line end, and says how many bytes nobody heard.
    pub(crate) fn finish(&self) -> u64 {
        for stream in [Stream::Output, Stream::Error] {
            let line = std::mem::take(self.state().line(stream));
            self.line(stream, &line);
        }
        self.state().dropped
    }

    fn line(&self, stream: Stream, line: &[u8]) {
        if !line.is_empty() {
            let level = if stream == Stream::Output { LogLevel::Info } else { LogLevel::Warn };
            self.log(level, &String::from_utf8_lossy(line), "{}");
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes so many bytes off the bound; once something did not fit, nothing more does, so that no line is missing in
    /// the middle.
    fn take(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes as u64) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.left = 0;
                self.dropped += bytes as u64;
                false
            }
        }
    }

    fn line(&mut self, stream: Stream) -> &mut Vec<u8> {
        match stream {
            Stream::Output => &mut self.output,
            Stream::Error => &mut self.error,
        }
    }
}

/// The text with its control characters escaped, so that it can be printed on any terminal and stays one line.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(|character: char| character.is_control() && character != '\t') {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if character.is_control() && character != '\t' {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Progress;

    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl Observer for Lines {
        fn log(&self, _level: LogLevel, message: &str, _fields: &str) {
            self.0.lock().unwrap().push(message.to_owned());
        }
        fn progress(&self, _progress: Progress<'_>) {}
        fn audit(&self, _code: &str, _details: &str) {}
    }

    fn log(bound: u64) -> (GuestLog, Arc<Lines>) {
        let lines = Arc::new(Lines::default());
        (GuestLog::new(Size::from_bytes(bound), Some(lines.clone())), lines)
    }

    #[test]
    fn printed_bytes_become_lines_however_they_are_cut() {
        let (log, lines) = log(1 << 20);
        for piece in ["one", "\ntwo\n\nthr", "ee"] {
            log.print(Stream::Output, piece.as_bytes());
        }
        log.print(Stream::Error, b"aside");
        assert_eq!(log.finish(), 0);
        assert_eq!(*lines.0.lock().unwrap(), ["one", "two", "three", "aside"]);
    }

    #[test]
    fn a_line_without_end_is_passed_on_in_pieces() {
        let (log, lines) = log(1 << 20);
        log.print(Stream::Output, &vec![b'x'; LONGEST_LINE * 2 + 1]);
        log.finish();
        let lengths: Vec<usize> = lines.0.lock().unwrap().iter().map(String::len).collect();
        assert_eq!(lengths, [LONGEST_LINE, LONGEST_LINE, 1]);
    }

    #[test]
    fn what_is_beyond_the_bound_is_counted_and_nothing_follows_it() {
        let (log, lines) = log(10);
        log.log(LogLevel::Info, "12345", "{}");
        log.log(LogLevel::Info, "too long", "{}");
        log.log(LogLevel::Info, "1", "");
        log.print(Stream::Output, b"more\n");
        assert_eq!(log.finish(), 10 + 1 + 5);
        assert_eq!(*lines.0.lock().unwrap(), ["12345"]);
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(escape("a\n\u{1b}[31m\0\u{9b}\té"), "a\\n\\u{1b}[31m\\u{0}\\u{9b}\té");
        assert!(matches!(escape("plain"), Cow::Borrowed(_)));
    }
}
