//! What is left of an order against the limits, after something of it was executed.
//!
//! The gate counted the whole order. An execution in the reserved quantity at no worse than the reserved price only moves
//! what works into what is held, and breaks nothing. What can: a worse price, a fee, more than was ordered or what had
//! ended, what was booked by hand or taken back, other orders' losses, a market that moved, and a limit that was lowered
//! meanwhile. So only what positions and money come to is measured again: what bounds an order by itself, or what works,
//! an execution cannot break. Controls: SEC Rule 15c3-5(c)(1)(i), RTS 6 article 17.

use crate::book::{RiskBook, SCOPES, ScopeBook, owner_scopes};
use crate::check::Unit;
use crate::exposure::{Owner, Reservation};
use crate::holdings::Held;
use crate::portfolio::ratio;
use oms_model::amount::ONE;
use oms_model::limit::{Check, CheckResult, LimitType, Scope, Verdict};
use oms_model::{AssetClass, Code, Decimal, Notional, Order, Price, Qty};

/// What an execution can take beyond a limit, in order of precedence.
const MEASURED: [(Check, LimitType); 10] = [
    (Check::PositionQty, LimitType::MaxPositionQty),
    (Check::PositionNotional, LimitType::MaxPositionNotional),
    (Check::AssetClassExposure, LimitType::MaxAssetClassExposure),
    (Check::Concentration, LimitType::MaxConcentrationPct),
    (Check::GrossExposure, LimitType::MaxGrossExposure),
    (Check::NetExposure, LimitType::MaxNetExposure),
    (Check::Leverage, LimitType::MaxLeverage),
    (Check::BuyingPower, LimitType::BuyingPower),
    (Check::DailyLoss, LimitType::DailyLoss),
    (Check::TrailingDrawdown, LimitType::TrailingDrawdown),
];

/// The rest of an order, and what it is measured with.
struct Rest<'a> {
    book: &'a RiskBook,
    owner: Owner,
    class: AssetClass,
    reserved: Reservation,
    /// What is reserved for the rest, in the risk currency.
    value: i128,
    held: Held,
    /// The holding as it would be without the rest.
    without: Held,
    /// The position with everything that works on the order's side, and the same without the rest.
    worst: (Qty, Qty),
    mark: Option<Price>,
}

impl RiskBook {
    /// Measures what is left of a client's order, as it stands, against the limits of its scopes. What is broken, in order
    /// of precedence: a hard limit as [`Verdict::Fail`], a soft one, where its sender did not say that they know, as
    /// [`Verdict::Warn`]. What the rest does not worsen is not its fault. `position` is the account's in the instrument,
    /// `mark` the price at which it is valued.
    ///
    /// Looks at the scopes of the order and nothing else; where they have no such limit, at their masks alone.
    #[must_use]
    pub fn check_in_flight(&self, order: &Order, reserved: &Reservation, position: Qty, mark: Option<Price>) -> Vec<CheckResult> {
        let owner = Owner::of(order);
        let class = self.class_of(owner.instrument_id);
        let scopes: [Option<(Scope, &ScopeBook)>; SCOPES] =
            owner_scopes(owner, class).map(|scope| scope.and_then(|scope| Some((scope, self.scope(scope)?))));
        let limited = |limit_type: LimitType| scopes.iter().flatten().any(|(_, book)| book.limits.has(limit_type));
        if reserved.is_empty() || !MEASURED.iter().any(|(_, limit_type)| limited(*limit_type)) {
            return Vec::new();
        }
        let rest = Rest::of(self, owner, class, reserved, position, mark);
        let acknowledged = order.extras.compliance.as_deref().is_some_and(|said| said.acknowledged);
        let broken = |(check, limit_type)| {
            if !limited(limit_type) {
                return None;
            }
            rest.broken(check, limit_type, scopes.iter().flatten(), acknowledged)
        };
        MEASURED.into_iter().filter_map(broken).collect()
    }
}

impl<'a> Rest<'a> {
    fn of(book: &'a RiskBook, owner: Owner, class: AssetClass, reserved: &Reservation, position: Qty, mark: Option<Price>) -> Self {
        let held = book.held(owner.account_id, owner.instrument_id);
        let value = reserved.notional().raw();
        let less = |sum: Notional| Notional::from_raw(sum.raw().saturating_sub(value));
        let (without, worst) = if owner.side.is_buy() {
            let with = position.saturating_add(held.buy_qty);
            (Held { buy: less(held.buy), ..held }, (with, with.saturating_sub(reserved.qty)))
        } else {
            let with = position.saturating_sub(held.sell_qty);
            (Held { sell: less(held.sell), ..held }, (with, with.saturating_add(reserved.qty)))
        };
        Self { book, owner, class, reserved: *reserved, value, held, without, worst, mark }
    }

