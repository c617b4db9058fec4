//! Keys of backends: kept outside of the settings, and named there by `env:NAME` or `file:PATH`.

use std::io::Read;
use std::path::{Path, PathBuf};

use reqwest::header::HeaderValue;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest file of a key, in bytes; the longest keys in use are tokens of some 2 KiB.
const MAX_FILE: u64 = 8 << 10;

/// Where a key is: `env:NAME` or `file:PATH`. A key that is given itself is dropped as it is read, and refused later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlace(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Env(String),
    File(PathBuf),
    /// Something else stands there, perhaps the key itself: nothing of it is kept.
    Unknown,
}

/// Why there is no key. Nothing of what was read is said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is given itself.
    #[error("its key must be \"env:NAME\" or \"file:PATH\", and is never given itself")]
    Given,
    /// There is no such variable.
    #[error("its key is not in the host's environment; set it and start the host again: `{0}`")]
    NoVariable(String),
    /// There is no such file, or it cannot be read.
    #[error("the file of its key cannot be read by the host ({reason}): `{path}`")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Something else is there.
    #[error("its key must be one word of visible ASCII characters, which is not so in {0}")]
    NoKey(String),
}

impl KeyPlace {
    /// Takes a place as the settings file has it.
    pub fn new(text: &str) -> Self {
        Self(match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Place::Env(name.to_owned()),
            Some(("file", path)) if !path.is_empty() => Place::File(path.into()),
            _ => Place::Unknown,
        })
    }

    /// Reads the key now: a variable is kept, a file is read again for each request.
    pub(crate) fn open(&self) -> Result<KeySource, KeyError> {
        match &self.0 {
            Place::Env(name) => {
                let text = std::env::var(name).map_err(|_| KeyError::NoVariable(name.clone()))?;
                let key = Key::parse(&text);
                key.map(KeySource::Kept).ok_or_else(|| KeyError::NoKey(format!("the environment variable `{name}`")))
            }
            Place::File(path) => read(path).map(|_| KeySource::File(path.clone())),
            Place::Unknown => Err(KeyError::Given),
        }
    }
}

/// What gives the key for a request.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// The backend wants none.
    None,
    /// It was read when the host started.
    Kept(Key),
    /// It is read each time, so that a key which is changed needs no new start.
    File(PathBuf),
}

impl KeySource {
    /// The key as it is now; off the runtime's threads where a file is read.
    pub(crate) async fn key(&self) -> Result<Option<Key>, KeyError> {
        match self {
            Self::None => Ok(None),
            Self::Kept(key) => Ok(Some(key.clone())),
            Self::File(path) => {
                let file = path.clone();
                let read = tokio::task::spawn_blocking(move || read(&file)).await;
                read.unwrap_or_else(|_| Err(unreadable(path, "the reading ended"))).map(Some)
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

fn unreadable(path: &Path, reason: &str) -> KeyError {
    KeyError::Unreadable { path: path.display().to_string(), reason: reason.to_owned() }
}

/// A small regular file: no device or pipe, which could be read for ever.
fn read(path: &Path) -> Result<Key, KeyError> {
    let failed = |error: std::io::Error| unreadable(path, &error.kind().to_string());
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(unreadable(path, "it is no file"));
    }
    let mut text = String::new();
    std::fs::File::open(path).map_err(failed)?.take(MAX_FILE + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE {
        return Err(unreadable(path, "it is longer than 8 KiB"));
    }
    Key::parse(&text).ok_or_else(|| KeyError::NoKey(format!("the file `{}`", path.display())))
}

impl Serialize for KeyPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Place::Env(name) => serializer.collect_str(&format_args!("env:{name}")),
            Place::File(path) => serializer.collect_str(&format_args!("file:{}", path.display())),
            Place::Unknown => serializer.serialize_str("***"),
        }
    }
}

impl<'de> Deserialize<'de> for KeyPlace {
    /// Never fails: whoever prints a failure of the settings file prints the line at which it happened, and here that
    /// line could be the key.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = KeyPlace;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("\"env:NAME\" or \"file:PATH\"")
            }
            fn visit_str<E>(self, text: &str) -> Result<KeyPlace, E> {
                Ok(KeyPlace::new(text))
            }
            fn visit_bool<E>(self, _: bool) -> Result<KeyPlace, E> {
                Ok(KeyPlace(Place::Unknown))
            }
            fn visit_i64<E>(self, _: i64) -> Result<KeyPlace, E> {
                Ok(KeyPlace(Place::Unknown))
            }
            fn visit_u64<E>(self, _: u64) -> Result<KeyPlace, E> {
                Ok(KeyPlace(Place::Unknown))
            }
            fn visit_f64<E>(self, _: f64) -> Result<KeyPlace, E> {
                Ok(KeyPlace(Place::Unknown))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<KeyPlace, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(KeyPlace(Place::Unknown))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<KeyPlace, A::Error> {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(KeyPlace(Place::Unknown))
            }
        }
        deserializer.deserialize_any(Visitor)
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
            "file:/dev/zero".to_owned(),
            format!("file:{}", folder.path().display()),
            write("empty", " \n"),
            write("two", "sesame open"),
            write("long", &"sesame".repeat(2_000)),
            write("binary", "sesame\u{1}"),
        ] {
            let place = KeyPlace::new(&text);
            let error = place.open().expect_err(&text).to_string();
            assert!(!format!("{error} {place:?}").contains("sesame"), "{error}");
        }
        for written in
            ["\"sk-sesame\"", "31337", "-31337", "0.31337", "[\"sesame\"]", "{\"sesame\":\"sesame\"}", "true"]
        {
            let place: KeyPlace = serde_json::from_str(written).unwrap();
            assert_eq!(place.open().unwrap_err(), KeyError::Given);
            assert_eq!(format!("{place:?}{}", serde_json::to_string(&place).unwrap()), "KeyPlace(Unknown)\"***\"");
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
