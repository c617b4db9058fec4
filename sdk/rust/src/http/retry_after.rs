//! How long a server asks to wait.

use std::time::{Duration, SystemTime};

/// The longest wait that a host keeps to.
const LONGEST: Duration = Duration::from_secs(3600);

/// What the clock on the wall says, against which dates are read.
#[expect(clippy::disallowed_methods, reason = "the one place where the kit reads the clock")]
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}

/// The wait that a header `Retry-After` asks for, at most an hour; none where it is over already, or cannot be read.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit ask for longer than an hour as well.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        httpdate::parse_http_date(value).ok()?.duration_since(now).ok()?
    };
    Some(wait.min(LONGEST)).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sunday, 6 November 1994, 08:49:37.
    fn then() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    #[test]
    fn seconds_and_dates_of_every_form_are_waits() {
        for (value, seconds) in [
            ("1", 1),
            (" 120 ", 120),
            ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
            ("Sunday, 06-Nov-94 08:50:37 GMT", 60),
            ("Sun Nov  6 08:50:37 1994", 60),
        ] {
            assert_eq!(retry_after(value, then()), Some(Duration::from_secs(seconds)), "{value}");
        }
    }

    #[test]
    fn an_hour_is_the_longest() {
        for value in ["3601", "86400", "99999999999999999999999", "Mon, 07 Nov 1994 08:49:37 GMT"] {
            assert_eq!(retry_after(value, then()), Some(LONGEST), "{value}");
        }
    }

    #[test]
    fn a_wait_that_is_over_and_a_value_that_is_none_are_no_wait() {
        for value in ["0", "", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37 GMT", "Sat, 05 Nov 1994 08:49:37 GMT"] {
            assert_eq!(retry_after(value, then()), None, "{value}");
        }
    }
}
