//! Requests must name this machine: otherwise a page from elsewhere could reach the API through a visitor's browser.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// Refuses requests whose `Host` or `Origin` is not a loopback name or address.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    match refusal(&request) {
        Some(detail) => Problem::Forbidden(detail).into_response(),
        None => next.run(request).await,
    }
}

/// Why the request may not pass, where it may not.
fn refusal(request: &Request) -> Option<String> {
    let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?").to_owned());
    // HTTP/1.1 has the header; a target in absolute form comes before it.
    let host = request.uri().authority().map(ToString::to_string).or_else(|| text(header::HOST)).unwrap_or_default();
    if !is_loopback_authority(&host) {
        return Some(format!(
            "the Host header must name this machine (localhost, 127.0.0.1 or [::1]): `{}`",
            host.escape_debug()
        ));
    }
    let origin = text(header::ORIGIN).filter(|origin| !is_loopback_origin(origin))?;
    Some(format!("pages from another origin may not use this API: `{}`", origin.escape_debug()))
}

/// Whether `host[:port]` is a loopback name or address.
fn is_loopback_authority(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<axum::http::uri::Authority>() else { return false };
    let host = authority.host();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_loopback_origin(origin: &str) -> bool {
    origin
        .parse::<Uri>()
        .ok()
        .and_then(|uri| uri.authority().map(|authority| is_loopback_authority(authority.as_str())))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_and_addresses_pass() {
        for host in ["localhost", "LOCALHOST:7070", "127.0.0.1:1", "127.8.9.1", "[::1]:7070", "[::1]"] {
            assert!(is_loopback_authority(host), "{host}");
        }
        for host in
            ["", "example.com", "localhost.example.com", "10.0.0.1", "[::2]", "127.0.0.1.nip.io", "169.254.169.254"]
        {
            assert!(!is_loopback_authority(host), "{host}");
        }
    }

    #[test]
    fn only_pages_of_this_machine_pass() {
        assert!(is_loopback_origin("http://localhost:7070"));
        for origin in ["null", "https://example.com", "file://", "http://127.0.0.1.nip.io"] {
            assert!(!is_loopback_origin(origin), "{origin}");
        }
    }
}
