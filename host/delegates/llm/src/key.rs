//! Keys of backends: kept outside of the settings, and named there by `env:NAME` or `file:PATH`.

use bulkhead_secrets::{SecretError, SecretPlace, text_or_none};
use reqwest::header::HeaderValue;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a key is: `env:NAME` or `file:PATH`. A key that is given itself is dropped as it is read, and refused later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlace(Option<SecretPlace>);

/// Why there is no key. Nothing of what was read is said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is given itself.
    #[error("its key must be \"env:NAME\" or \"file:PATH\", and is never given itself")]
    Given,
    /// It is not where it should be.
    #[error("its key {0}")]
    Secret(SecretError),
    /// Something else is there.
    #[error("its key must be one word of visible ASCII characters, which is not so at `{0}`")]
    NoKey(String),
}

impl KeyError {
    /// The same for guests, who may not know where the host keeps its keys.
    pub(crate) fn without_place(&self) -> String {
        match self {
            Self::Given => self.to_string(),
            Self::Secret(error) => format!("its key {}", error.without_place()),
            Self::NoKey(_) => "its key is not one word of visible ASCII characters".to_owned(),
        }
    }
}

impl KeyPlace {
    /// Takes a place as the settings file has it.
    pub fn new(text: &str) -> Self {
        Self(SecretPlace::parse(text))
    }

    /// Reads the key now: a variable is kept, a file is read again for each request.
    pub(crate) fn open(&self) -> Result<KeySource, KeyError> {
        let place = self.0.as_ref().ok_or(KeyError::Given)?;
        let key = read(place)?;
        Ok(match place {
            SecretPlace::Variable(_) => KeySource::Kept(key),
            SecretPlace::File(_) => KeySource::Read(place.clone()),
        })
    }
}

fn read(place: &SecretPlace) -> Result<Key, KeyError> {
    let text = place.read().map_err(KeyError::Secret)?;
    Key::parse(&text).ok_or_else(|| KeyError::NoKey(place.to_string()))
}

/// What gives the key for a request.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// The backend wants none.
    None,
    /// It was read when the host started.
    Kept(Key),
    /// It is read each time, so that a key which is changed needs no new start.
    Read(SecretPlace),
}

impl KeySource {
    /// The key as it is now; off the runtime's threads where a file is read.
    pub(crate) async fn key(&self) -> Result<Option<Key>, KeyError> {
        match self {
            Self::None => Ok(None),
            Self::Kept(key) => Ok(Some(key.clone())),
            Self::Read(place) => {
                let (place, name) = (place.clone(), place.to_string());
                let key = tokio::task::spawn_blocking(move || read(&place)).await;
                // The runtime ends, or the reading panicked: there is no key.
                key.unwrap_or(Err(KeyError::NoKey(name))).map(Some)
            }
        }
    }
}

/// A key, as the value of a header.
#[derive(Clone)]
pub(crate) struct Key(HeaderValue);

/// What stands before a key in its header.
const SCHEME: &str = "Bearer ";

impl Key {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut header = HeaderValue::from_str(&format!("{SCHEME}{text}")).ok()?;
        header.set_sensitive(true);
        Some(Self(header))
    }

    /// The value of `Authorization`.
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Whether a text holds the key or a part of it.
    pub(crate) fn shows_in(&self, text: &str) -> bool {
        let key = self.0.to_str().ok().and_then(|value| value.strip_prefix(SCHEME)).unwrap_or_default();
        text.contains(key) || key.contains(text)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(***)")
    }
}

impl Serialize for KeyPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(place) => serializer.collect_str(place),
            None => serializer.serialize_str("***"),
        }
    }
}

impl<'de> Deserialize<'de> for KeyPlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(text_or_none(deserializer)?.as_deref().and_then(SecretPlace::parse)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_place_of_a_key_is_refused_and_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            format!("file:{}", folder.path().join(name).display())
        };
        for text in [
            "sk-sesame".to_owned(),
            "env:".to_owned(),
            "env:NO_SUCH_VARIABLE_HERE".to_owned(),
            write("empty", " \n"),
            write("two", "sesame open"),
            write("binary", "sesame\u{1}"),
        ] {
            let place = KeyPlace::new(&text);
            let error = place.open().expect_err(&text).to_string();
            assert!(!format!("{error} {place:?}").contains("sesame"), "{error}");
        }
        for written in ["\"sk-sesame\"", "31337", "[\"sesame\"]"] {
            let place: KeyPlace = serde_json::from_str(written).unwrap();
            assert_eq!(place.open().unwrap_err(), KeyError::Given);
            assert_eq!(format!("{place:?}{}", serde_json::to_string(&place).unwrap()), "KeyPlace(None)\"***\"");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_changed_gives_the_new_key() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "sk-one\n").unwrap();
        let source = KeyPlace::new(&format!("file:{}", file.path().display())).open().unwrap();
        for text in ["sk-two", "sk-three"] {
            std::fs::write(&file, text).unwrap();
            let key = source.key().await.unwrap().unwrap();
            assert_eq!(key.header().to_str().unwrap(), format!("Bearer {text}"));
            assert!(!format!("{key:?}{source:?}{:?}", key.header()).contains("sk-"));
        }
    }
}
