//! For how long a backend wants to be left alone.

use std::time::{Duration, SystemTime};

/// The longest that one answer can keep all handlers from a backend.
const MOST: Duration = Duration::from_secs(600);

/// What `Retry-After` means: so many seconds, or until a date (RFC 9110, section 10.2.3).
pub(crate) fn parse(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_so_many_seconds_or_until_a_date_and_never_longer_than_ten_minutes() {
        // The date of RFC 9110, section 5.6.7, and half a minute before it.
        let (date, now) = ("Sun, 06 Nov 1994 08:49:37 GMT", SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_747));
        for (text, wait) in [
            (" 12 ", Some(12)),
            (date, Some(30)),
            ("Fri, 31 Dec 1993 23:59:59 GMT", Some(0)),
            ("86400", Some(600)),
            ("Sun, 06 Nov 1995 08:49:37 GMT", None),
            ("Mon, 06 Nov 1995 08:49:37 GMT", Some(600)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(parse(text, now), wait.map(Duration::from_secs), "{text}");
        }
    }
}
