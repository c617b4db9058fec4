//! What host and launcher say to each other.

use std::io::Read;

use serde::{Deserialize, Serialize};

/// The longest order: arguments and environment are at most 64 KiB each, and JSON may write a byte as six; what the
/// operator adds has room beside them.
const MAX_ORDER: u32 = 16 << 20;

/// What the host orders: a program, and how it is to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// An absolute path.
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    /// The whole environment.
    pub(crate) env: Vec<(String, String)>,
    /// Where it runs.
    pub(crate) folder: String,
    pub(crate) limits: Limits,
    /// After so long it is killed even where the host says nothing.
    pub(crate) time_ms: u64,
    /// So many bytes follow for its standard input.
    pub(crate) stdin_bytes: usize,
}

/// What the processes of a program may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// Address space of each.
    pub(crate) memory: Option<u64>,
    /// Memory of all together.
    pub(crate) resident: Option<u64>,
    /// Open files of each.
    pub(crate) files: u64,
    /// The largest file.
    pub(crate) file_size: Option<u64>,
}

/// What the launcher tells, a line each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Told {
    /// The program runs.
    Started,
    /// It could not be started; nothing runs.
    NotStarted(String),
    /// It ended, and every process that it started is gone.
    Ended {
        /// Its exit code; 128 + the signal's number where a signal ended it.
        code: i32,
        /// Whether it was ended because it used up its memory.
        out_of_memory: bool,
        wall_ms: u64,
        cpu_ms: u64,
        peak_memory_bytes: u64,
    },
}

/// An order as it is sent: its length in four bytes, then JSON.
pub(crate) fn frame(order: &Order) -> std::io::Result<Vec<u8>> {
    let text = serde_json::to_vec(order)?;
    let length = u32::try_from(text.len()).ok().filter(|length| *length <= MAX_ORDER);
    let length = length.ok_or_else(|| std::io::Error::other("its arguments and environment are too long"))?;
    Ok([&length.to_be_bytes()[..], &text].concat())
}

impl Order {
    /// Reads an order, and no byte of what follows it.
    pub(super) fn read(from: &mut impl Read) -> std::io::Result<Self> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let length = Some(u32::from_be_bytes(length)).filter(|length| *length <= MAX_ORDER);
        let length = length.ok_or_else(|| std::io::Error::other("the order is too long"))?;
        let mut text = vec![0; length as usize];
        from.read_exact(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_sent_and_nothing_after_it() {
        let order = Order {
            program: "/bin/cat".into(),
            arguments: vec!["-".into(), "\u{1}ü\"".into()],
            env: vec![("A".into(), "=".into())],
            folder: "/".into(),
            limits: Limits { memory: Some(1), resident: None, files: 16, file_size: Some(u64::MAX) },
            time_ms: 7,
            stdin_bytes: 3,
        };
        let mut sent = frame(&order).unwrap();
        sent.extend_from_slice(b"abc");
        let mut rest = sent.as_slice();
        assert_eq!(Order::read(&mut rest).unwrap(), order);
        assert_eq!(rest, b"abc");
        assert!(Order::read(&mut &[0xff_u8; 9][..]).is_err());
    }
}
