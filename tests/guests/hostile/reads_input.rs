//! Reads its standard input to the end.

use std::io::Read;

use bulkhead_guests::*;

guest!("INPUT", |_| {
    let mut input = Vec::new();
    let read = std::io::stdin().read_to_end(&mut input);
    complete(format!("{:?}", read.ok()).replace("Some(", "").replace(')', ""))
});
