//! Limits: how they are stored, compared, validated and shown.

use crate::book::{RiskBook, ScopeBook, slot_of};
use crate::check::{Inquiry, Unit};
use crate::rate::MAX_ORDER_RATE;
use core::fmt;
use oms_model::amount::ONE;
use oms_model::limit::{Check, CheckResult, LimitType, RiskLimit, Scope, Verdict};
use oms_model::position::Position;
use oms_model::{AccountId, Code, Decimal, InstrumentId, Qty, Time};
use std::collections::BTreeMap;

/// The longest DUPLICATE_WINDOW and MAX_QUOTE_AGE that can be set, seconds.
pub const MAX_SECONDS: u32 = 86_400;

/// A limit's place in a scope. The version outlives the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) value: Option<Decimal>,
    pub(crate) version: u32,
}

/// A limit that holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InForce {
    pub(crate) value: Decimal,
    pub(crate) version: u32,
}

impl ScopeBook {
    pub(crate) fn limit(&self, limit_type: LimitType) -> Option<InForce> {
        let slot = self.slots.get(slot_of(limit_type))?;
        slot.value.map(|value| InForce { value, version: slot.version })
    }
}

/// What a check compares: which limit, in which unit, refused with which code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) check: Check,
    pub(crate) limit_type: LimitType,
    pub(crate) code: Code,
    pub(crate) unit: Unit,
    /// The order does not worsen what is measured, so that a breach does not refuse it.
    pub(crate) tolerated: bool,
}

impl Inquiry<'_> {
    /// Measures in every scope that has the limit. The first scope, widest first, that is exceeded refuses; otherwise
    /// the one with the least headroom is recorded. A measure of `None` is out of range and fails with
    /// RISK_LIMIT_BREACH, limit or not.
    pub(crate) fn bound(&self, bound: Bound, measure: impl Fn(Option<&ScopeBook>) -> Option<i128>) -> CheckResult {
        let result = CheckResult { check: bound.check, verdict: Verdict::NotApplicable, ..CheckResult::default() };
        let mut tightest: Option<(i128, Scope, InForce, i128)> = None;
        let mut unlimited = None;
        for (scope, book) in self.scopes() {
            let Some(measured) = measure(book) else {
                return CheckResult { verdict: Verdict::Fail, code: Some(Code::RiskLimitBreach), scope, ..result };
            };
            if scope == Scope::Tenant {
                unlimited = Some(measured);
            }
            let Some(limit) = book.and_then(|b| b.limit(bound.limit_type)) else { continue };
            let headroom = bound.unit.raw(limit.value).saturating_sub(measured);
            if headroom < 0 && !bound.tolerated {
                return CheckResult {
                    verdict: Verdict::Fail,
                    code: Some(bound.code),
                    scope,
                    value: Some(bound.unit.shown(measured)),
                    limit: Some(limit.value),
                    limit_version: limit.version,
                    ..result
                };
            }
            if tightest.is_none_or(|(least, ..)| headroom < least) {
                tightest = Some((headroom, scope, limit, measured));
            }
        }
        match tightest {
            None => CheckResult { value: unlimited.map(|m| bound.unit.shown(m)), ..result },
            Some((_, scope, limit, measured)) => CheckResult {
                verdict: Verdict::Pass,
                scope,
                value: Some(bound.unit.shown(measured)),
                limit: Some(limit.value),
                limit_version: limit.version,
                ..result
            },
        }
    }

    /// The smallest limit of a type over all scopes.
    pub(crate) fn least(&self, limit_type: LimitType) -> Option<(Scope, InForce)> {
        self.all(limit_type).min_by_key(|(_, limit)| limit.value)
    }

    /// The largest limit of a type over all scopes.
    pub(crate) fn most(&self, limit_type: LimitType) -> Option<(Scope, InForce)> {
        self.all(limit_type).max_by_key(|(_, limit)| limit.value)
    }

    fn all(&self, limit_type: LimitType) -> impl Iterator<Item = (Scope, InForce)> {
        self.scopes().filter_map(move |(scope, book)| Some((scope, book?.limit(limit_type)?)))
    }
}

/// Why a limit cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidLimit {
    /// Below zero, where the type has no use for that.
    Negative {
        /// The value.
        value: Decimal,
    },
    /// Above what the type takes.
    TooLarge {
        /// The value.
        value: Decimal,
        /// The largest that is taken.
        largest: Decimal,
    },
    /// A count with a fraction.
    NotWhole {
        /// The value.
        value: Decimal,
    },
    /// The type does not apply to this kind of scope.
    Scope {
        /// The scope.
        scope: Scope,
    },
}

