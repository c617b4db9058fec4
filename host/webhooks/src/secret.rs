//! Signing secrets: made here and kept in the store, or kept outside and named by `env:NAME` or `file:PATH`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bulkhead_secrets::SecretPlace;
use bulkhead_store::StoredSecret;

/// What every secret begins with; what does not is not taken for one, so that no other file or variable can be used.
const PREFIX: &str = "whsec_";

/// Bytes of a secret that is made here: as many as the signature has.
const MADE: usize = 32;

/// Bytes of a secret, as Standard Webhooks bounds them.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// Why there is no secret to sign with. Nothing of what was read is said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It is given itself.
    #[error("it must be env:NAME or file:PATH, and is never given itself; leave it out and the host makes one")]
    Given,
    /// It is not where it should be.
    #[error("it {0}")]
    Unread(bulkhead_secrets::SecretError),
    /// Something else is there.
    #[error("{0} holds no webhook secret, which is whsec_ and 24 to 64 bytes in base64")]
    NoSecret(String),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoChance,
}

/// A key that messages are signed with.
pub(crate) struct Key(Vec<u8>);

impl Key {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        LENGTHS.contains(&bytes.len()).then_some(Self(bytes))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(***)")
    }
}

/// Makes a secret; it is shown once, to whoever asked for it.
pub fn make_secret() -> Result<StoredSecret, SecretError> {
    let mut bytes = [0; MADE];
    getrandom::fill(&mut bytes).map_err(|_| SecretError::NoChance)?;
    Ok(StoredSecret::new(format!("{PREFIX}{}", STANDARD.encode(bytes))))
}

/// Takes the place of a secret, where one that can be used is there now.
pub fn stored_secret(place: &str) -> Result<StoredSecret, SecretError> {
    let place = SecretPlace::parse(place).ok_or(SecretError::Given)?;
    let stored = StoredSecret::new(place.to_string());
    keys(&stored).map(|_| stored)
}

/// The keys of a secret, one after the other where several stand there, as while they are changed.
pub(crate) fn keys(stored: &StoredSecret) -> Result<Vec<Key>, SecretError> {
    let place = SecretPlace::parse(stored.expose());
    let read = place.as_ref().map(SecretPlace::read).transpose().map_err(SecretError::Unread)?;
    let text = read.as_deref().unwrap_or(stored.expose());
    let keys: Option<Vec<Key>> = text.split_whitespace().map(Key::parse).collect();
    keys.filter(|keys| !keys.is_empty()).ok_or_else(|| {
        SecretError::NoSecret(place.map_or_else(|| "the store".to_owned(), |place| format!("`{place}`")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_made_can_be_used_and_is_another_each_time() {
        let [one, other] = [make_secret().unwrap(), make_secret().unwrap()];
        assert_ne!(one, other);
        assert_eq!(keys(&one).unwrap()[0].bytes().len(), MADE);
        assert_eq!(format!("{one:?}"), "***");
    }

    #[test]
    fn a_file_may_hold_the_old_secret_beside_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let [one, other] = [make_secret().unwrap(), make_secret().unwrap()];
        std::fs::write(&file, format!("{}\n{}\n", one.expose(), other.expose())).unwrap();
        let stored = stored_secret(&format!("file:{}", file.display())).unwrap();
        assert_eq!(keys(&stored).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passwords");
        std::fs::write(&file, "hunter2").unwrap();
        for place in [
            format!("file:{}", file.display()),
            format!("file:{}", folder.path().display()),
            "file:/dev/zero".to_owned(),
            "env:PATH".to_owned(),
            "env:NO_SUCH_VARIABLE_HERE".to_owned(),
            "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ] {
            let error = stored_secret(&place).expect_err(&place).to_string();
            assert!(!error.contains("hunter2") && !error.contains("AAAA") && !error.contains("/usr/bin"), "{error}");
        }
    }
}
