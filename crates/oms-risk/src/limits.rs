//! Limits: how they are stored, compared, validated and shown.

use crate::book::{RiskBook, ScopeBook};
use crate::check::{Inquiry, Unit};
use crate::holdings::Sums;
use crate::portfolio;
use crate::rate::MAX_ORDER_RATE;
use crate::slots::InForce;
use core::fmt;
use oms_model::amount::ONE;
use oms_model::limit::{Check, CheckResult, LimitType, Period, RiskLimit, Scope, Verdict};
use oms_model::position::Position;
use oms_model::{AccountId, Code, Decimal, InstrumentId, Notional, Qty, Time};
use std::collections::BTreeMap;

/// The longest DUPLICATE_WINDOW and MAX_QUOTE_AGE that can be set, seconds.
pub const MAX_SECONDS: u32 = 86_400;

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

impl Bound {
    /// Of a figure.
    pub(crate) const fn decimal(check: Check, limit_type: LimitType, code: Code) -> Self {
        Self { check, limit_type, code, unit: Unit::Decimal, tolerated: false }
    }
    /// Of money.
    pub(crate) const fn notional(check: Check, limit_type: LimitType, code: Code) -> Self {
        Self { check, limit_type, code, unit: Unit::Notional, tolerated: false }
    }
}

/// Where something is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'a> {
    pub(crate) scope: Scope,
    pub(crate) book: Option<&'a ScopeBook>,
    /// The period of the limit, nanoseconds; zero where it has none.
    pub(crate) period_ns: i64,
}

impl<'a> At<'a> {
    pub(crate) fn sums(&self) -> &'a Sums {
        self.book.map_or(&Sums::NONE, |book| &book.sums)
    }
}

/// What was measured against a limit, and the room that it leaves.
#[derive(Clone, Copy, Debug)]
struct Measured {
    scope: Scope,
    limit: InForce,
    value: i128,
    room: i128,
}

impl Measured {
    fn result(&self, bound: &Bound, verdict: Verdict, code: Option<Code>) -> CheckResult {
        CheckResult {
            check: bound.check,
            verdict,
            code,
            scope: self.scope,
            value: Some(bound.unit.shown(self.value)),
            limit: Some(self.limit.value),
            limit_version: self.limit.version,
            soft: self.limit.soft,
            period: self.limit.period,
        }
    }
}

