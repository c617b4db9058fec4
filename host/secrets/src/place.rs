//! Where a secret is.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::SecretError;

/// The longest file of a secret, in bytes; the longest tokens in use have some 2 KiB.
const MAX_FILE: u64 = 8 << 10;

/// Where a secret is: `env:NAME` or `file:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// A variable of the host's environment.
    Variable(String),
    /// A file.
    File(PathBuf),
}

impl SecretPlace {
    /// Parses a place; none where the text is something else, which may be the secret itself.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Some(Self::Variable(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Some(Self::File(path.into())),
            _ => None,
        }
    }

    /// Reads what is there now, which blocks where it is a file.
    pub fn read(&self) -> Result<String, SecretError> {
        match self {
            Self::Variable(name) => std::env::var(name).map_err(|_| SecretError::NoVariable(name.clone())),
            Self::File(path) => {
                read(path).map_err(|reason| SecretError::Unreadable { path: path.display().to_string(), reason })
            }
        }
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(formatter, "env:{name}"),
            Self::File(path) => write!(formatter, "file:{}", path.display()),
        }
    }
}

/// A small regular file: no device or pipe, which could be read for ever.
fn read(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| error.kind().to_string();
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut text = String::new();
    File::open(path).map_err(failed)?.take(MAX_FILE + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE {
        return Err("it is longer than 8 KiB".to_owned());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_shown_and_nothing_else_is_one() {
        for text in ["env:TOKEN", "file:/run/secrets/token", "file:a:b"] {
            assert_eq!(SecretPlace::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "sesame", "env:", "file:", "ENV:TOKEN", "https://a.example"] {
            assert_eq!(SecretPlace::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_file_is_read_as_it_is_now_and_a_variable_as_it_was_set() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let place = SecretPlace::File(file.path().to_owned());
        for text in ["one", "two\n"] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(place.read().as_deref(), Ok(text));
        }
        assert_eq!(SecretPlace::parse("env:CARGO_PKG_NAME").unwrap().read().as_deref(), Ok("bulkhead-secrets"));
    }

    #[test]
    fn what_is_no_small_file_is_refused_and_nothing_of_it_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            format!("file:{}", path.display())
        };
        for (text, why) in [
            ("env:NO_SUCH_VARIABLE_HERE".to_owned(), "set it and start the host again"),
            ("file:/dev/zero".to_owned(), "no file"),
            (format!("file:{}", folder.path().display()), "no file"),
            (format!("file:{}/nowhere", folder.path().display()), "not found"),
            (write("long", &b"sesame".repeat(2_000)), "longer than 8 KiB"),
            (write("binary", b"sesame\xff"), "invalid data"),
        ] {
            let error = SecretPlace::parse(&text).unwrap().read().expect_err(&text).to_string();
            assert!(error.contains(why) && !error.contains("sesame"), "{error}");
            let told = SecretPlace::parse(&text).unwrap().read().expect_err(&text).without_place();
            let (_, place) = text.split_once(':').unwrap();
            assert!(error.contains(place) && !told.contains(place), "{told}");
        }
    }
}
