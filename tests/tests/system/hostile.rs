//! The short form of `cargo xtask torture -- hostile`: each guest a few times, with a canary beside it.

use std::time::Duration;

use bulkhead_tests::hostile::files::bad_files;
use bulkhead_tests::hostile::{Arena, End, Guest, Row, rows};
use bulkhead_tests::places;
use bulkhead_tests::soak::soak;

/// Enough to have more than one at once on each thread.
const RUNS: usize = 4;

#[test]
fn a_file_that_is_no_handler_is_refused_and_nobody_notices() {
    let arena = Arena::open().expect("a host");
    for file in arena.bad_files().expect("the files") {
        arena.drop_bad(&file, 1).unwrap_or_else(|error| panic!("{error:#}"));
    }
}

#[test]
fn the_page_of_load_errors_knows_every_refusal() {
    let page = std::fs::read_to_string(places::root().join("docs/reference/load-errors.md")).expect("the page");
    let by_guest = Guest::ALL.iter().flat_map(|guest| rows(*guest)).filter_map(|row| match row.end {
        End::Refused(words) | End::KeptOut(words) => Some(words),
        _ => None,
    });
    let by_file = bad_files(Vec::new()).expect("the files").into_iter().map(|file| file.words);
    for words in by_guest.chain(by_file) {
        assert!(page.contains(words), "nothing of `{words}`");
    }
}

#[test]
fn a_hostile_guest_ends_as_it_must_and_nobody_notices() {
    attack_with(|row| !row.takes_engine);
}

#[test]
fn a_hostile_guest_gains_nothing_by_containers_and_nobody_notices() {
    // What is made only once takes a minute, and is left to the long form.
    attack_with(|row| row.takes_engine && row.most > 1);
}

fn attack_with(is_chosen: impl Fn(&Row) -> bool) {
    let arena = Arena::open().expect("a host");
    let mut wrong = Vec::new();
    for guest in Guest::ALL {
        for row in rows(*guest).into_iter().filter(|row| is_chosen(row) && arena.can(row)) {
            // What takes long is only made once here.
            let runs = if row.most < 1000 || matches!(row.end, End::Refused(_)) { 1 } else { RUNS };
            wrong.extend(arena.attack(*guest, &row, runs).err());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(arena.host().client.metric("lease_lost_total"), 0.0);
}

/// The short form of `cargo xtask torture -- soak`.
#[test]
fn good_tasks_go_on_beside_every_hostile_guest_at_once() {
    let soaked = soak(20_261_121, 1, Duration::from_secs(2), &mut |_| ());
    let stretches = soaked.unwrap_or_else(|error| panic!("{error:#}")).stretches;
    assert!(stretches.iter().all(|stretch| stretch.good_rate > 0.0), "{stretches:?}");
    assert!(stretches.iter().any(|stretch| stretch.hostile_ended > 0), "{stretches:?}");
}
