//! Rows that wait to be put into one table, column by column.

use tokio_postgres::types::{ToSql as Parameter, Type};

use crate::sql::{Error, Kind, Result, Table, ToSql, ValueRef};

/// New rows of one table.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) table: &'static Table,
    columns: Vec<Column>,
    pub(super) rows: usize,
}

#[derive(Debug)]
enum Column {
    Booleans(Vec<Option<bool>>),
    Integers(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Blobs(Vec<Option<Vec<u8>>>),
}

impl Gathered {
    pub(super) fn new(table: &'static Table) -> Self {
        let column = |kind: &Kind| match kind {
            Kind::Boolean => Column::Booleans(Vec::new()),
            Kind::Integer => Column::Integers(Vec::new()),
            Kind::Text => Column::Texts(Vec::new()),
            Kind::Blob => Column::Blobs(Vec::new()),
        };
        Self { table, columns: table.columns.iter().map(|(_, kind)| column(kind)).collect(), rows: 0 }
    }

    pub(super) fn add(&mut self, values: &[&dyn ToSql]) -> Result<()> {
        debug_assert_eq!(values.len(), self.columns.len());
        for (column, value) in self.columns.iter_mut().zip(values) {
            match (column, value.value()) {
                (Column::Booleans(truths), ValueRef::Bool(is)) => truths.push(Some(is)),
                (Column::Integers(numbers), ValueRef::Integer(number)) => numbers.push(Some(number)),
                (Column::Integers(numbers), ValueRef::Null) => numbers.push(None),
                (Column::Texts(texts), ValueRef::Text(text)) => texts.push(Some(text.to_owned())),
                (Column::Texts(texts), ValueRef::Null) => texts.push(None),
                (Column::Blobs(blobs), ValueRef::Blob(bytes)) => blobs.push(Some(bytes.to_vec())),
                (Column::Blobs(blobs), ValueRef::Null) => blobs.push(None),
                (_, other) => {
                    return Err(Error::Other(format!("`{}` has no column for {other:?}", self.table.name)));
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// The columns as lists.
    pub(super) fn values(&self) -> Vec<(&(dyn Parameter + Sync), Type)> {
        self.columns
            .iter()
            .map(|column| -> (&(dyn Parameter + Sync), Type) {
                match column {
                    Column::Booleans(truths) => (truths, Type::BOOL_ARRAY),
                    Column::Integers(numbers) => (numbers, Type::INT8_ARRAY),
                    Column::Texts(texts) => (texts, Type::TEXT_ARRAY),
                    Column::Blobs(blobs) => (blobs, Type::BYTEA_ARRAY),
                }
            })
            .collect()
    }
}
