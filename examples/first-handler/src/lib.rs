//! Greets whoever the payload names.
use bulkhead_sdk::prelude::*;

#[derive(Deserialize)]
pub struct Greeting {
    name: String,
}

#[derive(Default)]
pub struct Greet;

impl Handler for Greet {
    const KIND: &'static str = "GREET";
    type Payload = Greeting;
    fn handle(&self, task: Task<Greeting>, _: &Context) -> Result<Outcome, Failure> {
        complete(json!({ "text": format!("Hello, {}!", task.payload.name) }))
    }
}

bulkhead_sdk::export!(Greet);

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_sdk::testing::TestTask;

    #[test]
    fn whoever_is_named_is_greeted() {
        let run = TestTask::new(json!({"name": "Ada"})).run::<Greet>();
        assert_eq!(run.result(), json!({"text": "Hello, Ada!"}));
    }
}
