//! Whether a request may be made at all, before anything is resolved or connected to.

use bulkhead_core::HandlerName;
use bulkhead_sandbox::{HttpFailure, HttpProblem};
use http::header::{HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, Method};

use crate::Origin;
use crate::origin::Target;

/// Bytes of path and query, which is where servers stop.
const MAX_PATH: usize = 8 << 10;
/// Lines of a request's headers.
const MAX_HEADERS: usize = 128;
/// Bytes of a request's headers.
const MAX_HEADER_BYTES: usize = 32 << 10;

/// Between the host and its neighbour alone; a guest that could set them could say where a request ends.
const HOP_BY_HOP: [HeaderName; 9] = [
    HOST,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    http::header::CONNECTION,
    http::header::PROXY_AUTHENTICATE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// A request that may be made.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) path: PathAndQuery,
    /// The guest's own.
    pub(crate) headers: HeaderMap,
}

/// Checks a request against what is granted and bounded.
pub(crate) fn admit(
    handler: &HandlerName,
    origins: &[Origin],
    methods: &[Method],
    parts: Parts,
) -> Result<Admitted, HttpFailure> {
    let Parts { method, uri, mut headers, .. } = parts;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let target = Target::parse(uri.scheme_str().unwrap_or_default(), authority)
        .ok_or_else(|| HttpFailure::from(HttpProblem::Uri))?;
    if !origins.iter().any(|origin| origin.matches(&target)) {
        let text = format!("handler.{handler}.grants.http.origins does not list `{target}`; add it");
        return Err(HttpFailure::new(HttpProblem::Denied, text));
    }
    if !methods.contains(&method) {
        let name: String = method.as_str().chars().take(32).collect();
        let text = format!("handler.{handler}.grants.http.methods does not list `{name}`; add it");
        return Err(HttpFailure::new(HttpProblem::Denied, text));
    }
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    if path.len() > MAX_PATH {
        let text = format!("path and query have {} bytes; at most {MAX_PATH}", path.len());
        return Err(HttpFailure::new(HttpProblem::Uri, text));
    }
    // A query without a path is one of `/`; without it, the line of the request would be none.
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let path = path.parse().map_err(|_| HttpFailure::from(HttpProblem::Uri))?;
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        let text = format!(
            "{} headers of {bytes} bytes; at most {MAX_HEADERS} headers and {MAX_HEADER_BYTES} bytes",
            headers.len()
        );
        return Err(HttpFailure::new(HttpProblem::RequestHeaders, text));
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    Ok(Admitted { method, target, path, headers })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn admitted(request: http::request::Builder) -> Result<Admitted, HttpFailure> {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let origins = ["https://api.example.org", "https://*.example.net"].map(|text| Origin::parse(text).unwrap());
        admit(&HandlerName::parse("fetch").unwrap(), &origins, &[Method::GET, Method::POST], parts)
    }

    fn to(uri: &str) -> http::request::Builder {
        Request::get(uri)
    }

    #[test]
    fn what_is_granted_is_admitted_as_it_is() {
        let request = to("https://API.example.org:443/a/../b?c=d#e").header("x-a", "1").header("authorization", "mine");
        let admitted = admitted(request).unwrap();
        assert_eq!(admitted.target.to_string(), "https://api.example.org");
        assert_eq!(admitted.path, "/a/../b?c=d");
        assert_eq!((admitted.method, admitted.headers.len()), (Method::GET, 2));
    }

    #[test]
    fn an_origin_or_a_method_that_is_not_listed_is_denied_and_the_setting_is_named() {
        for uri in
            ["http://api.example.org/", "https://example.net/", "https://10.0.0.1/", "https://api.example.org:8/"]
        {
            let failure = admitted(to(uri)).unwrap_err();
            assert_eq!(failure.problem, HttpProblem::Denied, "{uri}");
            assert!(failure.to_string().contains("handler.fetch.grants.http.origins"), "{failure}");
        }
        let failure = admitted(Request::delete("https://a.example.net/x?token=sesame")).unwrap_err();
        assert_eq!(failure.problem, HttpProblem::Denied);
        assert!(failure.to_string().contains("grants.http.methods does not list `DELETE`"), "{failure}");
        assert!(!failure.to_string().contains("sesame"), "{failure}");
    }

    #[test]
    fn what_is_no_request_to_anybody_is_refused() {
        for uri in ["https://u:p@api.example.org/", "ftp://api.example.org/", "/path"] {
            assert_eq!(admitted(to(uri)).unwrap_err().problem, HttpProblem::Uri, "{uri}");
        }
        let long = format!("https://api.example.org/{}", "x".repeat(MAX_PATH));
        assert_eq!(admitted(to(&long)).unwrap_err().problem, HttpProblem::Uri);
    }

    #[test]
    fn headers_are_bounded_in_number_and_size() {
        let many = (0..=MAX_HEADERS)
            .fold(to("https://api.example.org"), |request, number| request.header(format!("x-{number}"), ""));
        assert_eq!(admitted(many).unwrap_err().problem, HttpProblem::RequestHeaders);
        let long = to("https://api.example.org").header("x-long", "x".repeat(MAX_HEADER_BYTES));
        assert_eq!(admitted(long).unwrap_err().problem, HttpProblem::RequestHeaders);
    }

    #[test]
    fn headers_between_neighbours_are_the_hosts() {
        let request = ["host", "Connection", "te", "Transfer-Encoding", "upgrade", "trailer", "keep-alive"]
            .into_iter()
            .fold(to("https://api.example.org").header("x-a", "1"), |request, name| request.header(name, "x"));
        let admitted = admitted(request).unwrap();
        assert_eq!(admitted.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-a"]);
    }
}
