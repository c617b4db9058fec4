//! One row: `7,2026-03-14,DE,"Lamp, small",3,19.90`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A row that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale<'a> {
    /// The month, such as `2026-03`.
    pub month: &'a str,
    /// Two letters.
    pub country: &'a str,
    /// What was sold.
    pub product: Cow<'a, str>,
    /// How many.
    pub quantity: u64,
    /// What all of them cost, in cents.
    pub cents: u64,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// Not UTF-8, or quotes that do not match.
    Text,
    /// Not six columns.
    Columns,
    /// The order is no number.
    Order,
    /// There is no such day.
    Day,
    /// Not two capital letters.
    Country,
    /// The product has no name.
    Product,
    /// Not 1 to 1000.
    Quantity,
    /// Not euros and cents, such as `19.90`.
    Price,
}

impl<'a> Sale<'a> {
    /// Reads a line, without the end of the line.
    pub fn read(line: &'a [u8]) -> Result<Self, Flaw> {
        let line = std::str::from_utf8(line).map_err(|_| Flaw::Text)?;
        let mut columns = Columns { rest: Some(line) };
        let mut column = || columns.next().transpose();
        let mut six = [const { Cow::Borrowed("") }; 6];
        for place in &mut six {
            *place = column()?.ok_or(Flaw::Columns)?;
        }
        if column()?.is_some() {
            return Err(Flaw::Columns);
        }
        let [order, day, country, product, quantity, price] = six;
        digits(&order).ok_or(Flaw::Order)?;
        // None of these has a reason to be quoted.
        let plain = |text: Cow<'a, str>| match text {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        };
        let month = plain(day).and_then(month).ok_or(Flaw::Day)?;
        let is_country = |text: &&str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        let country = plain(country).filter(is_country).ok_or(Flaw::Country)?;
        if product.is_empty() {
            return Err(Flaw::Product);
        }
        let quantity = digits(&quantity).filter(|number| (1..=1000).contains(number)).ok_or(Flaw::Quantity)?;
        let price = cents(&price).ok_or(Flaw::Price)?;
        Ok(Self { month, country, product, quantity, cents: quantity * price })
    }
}

/// The month of a day.
fn month(day: &str) -> Option<&str> {
    let [year, month, day_of_month] = day.split('-').collect::<Vec<_>>().try_into().ok()?;
    if (year.len(), month.len(), day_of_month.len()) != (4, 2, 2) {
        return None;
    }
    let (year, month, day_of_month) = (digits(year)?, digits(month)?, digits(day_of_month)?);
    let leap = u64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let days = match month {
        2 => 28 + leap,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day_of_month).then_some(&day[..7])
}

fn cents(price: &str) -> Option<u64> {
    let (euros, cents) = price.split_once('.')?;
    if cents.len() != 2 {
        return None;
    }
    Some(digits(euros)? * 100 + digits(cents)?)
}

/// A number of at most twelve digits, and nothing else: `parse` would take a sign.
fn digits(text: &str) -> Option<u64> {
    let all_digits = !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

/// The columns of a line; those in quotes without them.
struct Columns<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Columns<'a> {
    type Item = Result<Cow<'a, str>, Flaw>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.rest.take()?;
        if let Some(quoted) = line.strip_prefix('"') {
            return Some(self.quoted(quoted));
        }
        let (column, rest) = match line.split_once(',') {
            Some((column, rest)) => (column, Some(rest)),
            None => (line, None),
        };
        self.rest = rest;
        Some(if column.contains('"') { Err(Flaw::Text) } else { Ok(Cow::Borrowed(column)) })
    }
}

impl<'a> Columns<'a> {
    /// A column after its first quote: two quotes mean one, and one is the end.
    fn quoted(&mut self, mut text: &'a str) -> Result<Cow<'a, str>, Flaw> {
        let mut column = String::new();
        loop {
            let (before, after) = text.split_once('"').ok_or(Flaw::Text)?;
            column.push_str(before);
            match after.strip_prefix('"') {
                Some(more) => {
                    column.push('"');
                    text = more;
                }
                None if after.is_empty() => return Ok(Cow::Owned(column)),
                None => {
                    self.rest = Some(after.strip_prefix(',').ok_or(Flaw::Text)?);
                    return Ok(Cow::Owned(column));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_with_quotes_or_without() {
        let sale = Sale::read(br#"7,2026-03-14,DE,"Lamp, ""small""",3,19.90"#).expect("a row");
        let product = Cow::Borrowed(r#"Lamp, "small""#);
        assert_eq!(sale, Sale { month: "2026-03", country: "DE", product, quantity: 3, cents: 5970 });
        assert_eq!(Sale::read(b"8,2024-02-29,FR,Chair,1,0.05").map(|sale| sale.cents), Ok(5));
    }

    #[test]
    fn what_is_wrong_with_a_row_has_a_name() {
        for (line, flaw) in [
            ("", Flaw::Columns),
            ("7,2026-03-14,DE,Lamp,3", Flaw::Columns),
            ("7,2026-03-14,DE,Lamp,3,19.90,", Flaw::Columns),
            ("-7,2026-03-14,DE,Lamp,3,19.90", Flaw::Order),
            ("7,2026-02-29,DE,Lamp,3,19.90", Flaw::Day),
            ("7,2026-13-01,DE,Lamp,3,19.90", Flaw::Day),
            ("7,14.3.2026,DE,Lamp,3,19.90", Flaw::Day),
            ("7,2026-03-14,de,Lamp,3,19.90", Flaw::Country),
            ("7,2026-03-14,DE,,3,19.90", Flaw::Product),
            ("7,2026-03-14,DE,Lamp,0,19.90", Flaw::Quantity),
            ("7,2026-03-14,DE,Lamp,1001,19.90", Flaw::Quantity),
            ("7,2026-03-14,DE,Lamp,3,19.9", Flaw::Price),
            ("7,2026-03-14,DE,\"Lamp,3,19.90", Flaw::Text),
            ("7,2026-03-14,DE,\"Lamp\" ,3,19.90", Flaw::Text),
            ("7,2026-03-14,DE,La\"mp,3,19.90", Flaw::Text),
        ] {
            assert_eq!(Sale::read(line.as_bytes()), Err(flaw), "{line}");
        }
        assert_eq!(Sale::read(b"7,2026-03-14,DE,\xff,3,19.90"), Err(Flaw::Text));
    }
}
