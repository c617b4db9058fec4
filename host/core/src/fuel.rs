//! How much a run may compute.

use std::num::NonZeroU64;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A budget of fuel for one run: about one unit an instruction, never zero; `unlimited` must be spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fuel(NonZeroU64);

impl Fuel {
    /// No bound but the wall clock.
    pub const UNLIMITED: Self = Self(NonZeroU64::MAX);

    /// A budget of so many units; zero is refused.
    pub fn try_new(units: u64) -> Result<Self, crate::TextError> {
        NonZeroU64::new(units).map(Self).ok_or_else(|| crate::TextError {
            what: "fuel",
            rule: "at least 1, or \"unlimited\"",
            value: units.to_string(),
        })
    }

    /// The number of units.
    pub const fn units(self) -> u64 {
        self.0.get()
    }
}

impl std::fmt::Display for Fuel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == Self::UNLIMITED { formatter.write_str("unlimited") } else { self.0.fmt(formatter) }
    }
}

impl Serialize for Fuel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Self::UNLIMITED {
            serializer.serialize_str("unlimited")
        } else {
            serializer.serialize_u64(self.units())
        }
    }
}

impl<'de> Deserialize<'de> for Fuel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Fuel;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a number of fuel units, or \"unlimited\"")
            }
            fn visit_u64<E: serde::de::Error>(self, units: u64) -> Result<Fuel, E> {
                Fuel::try_new(units).map_err(E::custom)
            }
            fn visit_i64<E: serde::de::Error>(self, units: i64) -> Result<Fuel, E> {
                let units = u64::try_from(units).map_err(|_| E::custom("fuel cannot be negative"))?;
                self.visit_u64(units)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Fuel, E> {
                match text {
                    "unlimited" => Ok(Fuel::UNLIMITED),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
