//! The ids that the store makes: UUIDv7, with the task's own number in the last 48 bits.
//!
//! The number makes an index of ids unnecessary: a name leads straight to its row, whose id is then compared. What is
//! left is the millisecond and 26 bits of chance.

use bulkhead_core::{TaskId, Timestamp};
use uuid::{Builder, Uuid};

use crate::TaskSeq;
use crate::sql::ValueRef;

/// The bits of an id that hold the number; more tasks than any store will ever take.
const SEQ_BITS: u32 = 48;

/// Makes the id of task `seq`.
pub(super) fn make(seq: TaskSeq, now: Timestamp, dice: u64) -> Uuid {
    let mut tail = [0; 10];
    tail[..8].copy_from_slice(&dice.to_le_bytes());
    tail[4..].copy_from_slice(&(seq.0.unsigned_abs() & ((1 << SEQ_BITS) - 1)).to_be_bytes()[2..]);
    Builder::from_unix_timestamp_millis(now.as_millis().unsigned_abs(), &tail).into_uuid()
}

/// The number that an id names, where the store could have made it.
pub(super) fn seq_of(id: &TaskId) -> Option<(TaskSeq, Uuid)> {
    let text = id.as_str();
    let uuid = (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()?;
    // Only the one spelling that the store itself uses.
    if uuid.get_version_num() != 7 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let low = u64::from_be_bytes(uuid.as_bytes()[8..].try_into().ok()?);
    Some((TaskSeq(i64::try_from(low & ((1 << SEQ_BITS) - 1)).ok()?), uuid))
}

/// The number of what has this name, were it made by the store; one that nothing has where it was not.
pub(super) fn guess(id: &TaskId) -> TaskSeq {
    seq_of(id).map_or(TaskSeq(0), |(seq, _)| seq)
}

/// The public name of an id made by the store.
pub(super) fn name(id: Uuid) -> TaskId {
    named(id.hyphenated().to_string())
}

/// An id as its column has it: the 16 bytes of one that the store made, and the text of a caller's own; a NUL that no
/// id has tells an own one of 16 bytes apart.
pub(super) fn own_column(id: &TaskId) -> Vec<u8> {
    let mut bytes = id.as_str().as_bytes().to_vec();
    if bytes.len() == 16 {
        bytes.push(0);
    }
    bytes
}

/// Whether a column of `tasks.id` has a caller's own id.
pub(super) fn is_own(value: ValueRef<'_>) -> bool {
    !matches!(value, ValueRef::Blob(bytes) if bytes.len() == 16)
}

/// The public name in a column of `tasks.id`.
pub(super) fn read(value: ValueRef<'_>) -> TaskId {
    match value {
        ValueRef::Blob(bytes) => match Uuid::from_slice(bytes) {
            Ok(uuid) => name(uuid),
            Err(_) => named(String::from_utf8_lossy(bytes.strip_suffix(&[0]).unwrap_or(bytes)).into_owned()),
        },
        ValueRef::Text(text) => named(text.to_owned()),
        ValueRef::Null | ValueRef::Bool(_) | ValueRef::Integer(_) | ValueRef::Real(_) => name(Uuid::nil()),
    }
}

/// Texts that were checked before they were stored; one that was damaged since is shown as the nil id.
fn named(text: String) -> TaskId {
    TaskId::parse(text).unwrap_or_else(|_| name(Uuid::nil()))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn an_id_names_its_task(seq in 1i64..1 << SEQ_BITS, millis in 0i64..1 << 47, dice: u64) {
            let uuid = make(TaskSeq(seq), Timestamp::from_millis(millis), dice);
            proptest::prop_assert_eq!(uuid.get_version_num(), 7);
            proptest::prop_assert_eq!(seq_of(&name(uuid)), Some((TaskSeq(seq), uuid)));
        }
    }

    #[test]
    fn other_spellings_of_an_id_are_other_ids() {
        let uuid = make(TaskSeq(7), Timestamp::from_millis(0xabc), 0xabcd_ef01_2345_6789);
        let upper = TaskId::parse(uuid.to_string().to_uppercase()).unwrap();
        assert_eq!(seq_of(&upper), None);
    }
}
