//! Where the value of an injected header is: outside of the settings where it is secret.

use bulkhead_secrets::{SecretError, SecretPlace, text_or_none};
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Headers whose value is a secret by what they are called.
const SECRET_WORDS: [&str; 6] = ["authorization", "cookie", "token", "secret", "password", "key"];

/// Where the value is: `env:NAME` or `file:PATH`, perhaps after a word such as `Bearer `; or the value itself, where it is
/// no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderPlace(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Secret(SecretHeader),
    /// The value, not secret.
    Plain(String),
    /// Something that is no text: nothing of it is kept.
    Unknown,
}

/// A secret, and the word that stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretHeader {
    before: String,
    place: SecretPlace,
}

/// What gives the value for a request.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// It was read when the host started.
    Kept(Value),
    /// It is read each time, so that a secret which is changed needs no new start.
    Read(SecretHeader),
}

/// The value of an injected header.
#[derive(Clone)]
pub(crate) struct Value {
    pub(crate) header: HeaderValue,
    /// The part of it that nobody may see.
    pub(crate) secret: Option<Vec<u8>>,
}

impl std::fmt::Debug for Value {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Value(***)")
    }
}

impl Value {
    fn secret(before: &str, text: &str) -> Option<Self> {
        let text = text.trim();
        let mut header = HeaderValue::from_str(&format!("{before}{text}")).ok()?;
        header.set_sensitive(true);
        (!text.is_empty()).then(|| Self { header, secret: Some(text.as_bytes().to_vec()) })
    }
}

/// Why there is no value, to be said of it.
#[derive(Debug, thiserror::Error)]
enum NoValue {
    #[error(transparent)]
    Secret(SecretError),
    #[error("must be visible characters on one line: `{0}`")]
    Malformed(SecretPlace),
}

impl NoValue {
    /// The same for the log of a task, whose readers may not know where the host keeps its secrets.
    fn without_place(&self) -> String {
        match self {
            Self::Secret(error) => error.without_place(),
            Self::Malformed(_) => "must be visible characters on one line".to_owned(),
        }
    }
}

impl SecretHeader {
    fn read(&self) -> Result<Value, NoValue> {
        let text = self.place.read().map_err(NoValue::Secret)?;
        Value::secret(&self.before, &text).ok_or_else(|| NoValue::Malformed(self.place.clone()))
    }
}

impl HeaderPlace {
    /// Takes a place, or a plain value, as the settings file has it.
    pub fn new(text: &str) -> Self {
        let after_a_word = || {
            let (word, rest) = text.split_once(' ')?;
            Some(SecretHeader { before: format!("{word} "), place: SecretPlace::parse(rest)? })
        };
        let alone = || Some(SecretHeader { before: String::new(), place: SecretPlace::parse(text)? });
        Self(after_a_word().or_else(alone).map_or_else(|| Place::Plain(text.to_owned()), Place::Secret))
    }

    /// Forgets a value that is given itself and is secret by the name of its header.
    pub(crate) fn forget_secret(&mut self, header: &str) {
        let name = header.to_ascii_lowercase();
        if matches!(self.0, Place::Plain(_)) && SECRET_WORDS.iter().any(|word| name.contains(word)) {
            self.0 = Place::Unknown;
        }
    }

    /// Reads the value now, and gives what gives it for each request; else the rule that it breaks.
    pub(crate) fn open(&self) -> Result<Source, String> {
        match &self.0 {
            Place::Secret(secret) => {
                let value = secret.read().map_err(|error| error.to_string())?;
                Ok(match secret.place {
                    SecretPlace::Variable(_) => Source::Kept(value),
                    SecretPlace::File(_) => Source::Read(secret.clone()),
                })
            }
            Place::Plain(text) => {
                let header =
                    HeaderValue::from_str(text).map_err(|_| "must be visible characters on one line".to_owned());
                Ok(Source::Kept(Value { header: header?, secret: None }))
            }
            Place::Unknown => Err("must be \"env:NAME\" or \"file:PATH\", and is never given itself".to_owned()),
        }
    }
}

impl Source {
    /// The value as it is now; off the runtime's threads where a file is read.
    pub(crate) async fn value(&self) -> Result<Value, String> {
        match self {
            Self::Kept(value) => Ok(value.clone()),
            Self::Read(secret) => {
                let secret = secret.clone();
                match tokio::task::spawn_blocking(move || secret.read()).await {
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "the value of an injected header is not there");
                        Err(error.without_place())
                    }
                    Ok(Ok(value)) => Ok(value),
                    Err(_) => Err("cannot be read: the reading ended".to_owned()),
                }
            }
        }
    }
}

