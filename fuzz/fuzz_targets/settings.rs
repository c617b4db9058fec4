//! Settings: a text is refused in words, or says what holds, which can be shown, written down and read again.
//!
//! Lines after a line of `---` are the environment, a name and a value each.

#![no_main]

use bulkhead::fuzzing::settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (file, environment) = text.split_once("\n---\n").unwrap_or((text, ""));
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    let accepted = match settings(file, variables.map(|(name, value)| (name.to_owned(), value.to_owned()))) {
        Ok(accepted) => accepted,
        Err(refusal) => return assert!(!refusal.is_empty()),
    };
    let rows = accepted.rows();
    assert!(rows.iter().any(|(key, _)| key == "server.listen"), "not shown: {rows:?}");
    let written = accepted.written().unwrap_or_else(|error| panic!("not written: {error}"));
    let again = settings(&written, std::iter::empty()).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(again.written().as_ref(), Ok(&written));
    match accepted.assembled() {
        Ok(catalogue) => {
            for handler in catalogue.handlers.values() {
                let guest = handler.settings.as_ref().map(|settings| settings.as_str()).unwrap_or("{}");
                assert!(!guest.contains("$__toml"), "the guest is told of our TOML reader: {guest}");
                let sources = bulkhead_core::Sources {
                    parent: None,
                    ceilings: &catalogue.ceilings,
                    task: None,
                    operator: &handler.options,
                    handler: &handler.options,
                    defaults: &catalogue.defaults,
                };
                let options = sources.resolve();
                options.backoff.delay(options.max_attempts, u64::MAX);
            }
        }
        Err(refusal) => assert!(!refusal.is_empty()),
    }
});
