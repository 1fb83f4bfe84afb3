//! One table for each check: inside, at and outside the limit, in every scope.

mod bounds;
mod compliance;
mod currencies;
mod hours;
mod in_flight;
mod overrides;
mod portfolio;
mod prices;
mod replace;
mod switches;

use crate::book::RiskBook;
use crate::exposure::Reservation;
use crate::gate::Rate;
use crate::gate::{Gate, Hours, Opening, Proposed, RiskContext};
use oms_model::compliance::{Compliance, ListKind, Locate, Restriction, SelfMatchPolicy};
use oms_model::instrument::{Account, Instrument, TickStep};
use oms_model::limit::{Check, CheckResult, LimitKey, LimitType, RiskLimit, Scope, Verdict};
use oms_model::market::{Level, Market};
use oms_model::order::{Extras, Routing, Terms};
use oms_model::position::Position;
use oms_model::strategy::StrategyEnvelope;
use oms_model::{
    AccountId, AssetClass, Code, Decimal, InstrumentId, Mic, Notional, OrdType, Order, OrderId, OverrideId, Price, Qty, Side, SorMode,
    StrategyId, Time, TradingState, UserId,
};

const ACCOUNT: AccountId = AccountId::from_u128(7);
const USER: UserId = UserId::from_u128(8);
const INSTRUMENT: InstrumentId = InstrumentId(9);
const STRATEGY: StrategyId = StrategyId::of(b"MM-1");
const XNAS: Mic = Mic::of(b"XNAS");
const SCOPES: [Scope; 6] = [
    Scope::Tenant,
    Scope::AssetClass(AssetClass::Equity),
    Scope::Account(ACCOUNT),
    Scope::Strategy(STRATEGY),
    Scope::User(USER),
    Scope::Instrument(INSTRUMENT),
];
const NOW: Time = Time(1_000_000_000_000);
const SECOND: i64 = 1_000_000_000;

fn px(text: &str) -> Price {
    text.parse().unwrap()
}
fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}
fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}
fn level(price: &str, at: Time) -> Level {
    Level { price: px(price), size: qty("100"), at }
}

/// A market of 99 to 101 (reference 100) in an instrument of one-cent ticks and lots of one, and a book to judge with.
struct Desk {
    book: RiskBook,
    now: Time,
    market: Market,
    instrument: Instrument,
    account: Account,
    position: Option<Position>,
    rate: Option<Rate>,
    /// The overrides that orders name.
    named: Vec<OverrideId>,
    hours: Hours,
}

impl Desk {
    fn new() -> Self {
        let market = Market { bid: Some(level("99", NOW)), ask: Some(level("101", NOW)), ..Market::default() };
        let ticks = vec![TickStep { from: px("0.0001"), tick: px("0.0001") }, TickStep { from: px("1"), tick: px("0.01") }];
        let (lot, min_qty, max_qty) = (qty("1"), qty("2"), qty("1000000"));
        let instrument = Instrument { instrument_id: INSTRUMENT, ticks, lot, min_qty, max_qty, active: true, ..Instrument::default() };
        let account = Account { account_id: ACCOUNT, active: true, ..Account::default() };
        let mut book = RiskBook::default();
        book.set_envelope(&StrategyEnvelope { strategy: STRATEGY, enabled: true, version: 1, ..StrategyEnvelope::default() });
        let (qty, until) = (qty("1000000"), Time(i64::MAX));
        book.set_locate(&Locate { account_id: ACCOUNT, instrument_id: INSTRUMENT, qty, until, ..Locate::default() });
        Self {
            book,
            now: NOW,
            market,
            instrument,
            account,
            position: None,
            rate: Some(Rate::same()),
            named: Vec::new(),
            hours: Hours::default(),
        }
    }

    fn with(limit_type: LimitType, scope: Scope, value: &str) -> Self {
        let mut desk = Self::new();
        desk.limit(limit_type, scope, value);
        desk
    }

    fn limit(&mut self, limit_type: LimitType, scope: Scope, value: &str) {
        let version = self.book.next_version(LimitKey::hard(limit_type, scope));
        self.book.set_limit(&RiskLimit { limit_type, scope, value: dec(value), version, ..RiskLimit::default() });
    }

    fn holding(mut self, held: &str) -> Self {
        self.position = Some(Position { qty: qty(held), ..Position::default() });
        self
    }

    fn ctx(&self) -> RiskContext<'_> {
        RiskContext {
            now: self.now,
            market: &self.market,
            instrument: &self.instrument,
            account: &self.account,
            position: self.position.as_ref(),
            rate: self.rate,
            overrides: &self.named,
            hours: self.hours,
        }
    }

    fn check(&self, order: &Proposed) -> Gate {
        let gate = self.book.check(order, &self.ctx());
        let order_of_checks: Vec<Check> = gate.results.iter().map(|r| r.check).collect();
        assert_eq!(order_of_checks, Check::ALL, "every check is recorded, in order");
        gate
    }

    fn code(&self, order: &Proposed) -> Option<Code> {
        self.check(order).verdict.err().map(|refused| refused.code)
    }

    /// Judges, and where it passed books the order.
    fn place(&mut self, order: &Proposed) -> Option<(Order, Reservation)> {
        let gate = self.check(order);
        let (order, mut reserved) = (order_of(order), Reservation::default());
        self.book.on_checked(&order, gate.worst_price, self.now, &mut reserved);
        gate.verdict.ok().map(|_| (order, reserved))
    }
}

fn order_of(p: &Proposed) -> Order {
    Order {
        order_id: p.order_id,
        account_id: p.account_id,
        user_id: p.user_id,
        instrument_id: p.instrument_id,
        side: p.side,
        ord_type: p.ord_type,
        order_qty: p.order_qty,
        price: p.price,
        extras: Extras {
            stop_px: p.stop_px,
            compliance: Some(Box::new(Compliance { strategy: p.strategy, acknowledged: p.acknowledged, ..Compliance::default() })),
            ..Extras::default()
        }
        .into(),
        ..Order::default()
    }
}

fn base(side: Side, ord_type: OrdType, quantity: &str) -> Proposed {
    Proposed {
        account_id: ACCOUNT,
        user_id: USER,
        instrument_id: INSTRUMENT,
        side,
        ord_type,
        order_qty: qty(quantity),
        strategy: Some(STRATEGY),
        ..Proposed::default()
    }
}
fn limit(side: Side, quantity: &str, price: &str) -> Proposed {
    Proposed { price: Some(px(price)), ..base(side, OrdType::Limit, quantity) }
}
fn buy(quantity: &str, price: &str) -> Proposed {
    limit(Side::Buy, quantity, price)
}
fn sell(quantity: &str, price: &str) -> Proposed {
    limit(Side::Sell, quantity, price)
}
fn result(gate: &Gate, check: Check) -> CheckResult {
    *gate.results.iter().find(|r| r.check == check).unwrap()
}
