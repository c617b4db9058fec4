//! The rules that short public names share, and the error that says which was broken.

/// Why a text is not the name it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule}: `{}`", shown(.value))]
pub struct TextError {
    /// What the text was meant to be, e.g. `kind`.
    pub what: &'static str,
    /// The rule in words.
    pub rule: &'static str,
    /// What was given.
    pub value: String,
}

/// The value as it may stand in a message: control characters escaped, at most 80 characters.
fn shown(value: &str) -> String {
    let mut shown: String = value.chars().take(80).flat_map(char::escape_debug).collect();
    if value.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

/// Declares a newtype over `Box<str>` whose text obeys one rule, checked wherever it enters.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, |$text:ident| $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            #[doc = concat!("Parses a ", $what, ": ", $rule, ".")]
            pub fn parse(text: impl Into<String>) -> Result<Self, crate::TextError> {
                let value = text.into();
                let $text = value.as_str();
                if $valid {
                    Ok(Self(value.into_boxed_str()))
                } else {
                    Err(crate::TextError { what: $what, rule: $rule, value })
                }
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::TextError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use text_type;
