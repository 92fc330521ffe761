//! Between the columns of the books and the types of the house.

use super::super::sums::{ProviderSum, Whose};
use crate::domain::ByteCount;
use rusqlite::{Row, types::Type};
use std::str::FromStr;

/// A column that is written as text.
pub(super) fn parsed<T>(column: usize, row: &Row<'_>) -> Result<T, rusqlite::Error>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// A provider. One whose name no version knows any more is as good as none.
pub(super) fn whose(column: usize, row: &Row<'_>) -> Result<Whose, rusqlite::Error> {
    Ok(row.get::<_, String>(column)?.parse().ok())
}

/// The three sums of a provider, from this column on.
pub(super) fn provider_sum(column: usize, row: &Row<'_>) -> Result<ProviderSum, rusqlite::Error> {
    Ok(ProviderSum {
        counted: loaded_bytes(row.get(column)?),
        estimated: loaded_bytes(row.get(column + 1)?),
        said: loaded_bytes(row.get(column + 2)?),
    })
}

pub(super) fn stored(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn loaded(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn loaded_bytes(value: i64) -> ByteCount {
    ByteCount::new(loaded(value))
}
