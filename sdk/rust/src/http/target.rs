//! Where a request goes.

/// A URL's parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) is_encrypted: bool,
    pub(super) authority: String,
    /// With the query.
    pub(super) path: String,
}

impl Target {
    /// The parts of a URL, or which rule it breaks; the URL is not in the text, for its query may be a secret.
    pub(super) fn parse(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let is_encrypted = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err("`url` must begin with https:// or http://"),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("`url` must not name a user; the operator's grant sets the header Authorization");
        }
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if authority.is_empty() || !is_plain(authority) {
            return Err("`url` must name a host, in ASCII");
        }
        if !is_plain(path) {
            return Err("`url` must have its spaces, control characters and what is beyond ASCII percent-encoded");
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self { is_encrypted, authority: authority.to_ascii_lowercase(), path: format!("{slash}{path}") })
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", if self.is_encrypted { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_an_origin_and_a_path_with_its_query() {
        for (url, origin, path) in [
            ("https://api.example.org/v1/a?b=c#d", "https://api.example.org", "/v1/a?b=c"),
            ("HTTP://Example.org:8080", "http://example.org:8080", "/"),
            ("http://[::1]:80?q", "http://[::1]:80", "/?q"),
            ("http://a?b=http://c/d", "http://a", "/?b=http://c/d"),
            ("http://a/b@c", "http://a", "/b@c"),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!((target.origin().as_str(), target.path.as_str()), (origin, path), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_told() {
        for url in
            ["", "sesame", "ftp://sesame", "http://", "https:///sesame", "http://me:sesame@a/", "http://ä/sesame"]
        {
            assert!(!Target::parse(url).unwrap_err().contains("sesame"), "{url}");
        }
        for url in ["http://a/b c", "http://a/ü", "http://a/\r\nx: y", "http://a\n/"] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