impl fmt::Display for InvalidLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Negative { value } => write!(f, "a limit of {value} is below zero"),
            Self::TooLarge { value, largest } => write!(f, "a limit of {value} is above the largest, {largest}"),
            Self::NotWhole { value } => write!(f, "a limit of {value} is not a whole number"),
            Self::Scope { scope } => write!(f, "limits are not kept for {scope}"),
        }
    }
}

/// Whether a limit may be set. The engine asks before it decides `RiskLimitSet`.
///
/// # Errors
/// [`InvalidLimit`], with its numbers.
pub fn validate_limit(limit: &RiskLimit) -> Result<(), InvalidLimit> {
    let value = limit.value;
    if matches!(limit.scope, Scope::Venue(_)) {
        return Err(InvalidLimit::Scope { scope: limit.scope });
    }
    if value.is_negative() {
        return Err(InvalidLimit::Negative { value });
    }
    let (largest, whole) = match limit.limit_type {
        LimitType::OrderRate => (Some(MAX_ORDER_RATE), true),
        LimitType::MaxOpenOrders => (None, true),
        LimitType::DuplicateWindow | LimitType::MaxQuoteAge => (Some(MAX_SECONDS), false),
        LimitType::PriceCollarPct
        | LimitType::MaxOrderQty
        | LimitType::MaxOrderNotional
        | LimitType::MaxOpenNotional
        | LimitType::MaxPositionQty
        | LimitType::MaxPositionNotional => (None, false),
    };
    if let Some(largest) = largest.map(|n| Decimal::from_count(n.into())).filter(|largest| value > *largest) {
        return Err(InvalidLimit::TooLarge { value, largest });
    }
    if whole && value.raw() % i128::from(ONE) != 0 {
        return Err(InvalidLimit::NotWhole { value });
    }
    Ok(())
}

/// A limit and how much of it is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitStatus {
    /// The limit.
    pub limit: RiskLimit,
    /// What of it is used now; `None` where the limit bounds each order by itself, or needs a price.
    pub used: Option<Decimal>,
    /// The limit less what is used; below zero where the limit was lowered under the use.
    pub headroom: Option<Decimal>,
}

impl RiskBook {
    /// Every limit in force with its use, by type and scope. `positions` are the tenant's.
    /// Of a position limit the use is the largest position of its scope if everything working were filled on one side.
    /// Positions are not kept by user, so that a user's position limit shows no use.
    /// For screens: it costs time in proportion to limits, positions and working instruments.
    #[must_use]
    pub fn status<'a>(&self, now: Time, positions: impl Iterator<Item = &'a Position>) -> Vec<LimitStatus> {
        let mut held: BTreeMap<(AccountId, InstrumentId), Qty> = BTreeMap::new();
        for position in positions {
            held.insert((position.account_id, position.instrument_id), position.qty);
        }
        for w in self.sorted_working() {
            held.entry((w.account_id, w.instrument_id)).or_default();
        }
        let worst: Vec<(AccountId, InstrumentId, Qty)> = held
            .into_iter()
            .map(|((account, instrument), qty)| {
                let (buy, sell) = self.working_qty(account, instrument);
                (account, instrument, qty.saturating_add(buy).abs().max(qty.saturating_sub(sell).abs()))
            })
            .collect();
        let with_use = |limit: RiskLimit| {
            let used = self.used(&limit, now, &worst);
            LimitStatus { limit, used, headroom: used.map(|used| limit.value.saturating_sub(used)) }
        };
        self.limits().into_iter().map(with_use).collect()
    }

    fn used(&self, limit: &RiskLimit, now: Time, worst: &[(AccountId, InstrumentId, Qty)]) -> Option<Decimal> {
        let book = self.scope(limit.scope)?;
        match limit.limit_type {
            LimitType::OrderRate => Some(Decimal::from_count(book.rate.used(now) as u64)),
            LimitType::MaxOpenOrders => Some(Decimal::from_count(book.open_orders)),
            LimitType::MaxOpenNotional => Some(book.open_notional.to_decimal()),
            LimitType::MaxPositionQty => {
                let inside = |(account, instrument, _): &&(AccountId, InstrumentId, Qty)| match limit.scope {
                    Scope::Tenant => true,
                    Scope::Account(id) => id == *account,
                    Scope::Instrument(id) => id == *instrument,
                    Scope::User(_) | Scope::Venue(_) => false,
                };
                match limit.scope {
                    Scope::User(_) | Scope::Venue(_) => None,
                    _ => Some(worst.iter().filter(inside).map(|w| w.2).max().unwrap_or_default().into()),
                }
            }
            LimitType::DuplicateWindow
            | LimitType::PriceCollarPct
            | LimitType::MaxOrderQty
            | LimitType::MaxOrderNotional
            | LimitType::MaxPositionNotional
            | LimitType::MaxQuoteAge => None,
        }
    }
}
