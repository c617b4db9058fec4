//! Where a task or a call stands in a trace, as the header `traceparent` of W3C Trace Context says it.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

use serde::{Deserialize, Serialize};

/// A place in a trace: version 00 of `traceparent`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Traceparent {
    trace: NonZeroU128,
    span: NonZeroU64,
    flags: u8,
}

/// Why a text is no place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", Self::RULE)]
pub struct TraceparentError;

impl TraceparentError {
    /// The rule that it breaks.
    pub const RULE: &str = "must be a W3C trace context, such as 00-<32 hex>-<16 hex>-01";
}

impl Traceparent {
    /// Parses the value of a header: lower-case hexadecimal, neither id all zeros.
    pub fn parse(text: &str) -> Result<Self, TraceparentError> {
        let parts: Vec<&str> = text.split('-').collect();
        let ["00", trace, span, flags] = parts[..] else { return Err(TraceparentError) };
        let is_hex = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !(is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2)) {
            return Err(TraceparentError);
        }
        let trace = u128::from_str_radix(trace, 16).ok().and_then(NonZeroU128::new);
        let span = u64::from_str_radix(span, 16).ok().and_then(NonZeroU64::new);
        let flags = u8::from_str_radix(flags, 16).map_err(|_| TraceparentError)?;
        Ok(Self { trace: trace.ok_or(TraceparentError)?, span: span.ok_or(TraceparentError)?, flags })
    }

    /// A span under this one, in the same trace; `dice` is its id.
    #[must_use]
    pub fn child(self, dice: u64) -> Self {
        Self { span: NonZeroU64::new(dice).unwrap_or(NonZeroU64::MIN), ..self }
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

impl fmt::Debug for Traceparent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Traceparent({self})")
    }
}

impl TryFrom<String> for Traceparent {
    type Error = TraceparentError;

    fn try_from(text: String) -> Result<Self, TraceparentError> {
        Self::parse(&text)
    }
}

impl From<Traceparent> for String {
    fn from(place: Traceparent) -> Self {
        place.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_no_place_in_a_trace_is_refused() {
        for text in [
            "",
            "x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(Traceparent::parse(text), Err(TraceparentError), "{text}");
        }
    }

    #[test]
    fn a_child_is_another_span_of_the_same_trace() {
        let run = Traceparent::parse(TEXT).unwrap();
        let child = run.child(0x1234).to_string();
        assert_eq!(child, "00-0af7651916cd43dd8448eb211c80319c-0000000000001234-01");
        assert_eq!(Traceparent::parse(&run.child(0).to_string()), Ok(run.child(1)), "an id of zeros is none");
    }

    proptest! {
        #[test]
        fn a_place_is_written_as_it_was_read(text in "00-[0-9a-f]{31}1-1[0-9a-f]{15}-[0-9a-f]{2}") {
            let place = Traceparent::parse(&text).unwrap();
            prop_assert_eq!(place.to_string(), text.clone());
            let json = serde_json::to_string(&place).unwrap();
            prop_assert_eq!(&json, &format!("\"{text}\""));
            prop_assert_eq!(serde_json::from_str::<Traceparent>(&json).unwrap(), place);
        }
    }
}
