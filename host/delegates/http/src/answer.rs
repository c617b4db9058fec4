//! The body of a response on its way to a guest.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bulkhead_sandbox::HttpProblem;
use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use crate::exchange::{Driver, mask_all};
use crate::mask::Mask;

/// A body that is bounded in size and time, with its secrets masked; its connection is closed where it is dropped.
#[derive(Debug)]
pub(crate) struct Answer {
    /// None once nothing more comes.
    open: Option<Open>,
    mask: Mask,
    limit: u64,
    left: u64,
    /// What is told after the rest of the body.
    trailers: Option<Frame<Bytes>>,
}

#[derive(Debug)]
struct Open {
    body: Incoming,
    driver: Driver,
    silence: Option<Silence>,
}

/// How long the guest waits for each part.
#[derive(Debug)]
struct Silence {
    limit: Duration,
    over: Pin<Box<Sleep>>,
}

impl Answer {
    /// A body of at most so many bytes; to be made on the runtime that has the connection.
    pub(crate) fn new(body: Incoming, driver: Driver, limit: u64, mask: Mask, patience: Option<Duration>) -> Self {
        let silence = patience.map(|limit| Silence { limit, over: Box::pin(sleep(limit)) });
        Self { open: Some(Open { body, driver, silence }), mask, limit, left: limit, trailers: None }
    }

    /// Closes the connection, and ends the body with this.
    fn fail(&mut self, problem: HttpProblem) -> Poll<Option<Result<Frame<Bytes>, HttpProblem>>> {
        self.open = None;
        drop(self.mask.rest());
        Poll::Ready(Some(Err(problem)))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = HttpProblem;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpProblem>>> {
        let this = &mut *self;
        while let Some(open) = &mut this.open {
            let frame = match Pin::new(&mut open.body).poll_frame(context) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    let silence = open.silence.as_mut().map(|silence| silence.over.as_mut().poll(context));
                    return if silence.is_some_and(|over| over.is_ready()) {
                        this.fail(HttpProblem::Silent)
                    } else {
                        Poll::Pending
                    };
                }
            };
            // A connection that was dropped looks like the end of its body.
            if open.driver.is_late() && !matches!(frame, Some(Ok(_))) {
                return this.fail(HttpProblem::TimedOut);
            }
            if let Some(silence) = &mut open.silence {
                silence.over.as_mut().reset(Instant::now() + silence.limit);
            }
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => {
                    let Some(left) = this.left.checked_sub(data.len() as u64) else {
                        return this.fail(HttpProblem::ResponseBody(this.limit));
                    };
                    this.left = left;
                    let shown = this.mask.pass(data);
                    if !shown.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(shown))));
                    }
                }
                Some(Ok(Err(trailers))) => {
                    if let Ok(mut trailers) = trailers.into_trailers() {
                        mask_all(&this.mask, &mut trailers);
                        this.trailers = Some(Frame::trailers(trailers));
                    }
                    this.open = None;
                }
                Some(Err(error)) if error.is_parse_too_large() => return this.fail(HttpProblem::ResponseHeaders),
                Some(Err(_)) => return this.fail(HttpProblem::Incomplete),
                None => this.open = None,
            }
        }
        let rest = this.mask.rest();
        let rest = if rest.is_empty() { this.trailers.take() } else { Some(Frame::data(rest)) };
        Poll::Ready(rest.map(Ok))
    }
}
