//! The same conditions and orders for rows that are in memory, also such as change all the time: nothing is allocated to look
//! at one.

use rusqlite::types::Value;
use std::cmp::Ordering;

use super::fields::boolean;
use super::sql::{at_most, condition, keys};
use super::{Filter, Kind, ListQuery, MAX_FILTERS, Op, QueryError, Resource, Sort};

/// What a row has in a field, comparing as the views' columns do: missing below numbers below text below what is wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar<'a> {
    /// Nothing.
    Missing,
    /// A whole number, a price, a time, or the number of a term; true is 1.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// An id; or a quantity or money with its sign bit flipped.
    Wide(u128),
}

impl Scalar<'_> {
    /// A number of 128 bits, such as a quantity's.
    #[must_use]
    pub const fn wide(value: i128) -> Self {
        Self::Wide(value.cast_unsigned() ^ (1 << 127))
    }
}

impl<'a> From<&'a Value> for Scalar<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Integer(number) => Self::Int(*number),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => {
                <[u8; 16]>::try_from(bytes.as_slice()).map_or(Self::Missing, |bytes| Self::Wide(u128::from_be_bytes(bytes)))
            }
            // No field has a float.
            Value::Null | Value::Real(_) => Self::Missing,
        }
    }
}

/// What a row had in a field, or what it is compared with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owned {
    /// Nothing.
    Missing,
    /// As [`Scalar::Int`].
    Int(i64),
    /// Text.
    Text(String),
    /// As [`Scalar::Wide`].
    Wide(u128),
}

impl Owned {
    /// It, borrowed.
    #[must_use]
    pub fn as_scalar(&self) -> Scalar<'_> {
        match self {
            Self::Missing => Scalar::Missing,
            Self::Int(number) => Scalar::Int(*number),
            Self::Text(text) => Scalar::Text(text),
            Self::Wide(bits) => Scalar::Wide(*bits),
        }
    }
}

impl From<Scalar<'_>> for Owned {
    fn from(value: Scalar<'_>) -> Self {
        match value {
            Scalar::Missing => Self::Missing,
            Scalar::Int(number) => Self::Int(number),
            Scalar::Text(text) => Self::Text(text.to_owned()),
            Scalar::Wide(bits) => Self::Wide(bits),
        }
    }
}

/// A condition on a field of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The field.
    pub field: &'static str,
    op: Op,
    values: Vec<Owned>,
    /// Of a `like`.
    pattern: Vec<char>,
}

impl Condition {
    /// The conditions that `filters` put, in an order that equal questions share.
    ///
    /// # Errors
    /// What the views refuse, in the same words.
    pub fn all(resource: Resource, filters: &[Filter]) -> Result<Vec<Self>, QueryError> {
        at_most("filters", filters.len(), MAX_FILTERS)?;
        let mut all = filters.iter().map(|filter| Self::of(resource, filter)).collect::<Result<Vec<_>, _>>()?;
        all.sort_by(|a, b| (a.field, a.op.as_str()).cmp(&(b.field, b.op.as_str())).then_with(|| a.values.cmp(&b.values)));
        all.dedup();
        Ok(all)
    }

    fn of(resource: Resource, filter: &Filter) -> Result<Self, QueryError> {
        condition(resource, filter)?;
        let field = resource.field(&filter.field)?;
        let bad = |reason: String| QueryError::BadFilter { field: field.name, reason };
        let value = |text: &String| match filter.op {
            Op::IsNull => boolean(text).map(|yes| Owned::Int(yes.into())),
            Op::Like => Ok(Owned::Text(text.clone())),
            _ => field.kind.parse(text).map(|value| Scalar::from(&value).into()),
        };
        let mut values = filter.values.iter().map(|text| value(text).map_err(bad)).collect::<Result<Vec<_>, _>>()?;
        if filter.op == Op::In {
            values.sort();
            values.dedup();
        }
        let pattern = match (filter.op, values.first()) {
            (Op::Like, Some(Owned::Text(text))) => text.chars().collect(),
            _ => Vec::new(),
        };
        Ok(Self { field: field.name, op: filter.op, values, pattern })
    }

    /// Whether a row that has `value` in the field meets it.
    #[must_use]
    pub fn holds(&self, value: Scalar<'_>) -> bool {
        let is = |wanted: Ordering, or: Ordering, other: Option<&Owned>| {
            value != Scalar::Missing
                && other.is_some_and(|other| {
                    let found = value.cmp(&other.as_scalar());
                    found == wanted || found == or
                })
        };
        let (first, second) = (self.values.first(), self.values.get(1));
        match self.op {
            Op::Eq => is(Ordering::Equal, Ordering::Equal, first),
            // A missing value is different from every value.
            Op::Ne => first.is_none_or(|first| value != first.as_scalar()),
            Op::In => value != Scalar::Missing && self.values.binary_search_by(|one| one.as_scalar().cmp(&value)).is_ok(),
            Op::Gt => is(Ordering::Greater, Ordering::Greater, first),
            Op::Gte => is(Ordering::Greater, Ordering::Equal, first),
            Op::Lt => is(Ordering::Less, Ordering::Less, first),
            Op::Lte => is(Ordering::Less, Ordering::Equal, first),
            Op::Between => is(Ordering::Greater, Ordering::Equal, first) && is(Ordering::Less, Ordering::Equal, second),
            Op::Like => matches!(value, Scalar::Text(text) if like(text, &self.pattern)),
            Op::IsNull => (value == Scalar::Missing) == (first == Some(&Owned::Int(1))),
        }
    }

    /// A text that equal conditions share and others do not.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {} {:?}", self.field, self.op, self.values)
    }
}

