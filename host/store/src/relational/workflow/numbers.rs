//! Lists of numbers as one value of a statement, on either database.

use std::fmt::Write as _;

use crate::sql::Connection;

/// What follows a column in a condition: it is one of the numbers in the value of this place.
pub(super) fn is_among(connection: &Connection, place: usize) -> String {
    match connection.postgres() {
        Some(_) => format!("= ANY(CAST(CAST(?{place} AS text) AS bigint[]))"),
        None => format!("IN (SELECT value FROM json_each(?{place}))"),
    }
}

/// The numbers as that value.
pub(super) fn list(connection: &Connection, numbers: impl IntoIterator<Item = i64>) -> String {
    let (open, close) = if connection.postgres().is_some() { ('{', '}') } else { ('[', ']') };
    let mut text = String::from(open);
    for number in numbers {
        let _ = write!(text, "{}{number}", if text.len() > 1 { "," } else { "" });
    }
    text.push(close);
    text
}
