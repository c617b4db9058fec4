//! Rows that wait to be put into one table, column by column.

use std::collections::{HashMap, HashSet};

use tokio_postgres::types::{ToSql as Parameter, Type};

use crate::sql::{Error, Kind, Result, Table, ToSql, Value, ValueRef};

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

    /// Where the rows with these numbers in a column are; nothing where any of them is not here.
    pub(super) fn places(&self, column: &str, numbers: &[i64]) -> Option<Vec<usize>> {
        let column = self.table.columns.iter().position(|(name, _)| *name == column)?;
        let Column::Integers(here) = self.columns.get(column)? else { return None };
        let places: HashMap<i64, usize> =
            here.iter().enumerate().filter_map(|(place, number)| Some(((*number)?, place))).collect();
        numbers.iter().map(|number| places.get(number).copied()).collect()
    }

    /// Some columns of one row.
    pub(super) fn row(&self, place: usize, columns: &[&str]) -> Option<Vec<Value>> {
        let value = |wanted: &&str| {
            let column = self.table.columns.iter().position(|(name, _)| name == wanted)?;
            self.columns.get(column)?.value(place)
        };
        columns.iter().map(value).collect()
    }

    /// Takes rows out again.
    pub(super) fn remove(&mut self, places: &[usize]) {
        let gone: HashSet<usize> = places.iter().copied().collect();
        self.columns.iter_mut().for_each(|column| column.remove(&gone));
        self.rows -= gone.len();
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

impl Column {
    fn value(&self, place: usize) -> Option<Value> {
        fn own<T: Clone>(list: &[Option<T>], place: usize, make: impl FnOnce(T) -> Value) -> Option<Value> {
            list.get(place).map(|value| value.clone().map_or(Value::Null, make))
        }
        match self {
            Self::Booleans(truths) => own(truths, place, Value::Bool),
            Self::Integers(numbers) => own(numbers, place, Value::Integer),
            Self::Texts(texts) => own(texts, place, Value::Text),
            Self::Blobs(blobs) => own(blobs, place, Value::Blob),
        }
    }

    fn remove(&mut self, gone: &HashSet<usize>) {
        fn without<T>(list: &mut Vec<T>, gone: &HashSet<usize>) {
            let mut place = 0;
            list.retain(|_| {
                place += 1;
                !gone.contains(&(place - 1))
            });
        }
        match self {
            Self::Booleans(truths) => without(truths, gone),
            Self::Integers(numbers) => without(numbers, gone),
            Self::Texts(texts) => without(texts, gone),
            Self::Blobs(blobs) => without(blobs, gone),
        }
    }
}
