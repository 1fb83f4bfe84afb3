//! The same questions about rows that are in memory: those of a state rather than of the views.

use std::cmp::Ordering;

use oms_model::{Notional, Price, Qty, Seq, Time};
use rusqlite::types::Value;

use super::fields::boolean;
use super::sql::{at_most, condition, keys};
use super::{DEFAULT_LIMIT, Filter, Kind, ListQuery, MAX_FILTERS, MAX_LIMIT, Op, QueryError, Resource};
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

/// A condition with its values in their stored form.
struct Test {
    field: &'static str,
    kind: Kind,
    op: Op,
    values: Vec<Value>,
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
    let tests = query.filters.iter().map(|filter| test(resource, filter)).collect::<Result<Vec<_>, _>>()?;
    let mut asked: Vec<(String, Vec<Value>)> =
        tests.iter().map(|test| (format!("{} {}", test.field, test.op), test.values.clone())).collect();
    // Equal questions have one hash, in whatever order their conditions are given.
    asked.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| page::encode(&a.1).cmp(&page::encode(&b.1))));
    let order: Vec<String> = keys.iter().map(|key| format!("{} {}", key.column, key.descending)).collect();
    let (names, values): (Vec<String>, Vec<Vec<Value>>) = asked.into_iter().unzip();
    let hash = page::hash(&["memory", &names.join(","), &order.join(",")], &values.concat());
    let from = query.cursor.as_deref().map(|cursor| page::open(cursor, hash, keys.len())).transpose()?;

    let compare = |a: &[Value], b: &[Value]| {
        let each = keys.iter().zip(a.iter().zip(b)).map(|(key, (a, b))| if key.descending { compared(b, a) } else { compared(a, b) });
        each.fold(Ordering::Equal, Ordering::then)
    };
    let met = rows.into_iter().filter(|row| tests.iter().all(|test| holds(test, &cell(row, test.field).0)));
    let keyed = met.map(|row| (keys.iter().map(|key| cell(&row, key.column).0).collect::<Vec<Value>>(), row));
    let mut found: Vec<(Vec<Value>, T)> =
        keyed.filter(|(key, _)| from.as_deref().is_none_or(|from| compare(key, from) == Ordering::Greater)).collect();
    found.sort_by(|(a, _), (b, _)| compare(a, b));
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|(key, _)| page::seal(hash, key));
    Ok((found.into_iter().map(|(_, row)| row).collect(), next))
}

fn test(resource: Resource, filter: &Filter) -> Result<Test, QueryError> {
    // Refuses what the views refuse, in the same words.
    condition(resource, filter)?;
    let field = resource.field(&filter.field)?;
    let bad = |reason: String| QueryError::BadFilter { field: field.name, reason };
    let value = |text: &String| match filter.op {
        Op::IsNull => boolean(text).map(|yes| Value::Integer(yes.into())),
        Op::Like => Ok(Value::Text(text.clone())),
        _ => field.kind.parse(text),
    };
    let values = filter.values.iter().map(|text| value(text).map_err(bad)).collect::<Result<_, _>>()?;
    Ok(Test { field: field.name, kind: field.kind, op: filter.op, values })
}

fn holds(test: &Test, cell: &Value) -> bool {
    let one = test.values.first().unwrap_or(&Value::Null);
    let is = |wanted: &[Ordering], value: &Value| *cell != Value::Null && wanted.contains(&compared(cell, value));
    match test.op {
        Op::Ne if matches!(test.kind, Kind::Bool { .. }) => cell != one,
        Op::Eq => is(&[Ordering::Equal], one),
        // A missing value is different from every value.
        Op::Ne => cell != one,
        Op::In => test.values.iter().any(|value| is(&[Ordering::Equal], value)),
        Op::Gt => is(&[Ordering::Greater], one),
        Op::Gte => is(&[Ordering::Greater, Ordering::Equal], one),
        Op::Lt => is(&[Ordering::Less], one),
        Op::Lte => is(&[Ordering::Less, Ordering::Equal], one),
        Op::Between => match test.values.as_slice() {
            [from, to] => is(&[Ordering::Greater, Ordering::Equal], from) && is(&[Ordering::Less, Ordering::Equal], to),
            _ => false,
        },
        Op::Like => match (cell, one) {
            (Value::Text(text), Value::Text(pattern)) => like(&text.chars().collect::<Vec<_>>(), &pattern.chars().collect::<Vec<_>>()),
            _ => false,
        },
        Op::IsNull => (*cell == Value::Null) == (*one == Value::Integer(1)),
    }
}

/// Missing values first, then numbers, text and bytes, as SQLite sorts them.
fn compared(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    };
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Blob(a), Value::Blob(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// As SQLite's LIKE with the escape `\`: letters of ASCII in either case. The number of `%` is bounded.
fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skipped| like(text.get(skipped..).unwrap_or_default(), rest)),
        ['_', rest @ ..] => text.split_first().is_some_and(|(_, text)| like(text, rest)),
        ['\\', literal, rest @ ..] | [literal, rest @ ..] => {
            text.split_first().is_some_and(|(first, text)| first.eq_ignore_ascii_case(literal) && like(text, rest))
        }
    }
}
