//! A reader of the stream of events, as a browser reads it.

use std::io::{BufRead, BufReader};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Messages that are read ahead; whoever takes none makes the host wait.
const AHEAD: usize = 64;

/// A message of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The number, where it has one.
    pub id: Option<i64>,
    /// What it is called.
    pub event: String,
    /// What it says.
    pub data: Value,
}

/// An open stream. Dropped, it is closed with its next message.
#[derive(Debug)]
pub struct Stream {
    messages: mpsc::Receiver<Told>,
}

impl Stream {
    /// Opens it, with what stands behind the `?`, after the message of this number.
    ///
    /// # Panics
    ///
    /// Where the host refuses.
    pub fn open(url: &str, query: &str, after: Option<i64>) -> Self {
        let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
        let mut request = agent.get(format!("{url}/v1/events?{query}"));
        if let Some(after) = after {
            request = request.header("last-event-id", after.to_string());
        }
        let response = request.call().unwrap_or_else(|error| panic!("GET /v1/events: {error}"));
        let (sender, messages) = mpsc::sync_channel(AHEAD);
        std::thread::spawn(move || {
            let mut told = Told { id: None, event: String::new(), data: Value::Null };
            for line in BufReader::new(response.into_body().into_reader()).lines() {
                let Ok(line) = line else { return };
                match line.split_once(": ") {
                    Some(("id", id)) => told.id = id.parse().ok(),
                    Some(("event", event)) => event.clone_into(&mut told.event),
                    Some(("data", data)) => told.data = serde_json::from_str(data).unwrap_or_default(),
                    _ if line.is_empty() => {
                        let fresh = Told { id: None, event: String::new(), data: Value::Null };
                        if sender.send(std::mem::replace(&mut told, fresh)).is_err() {
                            return;
                        }
                    }
                    _ => {}
                }
            }
        });
        Self { messages }
    }

    /// The next message; none where the stream has ended.
    ///
    /// # Panics
    ///
    /// Where nothing comes for a minute.
    pub fn next(&self) -> Option<Told> {
        match self.messages.recv_timeout(Duration::from_secs(60)) {
            Ok(told) => Some(told),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("nothing was told for a minute"),
        }
    }

    /// Reads until something is told of which this is true, or the stream ends, at most a minute; gives all of it.
    pub fn until(&self, mut last: impl FnMut(&Told) -> bool) -> Vec<Told> {
        let began = Instant::now();
        let mut all = Vec::new();
        while let Some(told) = self.next() {
            all.push(told);
            if last(&all[all.len() - 1]) || began.elapsed() > Duration::from_secs(60) {
                break;
            }
        }
        all
    }
}
