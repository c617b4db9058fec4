//! Headers that the host sets in a guest's requests.

use http::{HeaderMap, HeaderName};

use crate::header_place::Source;
use crate::origin::{Origin, Target};

/// The headers of one origin or pattern.
#[derive(Debug)]
pub(crate) struct Injected {
    pub(crate) origin: Origin,
    pub(crate) headers: Vec<(HeaderName, Source)>,
}

/// What is set in one request.
#[derive(Debug, Default)]
pub(crate) struct Headers {
    pub(crate) values: HeaderMap,
    /// What nobody may see of them.
    pub(crate) secrets: Vec<Vec<u8>>,
}

/// The headers for a request to this target; of two for one name, that of the origin stands and not that of the pattern.
pub(crate) async fn headers(injected: &[Injected], target: &Target) -> Result<Headers, String> {
    let mut found = Headers::default();
    let (exact, patterns): (Vec<_>, Vec<_>) =
        injected.iter().filter(|of| of.origin.matches(target)).partition(|of| of.origin.is_exact());
    for (name, source) in patterns.iter().chain(&exact).flat_map(|of| &of.headers) {
        let value = source.value().await.map_err(|rule| format!("the value of the injected header {name} {rule}"))?;
        found.values.insert(name, value.header);
        found.secrets.extend(value.secret);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HeaderPlace;

    #[tokio::test]
    async fn headers_are_those_of_the_origin_and_of_no_other() {
        let of = |origin: &str, value: &str| Injected {
            origin: Origin::parse(origin).unwrap(),
            headers: vec![(HeaderName::from_static("x-team"), HeaderPlace::new(value).open().unwrap())],
        };
        let injected = [of("https://api.example.org", "api"), of("https://*.example.org", "all")];
        for (authority, value) in [("api.example.org", Some("api")), ("b.example.org", Some("all")), ("c.org", None)] {
            let target = Target::parse("https", authority).unwrap();
            let found = headers(&injected, &target).await.unwrap();
            assert_eq!(found.values.get("x-team").map(|value| value.to_str().unwrap()), value, "{authority}");
        }
    }
}
