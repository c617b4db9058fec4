//! Whom a request is for: scheme, host and port.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// An origin as an operator lists it: `https://api.example.org`, `http://10.0.0.7:8080`, or `https://*.example.org`, which is
/// each name under `example.org`, and not that name itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    is_encrypted: bool,
    host: HostPattern,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum HostPattern {
    /// This host, normalised.
    Exactly(String),
    /// Each name that ends in this, which begins with a dot.
    Under(String),
}

/// Why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an origin must be {rule}: `{text}`")]
pub struct OriginError {
    rule: &'static str,
    text: String,
}

/// The origin of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) is_encrypted: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    is_name: bool,
}

/// The longest origin.
const MAX_ORIGIN: usize = 300;

impl Target {
    /// The origin of a request to this authority; none where there is none, or it has a user in it.
    pub(crate) fn parse(scheme: &str, authority: &str) -> Option<Self> {
        if authority.len() > MAX_ORIGIN || authority.contains('@') || !matches!(scheme, "http" | "https") {
            return None;
        }
        let url = Url::parse(&format!("{scheme}://{authority}/")).ok()?;
        let (host, is_name) = match url.host()? {
            Host::Domain(name) => (name.to_owned(), true),
            Host::Ipv4(address) => (address.to_string(), false),
            // As a resolver and TLS take it, which is without brackets.
            Host::Ipv6(address) => (address.to_string(), false),
        };
        let port = url.port_or_known_default().filter(|port| *port != 0)?;
        (url.path() == "/").then_some(Self { is_encrypted: scheme == "https", host, port, is_name })
    }

    /// What stands in the `Host` header.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == default_port(self.is_encrypted) { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", scheme(self.is_encrypted), self.authority())
    }
}

impl Origin {
    /// Parses an origin.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let refuse = |rule| OriginError { rule, text: text.chars().take(MAX_ORIGIN).collect() };
        let (scheme, rest) = text
            .split_once("://")
            .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
            .ok_or_else(|| refuse("http:// or https://, a host, and perhaps a port"))?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '@', '\\']) {
            return Err(refuse("without user, path, query and fragment"));
        }
        let (name, is_pattern) = match authority.strip_prefix("*.") {
            Some(under) => (under, true),
            None => (authority, false),
        };
        if name.contains('*') {
            return Err(refuse(
                "with a star for a whole name before the first dot only, such as https://*.example.org",
            ));
        }
        let target = Target::parse(scheme, name).ok_or_else(|| refuse("with a host, and a port that is not 0"))?;
        let host = match is_pattern {
            true if !target.is_name => return Err(refuse("with a name after the star")),
            true => HostPattern::Under(format!(".{}", target.host)),
            false => HostPattern::Exactly(target.host),
        };
        Ok(Self { is_encrypted: target.is_encrypted, host, port: target.port })
    }

    /// Whether the request is for this origin.
    pub(crate) fn matches(&self, target: &Target) -> bool {
        let host = match &self.host {
            HostPattern::Exactly(host) => *host == target.host,
            HostPattern::Under(end) => {
                target.is_name && target.host.len() > end.len() && target.host.ends_with(end.as_str())
            }
        };
        host && self.is_encrypted == target.is_encrypted && self.port == target.port
    }

    /// Whether each request for the other origin is one for this.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let host = match (&self.host, &other.host) {
            (HostPattern::Under(end), HostPattern::Exactly(host) | HostPattern::Under(host)) => {
                self.host == other.host || host.len() > end.len() && host.ends_with(end.as_str())
            }
            (mine, others) => mine == others,
        };
        host && self.is_encrypted == other.is_encrypted && self.port == other.port
    }

    /// Whether it is asked by TLS.
    pub(crate) const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether it is one host, and no pattern.
    pub(crate) const fn is_exact(&self) -> bool {
        matches!(self.host, HostPattern::Exactly(_))
    }
}

const fn scheme(is_encrypted: bool) -> &'static str {
    if is_encrypted { "https" } else { "http" }
}

