//! Calls an API, and leaves it to the status whether the call is made again.
use std::time::Duration;

use bulkhead_sdk::http::Request;
use bulkhead_sdk::prelude::*;

#[derive(Deserialize)]
pub struct Call {
    method: String,
    url: String,
    body: Option<Value>,
    timeout_ms: Option<u64>,
}

#[derive(Default)]
pub struct CallApi;

impl Handler for CallApi {
    const KIND: &'static str = "CALL_API";
    type Payload = Call;

    fn handle(&self, task: Task<Call>, context: &Context) -> Result<Outcome, Failure> {
        let Call { method, url, body, timeout_ms } = task.payload;
        // The same in each attempt: who is asked can tell that it has done it already.
        let mut request = Request::new(method, url).header("idempotency-key", context.idempotency_key());
        if let Some(body) = body {
            request = request.json(&body);
        }
        if let Some(millis) = timeout_ms {
            request = request.timeout(Duration::from_millis(millis));
        }
        let response = request.send()?.ok()?;
        complete(json!({ "status": response.status(), "body": response.text() }))
    }
}

bulkhead_sdk::export!(CallApi);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::http::{HttpError, Response};
    use bulkhead_sdk::testing::{TestRun, TestTask};

    use super::*;

    fn answered(response: Result<Response, HttpError>) -> TestRun {
        let call = json!({"method": "POST", "url": "https://api.example.org/orders", "body": {"id": 7}});
        TestTask::new(call).id("order-7").http(move |_| response.clone()).run::<CallApi>()
    }

    #[test]
    fn a_response_is_the_result() {
        let run = answered(Ok(Response::new(201).with_body("made")));
        assert_eq!(run.result(), json!({"status": 201, "body": "made"}));
        let request = &run.http_requests[0];
        assert_eq!((request.method.as_str(), request.body.as_slice()), ("POST", &br#"{"id":7}"#[..]));
        assert!(request.headers.contains(&("idempotency-key".to_owned(), "order-7:0".to_owned())), "{request:?}");
    }

    #[test]
    fn a_call_is_made_again_where_that_may_help_and_not_before_the_api_asks_for_it() {
        let run = answered(Ok(Response::new(429).with_header("retry-after", "5")));
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("rate_limited", true));
        assert_eq!(run.failure().retry_after, Some(Duration::from_secs(5)));
        assert!(answered(Err(HttpError::Unavailable("no route".to_owned()))).failure().retryable);
    }

    #[test]
    fn a_call_that_is_refused_is_not_made_again() {
        let run = answered(Ok(Response::new(422)));
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("unprocessable_entity", false));
    }
}