    /// The first scope, widest first, whose hard limit is broken; else the first whose soft one is.
    fn broken<'s>(
        &self,
        check: Check,
        limit_type: LimitType,
        scopes: impl Iterator<Item = &'s (Scope, &'s ScopeBook)>,
        acknowledged: bool,
    ) -> Option<CheckResult> {
        let mut soft = None;
        for (scope, book) in scopes {
            if !book.limits.has(limit_type) {
                continue;
            }
            let Some((unit, value, worsens)) = self.measure(check, *scope, book) else { continue };
            for limit in book.limits.each(limit_type).filter(|limit| worsens && unit.raw(limit.value) < value) {
                let result = CheckResult {
                    check,
                    verdict: if limit.soft { Verdict::Warn } else { Verdict::Fail },
                    code: (!limit.soft).then_some(code_of(check)),
                    scope: *scope,
                    value: Some(unit.shown(value)),
                    limit: Some(limit.value),
                    limit_version: limit.version,
                    soft: limit.soft,
                    period: limit.period,
                    until: None,
                };
                if !limit.soft {
                    return Some(result);
                }
                soft = soft.or(Some(result));
            }
        }
        soft.filter(|_| !acknowledged)
    }

    /// What a check measures in a scope, the rest included, and whether the rest makes it worse. `None` where what it takes
    /// is not known: the gate let nothing in by it, and an execution is no reason to end an order for that.
    fn measure(&self, check: Check, scope: Scope, book: &ScopeBook) -> Option<(Unit, i128, bool)> {
        let sums = &book.sums;
        let gross = self.held.worst().saturating_sub(self.without.worst());
        let money = |value: i128, worsens: bool| Some((Unit::Notional, value, worsens));
        let (with, without) = self.worst;
        match check {
            Check::PositionQty => Some((Unit::Decimal, Decimal::from(with.abs()).raw(), with.abs() > without.abs())),
            Check::PositionNotional => {
                let value = self.reserved.valuation.notional(self.mark?, with.abs()).unwrap_or(Notional::MAX);
                money(value.raw(), with.abs() > without.abs())
            }
            Check::AssetClassExposure => money(sums.class_gross(self.class), gross > 0),
            Check::GrossExposure => money(sums.gross, gross > 0),
            Check::NetExposure => {
                let net = |buy: i128, sell: i128| {
                    let long = sums.value.saturating_add(sums.buy).saturating_sub(buy);
                    let short = sums.value.saturating_sub(sums.sell).saturating_add(sell);
                    long.saturating_abs().max(short.saturating_abs())
                };
                let freed = if self.owner.side.is_buy() { net(self.value, 0) } else { net(0, self.value) };
                money(net(0, 0), net(0, 0) > freed)
            }
            Check::Concentration => {
                let part = match scope {
                    Scope::Account(_) => self.held.worst(),
                    _ => self.book.scope(Scope::Instrument(self.owner.instrument_id)).map_or(0, |book| book.sums.gross),
                };
                Some((Unit::Decimal, ratio(part, sums.equity()?, 100 * i128::from(ONE)), gross > 0))
            }
            Check::Leverage => Some((Unit::Decimal, ratio(sums.gross, sums.equity()?, ONE.into()), gross > 0)),
            Check::BuyingPower => {
                let spends = self.owner.side.is_buy() || self.owner.side.is_short();
                money(sums.spent.saturating_add(sums.buy).saturating_add(sums.short), spends && self.value > 0)
            }
            Check::DailyLoss => money(sums.day_start.saturating_sub(sums.pnl), !self.reduces()),
            Check::TrailingDrawdown => money(sums.peak.saturating_sub(sums.pnl), !self.reduces()),
            _ => None,
        }
    }

    /// Whether the rest brings the position closer to zero without crossing it.
    fn reduces(&self) -> bool {
        let (with, without) = self.worst;
        let same_side = with.is_zero() || with.is_positive() == without.is_positive();
        same_side && with.abs() < without.abs()
    }
}

/// The code that the gate refuses with.
const fn code_of(check: Check) -> Code {
    match check {
        Check::BuyingPower => Code::InsufficientBuyingPower,
        _ => Code::RiskLimitBreach,
    }
}
