//! How the folder of a workspace is called.

use std::fmt::Write;

use bulkhead_core::TaskId;

/// The name of a workspace's folder: the id, with everything but letters, digits, `-` and `_` written as `%` and two
/// hexadecimal digits, so that no id can name a folder outside the root, or one that begins with a dot.
pub(super) fn folder_name(id: &TaskId) -> String {
    let mut name = String::with_capacity(id.as_str().len());
    for byte in id.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(name, "%{byte:02x}");
        }
    }
    name
}

/// The id that a folder is named after; none where it is no such name.
pub(super) fn id_of(name: &str) -> Option<TaskId> {
    let mut id = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(next) = rest.chars().next() {
        if next == '%' {
            let byte = u8::from_str_radix(rest.get(1..3)?, 16).ok()?;
            id.push(char::from(byte));
            rest = rest.get(3..)?;
        } else {
            id.push(next);
            rest = rest.get(next.len_utf8()..)?;
        }
    }
    TaskId::parse(id).ok().filter(|id| folder_name(id) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_names_a_folder_outside_the_root_and_each_is_read_back() {
        for (id, name) in [("a-1", "a-1"), ("..", "%2e%2e"), ("/etc", "%2fetc"), ("a/../b", "a%2f%2e%2e%2fb")] {
            let id = TaskId::parse(id).expect("an id");
            assert_eq!(folder_name(&id), name);
            assert_eq!(id_of(name), Some(id));
        }
        for other in [".bulkhead", "%2E", "%", "%2", "a.b", "ä", "%é1"] {
            assert_eq!(id_of(other), None, "{other}");
        }
    }
}
