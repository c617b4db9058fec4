//! How answers leave: each in one piece, so that no delayed acknowledgement of TCP holds up a second one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bulkhead_tests::Folder;

/// Reads once: what one write of the server brought.
fn first_read(stream: &mut TcpStream) -> String {
    let mut buffer = vec![0; 1 << 20];
    let length = stream.read(&mut buffer).expect("an answer");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

/// What an ordinary client does: head and body in two writes, the second held back until the first is acknowledged.
#[test]
fn a_request_in_two_parts_is_answered_without_the_delay_of_an_acknowledgement() {
    const TRIES: u32 = 20;
    let folder = Folder::fresh();
    let host = folder.host();
    let address = host.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_nodelay(false).expect("an option");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
    let body = r#"{"kind":"NOBODY"}"#;
    let mut quickest = Duration::MAX;
    for _ in 0..TRIES {
        let began = Instant::now();
        let head = format!(
            "POST /v1/tasks HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("it reads");
        stream.write_all(body.as_bytes()).expect("it reads");
        assert!(first_read(&mut stream).starts_with("HTTP/1.1 201 "));
        quickest = quickest.min(began.elapsed());
    }
    // A delayed acknowledgement holds up every single one of them by 40 ms, however fast the machine.
    assert!(quickest < Duration::from_millis(35), "no request took less than {quickest:?}");
}

#[test]
fn head_and_body_of_an_answer_come_together() {
    let folder = Folder::fresh();
    let host = folder.host();
    let address = host.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
    let body = r#"{"kind":"NOBODY"}"#;
    for _ in 0..20 {
        let request = format!(
            "POST /v1/tasks HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let answer = first_read(&mut stream);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no whole head: {answer}"));
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        assert_eq!(length, Some(body.len()), "{answer}");
    }
}
