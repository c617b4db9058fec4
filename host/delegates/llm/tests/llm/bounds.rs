//! Answers that are too long, and ones that lead elsewhere.

use bulkhead_core::Size;
use serde_json::json;

use crate::server::{Server, Step, chunk, event, streaming};
use crate::{ask, settings, told};

#[tokio::test]
async fn an_answer_without_end_is_cut_off_and_not_asked_for_again() {
    let json =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"choices\":[{\"message\":{\"content\":\"".to_vec();
    let piece = chunk(&event(&json!({ "choices": [{ "delta": { "content": "x".repeat(512) } }] })));
    let nothing = chunk(&b": nothing\n\n".repeat(1_000));
    for (first, again) in [
        (json, b"xxxxxxxx".repeat(1_000)),
        (streaming(), piece),
        (streaming(), nothing),
        (streaming(), chunk(&[b'x'; 8_000])),
    ] {
        let server = Server::start([Step::Endless(first, again)]).await;
        let mut settings = settings(&[("a", &server)]);
        settings.max_answer = Size::from_kib(4);
        let text = told(ask(settings, 1).await, "failed");
        assert!(text.contains("longer than 4096 bytes (llm.max_answer)"), "{text}");
        server.until(|counts| counts.closed == 1).await;
        assert_eq!(server.counts().requests, 1);
    }
}

#[tokio::test]
async fn a_head_without_end_is_cut_off() {
    let header = b"x-more: and more and more and more and more\r\n".repeat(10);
    let server = Server::start([Step::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), header), Step::Whole("x")]).await;
    assert_eq!(ask(settings(&[("a", &server)]), 1).await.unwrap()[0].text, "x");
    server.until(|counts| counts.closed == 1).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start([Step::Whole("x")]).await;
    for status in [301, 302, 303, 307, 308] {
        let location = vec![("location", format!("{}/chat/completions", elsewhere.url()))];
        let server = Server::start([Step::Status(status, location, String::new())]).await;
        let text = told(ask(settings(&[("a", &server)]), 1).await, "failed");
        assert!(text.contains(&format!("it answered {status}; redirects are not followed")), "{text}");
    }
    assert_eq!(elsewhere.counts().connections, 0);
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_told_by_what_is_wrong() {
    let answer =
        |body: &str| Step::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes());
    for (step, wrong) in [
        (answer("<html>"), "it is no JSON at line 1, column 1"),
        (answer("{}"), "it has no `choices[0].message`"),
        (answer("{\"choices\":[{\"message\":{\"content\":7}}]}"), "`choices[0].message.content`"),
        (
            answer("{\"error\":{\"code\":\"context_length_exceeded\"}}"),
            "an error in its answer (context_length_exceeded)",
        ),
        (
            Step::Status(400, Vec::new(), "{\"error\":{\"code\":\"model_gone\"}}".to_owned()),
            "answered 400 (model_gone)",
        ),
    ] {
        let server = Server::start([step]).await;
        let error = ask(settings(&[("a", &server)]), 1).await.unwrap_err().to_string();
        assert!(error.contains(wrong), "{error}");
    }
}
