//! The step `auto_approve`: says yes.

use bulkhead_sdk::prelude::*;
use refund_shared::Verdict;

/// Says yes; that it was chosen is all there is to know.
#[derive(Debug, Default)]
pub struct AutoApprove;

impl Handler for AutoApprove {
    const KIND: &'static str = "auto_approve";
    type Payload = Value;

    fn handle(&self, _: Task<Value>, _: &Context) -> Result<Outcome, Failure> {
        complete(Verdict::yes("nothing speaks against it"))
    }
}

bulkhead_sdk::export!(AutoApprove);

#[cfg(test)]
mod tests {
    use bulkhead_sdk::testing::TestTask;

    use super::*;

    #[test]
    fn it_says_yes() {
        assert_eq!(TestTask::new(json!({})).run::<AutoApprove>().result()["approved"], true);
    }
}
