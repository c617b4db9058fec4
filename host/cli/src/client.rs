//! Talking to a host.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

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

    /// Sends something.
    pub(crate) fn post(&self, path: &str, query: &[(&str, &str)], media_type: &str, body: &[u8]) -> Result<Answer> {
        let mut request = self.agent.post(format!("{}{path}", self.url)).content_type(media_type);
        for (name, value) in query {
            request = request.query(name, value);
        }
        self.answer(request.send(body))
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
        let text = response.body_mut().with_config().limit(256 << 20).read_to_string()?;
        let body = serde_json::from_str(&text)
            .map_err(|_| anyhow!("what answers at {} is no Bulkhead host (status {status})", self.url))?;
        Ok(Answer { status, body })
    }
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
