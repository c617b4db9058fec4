//! What patterns do when the clocks change, by examples.

use super::{at, cron, every};

/// The ticks of a pattern between two moments, as UTC times without date and seconds.
fn ticks(expression: &str, zone: &str, after: &str, until: &str) -> Vec<String> {
    let ticks = cron(expression, zone).ticks_between(at(after), at(until), 100);
    ticks.iter().map(|tick| tick.to_string()[11..16].to_owned()).collect()
}

/// Berlin, 29 March 2026: at 01:00 UTC the clocks go from 02:00 to 03:00.
fn berlin_forward(expression: &str) -> Vec<String> {
    ticks(expression, "Europe/Berlin", "2026-03-28T23:59:59Z", "2026-03-29T02:59:59Z")
}

/// Berlin, 25 October 2026: at 01:00 UTC the clocks go from 03:00 back to 02:00.
fn berlin_back(expression: &str) -> Vec<String> {
    ticks(expression, "Europe/Berlin", "2026-10-24T23:59:59Z", "2026-10-25T02:59:59Z")
}

#[test]
fn a_time_in_the_gap_is_due_at_the_first_moment_after_it_once() {
    assert_eq!(berlin_forward("30 2 * * *"), ["01:00"]);
    assert_eq!(berlin_forward("0 2 * * *"), ["01:00"]);
    assert_eq!(berlin_forward("0,30,59 2 * * *"), ["01:00"]);
    assert_eq!(berlin_forward("59 59 2 * * *"), ["01:00"]);
    assert_eq!(berlin_forward("0 30 2 29 3 *"), ["01:00"]);
}

