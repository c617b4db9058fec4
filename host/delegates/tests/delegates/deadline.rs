//! When calls end.

use std::time::Instant;

use bulkhead_core::DelegateError;
use bulkhead_sandbox::Delegates as _;
use tokio::net::TcpListener;

use crate::tokens::{asked, models, question};
use crate::{PATIENCE, caller};

#[tokio::test]
async fn a_call_has_what_its_run_has_left_when_it_is_made() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let models = models(&listener);
    // By the host's clock the run would be over, but it stood aside for its neighbours.
    let run = models.for_run(caller(Instant::now()), 0, || Some(Instant::now() + PATIENCE));
    let answer = run.generate(question());
    tokio::select! {
        _connection = asked(&listener) => {}
        answer = answer => panic!("{answer:?}"),
    }
    let run = models.for_run(caller(Instant::now() + PATIENCE), 0, || Some(Instant::now()));
    let error = run.generate(question()).await.expect_err("nothing is left");
    assert!(matches!(error, DelegateError::TimedOut), "{error}");
}

#[tokio::test]
async fn nothing_begins_while_the_lease_is_not_confirmed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let run = models(&listener).for_run(caller(Instant::now() + PATIENCE), 0, || None);
    let error = run.generate(question()).await.expect_err("it may not begin");
    assert!(matches!(error, DelegateError::Gone(_)), "{error}");
}
