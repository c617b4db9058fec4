//! Adds up invoices; some tasks ask it to go wrong, in every way that a handler can.

use std::time::Duration;

use bulkhead_sdk::prelude::*;
use bulkhead_sdk::{Backoff, complete};

/// What is to be billed, in cents.
#[derive(Debug, Deserialize)]
pub struct Invoice {
    customer: String,
    lines: Vec<Line>,
    #[serde(default)]
    fault: Option<Fault>,
}

#[derive(Debug, Deserialize)]
struct Line {
    quantity: u64,
    unit_price: u64,
}

/// What a task may ask for, to show what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fault {
    /// Fails at first, and succeeds when it is tried again.
    Flaky,
    /// Keeps what it has done so far, and goes on.
    Pause,
    /// Fails each time it is tried.
    Unreachable,
    /// Panics.
    Panic,
    /// Never ends.
    Spin,
    /// Waits for what never comes.
    Hang,
    /// Takes memory until there is none.
    Greed,
    /// Gives more than a result may be.
    Flood,
    /// Answers what makes no sense.
    Nonsense,
}

/// The handler of the kind INVOICE.
#[derive(Debug, Default)]
pub struct Bill;

impl Handler for Bill {
    const KIND: &'static str = "INVOICE";
    type Payload = Invoice;

    fn defaults() -> Defaults {
        Defaults::new()
            .timeout(Duration::from_secs(1))
            .fuel(200_000_000)
            .memory_bytes(16 << 20)
            .max_attempts(2)
            .backoff(Backoff::Fixed, Duration::from_millis(100), Duration::from_secs(1))
    }

    fn handle(&self, task: Task<Invoice>, context: &Context) -> Result<Outcome, Failure> {
        let invoice = &task.payload;
        if invoice.lines.is_empty() {
            return Err(Failure::validation("EMPTY_INVOICE", format!("{} bought nothing", invoice.customer)));
        }
        if let Some(outcome) = go_wrong(invoice.fault, &task, context)? {
            return Ok(outcome);
        }
        let net: u64 = invoice.lines.iter().map(|line| line.quantity * line.unit_price).sum();
        let tax = (net * 19).div_ceil(100);
        complete(json!({ "customer": invoice.customer, "net": net, "tax": tax, "gross": net + tax }))
    }
}

/// Does what the task asks for; nothing where it goes on as usual.
fn go_wrong(fault: Option<Fault>, task: &Task<Invoice>, context: &Context) -> Result<Option<Outcome>, Failure> {
    match fault {
        None => Ok(None),
        Some(Fault::Flaky) if task.attempt > 1 => Ok(None),
        Some(Fault::Pause) if task.stage > 0 => Ok(None),
        Some(Fault::Flaky) => Err(Failure::retryable("TAX_OFFICE_BUSY", "the tax office did not answer")),
        Some(Fault::Unreachable) => Err(Failure::retryable("TAX_OFFICE_GONE", "the tax office cannot be reached")),
        Some(Fault::Pause) => {
            let (done, all) = (1, task.payload.lines.len() as u64);
            Ok(Some(Outcome::Checkpoint { state: json!({ "lines": done }), processed: done, total: Some(all) }))
        }
        Some(Fault::Panic) => panic!("an invoice that nobody thought of"),
        Some(Fault::Spin) => loop {
            std::hint::black_box(());
        },
        Some(Fault::Hang) => {
            context.info("waiting for the tax office");
            std::thread::sleep(Duration::from_secs(3600));
            Ok(None)
        }
        Some(Fault::Greed) => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(std::hint::black_box(vec![1; 1 << 20]));
            }
        }
        Some(Fault::Flood) => complete("€".repeat(1 << 20)).map(Some),
        Some(Fault::Nonsense) => {
            let child = Child::new("a kind with spaces", Value::Null)?;
            Ok(Some(Outcome::Complete { result: Value::Null, metadata: json!({}), then: vec![child] }))
        }
    }
}

bulkhead_sdk::export!(Bill);

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_sdk::testing::TestTask;

    fn invoice(fault: Value) -> Value {
        json!({"customer": "Ada", "lines": [{"quantity": 2, "unit_price": 150}], "fault": fault})
    }

    #[test]
    fn an_invoice_is_added_up_with_its_tax() {
        let run = TestTask::new(invoice(Value::Null)).run::<Bill>();
        assert_eq!(run.result(), json!({"customer": "Ada", "net": 300, "tax": 57, "gross": 357}));
    }

    #[test]
    fn a_flaky_one_succeeds_when_it_is_tried_again() {
        assert!(TestTask::new(invoice(json!("flaky"))).run::<Bill>().failure().retryable);
        let again = TestTask::new(invoice(json!("flaky"))).attempt(2, 2).run::<Bill>();
        assert_eq!(again.result()["gross"], 357);
    }

    #[test]
    fn an_empty_one_is_refused_for_good() {
        let run = TestTask::new(json!({"customer": "Ada", "lines": []})).run::<Bill>();
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("EMPTY_INVOICE", false));
    }
}