/// Whether an operator may inject it: the connection's own headers are the host's.
pub(crate) fn may_be_injected(name: &HeaderName) -> bool {
    const OWN: [&str; 11] = [
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    !OWN.contains(&name.as_str())
}

impl Serialize for HeaderPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Place::Secret(SecretHeader { before, place }) => serializer.collect_str(&format_args!("{before}{place}")),
            Place::Plain(text) => serializer.serialize_str(text),
            Place::Unknown => serializer.serialize_str("***"),
        }
    }
}

impl<'de> Deserialize<'de> for HeaderPlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = text_or_none(deserializer)?;
        Ok(text.as_deref().map_or(Self(Place::Unknown), Self::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(source: &Source) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(source.value()).unwrap()
    }

    #[test]
    fn a_secret_is_read_from_its_place_and_shown_nowhere() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "sesame-one\n").unwrap();
        for before in ["", "Bearer "] {
            let place = HeaderPlace::new(&format!("{before}file:{}", file.path().display()));
            let source = place.open().unwrap();
            let read = value(&source);
            assert_eq!(read.header.to_str().unwrap(), format!("{before}sesame-one"));
            assert_eq!(read.secret.as_deref(), Some("sesame-one".as_bytes()));
            let shown = format!("{place:?}{source:?}{read:?}{:?}", read.header);
            assert!(!shown.contains("sesame"), "{shown}");
        }
    }

    #[test]
    fn a_file_that_is_changed_gives_the_new_secret() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "one").unwrap();
        let source = HeaderPlace::new(&format!("file:{}", file.path().display())).open().unwrap();
        std::fs::write(&file, "two").unwrap();
        assert_eq!(value(&source).header, "two");
    }

    #[test]
    fn a_file_that_is_gone_or_holds_no_value_is_not_named_to_who_asks() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "one").unwrap();
        let source = HeaderPlace::new(&format!("Bearer file:{}", file.display())).open().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (is_gone, why) in [(false, "one line"), (true, "cannot be read")] {
            std::fs::write(&file, "a\nb").unwrap();
            if is_gone {
                std::fs::remove_file(&file).unwrap();
            }
            let told = runtime.block_on(source.value()).expect_err("no value");
            assert!(told.contains(why) && !told.contains("token"), "{told}");
        }
    }

    #[test]
    fn a_value_that_is_no_secret_may_be_given_itself() {
        let mut place = HeaderPlace::new("application/json; charset=utf-8");
        place.forget_secret("Accept");
        let read = value(&place.open().unwrap());
        assert_eq!((read.header.to_str().unwrap(), read.secret), ("application/json; charset=utf-8", None));
    }

    #[test]
    fn a_secret_that_is_given_itself_is_refused_and_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            format!("file:{}", folder.path().join(name).display())
        };
        for text in [
            "sesame".to_owned(),
            "Bearer sesame".to_owned(),
            "env:".to_owned(),
            "env:NO_SUCH_VARIABLE_HERE".to_owned(),
            "Bearer env:NO_SUCH_VARIABLE_HERE".to_owned(),
            "file:/dev/zero".to_owned(),
            format!("file:{}", folder.path().display()),
            write("empty", " \n"),
            write("two", "sesame\nopen"),
            write("long", &"sesame".repeat(2_000)),
        ] {
            for name in ["Authorization", "X-Api-Key", "cookie", "X-Auth-Token"] {
                let mut place = HeaderPlace::new(&text);
                place.forget_secret(name);
                let error = place.open().expect_err(&text);
                assert!(!format!("{error} {place:?}").contains("sesame"), "{error} {place:?}");
            }
        }
    }

    #[test]
    fn no_line_of_the_settings_with_a_secret_is_told() {
        #[derive(Deserialize)]
        struct Table {
            value: HeaderPlace,
        }
        for written in ["31337", "-31337", "0.31337", "[\"sesame\"]", "{ sesame = \"sesame\" }", "true"] {
            let table: Table = toml::from_str(&format!("value = {written}")).unwrap();
            assert_eq!(table.value, HeaderPlace(Place::Unknown));
            assert!(table.value.open().is_err());
        }
    }
}
