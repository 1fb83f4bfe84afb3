//! What working orders can still come to, and the checks of open orders and open notional.

use crate::check::{Inquiry, Unit};
use crate::limits::Bound;
use oms_model::instrument::Valuation;
use oms_model::limit::{Check, CheckResult, LimitType};
use oms_model::{AccountId, Code, Decimal, InstrumentId, Notional, Order, Price, Qty, Side, StrategyId, UserId};

/// Whose exposure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) account_id: AccountId,
    pub(crate) user_id: UserId,
    pub(crate) instrument_id: InstrumentId,
    pub(crate) side: Side,
    pub(crate) strategy: Option<StrategyId>,
}

impl Owner {
    pub(crate) fn of(order: &Order) -> Self {
        let strategy = order.strategy();
        Self { account_id: order.account_id, user_id: order.user_id, instrument_id: order.instrument_id, side: order.side, strategy }
    }
}

/// A quantity at its worst price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exposure {
    pub(crate) qty: Qty,
    pub(crate) price: Price,
    pub(crate) valuation: Valuation,
}

impl Exposure {
    /// Its value; `None` on overflow, which the gate refuses.
    pub(crate) fn notional(self) -> Option<Notional> {
        self.valuation.notional(self.price, self.qty)
    }
}

/// What is reserved for one client order. The engine keeps it beside the order, lets
/// [`RiskBook::on_checked`](crate::RiskBook::on_checked) and [`RiskBook::follow`](crate::RiskBook::follow) change it and
/// writes it to snapshots; nothing else touches it. So a reservation is released exactly once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reservation {
    /// What may still be executed, as it counts in the book.
    pub qty: Qty,
    /// At which price it counts; zero with a zero quantity.
    pub price: Price,
    /// The worst price that the gate saw for the order; zero until it was accepted.
    pub worst_price: Price,
    /// How the instrument was valued in the risk currency when the order was taken; set before anything is reserved.
    pub valuation: Valuation,
    /// Where the order stands among the working ones; follows from the order and is not stored.
    pub resting: Option<i64>,
}

impl Reservation {
    /// Whether the gate has accepted the order.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.worst_price.is_positive()
    }

    /// Whether nothing is reserved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.qty.is_zero()
    }

    /// The value that is reserved.
    #[must_use]
    pub fn notional(&self) -> Notional {
        self.exposure().notional().unwrap_or(Notional::MAX)
    }

    pub(crate) fn exposure(&self) -> Exposure {
        Exposure { qty: self.qty, price: self.price, valuation: self.valuation }
    }

    /// What `order` exposes now: everything that may be executed, a pending replace counted with the larger
    /// quantity and the higher price. Nothing before the gate accepted it or once it is done.
    pub(crate) fn wanted(&self, order: &Order) -> Exposure {
        let qty = order.worst_open_qty();
        if qty.is_zero() || !self.is_accepted() {
            return Exposure { valuation: self.valuation, ..Exposure::default() };
        }
        let asked = order.extras.replacing.as_deref().and_then(|terms| terms.price);
        Exposure { qty, price: worst_of(order.side, [order.price, asked], self.worst_price), valuation: self.valuation }
    }
}

/// The price at which an order is valued. A purchase costs its limit at most. A sale can bring more than its limit,
/// so that the market counts where it is higher. An order without a limit has only the price that the gate saw.
pub(crate) fn worst_of(side: Side, limits: [Option<Price>; 2], worst_price: Price) -> Price {
    match limits.into_iter().flatten().max() {
        Some(limit) if side.is_buy() => limit,
        Some(limit) => limit.max(worst_price),
        None => worst_price,
    }
}

/// A replace opens no order.
pub(crate) fn check_open_orders(inquiry: &Inquiry<'_>) -> CheckResult {
    if !inquiry.is_new() {
        return inquiry.not_applicable(Check::OpenOrders);
    }
    let bound = Bound {
        check: Check::OpenOrders,
        limit_type: LimitType::MaxOpenOrders,
        code: Code::RiskLimitBreach,
        unit: Unit::Decimal,
        tolerated: false,
    };
    inquiry.bound(bound, |scope| {
        let open = scope.book.map_or(0, |s| s.open_orders);
        Some(Decimal::from_count(open.saturating_add(1)).raw())
    })
}

/// A sum that leaves the range of [`Notional`] fails even where no limit is set.
pub(crate) fn check_open_notional(inquiry: &Inquiry<'_>) -> CheckResult {
    let Some(added) = inquiry.added_notional() else { return inquiry.not_applicable(Check::OpenNotional) };
    let tolerated = added.is_ok_and(|n| n.is_zero()) && !inquiry.is_new();
    let bound = Bound {
        check: Check::OpenNotional,
        limit_type: LimitType::MaxOpenNotional,
        code: Code::RiskLimitBreach,
        unit: Unit::Notional,
        tolerated,
    };
    inquiry.bound(bound, |scope| {
        let open = scope.book.map_or(Notional::ZERO, |s| s.open_notional);
        open.checked_add(added.ok()?).map(Notional::raw)
    })
}
