//! Names that are the same in each attempt.

/// A name made of a step's idempotency key: whoever does the step again gives the same name again.
pub fn named_after(prefix: &str, idempotency_key: &str) -> String {
    format!("{prefix}{:016X}", fnv_1a(idempotency_key.as_bytes()))
}

/// FNV-1a of 64 bits. It guards against nothing: who must not guess a name needs another hash.
fn fnv_1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_hash_of_the_key() {
        // From the vectors that the authors of FNV publish.
        assert_eq!(named_after("ORD-", ""), "ORD-CBF29CE484222325");
        assert_eq!(named_after("ORD-", "foobar"), "ORD-85944171F73967E8");
    }
}
