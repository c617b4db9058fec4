//! Lists that come whole.

use serde::Serialize;

/// A list of all there are. It goes to text at once: what guests and callers wrote as JSON need not be a value that
/// `serde_json` can hold, as `1e999` is not.
#[derive(Debug, Serialize)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
}

#[cfg(test)]
mod tests {
    use bulkhead_core::JsonText;

    use super::*;

    #[test]
    fn what_is_no_value_here_is_listed_as_it_was_written() {
        let items = vec![JsonText::parse(r#"{"n":1e999}"#, 100).unwrap()];
        assert_eq!(serde_json::to_string(&Items { items }).unwrap(), r#"{"items":[{"n":1e999}]}"#);
    }
}
