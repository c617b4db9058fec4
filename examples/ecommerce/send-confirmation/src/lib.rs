//! The step `send_confirmation`: tells the customer by mail.

use std::time::Duration;

use bulkhead_sdk::http::Request;
use bulkhead_sdk::prelude::*;
use ecommerce_shared::results::Order;

/// The longest that the mail service is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the operator says.
#[derive(Debug, Deserialize)]
struct Settings {
    /// Where mails are posted.
    mail_api: String,
}

/// What the mail service answers.
#[derive(Debug, Deserialize)]
struct Sent {
    message_id: String,
}

/// Tells the customer by mail.
#[derive(Debug, Default)]
pub struct SendConfirmation;

impl Handler for SendConfirmation {
    const KIND: &'static str = "send_confirmation";
    type Payload = Value;

    fn handle(&self, _: Task<Value>, context: &Context) -> Result<Outcome, Failure> {
        let order: Order = context.dependency_result("create_order")?;
        let Settings { mail_api } = context.settings()?;
        let mail = json!({
            "to": order.customer_email,
            "subject": format!("Your order {}", order.order_id),
            "text": format!("Thank you! We have received {}, and your order is on its way.", order.total),
        });
        // The same in each attempt: a mail that was taken, and whose answer was lost, is not sent twice.
        let request = Request::post(mail_api).header("idempotency-key", context.idempotency_key()).json(&mail);
        let Sent { message_id } = request.timeout(PATIENCE).send()?.ok()?.json()?;
        complete(json!({ "email_sent": true, "recipient": order.customer_email, "message_id": message_id }))
    }
}

bulkhead_sdk::export!(SendConfirmation);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::http::Response;
    use bulkhead_sdk::testing::{TestRun, TestTask};

    use super::*;

    fn sent(answer: Response) -> TestRun {
        let order = json!({"order_id": "ORD-1", "status": "confirmed", "customer_email": "ada@example.com",
            "total": 64.8, "payment_id": "PAY-1", "inventory_log_id": "LOG-1"});
        TestTask::new(json!({}))
            .id("step-5")
            .settings(json!({"mail_api": "http://mail.example.com/messages"}))
            .upstream("create_order", order)
            .http(move |_| Ok(answer.clone()))
            .run::<SendConfirmation>()
    }

    #[test]
    fn the_customer_is_told_and_the_mail_has_the_key_of_the_step() {
        let run = sent(Response::new(201).with_json(&json!({"message_id": "MSG-1"})));
        assert_eq!(run.result()["message_id"], "MSG-1");
        let request = &run.http_requests[0];
        assert!(request.headers.contains(&("idempotency-key".to_owned(), "step-5:0".to_owned())), "{request:?}");
        let mail: Value = parsed(&request.body);
        assert_eq!((&mail["to"], &mail["subject"]), (&json!("ada@example.com"), &json!("Your order ORD-1")));
        assert!(mail["text"].as_str().is_some_and(|text| text.contains("64.80")), "{mail}");
    }

    #[test]
    fn a_mail_service_that_is_busy_is_asked_again() {
        let run = sent(Response::new(503));
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("service_unavailable", true));
    }

    fn parsed(body: &[u8]) -> Value {
        String::from_utf8_lossy(body).parse().expect("JSON")
    }
}
