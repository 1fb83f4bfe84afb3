//! From a query to a statement and its bound values.
//!
//! Everything written into the statement is a constant of this crate; every value is bound.

use rusqlite::types::Value;

use super::fields::{Field, Kind, Resource, boolean};
use super::{DEFAULT_LIMIT, Filter, ListQuery, MAX_FILTERS, MAX_LIKE_RUNS, MAX_LIMIT, MAX_SORT, MAX_VALUE, MAX_VALUES, Op, QueryError};
use crate::views::page::{self, QueryHash};

/// A statement whose rows are the selected columns, then the sort key.
pub(in crate::views) struct Select {
    pub(in crate::views) sql: String,
    pub(in crate::views) values: Vec<Value>,
    /// Rows of the page; the statement gives one more if there are more.
    pub(in crate::views) limit: usize,
    /// Columns of the sort key.
    pub(in crate::views) keys: usize,
    pub(in crate::views) hash: QueryHash,
}

/// A column of the sort key.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) column: &'static str,
    nullable: bool,
    pub(super) descending: bool,
}

/// The statement for `query`, selecting `columns` from `table`.
pub(in crate::views) fn select(
    resource: Resource,
    columns: &'static str,
    table: &'static str,
    query: &ListQuery,
) -> Result<Select, QueryError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if limit == 0 || limit > MAX_LIMIT {
        return Err(QueryError::BadLimit { given: limit, max: MAX_LIMIT });
    }
    at_most("filters", query.filters.len(), MAX_FILTERS)?;
    let keys = keys(resource, query)?;
    let mut conditions = Vec::with_capacity(query.filters.len());
    for filter in &query.filters {
        conditions.push(condition(resource, filter)?);
    }
    // Equal questions have one hash, in whatever order their conditions are given.
    conditions.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| page::encode(&a.1).cmp(&page::encode(&b.1))));

    let order: Vec<String> = keys.iter().map(|key| format!("{} {}", key.column, if key.descending { "DESC" } else { "ASC" })).collect();
    let order = order.join(", ");
    let (wheres, mut values): (Vec<_>, Vec<_>) = conditions.into_iter().unzip();
    let mut wheres = wheres.join(" AND ");
    let mut bound: Vec<Value> = values.drain(..).flatten().collect();
    let hash = page::hash(&[table, &wheres, &order], &bound);

    if let Some(cursor) = &query.cursor {
        let (condition, from) = after(&keys, page::open(cursor, hash, keys.len())?);
        if !wheres.is_empty() {
            wheres.push_str(" AND ");
        }
        wheres.push_str(&condition);
        bound.extend(from);
    }
    let selected: Vec<&str> = keys.iter().map(|key| key.column).collect();
    let wheres = if wheres.is_empty() { String::new() } else { format!(" WHERE {wheres}") };
    let sql = format!("SELECT {columns}, {} FROM {table}{wheres} ORDER BY {order} LIMIT ?", selected.join(", "));
    bound.push(Value::Integer(i64::from(limit) + 1));
    Ok(Select { sql, values: bound, limit: limit as usize, keys: keys.len(), hash })
}

pub(super) fn at_most(what: &'static str, given: usize, max: usize) -> Result<(), QueryError> {
    if given > max { Err(QueryError::TooMany { what, given, max }) } else { Ok(()) }
}

/// The sort key; it ends in what is unique, so no two rows share it.
pub(super) fn keys(resource: Resource, query: &ListQuery) -> Result<Vec<Key>, QueryError> {
    at_most("fields to sort by", query.sort.len(), MAX_SORT)?;
    let mut keys: Vec<Key> = Vec::with_capacity(query.sort.len() + 2);
    for (at, sort) in query.sort.iter().enumerate() {
        let field = resource.field(&sort.field)?;
        let refuse = |reason| Err(QueryError::BadSort { field: sort.field.clone(), reason });
        if !field.kind.is_sortable() {
            return refuse("it is true or false");
        }
        if query.sort.iter().take(at).any(|other| other.field == sort.field) {
            return refuse("it is named twice");
        }
        // Ties of the last field are broken by age. Where the time is filtered by too, its own index serves both.
        let by_age = at + 1 == query.sort.len() && !query.filters.iter().any(|filter| filter.field == sort.field);
        let column = resource.as_age(field.name).filter(|_| by_age).unwrap_or(field.column);
        if !keys.iter().any(|key| key.column == column) {
            keys.push(Key { column, nullable: field.nullable, descending: sort.descending });
        }
    }
    let unique = resource.unique();
    let descending = keys.last().map_or(resource.newest_first(), |key| key.descending);
    let rest = unique.iter().filter(|column| !keys.iter().any(|key| key.column == **column));
    let rest: Vec<Key> = rest.map(|column| Key { column, nullable: false, descending }).collect();
    if rest.is_empty() {
        // No two rows are equal in these, so nothing behind the last of them changes the order.
        let last = keys.iter().rposition(|key| unique.contains(&key.column)).unwrap_or(keys.len());
        keys.truncate(last + 1);
    }
    keys.extend(rest);
    Ok(keys)
}

