//! `[handler.NAME.grants.http]`

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;

use bulkhead_core::{Size, Span};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{HeaderPlace, Origin};

/// What a handler may ask of others by HTTP, `[handler.NAME.grants.http]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpGrant {
    /// Whom it may ask, such as `https://api.example.org` or `https://*.example.org`; there must be one.
    pub origins: Vec<Origin>,
    /// By which methods: `GET` and `HEAD`.
    pub methods: Vec<String>,
    /// Networks, beside the public addresses, that may be connected to: none.
    pub addresses: Vec<IpNet>,
    /// Bytes of the body of a response: 16 MiB.
    pub body: Size,
    /// How long a request may take, from the look for the address to the end of the response: 30 s.
    pub timeout: Span,
    /// Requests of the handler under way at once on this host: 8; at most 1,024.
    pub concurrency: NonZeroU32,
    /// A file of certificates in PEM of authorities that are trusted beside the system's: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Headers that the host sets in requests for an origin, and the guest never sees: none.
    #[serde(deserialize_with = "headers")]
    pub headers: Headers,
}

type Headers = BTreeMap<Origin, BTreeMap<String, HeaderPlace>>;

/// A secret that is given itself is forgotten as it is read, and refused later.
fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Headers, D::Error> {
    let mut headers = Headers::deserialize(deserializer)?;
    for (name, place) in headers.values_mut().flatten() {
        place.forget_secret(name);
    }
    Ok(headers)
}

impl Default for HttpGrant {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            methods: vec!["GET".to_owned(), "HEAD".to_owned()],
            addresses: Vec::new(),
            body: Size::from_mib(16),
            timeout: Span::from_secs(30),
            concurrency: NonZeroU32::new(8).unwrap_or(NonZeroU32::MIN),
            ca: None,
            headers: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_read_as_it_is_written_down() {
        let text = "origins = [\"https://*.example.org\"]\nmethods = [\"POST\"]\naddresses = [\"10.0.0.0/8\"]\n\
                    body = \"1 MiB\"\ntimeout = \"5s\"\nconcurrency = 2\nca = \"ca.pem\"\n\
                    [headers.\"https://api.example.org\"]\nAuthorization = \"Bearer env:TOKEN\"\nX-Team = \"red\"\n";
        let grant: HttpGrant = toml::from_str(text).unwrap();
        assert_eq!((grant.body, grant.timeout, grant.concurrency.get()), (Size::from_mib(1), Span::from_secs(5), 2));
        assert_eq!(toml::from_str::<HttpGrant>(&toml::to_string(&grant).unwrap()).unwrap(), grant);
    }

    #[test]
    fn a_secret_that_is_given_itself_is_shown_nowhere() {
        let text = "[headers.\"https://a.example\"]\nAuthorization = \"Bearer sesame\"\nX-Key = \"sesame\"";
        let grant: HttpGrant = toml::from_str(text).unwrap();
        let shown = format!("{grant:?}{}", toml::to_string(&grant).unwrap());
        assert!(shown.contains("***") && !shown.contains("sesame"), "{shown}");
    }

    #[test]
    fn a_grant_has_defaults_and_refuses_what_it_does_not_know() {
        let grant: HttpGrant = toml::from_str("origins = [\"https://a.example\"]").unwrap();
        assert_eq!((grant.methods.join(" ").as_str(), grant.body), ("GET HEAD", Size::from_mib(16)));
        for text in [
            "origin = [\"https://a.example\"]",
            "origins = [\"a.example\"]",
            "concurrency = 0",
            "addresses = [\"10.0.0.0/99\"]",
            "[headers.a]\nx = \"y\"",
        ] {
            toml::from_str::<HttpGrant>(text).expect_err(text);
        }
    }
}
