//! `/v1/events`: what happens, as a stream of server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event as Message, Sse};
use axum::response::{IntoResponse, Response};
use bulkhead_core::{EventFilter, EventType, EventTypes, Kind, TaskId};
use serde::Deserialize;

use crate::app::App;
use crate::event_feed::Feed;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::query::tenant;

/// The most kinds that one stream may name.
const MAX_KINDS: usize = 100;

/// How the stream behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamSettings {
    /// Streams at once.
    pub max_streams: usize,
    /// How long events are kept after the last reader has left, so that it may come back.
    pub resume_within: Duration,
    /// How often something is sent where nothing happens.
    pub heartbeat: Duration,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self { max_streams: 256, resume_within: Duration::from_secs(600), heartbeat: Duration::from_secs(15) }
    }
}

/// What may stand behind the `?` of a stream.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamQuery {
    /// Types, with commas between.
    #[serde(rename = "type")]
    types: Option<String>,
    /// Kinds, with commas between.
    kind: Option<String>,
    task: Option<String>,
    tenant: Option<String>,
    /// The number of the event to go on after; 0 for all that are kept.
    after: Option<i64>,
}

impl StreamQuery {
    fn filter(&self) -> Result<EventFilter, Problem> {
        fn parts(text: Option<&str>) -> impl Iterator<Item = &str> {
            text.unwrap_or_default().split(',').filter(|part| !part.is_empty())
        }
        let types: EventTypes = parts(self.types.as_deref()).map(EventType::parse).collect::<Result<_, _>>()?;
        let kinds: Vec<Kind> = parts(self.kind.as_deref()).map(Kind::parse).collect::<Result<_, _>>()?;
        if kinds.len() > MAX_KINDS {
            let count = kinds.len();
            return Err(Problem::Malformed(format!(
                "at most {MAX_KINDS} kinds in one stream: `{count}`; leave kind out"
            )));
        }
        Ok(EventFilter {
            types: if types.is_empty() { EventTypes::ALL } else { types },
            kinds,
            tenant: tenant(self.tenant.clone())?,
            task: self.task.as_deref().map(TaskId::parse).transpose()?,
        })
    }
}

/// `GET /v1/events`
pub(crate) async fn stream(
    State(app): State<App>,
    Parameters(query): Parameters<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = query.filter()?;
    // Browsers ask again for the same address; what they have read by then stands in the header.
    let after = match headers.get("last-event-id") {
        Some(id) => Some(number(id)?),
        None => query.after,
    };
    let permit = app.streams.open()?;
    let feed = Feed::open(&app, filter, after, permit).await?;
    let messages = futures::stream::unfold(feed, async |mut feed| {
        let message = feed.next().await?;
        Some((Ok::<Message, Infallible>(message), feed))
    });
    let mut response = Sse::new(messages).into_response();
    // Proxies that gather an answer before they pass it on are told not to.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn number(id: &HeaderValue) -> Result<i64, Problem> {
    let text = id.to_str().unwrap_or_default().trim();
    text.parse().ok().filter(|number| *number >= 0).ok_or_else(|| {
        Problem::Malformed(format!("last-event-id must be the id of an event, a number: `{}`", text.escape_debug()))
    })
}
