//! What rows add up to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Flaw, Sale, checksum};

/// What some sales add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// How many sales they are.
    pub sales: u64,
    /// How many things were sold.
    pub quantity: u64,
    /// For how much.
    pub cents: u64,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.sales += other.sales;
        self.quantity += other.quantity;
        self.cents += other.cents;
    }
}

/// What rows add up to, in whatever order they come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many they are.
    pub rows: u64,
    /// The sum of their checksums: another one where a row is missing, or is there twice.
    pub checksum: u64,
    /// Those that were rejected, by what is wrong with them.
    pub rejected: BTreeMap<Flaw, u64>,
    /// The others.
    pub all: Sum,
    /// The others by country.
    pub countries: BTreeMap<String, Sum>,
    /// The others by month.
    pub months: BTreeMap<String, Sum>,
    /// The others by product.
    pub products: BTreeMap<String, Sum>,
}

impl Totals {
    /// Adds a row: a line without its end.
    pub fn add(&mut self, line: &[u8]) {
        self.rows += 1;
        self.checksum += u64::from(checksum(line));
        match Sale::read(line) {
            Err(flaw) => *self.rejected.entry(flaw).or_default() += 1,
            Ok(Sale { month, country, product, quantity, cents }) => {
                let sum = Sum { sales: 1, quantity, cents };
                self.all.add(sum);
                count(&mut self.countries, country, sum);
                count(&mut self.months, month, sum);
                count(&mut self.products, &product, sum);
            }
        }
    }

    /// Adds what other rows came to.
    pub fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.checksum += other.checksum;
        for (flaw, rows) in other.rejected {
            *self.rejected.entry(flaw).or_default() += rows;
        }
        self.all.add(other.all);
        for (into, from) in [
            (&mut self.countries, other.countries),
            (&mut self.months, other.months),
            (&mut self.products, other.products),
        ] {
            for (key, sum) in from {
                into.entry(key).or_default().add(sum);
            }
        }
    }
}

/// Most keys are there already, and then none is copied.
fn count(sums: &mut BTreeMap<String, Sum>, key: &str, sum: Sum) {
    match sums.get_mut(key) {
        Some(there) => there.add(sum),
        None => {
            sums.insert(key.to_owned(), sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [&str; 4] =
        ["1,2026-01-31,DE,Lamp,2,10.00", "2,2026-02-01,FR,Lamp,1,10.50", "3,2026-02-01,DE,Desk,x,1.00", ""];

    fn totals(rows: &[&str]) -> Totals {
        let mut totals = Totals::default();
        rows.iter().for_each(|row| totals.add(row.as_bytes()));
        totals
    }

    #[test]
    fn rows_are_added_up_and_those_that_do_not_hold_are_counted() {
        let totals = totals(&ROWS);
        assert_eq!((totals.rows, totals.all), (4, Sum { sales: 2, quantity: 3, cents: 3050 }));
        assert_eq!(totals.rejected, BTreeMap::from([(Flaw::Columns, 1), (Flaw::Quantity, 1)]));
        assert_eq!(totals.countries["DE"].cents, 2000);
        assert_eq!(totals.products["Lamp"].quantity, 3);
        assert_eq!(totals.months.keys().collect::<Vec<_>>(), ["2026-01", "2026-02"]);
    }

    #[test]
    fn parts_add_up_to_the_whole_wherever_it_is_cut() {
        for cut in 0..=ROWS.len() {
            let (one, other) = ROWS.split_at(cut);
            let mut merged = totals(one);
            merged.merge(totals(other));
            assert_eq!(merged, totals(&ROWS));
        }
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let totals = totals(&ROWS);
        let text = serde_json::to_string(&totals).expect("JSON");
        assert!(text.contains(r#""rejected":{"columns":1,"quantity":1}"#), "{text}");
        assert_eq!(serde_json::from_str::<Totals>(&text).expect("totals"), totals);
    }
}
