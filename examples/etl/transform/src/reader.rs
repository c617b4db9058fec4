//! Reading rows from a place of a file on.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};

use bulkhead_sdk::Failure;

/// What is read at once: each read is a call to the host.
const AT_ONCE: usize = 256 << 10;

/// The rows of a file from some place on.
pub(crate) struct Reader {
    file: BufReader<File>,
    line: Vec<u8>,
    at: u64,
}

impl Reader {
    pub(crate) fn new(mut file: File, at: u64) -> Result<Self, Failure> {
        file.seek(SeekFrom::Start(at))?;
        Ok(Self { file: BufReader::with_capacity(AT_ONCE, file), line: Vec::new(), at })
    }

    /// Where the next row is.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// The next row, without the end of its line.
    pub(crate) fn next(&mut self) -> Result<&[u8], Failure> {
        self.line.clear();
        let read = self.file.read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Err(changed());
        }
        self.at += read as u64;
        Ok(self.line.strip_suffix(b"\n").unwrap_or(&self.line))
    }
}

/// The file is not the one that was analyzed.
pub(crate) fn changed() -> Failure {
    Failure::permanent(
        "file_changed",
        "the file is another than the one that was cut into ranges; start a new workflow",
    )
}
