//! The whitelist: what each resource can be filtered and sorted by.

use std::str::FromStr;

use oms_model::amount::AmountError;
use oms_model::{
    Code, EndedBy, ExecType, Liquidity, Mic, Notional, OrdState, OrdStatus, OrdType, OrderId, Pending, Price, Qty, QuoteReqState,
    QuoteState, Side, Source, TimeInForce, UnknownTerm,
};
use rusqlite::types::Value;

use super::{Op, QueryError};
use crate::views::{rfc3339, sortable};

/// A kind of list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Orders, roots and their parts.
    Orders,
    /// Executions.
    Executions,
    /// Positions.
    Positions,
    /// Requests for quotes.
    QuoteRequests,
    /// Quotes.
    Quotes,
    /// What groups shared out, and what waits to be.
    Allocations,
}

/// The type of a field: what its values look like and how they compare.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A UUID in its canonical form.
    Uuid,
    /// Text, compared byte by byte.
    Text,
    /// A market identifier code.
    Mic,
    /// A term, by its text or an alias of it; its stored number.
    Term {
        /// Its stored number, from its text or an alias.
        code: fn(&str) -> Result<u8, UnknownTerm>,
        /// Every text.
        names: &'static [&'static str],
    },
    /// `true` or `false`, each with its condition.
    Bool {
        /// Where it is true.
        yes: &'static str,
        /// Where it is false.
        no: &'static str,
    },
    /// A whole number.
    Int,
    /// A price.
    Price,
    /// A quantity.
    Qty,
    /// Money.
    Notional,
    /// RFC 3339, a date, or nanoseconds since 1970.
    Time,
}

/// A field of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in queries.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it can be missing.
    pub nullable: bool,
    pub(super) column: &'static str,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, nullable: false, column: name }
}

const fn nullable(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, nullable: true, column: name }
}

macro_rules! term {
    ($term:ty) => {
        Kind::Term { code: |text| text.parse::<$term>().map(<$term>::code), names: <$term>::NAMES }
    };
}

const ORDERS: &[Field] = &[
    field("order_id", Kind::Uuid),
    nullable("parent_order_id", Kind::Uuid),
    field("root_order_id", Kind::Uuid),
    field("is_root", Kind::Bool { yes: "parent_order_id IS NULL", no: "parent_order_id IS NOT NULL" }),
    field("cl_ord_id", Kind::Text),
    field("account_id", Kind::Uuid),
    field("user_id", Kind::Uuid),
    field("instrument_id", Kind::Int),
    field("symbol", Kind::Text),
    field("side", term!(Side)),
    field("ord_type", term!(OrdType)),
    field("time_in_force", term!(TimeInForce)),
    field("source", term!(Source)),
    nullable("venue", Kind::Mic),
    field("state", term!(OrdState)),
    field("ord_status", term!(OrdStatus)),
    field("pending", term!(Pending)),
    field("in_doubt", Kind::Bool { yes: "in_doubt = 1", no: "in_doubt = 0" }),
    field("order_qty", Kind::Qty),
    field("cum_qty", Kind::Qty),
    field("leaves_qty", Kind::Qty),
    nullable("price", Kind::Price),
    nullable("stop_px", Kind::Price),
    nullable("avg_px", Kind::Price),
    nullable("broker_order_id", Kind::Text),
    nullable("ended_by", term!(EndedBy)),
    nullable("reject_code", term!(Code)),
    field("created_at", Kind::Time),
    field("updated_at", Kind::Time),
    field("created_seq", Kind::Int),
    field("last_seq", Kind::Int),
    field("version", Kind::Int),
];

const EXECUTIONS: &[Field] = &[
    field("seq", Kind::Int),
    field("exec_id", Kind::Text),
    field("order_id", Kind::Uuid),
    field("root_order_id", Kind::Uuid),
    field("account_id", Kind::Uuid),
    field("instrument_id", Kind::Int),
    field("symbol", Kind::Text),
    field("side", term!(Side)),
    field("venue", Kind::Mic),
    field("last_qty", Kind::Qty),
    field("last_px", Kind::Price),
    field("liquidity", term!(Liquidity)),
    field("fee", Kind::Notional),
    field("transact_time", Kind::Time),
    field("recorded_at", Kind::Time),
    field("exec_type", term!(ExecType)),
    field("manual", Kind::Bool { yes: "manual = 1", no: "manual = 0" }),
];

/// Positions are the engine's to say and are searched in memory, so they have no columns.
const POSITIONS: &[Field] = &[
    field("account_id", Kind::Uuid),
    field("instrument_id", Kind::Int),
    field("symbol", Kind::Text),
    field("is_open", Kind::Bool { yes: "", no: "" }),
    field("qty", Kind::Qty),
    field("bought_qty", Kind::Qty),
    field("sold_qty", Kind::Qty),
    field("realized", Kind::Notional),
    field("fees", Kind::Notional),
];

/// Those that the engine holds, as positions are.
const QUOTE_REQUESTS: &[Field] = &[
    field("quote_req_id", Kind::Uuid),
    field("account_id", Kind::Uuid),
    field("user_id", Kind::Uuid),
    field("symbol", Kind::Text),
    nullable("side", term!(Side)),
    field("order_qty", Kind::Qty),
    field("state", term!(QuoteReqState)),
    nullable("order_id", Kind::Uuid),
    field("expire_at", Kind::Time),
    field("created_seq", Kind::Int),
    field("created_at", Kind::Time),
    field("updated_at", Kind::Time),
];

