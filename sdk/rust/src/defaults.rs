//! The options that a handler asks for.

use std::time::Duration;

use serde::Serialize;
use serde::ser::SerializeMap;

use crate::setters::setters;

/// How the wait grows from attempt to attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backoff {
    /// No wait at all.
    None,
    /// Always the same.
    Fixed,
    /// Once, twice, three times the first.
    Linear,
    /// Doubled each time.
    Exponential,
    /// By the Fibonacci numbers.
    Fibonacci,
}

/// Options that the operator and each task may override; what is not set is the host's default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Defaults {
    timeout: Option<Duration>,
    fuel: Option<u64>,
    memory_bytes: Option<u64>,
    max_attempts: Option<u32>,
    backoff: Option<(Backoff, Duration, Duration)>,
    max_concurrent: Option<u32>,
}

impl Defaults {
    /// Nothing but the host's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Running time of one attempt.
        timeout(time: Duration) => timeout = Some(time);

        /// Fuel of one run: about one unit an instruction.
        fuel(units: u64) => fuel = Some(units);

        /// Memory of the sandbox.
        memory_bytes(bytes: u64) => memory_bytes = Some(bytes);

        /// Attempts in all, the first included.
        max_attempts(attempts: u32) => max_attempts = Some(attempts);

        /// Runs of this handler at once on one worker.
        max_concurrent(runs: u32) => max_concurrent = Some(runs);
    }

    /// The wait between attempts: its growth, the first one, and the longest.
    #[must_use]
    pub fn backoff(mut self, curve: Backoff, base: Duration, max: Duration) -> Self {
        self.backoff = Some((curve, base, max));
        self
    }
}

impl Serialize for Defaults {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Table {
            curve: Backoff,
            base: String,
            max: String,
        }
        let span = |duration: Duration| format!("{}ms", duration.as_millis());
        let mut map = serializer.serialize_map(None)?;
        if let Some(timeout) = self.timeout {
            map.serialize_entry("timeout", &span(timeout))?;
        }
        if let Some(fuel) = self.fuel {
            map.serialize_entry("fuel", &fuel)?;
        }
        if let Some(bytes) = self.memory_bytes {
            map.serialize_entry("memory", &bytes)?;
        }
        if let Some(attempts) = self.max_attempts {
            map.serialize_entry("max_attempts", &attempts)?;
        }
        if let Some((curve, base, max)) = self.backoff {
            map.serialize_entry("backoff", &Table { curve, base: span(base), max: span(max) })?;
        }
        if let Some(runs) = self.max_concurrent {
            map.serialize_entry("max_concurrent", &runs)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_is_written() {
        assert_eq!(serde_json::to_string(&Defaults::new()).expect("JSON"), "{}");
        let defaults = Defaults::new().timeout(Duration::from_secs(5)).backoff(
            Backoff::Fixed,
            Duration::from_millis(10),
            Duration::from_secs(1),
        );
        assert_eq!(
            serde_json::to_string(&defaults).expect("JSON"),
            r#"{"timeout":"5000ms","backoff":{"curve":"fixed","base":"10ms","max":"1000ms"}}"#
        );
    }
}
