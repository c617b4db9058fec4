//! Names of images, and the patterns that allow them.

use bulkhead_core::TextError;
use serde::{Deserialize, Serialize};

/// An image, by name and by tag or digest or both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageReference {
    name: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImageReference {
    /// Parses `name`, `name:tag`, `name@sha256:…` or `name:tag@sha256:…`; `name` alone means `name:latest`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        Self::try_parse(text).ok_or_else(|| TextError {
            what: "image",
            rule: "name:tag or name@sha256:…, at most 512 bytes",
            value: text.to_owned(),
        })
    }

    fn try_parse(text: &str) -> Option<Self> {
        if text.len() > 512 {
            return None;
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let (name, tag) = split_tag(rest);
        let valid = is_name(name) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
        let latest = (tag.is_none() && digest.is_none()).then_some("latest");
        valid.then(|| Self {
            name: name.to_owned(),
            tag: tag.or(latest).map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

impl std::fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(formatter, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Images that may be run: one, or every tag of a name (`name:*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImagePattern(Pattern);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Pattern {
    One(ImageReference),
    EveryTag(String),
}

impl ImagePattern {
    /// Parses `name:tag`, `name@sha256:…` or `name:*`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let pattern = match text.strip_suffix(":*") {
            Some(name) if is_name(name) && text.len() <= 512 => Some(Pattern::EveryTag(name.to_owned())),
            Some(_) => None,
            None => ImageReference::try_parse(text).map(Pattern::One),
        };
        pattern.map(Self).ok_or_else(|| TextError {
            what: "image",
            rule: "name:tag, name@sha256:… or name:*, at most 512 bytes",
            value: text.to_owned(),
        })
    }

    /// Whether it allows this image.
    ///
    /// `name:*` allows tags and no digests: a digest names anything that was ever pushed under that name.
    pub fn allows(&self, image: &ImageReference) -> bool {
        match &self.0 {
            Pattern::One(one) => one == image,
            Pattern::EveryTag(name) => *name == image.name && image.digest.is_none(),
        }
    }
}

impl TryFrom<String> for ImagePattern {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

impl From<ImagePattern> for String {
    fn from(pattern: ImagePattern) -> Self {
        match pattern.0 {
            Pattern::One(image) => image.to_string(),
            Pattern::EveryTag(name) => format!("{name}:*"),
        }
    }
}

/// Parts a name from its tag; a colon before the last slash is one of a registry's port.
fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (text, None),
    }
}

/// Parts of a path between slashes, the first perhaps with a port. Each begins with a letter or digit, so that none is
/// `..`: names become paths in the engine's API.
fn is_name(name: &str) -> bool {
    let (first, rest) = name.split_once('/').unwrap_or((name, ""));
    let (host, port) = match first.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (first, None),
    };
    let port_is_good = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let alone = !name.contains('/');
    is_part(host) && port_is_good && !(alone && port.is_some()) && (alone || rest.split('/').all(is_part))
}

fn is_part(part: &str) -> bool {
    part.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !tag.starts_with(['.', '-'])
}

fn is_digest(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, image: &str) -> bool {
        let image = ImageReference::parse(image).expect(image);
        ImagePattern::parse(pattern).expect(pattern).allows(&image)
    }

    fn digest() -> String {
        format!("sha256:{}", "0f".repeat(32))
    }

    #[test]
    fn a_pattern_allows_its_image_and_no_other() {
        assert!(allows("alpine:3", "alpine:3"));
        assert!(allows("alpine", "alpine:latest"));
        assert!(allows("localhost:5000/a/b:1", "localhost:5000/a/b:1"));
        assert!(allows(&format!("alpine@{}", digest()), &format!("alpine@{}", digest())));
        for image in ["alpine", "alpine:3.1", "evil/alpine:3", "alpine/evil:3", "docker.io/library/alpine:3"] {
            assert!(!allows("alpine:3", image), "{image}");
        }
        assert!(!allows("alpine:3", &format!("alpine:3@{}", digest())));
    }

    #[test]
    fn a_star_allows_every_tag_of_its_name_and_no_digest() {
        assert!(allows("alpine:*", "alpine:3"));
        assert!(allows("alpine:*", "alpine"));
        assert!(allows("localhost:5000/a:*", "localhost:5000/a:x"));
        assert!(!allows("alpine:*", "alpine-evil:3"));
        assert!(!allows("alpine:*", "alpine/evil:3"));
        assert!(!allows("alpine:*", &format!("alpine@{}", digest())));
    }

    #[test]
    fn what_is_no_name_of_an_image_is_refused() {
        let long = "a".repeat(600);
        for text in [
            "",
            ":",
            "a:",
            ":3",
            "a b",
            "a:b:c",
            "../x:1",
            "a/../b:1",
            "a/./b",
            "a//b",
            "/a",
            "a/",
            "-x",
            "a@",
            "a@sha256:12",
            "a?x=1",
            "a#x",
            "a%2f",
            "*",
            "a:5000",
            "ä",
            "a:-x",
            &long,
        ] {
            // A port alone reads as a tag.
            if text != "a:5000" {
                assert!(ImageReference::parse(text).is_err(), "{text}");
            }
        }
        for text in ["*", ":*", "*:*", "a*:1", "a/*", "a:1*", "a@sha256:*", "a:5000:*"] {
            assert!(ImagePattern::parse(text).is_err(), "{text}");
        }
    }
}
