//! The step `manager_review`: asks a manager, and waits for the answer.

use std::time::Duration;

use bulkhead_sdk::prelude::*;
use bulkhead_sdk::{Answer, Suspension};
use refund_shared::{Request, Verdict, money};

/// What the template says of it.
#[derive(Debug, Deserialize)]
struct Rules {
    /// After so long without an answer it is no.
    answer_within_hours: u64,
}

/// What a manager may answer, such as `{"approved": true, "by": "Grace"}`.
#[derive(Debug, Deserialize)]
struct Decision {
    approved: bool,
    by: String,
}

/// Asks a manager.
#[derive(Debug, Default)]
pub struct ManagerReview;

impl Handler for ManagerReview {
    const KIND: &'static str = "manager_review";
    type Payload = Request;

    fn handle(&self, task: Task<Request>, context: &Context) -> Result<Outcome, Failure> {
        let rules: Rules = context.settings()?;
        let question = format!("may {} be paid back?", money(task.payload.amount_cents));
        match context.resumption() {
            None => Ok(ask(&rules, question, &task.payload)),
            Some(Answer::TimedOut) => complete(Verdict::no("no manager answered")),
            Some(Answer::Given(answer)) => match Decision::deserialize(answer) {
                Ok(Decision { approved: true, by }) => complete(Verdict::yes(format!("{by} allowed it"))),
                Ok(Decision { approved: false, by }) => complete(Verdict::no(format!("{by} did not allow it"))),
                // A slip of the pen is no answer: the same is asked again.
                Err(error) => Ok(ask(&rules, format!("not understood ({error}): {question}"), &task.payload)),
            },
        }
    }
}

fn ask(rules: &Rules, reason: String, request: &Request) -> Outcome {
    Outcome::Suspend(Suspension {
        reason,
        metadata: json!({ "request": request }),
        state: None,
        timeout: Some(Duration::from_secs(rules.answer_within_hours * 3600)),
    })
}

bulkhead_sdk::export!(ManagerReview);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::testing::{TestRun, TestTask};

    use super::*;

    fn task() -> TestTask {
        let request = json!({"order_id": "ORD-1", "customer": "ada@example.com", "amount_cents": 12_000,
            "paid_cents": 60_000, "days_since_purchase": 3, "reason": "damaged", "earlier_refunds": 0});
        TestTask::new(request).settings(json!({"answer_within_hours": 72}))
    }

    fn answered(answer: Answer) -> TestRun {
        task().answered(answer).run::<ManagerReview>()
    }

    fn question(run: TestRun) -> Suspension {
        match run.outcome {
            Ok(Outcome::Suspend(suspension)) => suspension,
            other => panic!("it did not ask: {other:?}"),
        }
    }

    #[test]
    fn a_manager_is_asked_with_all_there_is_to_know() {
        let asked = question(task().run::<ManagerReview>());
        assert_eq!(
            (asked.reason.as_str(), &asked.metadata["request"]["order_id"]),
            ("may 120.00 be paid back?", &json!("ORD-1"))
        );
        assert_eq!(asked.timeout, Some(Duration::from_secs(72 * 3600)));
    }

    #[test]
    fn what_the_manager_says_is_the_verdict() {
        let verdict = |answer| answered(answer).result();
        let yes = verdict(Answer::Given(json!({"approved": true, "by": "Grace"})));
        assert_eq!(yes, json!({"approved": true, "because": "Grace allowed it"}));
        assert_eq!(verdict(Answer::Given(json!({"approved": false, "by": "Grace"})))["approved"], false);
        assert_eq!(verdict(Answer::TimedOut)["approved"], false);
    }

    #[test]
    fn what_is_not_understood_is_asked_again() {
        let asked = question(answered(Answer::Given(json!("maybe"))));
        assert!(asked.reason.starts_with("not understood (") && asked.reason.ends_with("be paid back?"), "{asked:?}");
    }
}
