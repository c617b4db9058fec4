//! Tables that many rows are put into at once.

use std::sync::OnceLock;

/// What a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Integer,
    Text,
    Blob,
}

/// A table, by the columns that are given for each new row.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its place among those that are told apart by it.
    pub(crate) place: usize,
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
    one: OnceLock<String>,
    many: OnceLock<String>,
}

impl Table {
    pub(crate) const fn new(place: usize, name: &'static str, columns: &'static [(&'static str, Kind)]) -> Self {
        Self { place, name, columns, one: OnceLock::new(), many: OnceLock::new() }
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// The statement that puts one row in.
    pub(crate) fn insert_one(&self) -> &str {
        self.one.get_or_init(|| {
            let places: Vec<String> = (1..=self.columns.len()).map(|place| format!("?{place}")).collect();
            format!("INSERT INTO {} ({}) VALUES ({})", self.name, self.names(), places.join(", "))
        })
    }

    /// The statement that puts in any number of rows, given column by column.
    pub(crate) fn insert_many(&self) -> &str {
        self.many.get_or_init(|| {
            let lists: Vec<String> = (1..)
                .zip(self.columns)
                .map(|(place, (_, kind))| match kind {
                    Kind::Boolean => format!("?{place}::boolean[]"),
                    Kind::Integer => format!("?{place}::bigint[]"),
                    Kind::Text => format!("?{place}::text[]"),
                    Kind::Blob => format!("?{place}::bytea[]"),
                })
                .collect();
            format!("INSERT INTO {} ({}) SELECT * FROM unnest({})", self.name, self.names(), lists.join(", "))
        })
    }
}
