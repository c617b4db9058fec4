//! What tells the body of a request from another that has the same key or id.

use bulkhead_core::Due;

/// Covers every part with its length, so that no two bodies read alike.
#[derive(Debug, Default)]
pub(super) struct BodyHash(blake3::Hasher);

impl BodyHash {
    pub(super) fn part(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    pub(super) fn due(&mut self, due: Due) {
        match due {
            Due::Now => self.part(b"now"),
            Due::After(delay) => self.part(format!("after {}", delay.as_millis()).as_bytes()),
            Due::At(moment) => self.part(format!("at {}", moment.as_millis()).as_bytes()),
        }
    }

    pub(super) fn finish(self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}
