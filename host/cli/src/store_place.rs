//! Where the store is, as `store.url` says.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use bulkhead_secrets::SecretPlace;
use bulkhead_store::postgres;

/// Where the store is. Displayed, it shows no password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StorePlace {
    /// A file of SQLite.
    File(PathBuf),
    /// A database on a PostgreSQL server.
    Server {
        /// Its address, perhaps with a password.
        url: String,
        /// What a shell puts in the place of that address: a name, or a file, where the settings say one.
        in_shell: String,
    },
}

impl StorePlace {
    /// Reads what a setting says, such as `store.url`; an address that has a password in it comes from the environment or a
    /// file.
    pub(crate) fn parse(setting: &str, said: &str) -> Result<Self> {
        if let Some(place) = SecretPlace::parse(said) {
            let url = place.read().map_err(|error| anyhow!("what {setting} names {error}"))?;
            let in_shell = match &place {
                SecretPlace::Variable(name) => format!("\"${name}\""),
                SecretPlace::File(file) => format!("\"$(cat '{}')\"", file.display()),
            };
            return Self::address(setting, url.trim(), said, in_shell);
        }
        if is_postgres(said) && postgres::has_password(said) {
            bail!(
                "{setting} has a password in it, which settings and process lists show; put the whole address into an \
                 environment variable or a file, and set {setting} to env:NAME or file:PATH"
            );
        }
        Self::address(setting, said, said, format!("'{said}'"))
    }

    fn address(setting: &str, url: &str, said: &str, in_shell: String) -> Result<Self> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(_) if is_postgres(url) => {
                postgres::check_url(url)
                    .with_context(|| format!("{setting} is refused: `{}`", postgres::shown_url(url)))?;
                Ok(Self::Server { url: url.to_owned(), in_shell })
            }
            // Not what was read in its place: that is a secret.
            _ => bail!(
                "{setting} must be sqlite:FILE or postgres://USER@HOST/DATABASE, or env:NAME or file:PATH of one: `{said}`"
            ),
        }
    }
}

impl fmt::Display for StorePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "sqlite:{}", path.display()),
            Self::Server { url, .. } => formatter.write_str(&postgres::shown_url(url)),
        }
    }
}

impl fmt::Debug for StorePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StorePlace({self})")
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_a_file_and_its_password_is_not_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("address");
        std::fs::write(&file, "postgres://me:secret@db/b\n").expect("a file");
        let place = StorePlace::parse("store.url", &format!("file:{}", file.display())).expect("a place");
        assert_eq!(place.to_string(), "postgres://me@db/b");
        assert!(!format!("{place:?}").contains("secret"));
        let StorePlace::Server { url, in_shell } = place else { panic!("no server") };
        assert_eq!(url, "postgres://me:secret@db/b");
        assert_eq!(in_shell, format!("\"$(cat '{}')\"", file.display()));
        assert_eq!(StorePlace::parse("store.url", "env:CARGO_PKG_NAME").map_err(|error| error.to_string()), {
            Err("store.url must be sqlite:FILE or postgres://USER@HOST/DATABASE, or env:NAME or file:PATH of one: `env:CARGO_PKG_NAME`".to_owned())
        });
    }

    #[test]
    fn what_is_refused_names_the_next_step_and_no_password() {
        for (said, words) in [
            ("postgres://me:secret@db/b", "env:NAME or file:PATH"),
            ("postgres://me@db/b?password=secret", "env:NAME or file:PATH"),
            ("postgresql://db/b?sslmode=allow", "sslmode"),
            ("mysql://me:x@db/b", "postgres://USER@HOST/DATABASE"),
            ("sqlite:", "sqlite:FILE"),
            ("env:NOBODY_SETS_THIS", "`NOBODY_SETS_THIS`"),
            ("file:nowhere", "`nowhere`"),
        ] {
            let error = format!("{:#}", StorePlace::parse("store.url", said).expect_err("refused"));
            assert!(error.contains(words) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_file_of_sqlite_is_named() {
        assert_eq!(
            StorePlace::parse("store.url", "sqlite:a/b.db").expect("a place"),
            StorePlace::File("a/b.db".into())
        );
    }
}
