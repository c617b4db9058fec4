//! A path inside a workspace.

use bulkhead_sandbox::workspace::MAX_DEPTH;

/// The longest name of one file or folder, in bytes: what file systems take.
const MAX_NAME: usize = 255;
/// The longest path, in bytes.
const MAX_PATH: usize = 4 << 10;

/// A relative path whose parts are names, and nothing else: neither `..` nor `.`, and none is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspacePath(String);

impl WorkspacePath {
    /// Parses a path; the error says which rule it breaks.
    pub fn parse(text: impl Into<String>) -> Result<Self, &'static str> {
        let text = text.into();
        if text.is_empty() || text.len() > MAX_PATH {
            return Err("a path must be 1 to 4096 bytes");
        }
        if text.starts_with('/') {
            return Err("a path must be relative to the workspace");
        }
        if text.contains('\0') {
            return Err("a path must not contain NUL");
        }
        if text.split('/').any(|name| matches!(name, "" | "." | "..") || name.len() > MAX_NAME) {
            return Err("a path must be names of 1 to 255 bytes with `/` between, none of them `.` or `..`");
        }
        if text.split('/').count() > MAX_DEPTH {
            return Err("a path must be at most 100 names deep");
        }
        Ok(Self(text))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folders on the way, and the name at the end.
    pub(super) fn parts(&self) -> (Vec<&str>, &str) {
        let mut parts: Vec<&str> = self.0.split('/').collect();
        let name = parts.pop().unwrap_or_default();
        (parts, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_names_and_nothing_else() {
        for good in ["a", "a/b.txt", "..a/b..", "{{ name }}/ä", "a b"] {
            assert!(WorkspacePath::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "/", "/a", "a/", "a//b", ".", "a/../b", "..", "./a", "a\0b"] {
            assert!(WorkspacePath::parse(bad).is_err(), "{bad}");
        }
        assert!(WorkspacePath::parse("a/".repeat(100) + "a").is_err());
        assert!(WorkspacePath::parse("a".repeat(256)).is_err());
        let path = WorkspacePath::parse("a/b/c").expect("a path");
        assert_eq!(path.parts(), (vec!["a", "b"], "c"));
    }
}