pub(super) fn condition(resource: Resource, filter: &Filter) -> Result<(String, Vec<Value>), QueryError> {
    let field = resource.field(&filter.field)?;
    let Field { name, kind, column, .. } = *field;
    let bad = |reason: String| QueryError::BadFilter { field: name, reason };
    if !kind.ops().contains(&filter.op) {
        let expected = kind.ops().iter().map(|op| op.as_str()).collect();
        return Err(QueryError::UnsupportedOp { field: name, op: filter.op, expected });
    }
    at_most("values", filter.values.len(), MAX_VALUES)?;
    if let Some(long) = filter.values.iter().find(|value| value.len() > MAX_VALUE) {
        return Err(bad(format!("has {} bytes, at most {MAX_VALUE}", long.len())));
    }
    let one = || match filter.values.as_slice() {
        [value] => Ok(value.as_str()),
        other => Err(bad(format!("takes one value, {} given", other.len()))),
    };
    let compared = |sign: &str| Ok((format!("{column} {sign} ?"), vec![kind.parse(one()?).map_err(bad)?]));
    let all = || filter.values.iter().map(|value| kind.parse(value).map_err(bad)).collect::<Result<Vec<_>, _>>();
    if let Kind::Bool { yes, no } = kind {
        let wanted = boolean(one()?).map_err(bad)? == (filter.op == Op::Eq);
        return Ok((if wanted { yes } else { no }.to_owned(), Vec::new()));
    }
    match filter.op {
        Op::Eq => compared("="),
        // A missing value is different from every value.
        Op::Ne => compared("IS NOT"),
        Op::Gt => compared(">"),
        Op::Gte => compared(">="),
        Op::Lt => compared("<"),
        Op::Lte => compared("<="),
        Op::In if filter.values.is_empty() => Err(bad("takes at least one value".to_owned())),
        Op::In => Ok((format!("{column} IN ({})", vec!["?"; filter.values.len()].join(", ")), all()?)),
        Op::Between if filter.values.len() != 2 => Err(bad(format!("takes two values, {} given", filter.values.len()))),
        Op::Between => Ok((format!("{column} BETWEEN ? AND ?"), all()?)),
        Op::Like => Ok((format!("{column} LIKE ? ESCAPE '\\'"), vec![Value::Text(pattern(one()?).map_err(bad)?)])),
        Op::IsNull => {
            let missing = boolean(one()?).map_err(bad)?;
            Ok((format!("{column} IS {}", if missing { "NULL" } else { "NOT NULL" }), Vec::new()))
        }
    }
}

/// A pattern that SQLite can match in bounded time.
fn pattern(text: &str) -> Result<String, String> {
    let (mut runs, mut escaped) = (0, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '%' => runs += 1,
            _ => (),
        }
    }
    if escaped {
        return Err("ends in a \\ that escapes nothing".to_owned());
    }
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if runs > MAX_LIKE_RUNS {
        return Err(format!("has {runs} %, at most {MAX_LIKE_RUNS}"));
    }
    Ok(text.to_owned())
}

/// The rows that come after the one with this sort key: beyond it in the first column, or equal there and after it
/// in the next ones. A missing value is below every other, as SQLite sorts it.
fn after(keys: &[Key], from: Vec<Value>) -> (String, Vec<Value>) {
    let mut sql = String::new();
    let mut values = Vec::new();
    if let (Some(key), Some(value)) = (keys.first(), from.first())
        && *value != Value::Null
        && !(key.descending && key.nullable)
    {
        // Says nothing new, but lets an index start at the right place.
        sql.push_str(&format!("{} {} ? AND ", key.column, if key.descending { "<=" } else { ">=" }));
        values.push(value.clone());
    }
    let last = keys.len().saturating_sub(1);
    for (at, (key, value)) in keys.iter().zip(from).enumerate() {
        let column = key.column;
        let beyond = match (key.descending, &value) {
            (false, Value::Null) => format!("{column} IS NOT NULL"),
            (true, Value::Null) => "0".to_owned(),
            (false, _) => format!("{column} > ?"),
            (true, _) if key.nullable => format!("({column} < ? OR {column} IS NULL)"),
            (true, _) => format!("{column} < ?"),
        };
        if value != Value::Null {
            values.push(value.clone());
        }
        if at == last {
            sql.push_str(&beyond);
        } else {
            sql.push_str(&format!("({beyond} OR ({column} IS ? AND "));
            values.push(value);
        }
    }
    sql.push_str(&"))".repeat(last));
    (sql, values)
}
