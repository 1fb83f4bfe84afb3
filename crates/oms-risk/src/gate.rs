//! What the gate is asked, what it knows, and what it answers.

use crate::crossing::Meeting;
use crate::overrides::Overridden;
use oms_model::compliance::{HoldReason, SelfMatchPolicy};
use oms_model::instrument::{Account, Instrument};
use oms_model::limit::{Check, CheckResult, Scope};
use oms_model::market::{Market, Seen};
use oms_model::position::Position;
use oms_model::{
    AccountId, Code, Decimal, InstrumentId, Mic, OrdType, Order, OrderId, OverrideId, Price, Qty, Refusal, Side, SorMode, StrategyId, Time,
    TimeInForce, UserId,
};

/// An order as the gate sees it: a client's order at the top of its tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proposed {
    /// Which order; the nil id for one that is only asked about.
    pub order_id: OrderId,
    /// For whom.
    pub account_id: AccountId,
    /// By whom.
    pub user_id: UserId,
    /// What.
    pub instrument_id: InstrumentId,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 38: total, executed part included.
    pub order_qty: Qty,
    /// FIX 44.
    pub price: Option<Price>,
    /// FIX 99.
    pub stop_px: Option<Price>,
    /// FIX 59.
    pub time_in_force: TimeInForce,
    /// The venue, where the client names one.
    pub named_venue: Option<Mic>,
    /// The strategy that sent it.
    pub strategy: Option<StrategyId>,
    /// Whether its sender knows that it is beyond a soft limit.
    pub acknowledged: bool,
    /// Whether a person works it, so that it comes to the market in parts.
    pub is_care: bool,
}

impl Proposed {
    /// Whose lists hold for the order.
    pub(crate) fn owners(&self) -> [Scope; 4] {
        [Scope::Tenant, Scope::Account(self.account_id), Scope::User(self.user_id), self.strategy.map_or(Scope::Tenant, Scope::Strategy)]
    }

    /// The order as it stands.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let named_venue = order.extras.routing.as_deref().filter(|r| r.mode == Some(SorMode::Named)).and_then(|r| r.venue);
        let said = order.extras.compliance.as_deref();
        Self {
            order_id: order.order_id,
            account_id: order.account_id,
            user_id: order.user_id,
            instrument_id: order.instrument_id,
            side: order.side,
            ord_type: order.ord_type,
            order_qty: order.order_qty,
            price: order.price,
            stop_px: order.extras.stop_px,
            time_in_force: order.time_in_force,
            named_venue,
            strategy: said.and_then(|said| said.strategy),
            acknowledged: said.is_some_and(|said| said.acknowledged),
            is_care: order.extras.care.is_some(),
        }
    }
}

/// The rate from the instrument's currency to the risk currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The rate.
    pub rate: Decimal,
    /// When it was recorded; `None` for the same currency, which needs none.
    pub at: Option<Time>,
}

impl Rate {
    /// Of one currency to itself.
    #[must_use]
    pub fn same() -> Self {
        Self { rate: Decimal::from_count(1), at: None }
    }
}

/// What the gate knows besides its own book.
#[derive(Clone, Copy, Debug)]
pub struct RiskContext<'a> {
    /// When the decision is made.
    pub now: Time,
    /// The market in the order's instrument; an empty one where nothing was ever received.
    pub market: &'a Market,
    /// The order's instrument.
    pub instrument: &'a Instrument,
    /// The order's account.
    pub account: &'a Account,
    /// The account's position in the instrument; `None` is flat.
    pub position: Option<&'a Position>,
    /// From the instrument's currency to the risk currency; `None` where none is recorded.
    pub rate: Option<Rate>,
    /// The leaves of a person that the order names.
    pub overrides: &'a [OverrideId],
}

/// A value that passed the gate. Nobody else can make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }
    /// What was approved.
    #[must_use]
    pub const fn get(&self) -> &T {
        &self.0
    }
    /// What was approved, without its seal.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Why the gate refused: the first failing check, with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The code.
    pub code: Code,
    /// The check.
    pub check: Check,
    /// The scope whose limit or switch decided.
    pub scope: Scope,
    /// What was measured.
    pub value: Option<Decimal>,
    /// What it was measured against.
    pub limit: Option<Decimal>,
    /// A sentence for people.
    pub text: String,
    /// For [`Code::RateLimited`]: after how many nanoseconds the same order would pass that check.
    /// `None` for other codes, and where waiting does not help (a rate of zero).
    pub retry_after_ns: Option<i64>,
}

impl Refused {
    /// As a refusal of a command.
    #[must_use]
    pub fn to_refusal(&self) -> Refusal {
        let mut refusal = Refusal::new(self.code, self.text.clone()).with("check", self.check).with("scope", self.scope);
        if let Some(value) = self.value {
            refusal = refusal.with("value", value);
        }
        if let Some(limit) = self.limit {
            refusal = refusal.with("limit", limit);
        }
        if let Some(ns) = self.retry_after_ns {
            refusal = refusal.with("retry_after_ns", ns);
        }
        refusal
    }
}

/// The gate's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Every check, in order of precedence.
    pub results: Vec<CheckResult>,
    /// The price at which the order is reserved: what it can cost or bring at worst. `None` where it was refused.
    pub worst_price: Option<Price>,
    /// Whether the order may go out. For a replace, the order as it would then be.
    pub verdict: Result<Approved<Proposed>, Refused>,
    /// Why it waits before it is sent, where it passed and does.
    pub hold: Option<HoldReason>,
    /// The own working orders that it meets, with the rule for them. What of them is canceled the engine decides by it.
    pub met: Option<(SelfMatchPolicy, Vec<Meeting>)>,
    /// The scope that this refusal turns off, with what was counted of how many.
    pub trips: Option<(Scope, Decimal, Decimal)>,
    /// The market that it was judged against.
    pub seen: Seen,
    /// What it broke by a person's leave, where it passed.
    pub overridden: Vec<Overridden>,
}
