//! The wall clock, for dates that backends name.

use std::time::SystemTime;

#[expect(clippy::disallowed_methods, reason = "the one place of this crate where the wall clock is read")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
