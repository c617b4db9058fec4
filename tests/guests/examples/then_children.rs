//! Submits children of the kind that its payload names.

use bulkhead_guests::*;

guest!("THEN", |task| {
    let kind: String = task.payload.trim_matches('"').to_owned();
    let child = |name: Option<&str>| Child {
        kind: kind.clone(),
        payload: r#"{"of":"parent"}"#.to_owned(),
        requires: vec!["llm".to_owned(), "cpu".to_owned()],
        name: name.map(str::to_owned),
        delay_ms: Some(1500),
        key: Some("key-1".to_owned()),
        options: Some(r#"{"timeout":"5s","priority":3}"#.to_owned()),
    };
    Ok(Outcome::Complete(Completion {
        result: "1".to_owned(),
        metadata: r#"{"m":1}"#.to_owned(),
        then: vec![child(Some("first")), child(None)],
    }))
});
