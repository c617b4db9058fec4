//! A payment gateway that is none: the token says what becomes of it, so that everybody can tell beforehand.

use bulkhead_sdk::Failure;

/// Charges a card, or says why it could not.
pub(crate) fn charge(token: &str, attempt: u32) -> Result<(), Failure> {
    match token {
        "tok_declined" => Err(Failure::permanent("PAYMENT_DECLINED", "payment declined: insufficient funds")),
        "tok_gateway_down" => Err(unreachable()),
        "tok_gateway_busy" if attempt == 1 => Err(unreachable()),
        _ => Ok(()),
    }
}

fn unreachable() -> Failure {
    Failure::retryable("GATEWAY_ERROR", "the payment gateway returned an error; it is tried again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declined_card_is_not_tried_again() {
        let failure = charge("tok_declined", 1).expect_err("it is declined");
        assert_eq!((failure.code.as_str(), failure.retryable), ("PAYMENT_DECLINED", false));
    }

    #[test]
    fn a_gateway_that_is_busy_is_asked_again() {
        assert!(charge("tok_gateway_busy", 1).expect_err("it is busy").retryable);
        assert_eq!(charge("tok_gateway_busy", 2), Ok(()));
        assert_eq!(charge("tok_gateway_down", 2).expect_err("it is down").code, "GATEWAY_ERROR");
    }
}