/// As SQLite's LIKE with the escape `\`: letters of ASCII in either case. The number of `%` is bounded.
fn like(text: &str, pattern: &[char]) -> bool {
    let mut chars = text.chars();
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => {
            let mut left = text;
            loop {
                if like(left, rest) {
                    return true;
                }
                let mut chars = left.chars();
                if chars.next().is_none() {
                    return false;
                }
                left = chars.as_str();
            }
        }
        ['_', rest @ ..] => chars.next().is_some() && like(chars.as_str(), rest),
        ['\\', literal, rest @ ..] | [literal, rest @ ..] => {
            chars.next().is_some_and(|first| first.eq_ignore_ascii_case(literal)) && like(chars.as_str(), rest)
        }
    }
}

/// A field of the sort key.
#[derive(Clone, Copy, Debug)]
pub struct SortKey {
    /// The field.
    pub field: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it can be missing.
    pub nullable: bool,
    /// Largest first.
    pub descending: bool,
}

/// The whole sort key, as the lists of `resource` have it: it ends in what no two rows share.
///
/// # Errors
/// What the views refuse, in the same words.
pub fn sort_key(resource: Resource, sort: Vec<Sort>) -> Result<Vec<SortKey>, QueryError> {
    let asked = ListQuery { sort, ..ListQuery::default() };
    let key = |key: super::sql::Key| {
        let field = resource.field(key.column)?;
        Ok(SortKey { field: field.name, kind: field.kind, nullable: field.nullable, descending: key.descending })
    };
    keys(resource, &asked)?.into_iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether a list shows a row that has `value` in the field: SQLite says it, by the condition that the views put to it.
    fn listed(filter: &Filter, value: Value) -> bool {
        let (wanted, values) = condition(Resource::Orders, filter).unwrap();
        let column = Resource::Orders.field(&filter.field).unwrap().column;
        let sql = format!("SELECT count(*) FROM (SELECT ? AS {column}) WHERE {wanted}");
        let bound = rusqlite::params_from_iter(std::iter::once(value).chain(values));
        rusqlite::Connection::open_in_memory().unwrap().query_row(&sql, bound, |row| row.get(0)).unwrap()
    }

    fn agrees(field: &str, key: &str, value: &str, row: &str) -> bool {
        let filter = Filter::from_pair(&format!("{field}{key}"), value).unwrap();
        let paged = listed(&filter, Value::Text(row.to_owned()));
        let held = Condition::all(Resource::Orders, &[filter]).unwrap().iter().all(|one| one.holds(Scalar::Text(row)));
        assert_eq!(held, paged, "{field}{key}={value} of {row}");
        held
    }

    #[test]
    fn text_is_met_as_in_lists() {
        assert!(agrees("cl_ord_id", "__like", "a%_c", "AxxBc") && !agrees("cl_ord_id", "__like", "a%_c", "ac"));
        assert!(agrees("cl_ord_id", "__in", "b,a", "a") && !agrees("cl_ord_id", "__ne", "a", "a"));
        assert!(agrees("cl_ord_id", "__like", "%\\%%", "10%") && !agrees("cl_ord_id", "__like", "%\\%%", "10"));
    }

    #[test]
    fn equal_questions_are_one_whatever_their_order() {
        let of = |pairs: &[(&str, &str)]| {
            let filters: Vec<Filter> = pairs.iter().map(|(key, value)| Filter::from_pair(key, value).unwrap()).collect();
            Condition::all(Resource::Orders, &filters).unwrap().iter().map(Condition::text).collect::<Vec<_>>()
        };
        assert_eq!(of(&[("symbol", "A"), ("state__in", "LIVE,NEW")]), of(&[("state__in", "NEW,LIVE"), ("symbol", "A"), ("symbol", "A")]));
        assert_ne!(of(&[("symbol", "A")]), of(&[("symbol__ne", "A")]));
        let refused = Condition::all(Resource::Orders, &[Filter::new("nope", Op::Eq, "1")]).unwrap_err();
        assert!(matches!(refused, QueryError::UnknownField { .. }));
    }

    #[test]
    fn the_sort_key_is_that_of_lists() {
        let key = |text: &str| -> Vec<(&str, bool)> {
            sort_key(Resource::Orders, Sort::parse(text)).unwrap().iter().map(|key| (key.field, key.descending)).collect()
        };
        assert_eq!(key(""), [("created_seq", true)]);
        assert_eq!(key("-created_at"), [("created_seq", true)]);
        assert_eq!(key("symbol,-price"), [("symbol", false), ("price", true), ("created_seq", true)]);
        assert!(sort_key(Resource::Orders, Sort::parse("in_doubt")).is_err());
    }

    proptest! {
        /// What a list shows, a live row meets: prices, missing ones too.
        #[test]
        fn conditions_are_those_of_lists(row in prop::option::of(-3_i64..4), values in (-3_i64..4, -3_i64..4), op in 0..Op::ALL.len()) {
            let (name, op) = Op::ALL[op];
            prop_assume!(op != Op::Like);
            let price = |raw: i64| oms_model::Price::from_raw(raw).to_string();
            let value = match op {
                Op::In | Op::Between => format!("{},{}", price(values.0), price(values.1)),
                Op::IsNull => (values.0 > 0).to_string(),
                _ => price(values.0),
            };
            let filter = Filter::from_pair(&format!("price__{name}"), &value).unwrap();
            let paged = listed(&filter, row.map_or(Value::Null, Value::Integer));
            let conditions = Condition::all(Resource::Orders, &[filter]).unwrap();
            let held = conditions.iter().all(|one| one.holds(row.map_or(Scalar::Missing, Scalar::Int)));
            prop_assert_eq!(held, paged);
        }
    }
}
