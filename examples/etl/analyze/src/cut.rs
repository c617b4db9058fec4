//! Cutting a file into ranges of whole rows.

use std::io::{BufRead, BufReader, Read};

use bulkhead_sdk::Failure;
use etl_sales::{HEADER, Range};

/// What is read at once: each read is a call to the host.
const AT_ONCE: usize = 1 << 20;

/// The rows [start, end), and where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) bytes: Range,
}

/// The ranges of a file, each but the last of so many rows.
pub(crate) fn cut(file: impl Read, rows: u64) -> Result<Vec<Rows>, Failure> {
    let mut file = BufReader::with_capacity(AT_ONCE, file);
    let mut header = String::new();
    let mut at = file.by_ref().take(1024).read_line(&mut header)? as u64;
    if header.trim_end() != HEADER {
        return Err(Failure::validation("bad_header", format!("the file must begin with the line `{HEADER}`")));
    }
    let (mut ranges, mut row) = (Vec::new(), 0);
    let mut begun = Rows { start: 0, end: 0, bytes: Range { from: at, to: at } };
    let mut in_row = false;
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        for byte in bytes {
            at += 1;
            in_row = *byte != b'\n';
            if in_row {
                continue;
            }
            row += 1;
            if row - begun.start == rows {
                ranges.push(Rows { end: row, bytes: Range { to: at, ..begun.bytes }, ..begun });
                begun = Rows { start: row, end: row, bytes: Range { from: at, to: at } };
            }
        }
        let read = bytes.len();
        file.consume(read);
    }
    // The last line may lack its end.
    row += u64::from(in_row);
    if row > begun.start {
        ranges.push(Rows { end: row, bytes: Range { to: at, ..begun.bytes }, ..begun });
    }
    Ok(ranges)
}
