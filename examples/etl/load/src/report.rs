//! The report.

use std::collections::BTreeMap;

use bulkhead_sdk::Failure;
use etl_sales::{Batch, Flaw, Sum, Totals};
use serde::Serialize;

/// How many products are named.
const PRODUCTS: usize = 5;

/// What a whole file came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    batches: usize,
    rows: u64,
    checksum: u64,
    rejected: BTreeMap<Flaw, u64>,
    all: Sum,
    countries: BTreeMap<String, Sum>,
    months: BTreeMap<String, Sum>,
    best_products: Vec<Product>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Product {
    product: String,
    #[serde(flatten)]
    sum: Sum,
}

impl Report {
    /// The report of these batches, which must be all of the rows, each of them once.
    pub(crate) fn of(mut batches: Vec<Batch>, rows: u64) -> Result<Self, Failure> {
        batches.sort_by_key(|batch| batch.start);
        let (count, mut totals, mut next) = (batches.len(), Totals::default(), 0);
        for Batch { start, end, totals: part } in batches {
            if start != next || part.rows != end - start {
                let message =
                    format!("rows {start} to {end} follow on row {next}, and {} of them were read", part.rows);
                return Err(Failure::permanent("rows_missing", message));
            }
            next = end;
            totals.merge(part);
        }
        if next != rows {
            return Err(Failure::permanent("rows_missing", format!("{next} of {rows} rows were read")));
        }
        let Totals { rows, checksum, rejected, all, countries, months, products } = totals;
        let mut products: Vec<Product> = products.into_iter().map(|(product, sum)| Product { product, sum }).collect();
        // They come by name; those that brought as much as each other stay so.
        products.sort_by_key(|product| std::cmp::Reverse(product.sum.cents));
        products.truncate(PRODUCTS);
        Ok(Self { batches: count, rows, checksum, rejected, all, countries, months, best_products: products })
    }
}
