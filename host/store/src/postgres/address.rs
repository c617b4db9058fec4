//! The address of a database, as it may be said aloud.

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::StoreError;

use super::failure::words;

/// Where a server listens that is not told otherwise.
const USUAL_PORT: u16 = 5432;

/// Whether an address can be used at all; no connection is made.
pub fn check_url(url: &str) -> Result<(), StoreError> {
    let refused = |reason| Err(StoreError::Unreachable { reason });
    match parse(url) {
        Ok(config) if config.get_hosts().is_empty() => refused("the address names no host".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => refused(words(&error)),
    }
}

/// What an address says. Without `sslmode=require` nothing is encrypted, and with it the server's certificate is checked, as
/// `verify-full` of libpq says.
pub(super) fn parse(url: &str) -> Result<Config, tokio_postgres::Error> {
    let mut config: Config = url.replace("sslmode=verify-full", "sslmode=require").parse()?;
    if config.get_ssl_mode() == SslMode::Prefer {
        config.ssl_mode(SslMode::Disable);
    }
    Ok(config)
}

/// Whether an address has a password in it.
pub fn has_password(url: &str) -> bool {
    // What cannot be read may have one, too.
    parse(url).map_or_else(|_| url.contains("password") || url.contains('@'), |it| it.get_password().is_some())
}

/// An address for people: user, host, port and database, and never a password.
pub fn shown_url(url: &str) -> String {
    let Ok(config) = parse(url) else { return "postgres://…".to_owned() };
    let ports = config.get_ports();
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(place, host)| {
            let name = match host {
                Host::Tcp(name) if name.contains(':') => format!("[{name}]"),
                Host::Tcp(name) => name.clone(),
                Host::Unix(folder) => folder.display().to_string().replace('/', "%2F"),
            };
            match ports.get(place).or(ports.first()).filter(|port| **port != USUAL_PORT) {
                Some(port) => format!("{name}:{port}"),
                None => name,
            }
        })
        .collect();
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    let database = config.get_dbname().map(|name| format!("/{name}")).unwrap_or_default();
    format!("postgres://{user}{}{database}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_and_never_shown() {
        for (url, shown) in [
            ("postgres://me:secret@db:5433/b", "postgres://me@db:5433/b"),
            ("postgresql://me@db/b?password=secret", "postgres://me@db/b"),
            ("postgres://db/b?user=me&p%61ssword=secret", "postgres://me@db/b"),
            ("postgres://me:s/?#secret@db/b", "postgres://me@db/b"),
            ("postgres://me:secret@one:1,two:2/b", "postgres://me@one:1,two:2/b"),
            ("postgres://me:secret@db:port/b", "postgres://…"),
        ] {
            assert_eq!((shown_url(url).as_str(), has_password(url)), (shown, true), "{url}");
            let refusal = check_url(url).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!refusal.contains("secret"), "{refusal}");
        }
    }

    #[test]
    fn an_address_without_a_password_is_shown_as_it_is() {
        for url in ["postgres://me@db:5433/b", "postgres://db/b", "postgres://me@%2Frun%2Fpostgresql/b"] {
            assert_eq!((shown_url(url).as_str(), has_password(url)), (url, false));
            assert_eq!(check_url(url), Ok(()));
        }
    }

    #[test]
    fn only_who_asks_for_tls_gets_it() {
        let mode = |url: &str| parse(url).expect("an address").get_ssl_mode();
        assert_eq!(mode("postgres://db/b"), SslMode::Disable);
        assert_eq!(mode("postgres://db/b?sslmode=prefer"), SslMode::Disable);
        assert_eq!(mode("postgres://db/b?sslmode=require"), SslMode::Require);
        assert_eq!(mode("postgres://db/b?sslmode=verify-full&connect_timeout=3"), SslMode::Require);
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused() {
        for (url, why) in [("postgres:///b", "no host"), ("postgres://db/b?colour=red", "colour")] {
            let refusal = check_url(url).expect_err("refused").to_string();
            assert!(refusal.contains(why), "{refusal}");
        }
    }
}