const QUOTES: &[Field] = &[
    field("quote_id", Kind::Uuid),
    field("quote_req_id", Kind::Uuid),
    field("dealer", Kind::Mic),
    field("quote_ref", Kind::Text),
    nullable("bid_px", Kind::Price),
    field("bid_size", Kind::Qty),
    nullable("offer_px", Kind::Price),
    field("offer_size", Kind::Qty),
    field("state", term!(QuoteState)),
    nullable("order_id", Kind::Uuid),
    field("valid_until", Kind::Time),
    field("created_seq", Kind::Int),
    field("created_at", Kind::Time),
    field("updated_at", Kind::Time),
];

const ALLOCATIONS: &[Field] = &[
    field("alloc_id", Kind::Uuid),
    field("group_order_id", Kind::Uuid),
    field("account_id", Kind::Uuid),
    field("symbol", Kind::Text),
    field("side", term!(Side)),
    field("status", Kind::Text),
    field("qty", Kind::Qty),
    field("notional", Kind::Notional),
    field("transact_time", Kind::Time),
];

impl Resource {
    /// Everything that it can be filtered by.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Orders => ORDERS,
            Self::Executions => EXECUTIONS,
            Self::Positions => POSITIONS,
            Self::QuoteRequests => QUOTE_REQUESTS,
            Self::Quotes => QUOTES,
            Self::Allocations => ALLOCATIONS,
        }
    }

    /// The fields that tell every row from every other; one that rises with the row's age where there is one.
    pub(super) const fn unique(self) -> &'static [&'static str] {
        match self {
            Self::Orders | Self::QuoteRequests | Self::Quotes => &["created_seq"],
            Self::Executions => &["seq"],
            Self::Positions => &["account_id", "instrument_id"],
            Self::Allocations => &["alloc_id"],
        }
    }

    /// Whether the last rows come first where nothing is said.
    pub(super) const fn newest_first(self) -> bool {
        !matches!(self, Self::Positions)
    }

    /// The field that rises with the row's age, where `name` is a time that does so too: time never goes back in a
    /// log, so sorting by the one is sorting by the other.
    pub(super) fn as_age(self, name: &str) -> Option<&'static str> {
        match (self, name) {
            (Self::Orders, "created_at") => Some("created_seq"),
            (Self::Executions, "recorded_at") => Some("seq"),
            _ => None,
        }
    }

    pub(super) fn field(self, name: &str) -> Result<&'static Field, QueryError> {
        self.fields().iter().find(|field| field.name == name).ok_or_else(|| QueryError::UnknownField {
            field: name.chars().take(64).collect(),
            expected: self.fields().iter().map(|field| field.name).collect(),
        })
    }
}

impl Kind {
    /// Whether rows can be sorted by it.
    #[must_use]
    pub const fn is_sortable(self) -> bool {
        !matches!(self, Self::Bool { .. })
    }

    /// The operators that it has.
    #[must_use]
    pub const fn ops(self) -> &'static [Op] {
        match self {
            Self::Uuid | Self::Mic | Self::Term { .. } => &[Op::Eq, Op::Ne, Op::In, Op::IsNull],
            Self::Text => &[Op::Eq, Op::Ne, Op::In, Op::Like, Op::IsNull],
            Self::Bool { .. } => &[Op::Eq, Op::Ne],
            Self::Int | Self::Price | Self::Qty | Self::Notional | Self::Time => {
                &[Op::Eq, Op::Ne, Op::In, Op::Gt, Op::Gte, Op::Lt, Op::Lte, Op::Between, Op::IsNull]
            }
        }
    }

    /// The stored form of a value. The reason where it is none.
    pub(super) fn parse(self, text: &str) -> Result<Value, String> {
        let amount = |e: AmountError| format!("{text:?} {e}");
        Ok(match self {
            Self::Uuid => Value::Blob(uuid(text)?.to_be_bytes().to_vec()),
            Self::Text if text.is_empty() => return Err("is empty".to_owned()),
            Self::Text => Value::Text(text.to_owned()),
            Self::Mic => Value::Text(Mic::from_str(text).map_err(|e| format!("{text:?} {e}"))?.as_str().to_owned()),
            Self::Term { code, .. } => Value::Integer(code(text).map_err(|e| format!("{text:?} {e}"))?.into()),
            Self::Bool { .. } => Value::Integer(boolean(text)?.into()),
            Self::Int => Value::Integer(text.parse().map_err(|_| format!("{text:?} is not a whole number in the range of 64 bits"))?),
            Self::Price => Value::Integer(text.parse::<Price>().map_err(amount)?.raw()),
            Self::Qty => Value::Blob(sortable::qty(text.parse::<Qty>().map_err(amount)?).to_vec()),
            Self::Notional => Value::Blob(sortable::money(text.parse::<Notional>().map_err(amount)?).to_vec()),
            Self::Time => {
                let time = rfc3339::parse(text);
                let time = time.ok_or_else(|| format!("{text:?} is not a time: RFC 3339, a date, or nanoseconds since 1970"))?;
                Value::Integer(time.0)
            }
        })
    }
}

/// All our ids have the same form.
fn uuid(text: &str) -> Result<u128, String> {
    text.parse::<OrderId>().map(OrderId::as_u128).map_err(|e| format!("{text:?} {e}"))
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{text:?} must be true or false")),
    }
}
