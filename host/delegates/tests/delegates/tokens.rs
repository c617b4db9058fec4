//! The tokens of a run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bulkhead_core::{ChatMessage, ChatRequest};
use bulkhead_delegates::{DelegateSettings, Delegates, Grants};
use bulkhead_llm::{BackendSettings, BackendUrl, LlmGrant, LlmSettings};
use bulkhead_sandbox::Delegates as _;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::{PATIENCE, caller, delegates};

/// Delegates whose model is behind this listener.
pub(crate) fn models(listener: &TcpListener) -> Arc<Delegates> {
    let backend = BackendSettings {
        url: BackendUrl::new(format!("http://{}/v1", listener.local_addr().unwrap())),
        model: "small".to_owned(),
        ..BackendSettings::default()
    };
    let llm = LlmSettings { backends: BTreeMap::from([("local".to_owned(), backend)]), ..LlmSettings::default() };
    let granted = LlmGrant { backends: ["local".to_owned()].into(), ..LlmGrant::default() };
    let grants = Grants { llm: Some(granted), ..Grants::default() };
    delegates(DelegateSettings { llm, ..DelegateSettings::default() }, grants)
}

/// A question of a few tokens.
pub(crate) fn question() -> ChatRequest {
    let message = ChatMessage { role: "user".to_owned(), content: "say hello".to_owned() };
    ChatRequest { messages: vec![message], candidates: 1, ..ChatRequest::default() }
}

/// Waits until the model has the beginning of a question; gives its connection.
pub(crate) async fn asked(listener: &TcpListener) -> TcpStream {
    let (mut connection, _) = listener.accept().await.unwrap();
    connection.read_u8().await.unwrap();
    connection
}

#[tokio::test]
async fn a_question_that_the_end_of_the_run_cuts_off_is_charged() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let end = Instant::now() + PATIENCE;
    let run = models(&listener).for_run(caller(end), 0, move || Some(end));
    assert_eq!(run.tokens().await, 0);
    let answer = run.generate(question());
    // It has the question, and says nothing.
    let _connection = asked(&listener).await;
    drop(answer);
    assert!(run.tokens().await > 0);
}
