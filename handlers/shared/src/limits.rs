//! What a program may use.

use serde::Deserialize;

/// What may be used; what is absent is what the grant leaves.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Memory of a container: a number of bytes, or a text such as `64MiB`.
    pub memory: Option<Size>,
    /// Cores of a container, or a part of one.
    pub cpus: Option<f64>,
    /// Processes at once in a container.
    pub processes: Option<u32>,
    /// Free memory that each device of a program must have.
    pub gpu_memory: Option<Size>,
}

/// A number of bytes, written `64MiB`, `1 GB` or as a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Size(u64);

impl Size {
    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a size must be a number of bytes, or a text such as `64MiB`")]
enum Written {
    Bytes(u64),
    Text(String),
}

impl TryFrom<Written> for Size {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Bytes(bytes) => Ok(Self(bytes)),
            Written::Text(text) => match text.parse::<bytesize::ByteSize>() {
                Ok(size) => Ok(Self(size.as_u64())),
                Err(_) => Err(format!("a size must be a number of bytes, or a text such as `64MiB`, not `{text}`")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_or_has_a_unit() {
        let size = |json: &str| serde_json::from_str::<Size>(json).map(Size::bytes).map_err(|error| error.to_string());
        assert_eq!((size("1024"), size("\"64MiB\""), size("\"1 GB\"")), (Ok(1024), Ok(64 << 20), Ok(1_000_000_000)));
        for json in ["-1", "1.5", "\"much\"", "\"-1MiB\"", "null", "true"] {
            let error = size(json).expect_err(json);
            assert!(error.starts_with("a size must be a number of bytes"), "{json}: {error}");
        }
    }
}
