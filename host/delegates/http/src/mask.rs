//! Secrets that come back: whoever is asked may show in its answer what it was sent.

use bytes::{Bytes, BytesMut};

/// What stands for each byte of a secret.
const STAR: u8 = b'*';
/// A shorter secret is no secret, and would be found where it is not.
const SHORTEST: usize = 8;

/// Masks secrets in bytes that come piece by piece, and changes no length.
///
/// It finds them as they were sent. Who encodes them anew, or compresses the answer, shows them: the origins of a grant are
/// trusted with the secrets that are for them.
#[derive(Default)]
pub(crate) struct Mask {
    secrets: Vec<Vec<u8>>,
    /// The end of what came, where a secret may have begun.
    held: BytesMut,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mask").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

impl Mask {
    pub(crate) fn new(secrets: Vec<Vec<u8>>) -> Self {
        Self { secrets: secrets.into_iter().filter(|secret| secret.len() >= SHORTEST).collect(), held: BytesMut::new() }
    }

    /// Takes a piece, and gives what can be shown by now.
    pub(crate) fn pass(&mut self, piece: Bytes) -> Bytes {
        if self.secrets.is_empty() {
            return piece;
        }
        self.held.extend_from_slice(&piece);
        for secret in &self.secrets {
            hide(&mut self.held, secret);
        }
        let kept = self.secrets.iter().map(|secret| begun(&self.held, secret)).max().unwrap_or(0);
        self.held.split_to(self.held.len() - kept).freeze()
    }

    /// Gives the rest, once nothing more comes.
    pub(crate) fn rest(&mut self) -> Bytes {
        self.held.split().freeze()
    }

    /// Masks secrets in a whole value; none where there are none.
    pub(crate) fn whole(&self, value: &[u8]) -> Option<Vec<u8>> {
        let mut masked = value.to_vec();
        let found = self.secrets.iter().filter(|secret| hide(&mut masked, secret)).count();
        (found > 0).then_some(masked)
    }
}

/// Puts stars where the secret stands; whether it stood there.
fn hide(bytes: &mut [u8], secret: &[u8]) -> bool {
    let (mut from, mut is_found) = (0, false);
    while let Some(at) = find(&bytes[from..], secret) {
        bytes[from + at..from + at + secret.len()].fill(STAR);
        from += at + secret.len();
        is_found = true;
    }
    is_found
}

fn find(bytes: &[u8], secret: &[u8]) -> Option<usize> {
    let first = *secret.first()?;
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(secret) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// How many bytes at the end are a beginning of the secret.
fn begun(bytes: &[u8], secret: &[u8]) -> usize {
    let most = bytes.len().min(secret.len() - 1);
    (1..=most).rev().find(|length| bytes.ends_with(&secret[..*length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(secrets: &[&str], pieces: &[&str]) -> String {
        let mut mask = Mask::new(secrets.iter().map(|secret| secret.as_bytes().to_vec()).collect());
        let mut all: Vec<u8> = pieces.iter().flat_map(|piece| mask.pass(Bytes::from(piece.to_string()))).collect();
        all.extend(mask.rest());
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn a_secret_is_masked_however_it_is_cut() {
        for pieces in
            [&["a sesame-1 b"][..], &["a ses", "ame", "-1 b"], &["a s", "e", "s", "a", "m", "e", "-", "1", " b"]]
        {
            assert_eq!(masked(&["sesame-1"], pieces), "a ******** b");
        }
        assert_eq!(masked(&["sesame-1", "sesame-22"], &["sesame-1sesame-2", "2"]), "*****************");
    }

    #[test]
    fn what_only_begins_like_a_secret_is_shown() {
        assert_eq!(masked(&["sesame-1"], &["sesame", "-", "2 sesame"]), "sesame-2 sesame");
        assert_eq!(masked(&["short"], &["short"]), "short");
    }

    proptest! {
        #[test]
        fn no_secret_passes_and_nothing_else_is_changed(
            pieces in prop::collection::vec("[ab]{0,12}", 0..12), secret in "[ab]{8,10}"
        ) {
            let all = pieces.concat();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let shown = masked(&[&secret], &pieces);
            prop_assert!(!shown.contains(&secret));
            prop_assert_eq!(shown.len(), all.len());
            prop_assert!(shown.bytes().zip(all.bytes()).all(|(shown, was)| shown == was || shown == STAR));
            prop_assert!(all.contains(&secret) || shown == all);
        }
    }
}
