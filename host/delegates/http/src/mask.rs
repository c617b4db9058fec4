//! Secrets that come back: whoever is asked may show in its answer what it was sent.

use std::ops::Range;

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
    /// The end of what came, as it came, where a secret may have begun.
    held: BytesMut,
    /// How many of its first bytes belong to a secret that began before it.
    covered: usize,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mask").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

impl Mask {
    pub(crate) fn new(secrets: Vec<Vec<u8>>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST).collect();
        Self { secrets, held: BytesMut::new(), covered: 0 }
    }

    /// Takes a piece, and gives what can be shown by now.
    pub(crate) fn pass(&mut self, piece: Bytes) -> Bytes {
        if self.secrets.is_empty() {
            return piece;
        }
        self.held.extend_from_slice(&piece);
        // A secret that is whole may yet be the beginning of a longer one.
        let kept = self.secrets.iter().map(|secret| begun(&self.held, secret)).max().unwrap_or(0);
        self.show(self.held.len() - kept)
    }

    /// Gives the rest, once nothing more comes.
    pub(crate) fn rest(&mut self) -> Bytes {
        self.show(self.held.len())
    }

    /// Masks secrets in a whole value; none where there are none.
    pub(crate) fn whole(&self, value: &[u8]) -> Option<Vec<u8>> {
        let found = places(&self.secrets, value);
        if found.is_empty() {
            return None;
        }
        let mut masked = value.to_vec();
        found.into_iter().for_each(|place| masked[place].fill(STAR));
        Some(masked)
    }

    /// Gives so many bytes of what is held; those behind them stay as they came, for other secrets may begin there.
    fn show(&mut self, length: usize) -> Bytes {
        let mut found = places(&self.secrets, &self.held);
        found.retain(|place| place.start < length);
        found.push(0..self.covered);
        self.covered = found.iter().map(|place| place.end.saturating_sub(length)).max().unwrap_or(0);
        let mut shown = self.held.split_to(length);
        found.into_iter().for_each(|place| shown[place.start..place.end.min(length)].fill(STAR));
        shown.freeze()
    }
}

/// Where secrets stand, one over another or not.
fn places(secrets: &[Vec<u8>], bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for secret in secrets {
        let mut from = 0;
        while let Some(at) = find(&bytes[from..], secret) {
            found.push(from + at..from + at + secret.len());
            // It may stand there again before it ends.
            from += at + 1;
        }
    }
    found
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

    #[test]
    fn a_secret_that_begins_another_hides_no_more_of_it_than_its_own() {
        let secrets = ["abcd1234", "abcd1234efgh5678"];
        for secrets in [secrets, [secrets[1], secrets[0]]] {
            for pieces in [&["<abcd1234efgh5678>"][..], &["<abcd1234", "efgh5678>"], &["<abcd1234efgh567", "8>"]] {
                assert_eq!(masked(&secrets, pieces), "<****************>");
            }
            assert_eq!(masked(&secrets, &["abcd1234", "efgh"]), "********efgh");
            let mask = Mask::new(secrets.map(|secret| secret.as_bytes().to_vec()).to_vec());
            assert_eq!(mask.whole(b"abcd1234efgh5678.").as_deref(), Some(&b"****************."[..]));
            assert_eq!(mask.whole(b"abcd123"), None);
        }
    }

    #[test]
    fn a_secret_that_ends_as_another_begins_hides_nothing_of_it() {
        for pieces in [&["abcd1234efgh"][..], &["abcd1234", "efgh"], &["abcd123", "4", "e", "fgh"]] {
            assert_eq!(masked(&["abcd1234", "1234efgh"], pieces), "************");
        }
        assert_eq!(masked(&["abcd1234", "1234efgh"], &["abcd1234", "efg", "h1"]), "************1");
    }

    proptest! {
        #[test]
        fn whatever_lies_in_a_secret_is_masked_and_nothing_else_is_changed(
            pieces in prop::collection::vec("[ab]{0,12}", 0..12),
            secrets in prop::collection::vec("[ab]{8,12}", 1..4),
        ) {
            let all = pieces.concat();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let lies_in = |place: usize| {
                let covers = |secret: &&str, start: usize| all[start..].starts_with(secret) && place < start + secret.len();
                (0..=place).any(|start| secrets.iter().any(|secret| covers(secret, start)))
            };
            let expected: String =
                all.char_indices().map(|(place, was)| if lies_in(place) { '*' } else { was }).collect();
            prop_assert_eq!(masked(&secrets, &pieces), expected);
        }
    }
}