impl Inquiry<'_> {
    /// [`bound_where`](Self::bound_where), tolerated everywhere or nowhere.
    pub(crate) fn bound(&self, bound: Bound, measure: impl Fn(&At<'_>) -> Option<i128>) -> CheckResult {
        self.bound_where(bound, measure, |_| bound.tolerated)
    }

    /// Measures in every scope that has the limit, and for the tenant, whose sums are the widest. The first scope, widest first, whose hard limit is exceeded refuses.
    /// Then a soft one that is exceeded does, unless the sender said that they know; otherwise the limit with the least
    /// room is recorded. A measure of `None` is out of range and fails with RISK_LIMIT_BREACH, limit or not. A limit
    /// that must be there and is not refuses too.
    pub(crate) fn bound_where(
        &self,
        bound: Bound,
        measure: impl Fn(&At<'_>) -> Option<i128>,
        tolerated: impl Fn(&At<'_>) -> bool,
    ) -> CheckResult {
        let result = CheckResult { check: bound.check, verdict: Verdict::NotApplicable, ..CheckResult::default() };
        let usual_ns = bound.limit_type.usual_period().map_or(0, Period::ns);
        let (mut tightest, mut soft): (Option<Measured>, Option<Measured>) = (None, None);
        let mut unlimited = None;
        for (scope, book) in self.scopes() {
            let limited = book.filter(|book| book.limits.has(bound.limit_type));
            if limited.is_none() && scope != Scope::Tenant {
                continue;
            }
            let at = At { scope, book, period_ns: usual_ns };
            let Some(measured) = measure(&at) else {
                return CheckResult { verdict: Verdict::Fail, code: Some(Code::RiskLimitBreach), scope, ..result };
            };
            if scope == Scope::Tenant {
                unlimited = Some(measured);
            }
            let Some(book) = limited else { continue };
            for limit in book.limits.each(bound.limit_type) {
                let at = At { period_ns: limit.period.map_or(usual_ns, Period::ns), ..at };
                let value = if limit.period.is_some() { measure(&at).unwrap_or(i128::MAX) } else { measured };
                let room = bound.unit.raw(limit.value).saturating_sub(value);
                let measured = Measured { scope, limit, value, room };
                if room < 0 && !tolerated(&at) {
                    if !limit.soft {
                        return measured.result(&bound, Verdict::Fail, Some(bound.code));
                    }
                    soft = soft.or(Some(measured));
                }
                if tightest.is_none_or(|known| room < known.room) {
                    tightest = Some(measured);
                }
            }
        }
        match (soft, tightest) {
            (Some(soft), _) => self.softened(&soft.result(&bound, Verdict::Fail, Some(bound.code))),
            (None, Some(tightest)) => self.required(bound.limit_type, tightest.result(&bound, Verdict::Pass, None)),
            (None, None) => {
                let value = unlimited.map(|measured| bound.unit.shown(measured));
                self.required(bound.limit_type, CheckResult { value, ..result })
            }
        }
    }

    /// What a breach of a soft limit comes to: a warning, where the sender said that they know.
    pub(crate) fn softened(&self, breach: &CheckResult) -> CheckResult {
        if self.order.acknowledged {
            CheckResult { verdict: Verdict::Warn, code: None, ..*breach }
        } else {
            CheckResult { verdict: Verdict::Fail, code: Some(Code::SoftLimitBreach), ..*breach }
        }
    }

    /// `result`, unless a limit of this type must be there and none is.
    pub(crate) fn required(&self, limit_type: LimitType, result: CheckResult) -> CheckResult {
        let missing = self.book.requires(limit_type) && self.least(limit_type).is_none() && !self.is_replan();
        if missing {
            CheckResult { verdict: Verdict::Fail, code: Some(Code::LimitMissing), scope: Scope::Tenant, ..result }
        } else {
            result
        }
    }

    /// The smallest hard limit of a type over all scopes.
    pub(crate) fn least(&self, limit_type: LimitType) -> Option<(Scope, InForce)> {
        self.all(limit_type).min_by_key(|(_, limit)| limit.value)
    }

    fn all(&self, limit_type: LimitType) -> impl Iterator<Item = (Scope, InForce)> {
        self.scopes().filter_map(move |(scope, book)| Some((scope, book?.limits.hard(limit_type)?)))
    }

    /// A check of something that must not be younger than a window, seconds: `age` is how old it is, `None` where there
    /// is nothing. The longest hard window refuses, the longest soft one warns. Something as old as a window is outside.
    pub(crate) fn window(&self, check: Check, limit_type: LimitType, code: Code, age: Option<Decimal>) -> CheckResult {
        let mut longest: [Option<(Scope, InForce)>; 2] = [None, None];
        for (scope, book) in self.scopes() {
            let Some(book) = book.filter(|book| book.limits.has(limit_type)) else { continue };
            for limit in book.limits.each(limit_type) {
                let slot = if limit.soft { &mut longest[1] } else { &mut longest[0] };
                if slot.is_none_or(|(_, known)| limit.value > known.value) {
                    *slot = Some((scope, limit));
                }
            }
        }
        let mut passed = None;
        for (scope, limit) in longest.into_iter().flatten() {
            let result = CheckResult {
                check,
                verdict: Verdict::Pass,
                scope,
                value: age,
                limit: Some(limit.value),
                limit_version: limit.version,
                soft: limit.soft,
                ..CheckResult::default()
            };
            if age.is_some_and(|age| age < limit.value) {
                let breach = CheckResult { verdict: Verdict::Fail, code: Some(code), ..result };
                return if limit.soft { self.softened(&breach) } else { breach };
            }
            passed = passed.or(Some(result));
        }
        self.required(limit_type, passed.unwrap_or_else(|| self.not_applicable(check)))
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
    /// The type has not this period.
    Period {
        /// The period.
        period: Period,
    },
    /// The type is hard always: a sender cannot say that they know.
    Soft,
}

impl fmt::Display for InvalidLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Negative { value } => write!(f, "a limit of {value} is below zero"),
            Self::TooLarge { value, largest } => write!(f, "a limit of {value} is above the largest, {largest}"),
            Self::NotWhole { value } => write!(f, "a limit of {value} is not a whole number"),
            Self::Scope { scope } => write!(f, "limits of this type are not kept for {scope}"),
            Self::Period { period } => write!(f, "limits of this type are not counted by {period}"),
            Self::Soft => f.write_str("limits of this type are always hard"),
        }
    }
}

/// Whether a limit may be set. The engine asks before it decides `RiskLimitSet`.
///
/// # Errors
/// [`InvalidLimit`], with its numbers.
pub fn validate_limit(limit: &RiskLimit) -> Result<(), InvalidLimit> {
    let value = limit.value;
    if !is_kept(limit.limit_type, limit.scope) {
        return Err(InvalidLimit::Scope { scope: limit.scope });
    }
    if let Some(period) = limit.period.filter(|_| limit.limit_type.usual_period().is_none()) {
        return Err(InvalidLimit::Period { period });
    }
    let is_hard = matches!(limit.limit_type, LimitType::MaxQuoteAge | LimitType::MaxFxRateAge | LimitType::ApprovalNotional);
    if limit.soft && is_hard {
        return Err(InvalidLimit::Soft);
    }
    if value.is_negative() {
        return Err(InvalidLimit::Negative { value });
    }
    let (largest, whole) = match limit.limit_type {
        LimitType::OrderRate | LimitType::RepeatedExecution => (Some(MAX_ORDER_RATE), true),
        LimitType::MaxOpenOrders => (None, true),
        LimitType::DuplicateWindow | LimitType::WashWindow | LimitType::MaxQuoteAge | LimitType::MaxFxRateAge => (Some(MAX_SECONDS), false),
        _ => (None, false),
    };
    if let Some(largest) = largest.map(|n| Decimal::from_count(n.into())).filter(|largest| value > *largest) {
        return Err(InvalidLimit::TooLarge { value, largest });
    }
    if whole && value.raw() % i128::from(ONE) != 0 {
        return Err(InvalidLimit::NotWhole { value });
    }
    Ok(())
}

