//! What a list may be asked: which rows, in which order, from where.
//!
//! - Fields come from a whitelist per [`Resource`], each with a type; what is not known is refused, never ignored.
//! - Comparisons are exact: decimals are compared as numbers, over the whole range of their type.
//! - A page is cut by the values of its last row, not by counting, so rows that come or go meanwhile neither
//!   repeat nor hide others. A row whose sort field changes meanwhile moves with it.

mod fields;
mod live;
mod memory;
mod sql;

use std::fmt;

pub use fields::{Field, Kind, Resource};
pub use live::{Condition, Owned, Scalar, SortKey, sort_key};
pub use memory::{Cell, search};
pub(super) use sql::select;

/// Rows of a page at most.
pub const MAX_LIMIT: u32 = 500;
/// Rows of a page where nothing is said.
pub const DEFAULT_LIMIT: u32 = 100;
/// Filters of a query at most.
pub const MAX_FILTERS: usize = 32;
/// Values of an `in` at most.
pub const MAX_VALUES: usize = 200;
/// Fields to sort by at most.
pub const MAX_SORT: usize = 4;
/// Bytes of one value at most.
pub const MAX_VALUE: usize = 128;
/// `%` in a `like` at most; each multiplies the work of matching.
pub const MAX_LIKE_RUNS: usize = 4;

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Equal: `field=value`.
    Eq,
    /// Not equal, which a missing value is too: `field__ne=value`.
    Ne,
    /// One of these: `field__in=a,b`.
    In,
    /// Greater: `field__gt=value`.
    Gt,
    /// Greater or equal: `field__gte=value`.
    Gte,
    /// Less: `field__lt=value`.
    Lt,
    /// Less or equal: `field__lte=value`.
    Lte,
    /// From the first to the second, both included: `field__between=a,b`.
    Between,
    /// Matches, letters of ASCII in either case: `%` stands for any run of characters, `_` for any one,
    /// `\` takes the next one literally: `field__like=AA%`.
    Like,
    /// Whether the value is missing: `field__isnull=true`.
    IsNull,
}

impl Op {
    /// Every operator with its suffix.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("in", Self::In),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("between", Self::Between),
        ("like", Self::Like),
        ("isnull", Self::IsNull),
    ];

    /// The suffix.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A condition. All conditions of a query hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The field's name.
    pub field: String,
    /// How it is compared.
    pub op: Op,
    /// With what, as text: one value, two for [`Op::Between`], any number for [`Op::In`].
    pub values: Vec<String>,
}

impl Filter {
    /// A condition on one value.
    #[must_use]
    pub fn new(field: &str, op: Op, value: impl Into<String>) -> Self {
        Self { field: field.to_owned(), op, values: vec![value.into()] }
    }

    /// From a pair as in a URL: the key is `field` or `field__op`; `in` and `between` split the value at commas.
    ///
    /// # Errors
    /// [`QueryError::UnknownOp`] where the key ends in something else than an operator.
    pub fn from_pair(key: &str, value: &str) -> Result<Self, QueryError> {
        let (field, op) = match key.rsplit_once("__") {
            None => (key, Op::Eq),
            Some((field, suffix)) => {
                let known = Op::ALL.iter().find(|(name, _)| *name == suffix);
                let (_, op) = known.ok_or_else(|| QueryError::UnknownOp { field: field.to_owned(), op: suffix.to_owned() })?;
                (field, *op)
            }
        };
        let values = match op {
            Op::In | Op::Between => value.split(',').map(str::to_owned).collect(),
            Op::Eq | Op::Ne | Op::Gt | Op::Gte | Op::Lt | Op::Lte | Op::Like | Op::IsNull => vec![value.to_owned()],
        };
        Ok(Self { field: field.to_owned(), op, values })
    }
}

/// A field to sort by. A missing value sorts below every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The field's name.
    pub field: String,
    /// Largest first.
    pub descending: bool,
}

impl Sort {
    /// From text as in a URL: `-created_at,symbol`.
    #[must_use]
    pub fn parse(text: &str) -> Vec<Self> {
        text.split(',')
            .filter(|part| !part.is_empty())
            .map(|part| match part.strip_prefix('-') {
                Some(field) => Self { field: field.to_owned(), descending: true },
                None => Self { field: part.to_owned(), descending: false },
            })
            .collect()
    }
}

/// A question for a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Which rows: those that meet every one.
    pub filters: Vec<Filter>,
    /// In which order; newest first where nothing is said. Ties are broken by age, in the direction of the last field.
    pub sort: Vec<Sort>,
    /// Rows at most, up to [`MAX_LIMIT`]; [`DEFAULT_LIMIT`] where nothing is said.
    pub limit: Option<u32>,
    /// [`super::Page::next`] of the page before, of the same query; `limit` may differ.
    pub cursor: Option<String>,
}

/// Why a question was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The resource has no such field.
    #[error("there is no field {field:?}; there are {}", expected.join(", "))]
    UnknownField {
        /// As asked.
        field: String,
        /// What there is.
        expected: Vec<&'static str>,
    },
    /// There is no such operator.
    #[error("{field}: there is no operator {op:?}; there are eq, ne, in, gt, gte, lt, lte, between, like and isnull")]
    UnknownOp {
        /// The field.
        field: String,
        /// As asked.
        op: String,
    },
    /// The field's type does not have the operator.
    #[error("{field} cannot be compared with {op}; it takes {}", expected.join(", "))]
    UnsupportedOp {
        /// The field.
        field: &'static str,
        /// As asked.
        op: Op,
        /// What its type has.
        expected: Vec<&'static str>,
    },
    /// The value is not one of the field's type.
    #[error("{field}: {reason}")]
    BadFilter {
        /// The field.
        field: &'static str,
        /// What is wrong with the value.
        reason: String,
    },
    /// The order cannot be had.
    #[error("cannot sort by {field:?}: {reason}")]
    BadSort {
        /// As asked.
        field: String,
        /// Why.
        reason: &'static str,
    },
    /// Not from 1 to the most.
    #[error("limit is {given}, must be 1 to {max}")]
    BadLimit {
        /// As asked.
        given: u32,
        /// The most.
        max: u32,
    },
    /// More than a query may hold.
    #[error("{given} {what}, at most {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// As asked.
        given: usize,
        /// The most.
        max: usize,
    },
    /// The cursor is not one that a page gave.
    #[error("the cursor is damaged or not one of ours")]
    BadCursor,
    /// The cursor is of a page of another query.
    #[error("the cursor belongs to a query with other filters or another order")]
    OtherCursor,
}

impl QueryError {
    /// The field that it is about, where it is about one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::UnknownField { field, .. } | Self::UnknownOp { field, .. } | Self::BadSort { field, .. } => Some(field),
            Self::UnsupportedOp { field, .. } | Self::BadFilter { field, .. } => Some(field),
            Self::BadLimit { .. } => Some("limit"),
            Self::BadCursor | Self::OtherCursor => Some("cursor"),
            Self::TooMany { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
