//! The same questions about rows that are in memory: those of a state rather than of the views.

use std::cmp::Ordering;

use oms_model::{Notional, Price, Qty, Seq, Time};
use rusqlite::types::Value;

use super::live::{Condition, Scalar};
use super::sql::{at_most, keys};
use super::{DEFAULT_LIMIT, ListQuery, MAX_FILTERS, MAX_LIMIT, QueryError, Resource};
use crate::views::{page, sortable};

/// What a row has in a field, in the form that compares as the views' columns do.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell(Value);

impl Cell {
    /// An id.
    #[must_use]
    pub fn id(bits: u128) -> Self {
        Self(Value::Blob(bits.to_be_bytes().to_vec()))
    }
    /// Text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self(Value::Text(text.to_owned()))
    }
    /// A whole number, or the number of a term.
    #[must_use]
    pub fn int(value: impl Into<i64>) -> Self {
        Self(Value::Integer(value.into()))
    }
    /// A time.
    #[must_use]
    pub const fn time(value: Time) -> Self {
        Self(Value::Integer(value.0))
    }
    /// A sequence.
    #[must_use]
    pub fn seq(value: Seq) -> Self {
        Self(Value::Integer(sortable::seq(value)))
    }
    /// A price.
    #[must_use]
    pub fn price(value: Price) -> Self {
        Self(Value::Integer(value.raw()))
    }
    /// What may be missing.
    #[must_use]
    pub fn maybe(value: Option<Self>) -> Self {
        value.unwrap_or(Self(Value::Null))
    }
    /// true or false.
    #[must_use]
    pub fn bool(value: bool) -> Self {
        Self(Value::Integer(value.into()))
    }
    /// A quantity.
    #[must_use]
    pub fn qty(value: Qty) -> Self {
        Self(Value::Blob(sortable::qty(value).to_vec()))
    }
    /// Money.
    #[must_use]
    pub fn money(value: Notional) -> Self {
        Self(Value::Blob(sortable::money(value).to_vec()))
    }
    /// Missing.
    #[must_use]
    pub const fn missing() -> Self {
        Self(Value::Null)
    }
}

/// The page of `rows` that `query` asks for, and the cursor of the next one. `cell` answers what a row has in a field.
/// It looks at every row: for resources of which there are some thousand at most.
///
/// # Errors
/// See [`QueryError`].
pub fn search<T>(
    resource: Resource,
    query: &ListQuery,
    rows: Vec<T>,
    cell: impl Fn(&T, &'static str) -> Cell,
) -> Result<(Vec<T>, Option<String>), QueryError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if limit == 0 || limit > MAX_LIMIT {
        return Err(QueryError::BadLimit { given: limit, max: MAX_LIMIT });
    }
    at_most("filters", query.filters.len(), MAX_FILTERS)?;
    let keys = keys(resource, query)?;
    // Equal questions have one hash, in whatever order their conditions are given.
    let conditions = Condition::all(resource, &query.filters)?;
    let asked: Vec<String> = conditions.iter().map(Condition::text).collect();
    let order: Vec<String> = keys.iter().map(|key| format!("{} {}", key.column, key.descending)).collect();
    let hash = page::hash(&["memory", &asked.join(","), &order.join(",")], &[]);
    let from = query.cursor.as_deref().map(|cursor| page::open(cursor, hash, keys.len())).transpose()?;

    let compare = |a: &[Value], b: &[Value]| {
        let each = keys.iter().zip(a.iter().map(Scalar::from).zip(b.iter().map(Scalar::from)));
        let each = each.map(|(key, (a, b))| if key.descending { b.cmp(&a) } else { a.cmp(&b) });
        each.fold(Ordering::Equal, Ordering::then)
    };
    let met = rows.into_iter().filter(|row| conditions.iter().all(|one| one.holds(Scalar::from(&cell(row, one.field).0))));
    let keyed = met.map(|row| (keys.iter().map(|key| cell(&row, key.column).0).collect::<Vec<Value>>(), row));
    let mut found: Vec<(Vec<Value>, T)> =
        keyed.filter(|(key, _)| from.as_deref().is_none_or(|from| compare(key, from) == Ordering::Greater)).collect();
    found.sort_by(|(a, _), (b, _)| compare(a, b));
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|(key, _)| page::seal(hash, key));
    Ok((found.into_iter().map(|(_, row)| row).collect(), next))
}
