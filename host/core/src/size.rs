//! Amounts of memory as people write them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of bytes, written `64MiB`, `1 GB` or as a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Size(u64);

impl Size {
    /// The largest size that is accepted, just below 8 EiB: TOML and SQLite have no room for larger numbers.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// A size of so many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// A size of so many KiB.
    pub const fn from_kib(kib: u64) -> Self {
        Self(kib << 10)
    }

    /// A size of so many MiB.
    pub const fn from_mib(mib: u64) -> Self {
        Self(mib << 20)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// Parses a size.
    pub fn parse(text: &str) -> Result<Self, crate::TextError> {
        let size = text.parse::<bytesize::ByteSize>().map(|size| Self(size.as_u64())).ok();
        size.filter(|size| *size <= Self::MAX).ok_or_else(|| crate::TextError {
            what: "size",
            rule: "a number of bytes below 8EiB with or without its unit, such as 64MiB",
            value: text.to_owned(),
        })
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", bytesize::ByteSize(self.0).display().iec())
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Size;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a size such as \"64MiB\" or a number of bytes")
            }
            fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<Size, E> {
                let size = Some(Size(bytes)).filter(|size| *size <= Size::MAX);
                size.ok_or_else(|| E::custom(format!("a size must be below 8EiB: `{bytes}`")))
            }
            fn visit_i64<E: serde::de::Error>(self, bytes: i64) -> Result<Size, E> {
                u64::try_from(bytes).map(Size).map_err(|_| E::custom("a size cannot be negative"))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Size, E> {
                Size::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_settings_file_could_hold_is_refused_however_it_is_written() {
        assert_eq!(Size::parse("9223372036854775807").map(Size::bytes), Ok(Size::MAX.bytes()));
        for text in ["8EiB", "9223372036854775808"] {
            assert!(Size::parse(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Size>("9223372036854775808").is_err());
    }
}
