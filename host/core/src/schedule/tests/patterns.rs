//! What a pattern may be, and what is said of one that may not.

use proptest::prelude::*;

use super::{at, cron};
use crate::schedule::{Cron, Recurrence, Zone};

fn refused(expression: &str) -> String {
    Cron::parse(expression, Zone::UTC).expect_err(expression).to_string()
}

#[test]
fn each_form_of_a_field_ticks_as_documented() {
    for (expression, after, next) in [
        ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
        ("*/20 * * * * *", "2026-01-01T00:00:00.001Z", "2026-01-01T00:00:20Z"),
        ("30 5 12 * * *", "2026-01-01T00:00:00Z", "2026-01-01T12:05:30Z"),
        ("0 9-17/4 * * *", "2026-01-01T09:00:00Z", "2026-01-01T13:00:00Z"),
        ("0 0 * * MON-FRI", "2026-01-02T00:00:00Z", "2026-01-05T00:00:00Z"),
        ("0 0 * * 7", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
        ("0 0 * jul,Dec sun", "2026-01-01T00:00:00Z", "2026-07-05T00:00:00Z"),
        ("0 0 L * *", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z"),
        ("0 0 LW * ?", "2026-01-31T00:00:00Z", "2026-02-27T00:00:00Z"),
        ("0 0 15W * *", "2026-08-01T00:00:00Z", "2026-08-14T00:00:00Z"),
        ("0 0 * * MON#2", "2026-01-01T00:00:00Z", "2026-01-12T00:00:00Z"),
        ("0 0 * * FRI#L", "2026-01-01T00:00:00Z", "2026-01-30T00:00:00Z"),
        ("0 0 * * FRIL", "2026-01-01T00:00:00Z", "2026-01-30T00:00:00Z"),
        ("0 0 13 * FRI", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
        ("5,*/20 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"),
        ("0 0 13 * +FRI", "2026-01-01T00:00:00Z", "2026-02-13T00:00:00Z"),
        ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
    ] {
        assert_eq!(cron(expression, "UTC").next_tick(at(after)), Some(at(next)), "{expression}");
    }
}

#[test]
fn a_bad_pattern_is_refused_with_its_field_its_value_and_a_way_out() {
    for (expression, field, value, fix) in [
        ("", "five fields", "``", "0 3 * * *"),
        ("* * * *", "five fields", "`* * * *`", "such as * * * * *"),
        ("@daily", "five fields", "`@daily`", "0 0 * * *"),
        ("0 0 3 * * * 2026", "five fields", "`0 0 3 * * * 2026`", "take out the year: 0 0 3 * * *"),
        ("60 * * * *", "minute takes", "`60`", "the nearest is 0"),
        ("75 * * * * *", "second takes", "`75`", "the nearest is 59"),
        ("0 24 * * *", "hour takes", "`24`", "the nearest is 0"),
        ("0 0 0 * *", "day of month takes", "`0`", "the nearest is 1"),
        ("0 0 32 * *", "day of month takes", "`32`", "the nearest is 31"),
        ("0 0 * 13 *", "month takes", "`13`", "the nearest is 12"),
        ("0 0 * * 8", "day of week takes", "`8`", "the nearest is 7"),
        ("0 0 * * MONDAY", "day of week takes", "`MONDAY`", "did you mean MON?"),
        ("0 0 * * mom", "day of week takes", "`mom`", "did you mean MON?"),
        ("0 0 * MON *", "month takes", "`MON`", "MON belongs to the day of week"),
        ("0 JAN * * *", "hour takes", "`JAN`", "JAN belongs to the month"),
        ("0 0 * * L", "day of week takes", "`L`", "say the last of which"),
        ("0/10 * * * *", "minute takes", "`0/10`", "write 0-59/10"),
        ("/10 * * * *", "minute takes", "`/10`", "write */10"),
        ("*/90 * * * *", "minute takes", "`*/90`", "write `every`"),
        ("0 22-2 * * *", "hour takes", "`22-2`", "write 22-23,0-2"),
        ("10-70 * * * *", "minute takes", "`10-70`", "the nearest is 10-59"),
        ("0 0 0-5 * *", "day of month takes", "`0-5`", "the nearest is 1-5"),
        ("0 *,5 * * *", "hour takes", "`*`", "stands alone"),
        ("0 0 L,LW * *", "day of month takes", "`L`", "write L or LW"),
        ("0 0 * * FRI-MON", "day of week takes", "`FRI-MON`", "write 5-6,0-1"),
        ("0 0 * nov-jan *", "month takes", "`nov-jan`", "write 11-12,1"),
        ("1,,2 * * * *", "minute takes", "`1,,2`", "take out the comma"),
        ("0 1,2, * * *", "hour takes", "`1,2,`", "take out the comma"),
        ("0 0 30 2 *", "at least once in any ten years", "`0 0 30 2 *`", ""),
        ("0 0 29 2 +MON", "at least once in any ten years", "`0 0 29 2 +MON`", ""),
        ("*/0 * * * *", "minute takes", "`*/0`", ""),
        ("a b c d e", "minute takes", "`a`", ""),
        ("0 0 * * MON#6", "day of week takes", "`MON#6`", ""),
    ] {
        let error = refused(expression);
        let all = error.starts_with("cron: ") && error.contains(field) && error.contains(fix) && error.ends_with(value);
        assert!(all, "{expression} → {error}");
    }
    assert!(refused(&"0,".repeat(10_000)).contains("at most 256 bytes"));
}

#[test]
fn what_a_fix_says_to_write_is_accepted() {
    for expression in
        ["0-59/10 * * * *", "*/10 * * * *", "0 22-23,0-2 * * *", "0 0 * * 5-6,0-1", "0 0 * 11-12,1 *", "0 0 * * FRI#L"]
    {
        cron(expression, "UTC");
    }
}

#[test]
fn there_is_no_tick_after_the_end_of_time() {
    let yearly = cron("0 0 1 1 *", "Europe/Berlin");
    assert_eq!(yearly.next_tick(crate::Timestamp::from_millis(i64::MAX)), None);
    assert_eq!(yearly.next_tick(at("9999-06-01T00:00:00Z")), None);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[-*,/#?+@0-9LW a-z]{0,40}") {
        if let Ok(cron) = Cron::parse(&text, Zone::UTC) {
            let now = at("2026-01-01T00:00:00Z");
            prop_assert!(Recurrence::Cron(cron).next_tick(now).is_some());
        }
    }

    #[test]
    fn five_fields_of_any_parts_are_read_or_refused(
        fields in proptest::collection::vec("(\\*|[0-9]{1,2}|L|LW|[0-9]{1,2}W|[A-Z]{3}|[0-7]#[0-9L])([-,/][0-9]{1,2}){0,2}", 5..=6),
    ) {
        if let Ok(cron) = Cron::parse(&fields.join(" "), Zone::UTC) {
            prop_assert!(Recurrence::Cron(cron).next_tick(at("2026-01-01T00:00:00Z")).is_some());
        }
    }
}