/// Whether limits of a type are kept for a kind of scope. Positions and money are an account's: what users and strategies
/// hold is not known apart.
fn is_kept(limit_type: LimitType, scope: Scope) -> bool {
    match limit_type {
        LimitType::MaxGrossExposure | LimitType::MaxNetExposure => {
            matches!(scope, Scope::Tenant | Scope::Account(_) | Scope::Instrument(_) | Scope::AssetClass(_))
        }
        LimitType::MaxAssetClassExposure => matches!(scope, Scope::Tenant | Scope::Account(_) | Scope::AssetClass(_)),
        LimitType::MaxConcentrationPct
        | LimitType::MaxLeverage
        | LimitType::BuyingPower
        | LimitType::DailyLoss
        | LimitType::TrailingDrawdown => matches!(scope, Scope::Tenant | Scope::Account(_)),
        _ => !matches!(scope, Scope::Venue(_)),
    }
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
        self.status_of(self.limits(), now, positions)
    }

    /// [`status`](Self::status) of limits that need not be in force.
    #[must_use]
    pub fn status_of<'a>(&self, limits: Vec<RiskLimit>, now: Time, positions: impl Iterator<Item = &'a Position>) -> Vec<LimitStatus> {
        let mut held: BTreeMap<(AccountId, InstrumentId), Qty> = BTreeMap::new();
        for position in positions {
            held.insert((position.account_id, position.instrument_id), position.qty);
        }
        for &key in self.holdings.keys() {
            held.entry(key).or_default();
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
        limits.into_iter().map(with_use).collect()
    }

    fn used(&self, limit: &RiskLimit, now: Time, worst: &[(AccountId, InstrumentId, Qty)]) -> Option<Decimal> {
        let book = self.scope(limit.scope)?;
        let money = |raw: i128| Some(Notional::from_raw(raw).to_decimal());
        let sums = &book.sums;
        match limit.limit_type {
            LimitType::OrderRate => {
                let period = limit.period.or(limit.limit_type.usual_period()).map_or(0, Period::ns);
                Some(Decimal::from_count(book.rate.used(now, period) as u64))
            }
            LimitType::MaxOpenOrders => Some(Decimal::from_count(book.open_orders)),
            LimitType::MaxOpenNotional => money(book.open_notional.raw()),
            LimitType::MaxGrossExposure => money(sums.gross),
            LimitType::MaxNetExposure => {
                let long = sums.value.saturating_add(sums.buy).saturating_abs();
                money(long.max(sums.value.saturating_sub(sums.sell).saturating_abs()))
            }
            LimitType::MaxAssetClassExposure => match limit.scope {
                Scope::AssetClass(class) => money(sums.class_gross(class)),
                _ => money(sums.class_gross.iter().copied().max().unwrap_or(0)),
            },
            LimitType::MaxLeverage => sums.equity().map(|equity| Decimal::from_raw(portfolio::ratio(sums.gross, equity, ONE.into()))),
            LimitType::BuyingPower => money(sums.spent.saturating_add(sums.buy).saturating_add(sums.short)),
            LimitType::DailyLoss => money(sums.day_start.saturating_sub(sums.pnl)),
            LimitType::TrailingDrawdown => money(sums.peak.saturating_sub(sums.pnl)),
            LimitType::MaxPositionQty => {
                let inside = |(account, instrument, _): &&(AccountId, InstrumentId, Qty)| match limit.scope {
                    Scope::Tenant => true,
                    Scope::Account(id) => id == *account,
                    Scope::Instrument(id) => id == *instrument,
                    Scope::AssetClass(class) => self.class_of(*instrument) == class,
                    Scope::User(_) | Scope::Venue(_) | Scope::Strategy(_) => false,
                };
                match limit.scope {
                    Scope::User(_) | Scope::Venue(_) | Scope::Strategy(_) => None,
                    _ => Some(worst.iter().filter(inside).map(|w| w.2).max().unwrap_or_default().into()),
                }
            }
            LimitType::DuplicateWindow
            | LimitType::WashWindow
            | LimitType::PriceCollarPct
            | LimitType::MaxOrderQty
            | LimitType::MaxOrderNotional
            | LimitType::MaxPctAdv
            | LimitType::RepeatedExecution
            | LimitType::MaxPositionNotional
            | LimitType::MaxConcentrationPct
            | LimitType::ApprovalNotional
            | LimitType::MaxQuoteAge
            | LimitType::MaxFxRateAge => None,
        }
    }
}
