//! Time zones by their IANA names.

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::ScheduleError;

/// The database that is compiled in, so that every host has the same one, whatever its system has.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A name is recognised with one wrong letter in so many; with more, abbreviations such as CEST look like places.
const LETTERS_FOR_ONE_WRONG: usize = 5;

/// A time zone, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time: the zone where none is given.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Parses an IANA name, in upper or lower case.
    pub fn parse(name: &str) -> Result<Self, ScheduleError> {
        match DATABASE.get(name) {
            Ok(zone) if !zone.is_unknown() => Ok(Self(zone)),
            _ => Err(ScheduleError::Text {
                field: "time_zone",
                rule: "must be an IANA name such as Europe/Berlin, America/New_York or UTC".to_owned(),
                fix: nearest(name).map(|nearest| format!("did you mean {nearest}?")),
                value: name.to_owned(),
            }),
        }
    }

    /// The name as the database has it.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    pub(super) fn rules(&self) -> &TimeZone {
        &self.0
    }
}

/// The zone whose name, or whose place's name, is the most like `wrong`.
fn nearest(wrong: &str) -> Option<String> {
    let wrong = wrong.trim().replace(' ', "_").to_lowercase();
    if wrong.is_empty() || wrong.len() > 64 {
        return None;
    }
    let distance = |name: &str| {
        let name = name.to_lowercase();
        let place = name.rsplit('/').next().unwrap_or(&name);
        strsim::damerau_levenshtein(&wrong, &name).min(strsim::damerau_levenshtein(&wrong, place))
    };
    DATABASE
        .available()
        .map(|name| (distance(name.as_str()), name.as_str().to_owned()))
        .min()
        .filter(|(far, _)| *far <= wrong.len() / LETTERS_FOR_ONE_WRONG)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name_in_any_case() {
        for (written, name) in
            [("Europe/Berlin", "Europe/Berlin"), ("asia/KATHMANDU", "Asia/Kathmandu"), ("utc", "UTC")]
        {
            assert_eq!(Zone::parse(written).unwrap().name(), name);
        }
        assert_eq!(Zone::parse("UTC").unwrap(), Zone::UTC);
    }

    #[test]
    fn an_unknown_zone_is_refused_with_the_nearest() {
        for (wrong, right) in [
            ("Europe/Berln", "Europe/Berlin"),
            ("Berlin", "Europe/Berlin"),
            ("new york", "America/New_York"),
            ("Asia/Katmandou", "Asia/Katmandu"),
        ] {
            let error = Zone::parse(wrong).unwrap_err().to_string();
            assert!(error.starts_with("time_zone: ") && error.contains(right) && error.contains(wrong), "{error}");
        }
        for hopeless in ["", "+02:00", "Local time", "CEST", "Etc/Unknown", "Mars/Olympus_Mons", &"x".repeat(10_000)] {
            let error = Zone::parse(hopeless).unwrap_err().to_string();
            assert!(error.contains("IANA name") && !error.contains("did you mean"), "{error}");
        }
    }
}
