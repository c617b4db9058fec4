//! Amounts of money, in whole numbers: nothing is added up in floating point.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number;

/// Ten-thousandths in a cent: a price may have four decimals, as those of screws do.
const PARTS_OF_A_CENT: u64 = 100;
/// The most digits before the point: what carts of such prices come to is exact in JSON, too.
const MOST_DIGITS: usize = 6;

/// An amount in cents; in JSON a number with two decimals, such as `64.79`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cents(pub u64);

/// The price of one piece, in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(u64);

impl Cents {
    /// So many per cent of it, rounded half up.
    #[must_use]
    pub const fn per_cent(self, rate: u64) -> Self {
        Self((self.0 * rate + 50) / 100)
    }
}

impl Price {
    /// The price that a number says; none where it is negative, has more than four decimals, or a million or more.
    pub fn parse(number: &Number) -> Option<Self> {
        decimal(&number.to_string(), 4, MOST_DIGITS).map(Self)
    }

    /// What so many pieces cost, rounded half up.
    pub const fn times(self, quantity: u32) -> Cents {
        Cents((self.0 * quantity as u64 + PARTS_OF_A_CENT / 2) / PARTS_OF_A_CENT)
    }
}

impl std::iter::Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

impl std::ops::Add for Cents {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::fmt::Display for Cents {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// The nearest floating-point number, which JSON writes with the two decimals again.
impl Serialize for Cents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 100.0)
    }
}

impl<'de> Deserialize<'de> for Cents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(deserializer)?;
        let cents = decimal(&number.to_string(), 2, 13).map(Self);
        cents.ok_or_else(|| D::Error::custom(format!("no amount of money: `{number}`")))
    }
}

/// A decimal number in units of its last allowed decimal; none where it has more of them, or too many digits.
fn decimal(text: &str, decimals: usize, most_digits: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() > most_digits || fraction.len() > decimals || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Option<Price> {
        Price::parse(&serde_json::from_str(text).expect("a number"))
    }

    #[test]
    fn a_line_is_rounded_half_up_to_cents() {
        let cost = |text, quantity| price(text).expect("a price").times(quantity);
        assert_eq!(cost("29.99", 2), Cents(5998));
        assert_eq!(cost("0.125", 1), Cents(13));
        assert_eq!(cost("0.0149", 1), Cents(1));
        // 1.005 is less than that in floating point, and would be rounded down.
        assert_eq!(cost("1.005", 1), Cents(101));
    }

    #[test]
    fn tax_is_rounded_half_up() {
        assert_eq!(Cents(5998).per_cent(8), Cents(480));
        assert_eq!((Cents(56).per_cent(8), Cents(69).per_cent(8)), (Cents(4), Cents(6)));
        assert_eq!((Cents(50).per_cent(1), Cents(49).per_cent(1)), (Cents(1), Cents(0)));
    }

    #[test]
    fn a_price_is_a_decimal_number_of_four_decimals_at_most() {
        assert_eq!(price("7").map(|price| price.times(1)), Some(Cents(700)));
        assert_eq!(price("7.0").map(|price| price.times(1)), Some(Cents(700)));
        for wrong in ["-1", "-0.5", "0.00001", "1e9", "1e300", "1000000", "0.12345"] {
            assert_eq!(price(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_amount_is_the_same_after_it_went_through_json() {
        for cents in [0, 1, 10, 99, 100, 6479, 123_456_789, 999_999_999_999_999] {
            let text = serde_json::to_string(&Cents(cents)).expect("JSON");
            assert_eq!(serde_json::from_str::<Cents>(&text).expect("an amount"), Cents(cents), "{text}");
        }
        assert_eq!(serde_json::to_string(&Cents(6479)).expect("JSON"), "64.79");
        assert!(serde_json::from_str::<Cents>("0.125").is_err());
    }
}
