//! Where a webhook's events are sent.

use std::net::IpAddr;

use bulkhead_outbound::{AddressRules, RefusedAddress};
use url::{Host, Url};

/// The longest URL.
const MAX_URL: usize = 2_048;

/// A URL that events can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    port: u16,
}

/// Why nothing can be sent to a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is none, or of a kind that is not sent to.
    #[error("url must be {rule}")]
    Url {
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// Its address is not allowed.
    #[error("url: {0}; add it, or its network, to webhooks.allow to send there")]
    Address(#[from] RefusedAddress),
    /// What is sent there could be read on its way.
    #[error("url: http is for addresses that webhooks.allow names; use https for `{0}`")]
    Plain(IpAddr),
}

impl Endpoint {
    /// Parses a URL, and refuses one whose address is known already and not allowed. A name is resolved, and the address
    /// that it leads to checked, each time something is sent.
    pub fn parse(text: &str, rules: &AddressRules) -> Result<Self, EndpointError> {
        let refuse = |rule| EndpointError::Url { rule };
        if text.len() > MAX_URL {
            return Err(refuse("at most 2048 characters long"));
        }
        let url = Url::parse(text).map_err(|_| refuse("a whole URL, such as https://example.com/hooks"))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(refuse("an https URL, or an http URL of an address that webhooks.allow names"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("without user and password; receivers know the host by its signature"));
        }
        if url.fragment().is_some() {
            return Err(refuse("without a fragment (#…)"));
        }
        let port = url.port_or_known_default().filter(|port| *port != 0);
        let endpoint = Self { port: port.ok_or_else(|| refuse("with a port that is not 0"))?, url };
        match endpoint.url.host() {
            Some(Host::Ipv4(address)) => endpoint.check(address.into(), rules)?,
            Some(Host::Ipv6(address)) => endpoint.check(address.into(), rules)?,
            Some(Host::Domain(_)) => {}
            None => return Err(refuse("a whole URL, such as https://example.com/hooks")),
        }
        Ok(endpoint)
    }

    /// Refuses an address that the URL leads to.
    pub(crate) fn check(&self, address: IpAddr, rules: &AddressRules) -> Result<(), EndpointError> {
        rules.check(address)?;
        if self.is_encrypted() || rules.is_named(address) { Ok(()) } else { Err(EndpointError::Plain(address)) }
    }

    /// Whether it is an https URL.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Name or address, as a resolver and TLS take it.
    pub(crate) fn host(&self) -> String {
        match self.url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// What stands in the `Host` header.
    pub(crate) fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// What stands in the request line.
    pub(crate) fn path(&self) -> String {
        self.url.query().map_or_else(|| self.url.path().to_owned(), |query| format!("{}?{query}", self.url.path()))
    }

    /// The URL as it is shown: of its query, which may have a token in it, only that there is one.
    pub fn shown(url: &str) -> String {
        match url.split_once('?') {
            Some((before, _)) => format!("{before}?…"),
            None => url.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::parse(text, &AddressRules::new(vec!["10.1.0.0/16".parse().unwrap()]))
    }

    #[test]
    fn a_url_is_taken_apart() {
        let endpoint = parse("https://example.com:8443/hooks/a?b=c").unwrap();
        assert_eq!((endpoint.host().as_str(), endpoint.port()), ("example.com", 8443));
        assert_eq!((endpoint.authority().as_str(), endpoint.path().as_str()), ("example.com:8443", "/hooks/a?b=c"));
        assert_eq!(parse("https://[2606:4700::1111]/").unwrap().host(), "2606:4700::1111");
        assert!(parse("http://10.1.2.3/x").is_ok());
        assert_eq!(Endpoint::shown("https://a.b/c?token=secret"), "https://a.b/c?…");
    }

    #[test]
    fn a_url_that_leads_to_a_private_address_is_refused_however_it_is_written() {
        for text in [
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert!(matches!(parse(text), Err(EndpointError::Address(_))), "{text}: {:?}", parse(text));
        }
        assert!(matches!(parse("http://1.1.1.1/"), Err(EndpointError::Plain(_))));
    }

    #[test]
    fn what_is_no_url_of_a_receiver_is_refused() {
        for text in
            ["", "example.com", "ftp://a.b/", "https://u:p@a.b/", "https://a.b/#x", "file:///etc/passwd", "https://"]
        {
            assert!(matches!(parse(text), Err(EndpointError::Url { .. })), "{text}");
        }
        assert!(parse(&format!("https://a.b/{}", "x".repeat(3_000))).is_err());
    }
}
