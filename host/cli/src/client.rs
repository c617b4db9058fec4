//! Talking to a host.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bulkhead_core::{MAX_JSON_DEPTH, json_depth};
use serde::Deserialize;
use serde_json::Value;

use crate::printer::Printer;

/// A host's HTTP API.
#[derive(Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    url: String,
}

/// What a host answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// How long to wait before asking again, where the host says so.
    retry_after: Option<Duration>,
    pub(crate) body: Value,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { agent, url: url.trim_end_matches('/').to_owned() }
    }

    /// Asks for something; whatever the host answers is an answer.
    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in query {
            request = request.query(name, value);
        }
        self.answer(request.call())
    }

    /// Asks for lines, and hands on each as it comes.
    pub(crate) fn get_lines(
        &self,
        path: &str,
        query: &[(&str, &str)],
        line: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in query {
            request = request.query(name, value);
        }
        let response = request.call();
        if !response.as_ref().is_ok_and(|response| response.status().is_success()) {
            return self.answer(response)?.accepted().map(drop);
        }
        let mut response = response?;
        let reader = BufReader::new(response.body_mut().with_config().limit(u64::MAX).reader());
        reader.lines().try_for_each(|text| line(&text.context("the answer broke off")?))
    }

    /// Sends something.
    pub(crate) fn post(&self, path: &str, query: &[(&str, &str)], media_type: &str, body: &[u8]) -> Result<Answer> {
        let mut request = self.agent.post(format!("{}{path}", self.url)).content_type(media_type);
        for (name, value) in query {
            request = request.query(name, value);
        }
        self.answer(request.send(body))
    }

    /// Puts a file somewhere.
    pub(crate) fn put(&self, path: &str, body: impl ureq::AsSendBody) -> Result<Answer> {
        let request = self.agent.put(format!("{}{path}", self.url)).content_type("application/octet-stream");
        self.answer(request.send(body))
    }

    /// Fetches a file; gives its length.
    pub(crate) fn get_file(&self, path: &str, file: &mut std::fs::File) -> Result<u64> {
        let response = self.agent.get(format!("{}{path}", self.url)).call();
        if !response.as_ref().is_ok_and(|response| response.status().is_success()) {
            self.answer(response)?.accepted()?;
            bail!("the host answered without the file");
        }
        let mut response = response?;
        let mut reader = response.body_mut().with_config().limit(u64::MAX).reader();
        std::io::copy(&mut reader, file).context("the file broke off")
    }

    /// Asks for a text.
    pub(crate) fn get_text(&self, path: &str, query: &[(&str, &str)]) -> Result<Result<String, Answer>> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in query {
            request = request.query(name, value);
        }
        let response = request.call();
        if !response.as_ref().is_ok_and(|response| response.status().is_success()) {
            return self.answer(response).map(Err);
        }
        let text = response?.body_mut().with_config().limit(256 << 20).read_to_string().context("the answer broke off");
        text.map(Ok)
    }

    /// Takes something away.
    pub(crate) fn delete(&self, path: &str) -> Result<Answer> {
        self.answer(self.agent.delete(format!("{}{path}", self.url)).call())
    }

    /// Sends something that may have to wait for room in the queue; says so, and waits.
    pub(crate) fn post_patiently(
        &self,
        path: &str,
        media_type: &str,
        body: &[u8],
        printer: &mut Printer,
    ) -> Result<Answer> {
        let mut said = false;
        loop {
            let answer = self.post(path, &[], media_type, body)?;
            if answer.status != 429 {
                return Ok(answer);
            }
            if !std::mem::replace(&mut said, true) {
                let detail = answer.body.get("detail").and_then(Value::as_str).unwrap_or_default();
                printer.note(format_args!("waiting for room in the queue: {detail}"));
            }
            std::thread::sleep(answer.retry_after.unwrap_or(Duration::from_secs(1)));
        }
    }

    fn answer(&self, response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer> {
        let mut response = match response {
            Ok(response) => response,
            Err(error @ (ureq::Error::Io(_) | ureq::Error::HostNotFound | ureq::Error::ConnectionFailed)) => {
                let url = &self.url;
                return Err(anyhow::Error::new(error).context(format!(
                    "no host answers at {url}; start one with `bulkhead run`, or name another with --url (BULKHEAD_URL)"
                )));
            }
            Err(error) => return Err(error).with_context(|| format!("the host at {} cannot be asked", self.url)),
        };
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let text = response.body_mut().with_config().limit(256 << 20).read_to_string()?;
        let body = read(&text).map_err(|error| self.unreadable(status, &error))?;
        Ok(Answer { status, retry_after: retry_after.map(Duration::from_secs), body })
    }

    fn unreadable(&self, status: u16, error: &serde_json::Error) -> anyhow::Error {
        let url = &self.url;
        // JSON it is: a number larger than a double, or a key that serde_json keeps for itself.
        if error.is_data() || error.to_string().starts_with("number out of range") {
            return anyhow!(
                "the answer of {url} has something in it that this command cannot show; ask with curl: {error}"
            );
        }
        anyhow!("what answers at {url} is no Bulkhead host (status {status})")
    }
}

/// A name as one part of a path: ids may have `/`, `?` and `#` in them, which would ask for something else.
pub(crate) fn part(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// What an answer may have around a payload, in levels.
const AROUND: usize = 8;

/// Reads an answer; the payload in it may be deeper than `serde_json` goes by itself.
fn read(text: &str) -> serde_json::Result<Value> {
    let mut reader = serde_json::Deserializer::from_str(text);
    if json_depth(text) <= MAX_JSON_DEPTH + AROUND {
        reader.disable_recursion_limit();
    }
    let value = Value::deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

impl Answer {
    /// The body of an answer that says yes; else the host's own words as an error.
    pub(crate) fn accepted(self) -> Result<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        match self.body.get("detail").and_then(Value::as_str) {
            Some(detail) => bail!("{detail}"),
            None => bail!("the host answered with status {}", self.status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_read_with_the_deepest_payload_that_is_accepted() {
        let answer = |depth: usize| format!(r#"{{"payload":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(read(&answer(MAX_JSON_DEPTH)).is_ok());
        assert!(read(&answer(1_000_000)).is_err());
    }

    #[test]
    fn a_payload_that_cannot_be_shown_is_not_taken_for_another_program() {
        for payload in ["1e999", r#"{"$serde_json::private::RawValue":3}"#] {
            let error = read(&format!(r#"{{"payload":{payload}}}"#)).expect_err("no room");
            assert!(Client::new("http://here").unreadable(200, &error).to_string().contains("cannot show"));
        }
        let error = read("<html>").expect_err("no JSON");
        assert!(Client::new("http://here").unreadable(200, &error).to_string().contains("no Bulkhead host"));
    }
}
