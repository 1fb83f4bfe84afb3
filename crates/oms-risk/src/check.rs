//! The list of checks, in order of precedence, and what they all look at.

use crate::book::{RiskBook, SCOPES, ScopeBook, owner_scopes};
use crate::crossing::Meeting;
use crate::exposure::{Exposure, Owner, Reservation, worst_of};
use crate::gate::{Approved, Gate, Proposed, Refused, RiskContext};
use crate::holdings::Held;
use crate::overrides::{self, Lifted};
use crate::portfolio::Impact;
use crate::{collar, crossing, duplicate, envelope, exposure, kill_switch, lists, portfolio, position, rate, repeats, size};
use oms_model::amount::ONE;
use oms_model::compliance::{HoldReason, SelfMatchPolicy};
use oms_model::instrument::Valuation;
use oms_model::limit::{Check, CheckResult, LimitType, Scope, Verdict};
use oms_model::market::Seen;
use oms_model::{Code, Decimal, Notional, Order, Price, Qty};

/// Every check in order of precedence; [`Check`] says what each is for. A new check is one line here.
const CHECKS: [fn(&Inquiry<'_>) -> CheckResult; Check::ALL.len()] = [
    kill_switch::check_kill_switch,
    kill_switch::check_trading_state,
    kill_switch::check_account,
    kill_switch::check_instrument,
    size::check_tick,
    size::check_lot,
    lists::check_restricted,
    lists::check_locate,
    lists::check_short_sale_price,
    duplicate::check,
    crossing::check,
    duplicate::check_wash,
    collar::check,
    size::check_order_qty,
    size::check_order_notional,
    size::check_pct_adv,
    rate::check,
    repeats::check,
    exposure::check_open_orders,
    exposure::check_open_notional,
    position::check_qty,
    position::check_notional,
    portfolio::check_asset_class,
    portfolio::check_concentration,
    portfolio::check_gross,
    portfolio::check_net,
    portfolio::check_leverage,
    portfolio::check_buying_power,
    portfolio::check_daily_loss,
    portfolio::check_drawdown,
    envelope::check_currency,
    envelope::check_envelope,
    portfolio::check_approval,
];

/// What is asked of the gate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose<'a> {
    /// May this order be taken?
    New,
    /// May it be changed to what is proposed?
    Replace { current: &'a Order, reserved: Reservation },
    /// May its unplaced rest be routed again?
    Replan { current: &'a Order, reserved: Reservation },
}

/// In what a measure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// 10^-9, as [`Decimal`].
    Decimal,
    /// 10^-18, as [`Notional`].
    Notional,
}

impl Unit {
    /// A limit in this unit; held at the bound where it is larger than anything that can be measured.
    pub(crate) fn raw(self, limit: Decimal) -> i128 {
        match self {
            Self::Decimal => limit.raw(),
            Self::Notional => limit.raw().saturating_mul(i128::from(ONE)),
        }
    }
    /// A measure as it is recorded.
    pub(crate) fn shown(self, measured: i128) -> Decimal {
        match self {
            Self::Decimal => Decimal::from_raw(measured),
            Self::Notional => Notional::from_raw(measured).to_decimal(),
        }
    }
}

/// A sum or product left the range of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfRange;

/// One order before the gate, and everything that the checks look at, found once.
#[derive(Debug)]
pub(crate) struct Inquiry<'a> {
    pub(crate) book: &'a RiskBook,
    pub(crate) ctx: &'a RiskContext<'a>,
    pub(crate) order: Proposed,
    pub(crate) purpose: Purpose<'a>,
    scopes: [Option<(Scope, Option<&'a ScopeBook>)>; SCOPES],
    held: Held,
    /// The strictest MAX_QUOTE_AGE, seconds.
    pub(crate) max_quote_age: Option<Decimal>,
    /// The market price that the order is measured against; `None` where there is none that is fresh.
    pub(crate) reference: Option<Price>,
    /// The price at which the order is valued; `None` where it has none.
    pub(crate) worst_price: Option<Result<Price, OutOfRange>>,
    /// How a quantity of the instrument is valued in the risk currency.
    valuation: Valuation,
    /// What it makes of its holding; `None` without a price, or out of range.
    pub(crate) impact: Option<Impact>,
}

impl<'a> Inquiry<'a> {
    /// # Panics
    /// Where the context is not that of the order.
    pub(crate) fn new(book: &'a RiskBook, ctx: &'a RiskContext<'a>, order: Proposed, purpose: Purpose<'a>) -> Self {
        assert_eq!(order.account_id, ctx.account.account_id, "the context is of another account");
        assert_eq!(order.instrument_id, ctx.instrument.instrument_id, "the context is of another instrument");
        let owner = Owner {
            account_id: order.account_id,
            user_id: order.user_id,
            instrument_id: order.instrument_id,
            side: order.side,
            strategy: order.strategy,
        };
        let valuation = ctx.instrument.valuation();
        let valued = ctx.rate.and_then(|rate| valuation.at_rate(rate.rate)).unwrap_or(valuation);
        let mut inquiry = Self {
            book,
            ctx,
            order,
            purpose,
            scopes: owner_scopes(owner, ctx.instrument.asset_class).map(|scope| scope.map(|scope| (scope, book.scope(scope)))),
            held: book.held(order.account_id, order.instrument_id),
            max_quote_age: None,
            reference: None,
            worst_price: None,
            valuation: valued,
            impact: None,
        };
        inquiry.max_quote_age = inquiry.least(LimitType::MaxQuoteAge).map(|(_, limit)| limit.value);
        inquiry.reference = collar::reference(&inquiry);
        inquiry.worst_price = inquiry.priced();
        inquiry.impact = portfolio::impact(&inquiry);
        inquiry
    }

    /// How a quantity of the instrument is valued in the risk currency.
    pub(crate) fn valuation(&self) -> Valuation {
        self.valuation
    }

    /// The scopes whose limits apply, widest first.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = (Scope, Option<&'a ScopeBook>)> + use<'a> {
        self.scopes.into_iter().flatten()
    }

    pub(crate) fn is_new(&self) -> bool {
        matches!(self.purpose, Purpose::New)
    }

    pub(crate) fn is_replan(&self) -> bool {
        matches!(self.purpose, Purpose::Replan { .. })
    }

    /// What is reserved for the order already, and the order as it stands.
    pub(crate) fn current(&self) -> Option<(&'a Order, Reservation)> {
        match self.purpose {
            Purpose::New => None,
            Purpose::Replace { current, reserved } | Purpose::Replan { current, reserved } => Some((current, reserved)),
        }
    }

    /// The price at which the order is valued; out of range where its value is.
    fn priced(&self) -> Option<Result<Price, OutOfRange>> {
        let price = match collar::worst_price(self)? {
            Ok(price) => price,
            Err(out) => return Some(Err(out)),
        };
        if !self.order.order_qty.is_positive() || !price.is_positive() {
            return None;
        }
        Some(self.valuation().notional(price, self.order.order_qty).map(|_| price).ok_or(OutOfRange))
    }

    /// What would be reserved once the order is taken, a pending replace at its worst; `None` where it has no price.
    fn reserving(&self) -> Option<Result<Exposure, OutOfRange>> {
        let worst = match self.worst_price? {
            Ok(worst) => worst,
            Err(out) => return Some(Err(out)),
        };
        let order = &self.order;
        Some(Ok(match self.current() {
            None => {
                let price = worst_of(order.side, [order.price, None], worst);
                Exposure { qty: order.order_qty, price, valuation: self.valuation() }
            }
            Some((current, reserved)) => Exposure {
                qty: reserved.qty.max(order.order_qty.saturating_sub(current.cum_qty)),
                price: worst_of(order.side, [current.price, order.price], worst.max(reserved.worst_price)),
                valuation: reserved.valuation,
            },
        }))
    }

    /// The value that the order adds to what works; nothing where it frees some.
    pub(crate) fn added_notional(&self) -> Option<Result<Notional, OutOfRange>> {
        let after = match self.reserving()? {
            Ok(after) => after,
            Err(out) => return Some(Err(out)),
        };
        let before = self.current().map_or(Notional::ZERO, |(_, reserved)| reserved.notional());
        let added = after.notional().and_then(|after| after.checked_sub(before));
        Some(added.map(|n| n.max(Notional::ZERO)).ok_or(OutOfRange))
    }

    /// The quantity that the order adds to what works on its side; nothing where it frees some.
    pub(crate) fn added_qty(&self) -> Qty {
        match self.current() {
            None => self.order.order_qty,
            Some((current, reserved)) => self.order.order_qty.saturating_sub(current.cum_qty).saturating_sub(reserved.qty).max(Qty::ZERO),
        }
    }

    /// The position if everything working on the order's side were filled: without the order, and with it.
    /// `None` out of range.
    pub(crate) fn worst_positions(&self) -> Option<(Qty, Qty)> {
        let held = self.ctx.position.map_or(Qty::ZERO, |p| p.qty);
        let added = self.added_qty();
        if self.order.side.is_buy() {
            let before = held.checked_add(self.held.buy_qty)?;
            Some((before, before.checked_add(added)?))
        } else {
            let before = held.checked_sub(self.held.sell_qty)?;
            Some((before, before.checked_sub(added)?))
        }
    }

    /// A result that says nothing was measured.
    pub(crate) fn not_applicable(&self, check: Check) -> CheckResult {
        CheckResult { check, verdict: Verdict::NotApplicable, ..CheckResult::default() }
    }
}

/// A check without a number that failed.
pub(crate) fn refuse(check: Check, code: Code, scope: Scope) -> CheckResult {
    CheckResult { check, verdict: Verdict::Fail, code: Some(code), scope, ..CheckResult::default() }
}

/// A check without a number that passed.
pub(crate) fn pass(check: Check) -> CheckResult {
    CheckResult { check, verdict: Verdict::Pass, ..CheckResult::default() }
}

/// Runs every check.
pub(crate) fn evaluate(inquiry: &Inquiry<'_>) -> Gate {
    let mut results = Vec::with_capacity(CHECKS.len());
    for check in CHECKS {
        results.push(check(inquiry));
    }
    let lifted = overrides::lift(inquiry, &mut results);
    let verdict = match results.iter().find(|r| r.verdict == Verdict::Fail) {
        None => Ok(Approved::new(inquiry.order)),
        Some(first) => Err(refused(inquiry, first, &lifted)),
    };
    assert!(verdict.is_err() || matches!(inquiry.worst_price, Some(Ok(_))), "an order passed the gate without a price");
    let worst_price = inquiry.worst_price.and_then(Result::ok).filter(|_| verdict.is_ok());
    let (hold, met) = meetings(inquiry, &results, verdict.as_ref().err());
    let first = verdict.as_ref().err().and_then(|_| results.iter().find(|r| r.verdict == Verdict::Fail));
    let trips = first.filter(|result| repeats::trips(result)).and_then(|result| Some((result.scope, result.value?, result.limit?)));
    let overridden = if verdict.is_ok() { lifted.used } else { Vec::new() };
    Gate { results, worst_price, verdict, hold, met, trips, overridden, seen: Seen::of(inquiry.ctx.market) }
}

/// Why an order that passed waits, and the own working orders that concern it. Those are touched only where nothing else
/// refused the order.
fn meetings(
    inquiry: &Inquiry<'_>,
    results: &[CheckResult],
    refused: Option<&Refused>,
) -> (Option<HoldReason>, Option<(SelfMatchPolicy, Vec<Meeting>)>) {
    let held = |check: Check| results.iter().any(|result| result.check == check && result.verdict == Verdict::Hold);
    let concerned = refused.is_none_or(|refused| refused.check == Check::SelfMatch && inquiry.is_new());
    let met = inquiry.self_match_rule().filter(|_| concerned).map(|(scope, policy)| (policy, inquiry.met(scope)));
    let met = met.filter(|(_, met)| !met.meetings.is_empty() && !met.more).map(|(policy, met)| (policy, met.meetings));
    let hold = if refused.is_some() {
        None
    } else if held(Check::Approval) {
        Some(HoldReason::Approval)
    } else {
        held(Check::SelfMatch).then_some(HoldReason::SelfMatch)
    };
    (hold, met)
}

fn refused(inquiry: &Inquiry<'_>, first: &CheckResult, lifted: &Lifted) -> Refused {
    let code = first.code.unwrap_or(Code::Internal);
    let retry_after_ns = if first.check == Check::OrderRate { rate::retry_after(inquiry) } else { None };
    let mut text = match (first.value, first.limit) {
        (Some(value), Some(limit)) => format!("{}: {value} against {limit} ({})", first.check, first.scope),
        (Some(value), None) => format!("{}: {value} ({})", first.check, first.scope),
        (None, Some(limit)) => format!("{}: nothing to compare with {limit} ({})", first.check, first.scope),
        (None, None) if code == Code::RiskLimitBreach => format!("{}: the amount is out of range", first.check),
        (None, None) => format!("{}: {code} ({})", first.check, first.scope),
    };
    if let Some((id, why)) = lifted.idle {
        text += &format!("; override {id} {why}");
    }
    Refused { code, check: first.check, scope: first.scope, value: first.value, limit: first.limit, text, retry_after_ns }
}

#[cfg(test)]
mod tests;