const fn default_port(is_encrypted: bool) -> u16 {
    if is_encrypted { 443 } else { 80 }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, host) = match &self.host {
            HostPattern::Exactly(host) => ("", host.as_str()),
            HostPattern::Under(end) => ("*", end.as_str()),
        };
        write!(formatter, "{}://{before}", scheme(self.is_encrypted))?;
        if host.contains(':') { write!(formatter, "[{host}]") } else { formatter.write_str(host) }?;
        if self.port == default_port(self.is_encrypted) { Ok(()) } else { write!(formatter, ":{}", self.port) }
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        Self::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, scheme: &str, authority: &str) -> bool {
        let origin = Origin::parse(pattern).unwrap();
        Target::parse(scheme, authority).is_some_and(|target| origin.matches(&target))
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_however_they_are_written() {
        for (pattern, scheme, authority) in [
            ("https://api.example.org", "https", "API.example.ORG"),
            ("https://api.example.org/", "https", "api.example.org:443"),
            ("https://api.example.org:443", "https", "api.example.org"),
            ("http://api.example.org:8080", "http", "api.example.org:8080"),
            ("http://127.0.0.1:81", "http", "0x7f.1:81"),
            ("https://[::1]:8443", "https", "[0:0::1]:8443"),
            ("https://bücher.example", "https", "xn--bcher-kva.example"),
            ("https://*.example.org", "https", "a.b.example.org"),
        ] {
            assert!(matches(pattern, scheme, authority), "{pattern} {scheme}://{authority}");
        }
    }

    #[test]
    fn another_origin_is_another_however_near_it_looks() {
        for (pattern, scheme, authority) in [
            ("https://api.example.org", "http", "api.example.org:443"),
            ("https://api.example.org", "https", "api.example.org:8443"),
            ("https://api.example.org", "https", "evil-api.example.org"),
            ("https://api.example.org", "https", "api.example.org.evil.org"),
            ("https://api.example.org", "https", "api.example.org@evil.org"),
            ("https://api.example.org", "https", "evil.org@api.example.org"),
            ("https://api.example.org", "https", "api.example.org."),
            ("https://*.example.org", "https", "example.org"),
            ("https://*.example.org", "https", ".example.org"),
            ("https://*.example.org", "https", "evilexample.org"),
            ("https://*.example.org", "https", "a.example.org.evil.org"),
            ("https://*.example.org", "https", "a.example.org/evil"),
            ("http://10.0.0.1", "http", "10.0.0.10"),
        ] {
            assert!(!matches(pattern, scheme, authority), "{pattern} {scheme}://{authority}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "api.example.org",
            "ftp://a.b",
            "https://",
            "https://*",
            "https://*.",
            "https://a.*.org",
            "https://**.a.org",
            "https://*.10.0.0.1",
            "https://a.b/path",
            "https://a.b?query",
            "https://u:p@a.b",
            "https://a.b:0",
            "https://a.b:99999",
            "HTTPS://a.b",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pattern_covers_what_is_under_it() {
        let parse = |text| Origin::parse(text).unwrap();
        let pattern = parse("https://*.example.org");
        assert!(pattern.covers(&pattern) && pattern.covers(&parse("https://a.example.org")));
        assert!(pattern.covers(&parse("https://*.a.example.org")));
        for other in ["https://example.org", "http://a.example.org", "https://a.example.org:1", "https://*.org"] {
            assert!(!pattern.covers(&parse(other)), "{other}");
        }
        assert!(!parse("https://a.example.org").covers(&pattern));
    }

    proptest! {
        #[test]
        fn an_origin_is_read_as_it_is_shown(text in "(http|https)://(\\*\\.)?[a-z]{1,5}(\\.[a-z]{2,4}){0,2}(:[1-9][0-9]{0,3})?") {
            let origin = Origin::parse(&text).unwrap();
            prop_assert_eq!(Origin::parse(&origin.to_string()).unwrap(), origin);
        }

        #[test]
        fn no_authority_panics_and_none_with_a_user_is_taken(authority in ".{0,40}") {
            let target = Target::parse("https", &authority);
            prop_assert!(target.is_none() || !authority.contains('@'));
        }
    }
}
