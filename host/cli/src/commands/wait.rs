//! Waiting for tasks to end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use super::show;
use crate::client::{Client, part};
use crate::printer::Printer;

/// The longest that one request waits.
const WAIT_AT_ONCE: Duration = Duration::from_secs(30);

/// Waits for a task to end.
pub(super) fn wait(id: &str, limit: Duration, client: &Client, printer: &mut Printer) -> Result<Value> {
    let bar = printer.progress(None, "waiting for the task to end");
    let ended = ended(id, Instant::now() + limit, client);
    bar.finish_and_clear();
    ended
}

/// A task once it has ended.
pub(super) fn ended(id: &str, deadline: Instant, client: &Client) -> Result<Value> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).min(WAIT_AT_ONCE);
        let wait = format!("{}ms", left.as_millis());
        let task = client.get(&format!("/v1/tasks/{}", part(id)), &[("wait", &wait)])?.accepted()?;
        if show::has_ended(&task) {
            return Ok(task);
        }
        if Instant::now() >= deadline {
            let state = task.get("state").and_then(Value::as_str).unwrap_or("?");
            bail!("task {id} has not ended: it is {state}; look again with `bulkhead task show {id}`");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_task_is_asked_for_by_all_of_its_id() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = Client::new(&format!("http://{}", listener.local_addr().expect("an address")));
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; 1024];
            let length = stream.read(&mut request).expect("a request");
            let body = r#"{"state":"succeeded"}"#;
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("an answer");
            String::from_utf8_lossy(&request[..length]).lines().next().map(str::to_owned)
        });
        ended("a/b?c#d%e`", Instant::now(), &client).expect("a task");
        let line = asked.join().expect("the listener").expect("a line");
        assert_eq!(line, "GET /v1/tasks/a%2Fb%3Fc%23d%25e%60?wait=0ms HTTP/1.1");
    }
}
