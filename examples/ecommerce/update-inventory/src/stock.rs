//! How much there is of what.

use std::collections::BTreeMap;

use bulkhead_sdk::prelude::*;
use ecommerce_shared::cart::Item;
use ecommerce_shared::results::Reserved;

/// How many there are of each thing; of what is not named there are enough.
///
/// Nothing is taken from it: a sandbox keeps nothing for the next one. A real store has a system of its own, which is asked as
/// `send_confirmation` asks the mail service.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Stock(BTreeMap<String, u64>);

impl Stock {
    /// All of these items, each thing once, or the first of which there are too few.
    pub(crate) fn reserve(&self, items: &[Item]) -> Result<Vec<Reserved>, Failure> {
        let mut wanted: BTreeMap<&str, u32> = BTreeMap::new();
        for item in items {
            *wanted.entry(&item.sku).or_default() += item.pieces().unwrap_or_default();
        }
        wanted.into_iter().map(|(sku, quantity)| self.take(sku, quantity)).collect()
    }

    fn take(&self, sku: &str, quantity: u32) -> Result<Reserved, Failure> {
        match self.0.get(sku) {
            Some(in_stock) if *in_stock < u64::from(quantity) => {
                let message = format!("there are {in_stock} of `{sku}`, and {quantity} are wanted");
                let details = json!({ "sku": sku, "wanted": quantity, "in_stock": in_stock });
                Err(Failure::permanent("OUT_OF_STOCK", message).with_details(details))
            }
            _ => Ok(Reserved { sku: sku.to_owned(), quantity }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(wanted: &[(&str, u32)]) -> Vec<Item> {
        let item = |(sku, quantity): &(&str, u32)| {
            let item = json!({"sku": sku, "name": "", "quantity": quantity, "unit_price": 1});
            Item::deserialize(item).expect("an item")
        };
        wanted.iter().map(item).collect()
    }

    #[test]
    fn a_thing_on_two_lines_is_reserved_once() {
        let stock = Stock(BTreeMap::from([("lamp".to_owned(), 4)]));
        let reserved = stock.reserve(&items(&[("lamp", 1), ("chair", 9), ("lamp", 3)])).expect("enough");
        let told: Vec<_> = reserved.iter().map(|reserved| (reserved.sku.as_str(), reserved.quantity)).collect();
        assert_eq!(told, [("chair", 9), ("lamp", 4)]);
        assert_eq!(stock.reserve(&items(&[("lamp", 2), ("lamp", 3)])).expect_err("too few").code, "OUT_OF_STOCK");
    }
}
