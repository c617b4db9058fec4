//! Signatures as Standard Webhooks has them: HMAC-SHA256 over id, time and body, one for each key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::Key;

/// What stands in the header `webhook-signature`.
pub(crate) fn sign(keys: &[Key], id: &str, seconds: i64, body: &[u8]) -> String {
    let one = |key: &Key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).ok()?;
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    keys.iter().filter_map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::keys;
    use bulkhead_store::StoredSecret;

    #[test]
    fn the_example_of_standard_webhooks_is_signed_as_it_says() {
        // The vector that the libraries of Standard Webhooks test with.
        let secret = StoredSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature =
            sign(&keys(&secret).unwrap(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