#[test]
fn a_search_from_right_before_the_gap_finds_what_is_due_after_it() {
    let daily = cron("30 2 * * *", "Europe/Berlin");
    for (after, next) in [
        ("2026-03-29T00:59:58.999Z", "2026-03-29T01:00:00Z"),
        ("2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"),
        ("2026-03-29T00:59:59.999Z", "2026-03-29T01:00:00Z"),
        ("2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
        ("2026-03-29T01:00:00.001Z", "2026-03-30T00:30:00Z"),
    ] {
        assert_eq!(daily.next_tick(at(after)), Some(at(next)), "{after}");
    }
}

#[test]
fn a_time_that_the_gap_moves_onto_another_is_one_tick() {
    assert_eq!(berlin_forward("0,30 2,3 * * *"), ["01:00", "01:30"]);
    assert_eq!(berlin_forward("0 */3 * * *"), ["01:00"], "03:00 itself is not in the gap");
}

#[test]
fn times_beside_the_gap_are_as_on_other_days() {
    assert_eq!(berlin_forward("59 1 * * *"), ["00:59"]);
    assert_eq!(berlin_forward("0 3 * * *"), ["01:00"]);
    assert_eq!(berlin_forward("30 3 * * *"), ["01:30"]);
    assert_eq!(berlin_forward("0 1 * * *"), ["00:00"]);
}

#[test]
fn a_pattern_of_every_hour_makes_nothing_up_after_the_gap() {
    assert_eq!(berlin_forward("7 * * * *"), ["00:07", "01:07", "02:07"]);
    assert_eq!(berlin_forward("*/30 * * * *"), ["00:00", "00:30", "01:00", "01:30", "02:00", "02:30"]);
    assert_eq!(berlin_forward("30 0-23 * * *"), ["00:30", "01:30", "02:30"]);
}

#[test]
fn a_pattern_whose_day_lies_in_the_gap_keeps_its_day() {
    assert_eq!(berlin_forward("*/15 2 * * *"), ["01:00"]);
    assert_eq!(berlin_forward("* 2-3 29 3 *").len(), 60);
    assert_eq!(berlin_forward("0 */2 * * *"), ["01:00", "02:00"]);
}

#[test]
fn a_fixed_time_in_the_overlap_is_due_at_the_first_of_the_two() {
    assert_eq!(berlin_back("30 2 * * *"), ["00:30"]);
    assert_eq!(berlin_back("0,30 2 * * *"), ["00:00", "00:30"]);
    assert_eq!(berlin_back("30 1-3 * * *"), ["00:30", "02:30"], "01:30 was at 23:30 UTC");
    assert_eq!(berlin_back("0 3 * * *"), ["02:00"]);
}

#[test]
fn a_pattern_with_a_star_goes_on_through_both_hours_of_the_overlap() {
    assert_eq!(berlin_back("*/30 * * * *"), ["00:00", "00:30", "01:00", "01:30", "02:00", "02:30"]);
    assert_eq!(berlin_back("7 * * * *"), ["00:07", "01:07", "02:07"]);
    assert_eq!(berlin_back("*/30 2 * * *"), ["00:00", "00:30", "01:00", "01:30"]);
    assert_eq!(berlin_back("0 */2 * * *"), ["00:00", "01:00"]);
}

#[test]
fn a_search_from_within_the_overlap_knows_which_of_the_two_hours_it_is_in() {
    let daily = cron("30 2 * * *", "Europe/Berlin");
    assert_eq!(daily.next_tick(at("2026-10-25T00:29:59.999Z")), Some(at("2026-10-25T00:30:00Z")));
    assert_eq!(daily.next_tick(at("2026-10-25T00:30:00Z")), Some(at("2026-10-26T01:30:00Z")));
    assert_eq!(daily.next_tick(at("2026-10-25T01:10:00Z")), Some(at("2026-10-26T01:30:00Z")));
}

#[test]
fn new_york_changes_at_two_in_the_morning() {
    let new_york = |expression, day: &str| {
        ticks(expression, "America/New_York", &format!("{day}T04:59:59Z"), &format!("{day}T09:59:59Z"))
    };
    assert_eq!(new_york("30 2 * * *", "2026-03-08"), ["07:00"]);
    assert_eq!(new_york("30 1,3 * * *", "2026-03-08"), ["06:30", "07:30"]);
    assert_eq!(new_york("30 1 * * *", "2026-11-01"), ["05:30"]);
    assert_eq!(new_york("30 * * * *", "2026-11-01"), ["05:30", "06:30", "07:30", "08:30", "09:30"]);
}

#[test]
fn lord_howe_changes_by_half_an_hour() {
    // 4 October 2026, 15:30 UTC on the 3rd: from 02:00 to 02:30. 5 April, 15:00 UTC on the 4th: from 02:00 back to 01:30.
    let forward = |expression| ticks(expression, "Australia/Lord_Howe", "2026-10-03T14:29:59Z", "2026-10-03T16:29:59Z");
    assert_eq!(forward("15 2 * * *"), ["15:30"]);
    assert_eq!(forward("30 2 * * *"), ["15:30"]);
    assert_eq!(forward("45 2 * * *"), ["15:45"]);
    assert_eq!(forward("*/15 * * * *"), ["14:30", "14:45", "15:00", "15:15", "15:30", "15:45", "16:00", "16:15"]);
    let back = |expression| ticks(expression, "Australia/Lord_Howe", "2026-04-04T13:59:59Z", "2026-04-04T15:59:59Z");
    assert_eq!(back("15 1 * * *"), ["14:15"]);
    assert_eq!(back("45 1 * * *"), ["14:45"]);
    assert_eq!(back("*/15 * * * *").len(), 8);
    assert_eq!(back("0 2 * * *"), ["15:30"]);
}

#[test]
fn kathmandu_is_a_quarter_of_an_hour_off_the_hour_and_never_changes() {
    assert_eq!(
        ticks("0 6 * * *", "Asia/Kathmandu", "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z"),
        ["00:15", "00:15"]
    );
}

#[test]
fn a_gap_of_a_whole_day_is_a_gap() {
    // Samoa went over the date line: 30 December 2011 does not exist there.
    let samoa =
        cron("0 9 * * *", "Pacific/Apia").ticks_between(at("2011-12-29T19:00:00Z"), at("2011-12-31T00:00:00Z"), 9);
    assert_eq!(samoa, [at("2011-12-30T10:00:00Z"), at("2011-12-30T19:00:00Z")]);
}

#[test]
fn a_gap_at_midnight_keeps_the_days_first_tick() {
    // Beirut, 29 March 2026: from 00:00 to 01:00.
    assert_eq!(ticks("0 0 * * *", "Asia/Beirut", "2026-03-28T20:00:00Z", "2026-03-29T20:00:00Z"), ["22:00"]);
    assert_eq!(ticks("30 0 29 3 *", "Asia/Beirut", "2026-03-28T20:00:00Z", "2026-03-29T20:00:00Z"), ["22:00"]);
    assert_eq!(ticks("30 23 28 3 *", "Asia/Beirut", "2026-03-28T20:00:00Z", "2026-03-29T20:00:00Z"), ["21:30"]);
}

#[test]
fn an_interval_counts_real_time_whatever_the_clocks_do() {
    let hourly = every(3600, at("2026-03-28T23:10:00Z"));
    let ticks = hourly.ticks_between(at("2026-03-29T00:00:00Z"), at("2026-03-29T03:00:00Z"), 9);
    assert_eq!(ticks, [at("2026-03-29T00:10:00Z"), at("2026-03-29T01:10:00Z"), at("2026-03-29T02:10:00Z")]);
}
