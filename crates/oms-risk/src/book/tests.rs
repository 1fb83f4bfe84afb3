//! Properties of the book over random lives of orders, and its configuration.

use super::*;
use crate::gate::Rate;
use crate::holdings::Valued;
use crate::limits::{InvalidLimit, validate_limit};
use oms_model::OrderId;
use oms_model::instrument::{Account, Instrument, TickStep};
use oms_model::market::{Level, Market};
use oms_model::order::Extras;
use oms_model::position::Position;
use oms_model::{Decimal, Mic, OrdState, OrdType, Price, Side, UserId};
use proptest::prelude::*;
use std::collections::BTreeMap;

const SECOND: i64 = 1_000_000_000;

fn units(n: i64) -> Qty {
    Qty::from_units(n).unwrap()
}
fn px(n: i64) -> Price {
    Price::from_units(n).unwrap()
}
fn limit(limit_type: LimitType, scope: Scope, value: u64) -> RiskLimit {
    RiskLimit { limit_type, scope, value: Decimal::from_count(value), version: 1, ..RiskLimit::default() }
}

/// One step in the lives of orders. Numbers pick modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Place { who: u8, side: Side, ord_type: OrdType, qty: i64, price: i64 },
    Fill { nth: usize, qty: i64 },
    Cancel { nth: usize },
    AskReplace { nth: usize, qty: i64, price: i64 },
    AcceptReplace { nth: usize },
    RejectReplace { nth: usize },
    Wait { ms: i64 },
    Quote { mid: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell), Just(Side::SellShort)];
    let ord_type = prop_oneof![3 => Just(OrdType::Limit), 1 => Just(OrdType::Market), 1 => Just(OrdType::Stop)];
    prop_oneof![
        4 => (any::<u8>(), side, ord_type, 1..60_i64, 90..110_i64)
            .prop_map(|(who, side, ord_type, qty, price)| Step::Place { who, side, ord_type, qty, price }),
        3 => (any::<usize>(), 1..60_i64).prop_map(|(nth, qty)| Step::Fill { nth, qty }),
        1 => any::<usize>().prop_map(|nth| Step::Cancel { nth }),
        2 => (any::<usize>(), 1..120_i64, 90..110_i64).prop_map(|(nth, qty, price)| Step::AskReplace { nth, qty, price }),
        2 => any::<usize>().prop_map(|nth| Step::AcceptReplace { nth }),
        1 => any::<usize>().prop_map(|nth| Step::RejectReplace { nth }),
        1 => (1..700_i64).prop_map(|ms| Step::Wait { ms }),
        1 => (95..106_i64).prop_map(|mid| Step::Quote { mid }),
    ]
}

/// A book, the orders on it and their positions.
struct World {
    book: RiskBook,
    now: Time,
    mid: i64,
    orders: Vec<(Order, Reservation)>,
    positions: BTreeMap<(AccountId, InstrumentId), Position>,
    accepted_at: Vec<Time>,
}

const MOST_OPEN: u64 = 6;
const MOST_NOTIONAL: u64 = 20_000;
const MOST_POSITION: u64 = 150;
const MOST_RATE: u64 = 5;
const MOST_GROSS: u64 = 25_000;

impl World {
    fn new() -> Self {
        let mut book = RiskBook::default();
        book.set_limit(&limit(LimitType::MaxOpenOrders, Scope::Account(AccountId::from_u128(0)), MOST_OPEN));
        book.set_limit(&limit(LimitType::MaxOpenNotional, Scope::Tenant, MOST_NOTIONAL));
        book.set_limit(&limit(LimitType::MaxPositionQty, Scope::Tenant, MOST_POSITION));
        book.set_limit(&limit(LimitType::OrderRate, Scope::Tenant, MOST_RATE));
        book.set_limit(&limit(LimitType::MaxGrossExposure, Scope::Tenant, MOST_GROSS));
        for account in 0..2 {
            for instrument in 0..2 {
                let (account_id, instrument_id) = (AccountId::from_u128(account), InstrumentId(instrument));
                let (qty, until) = (units(100), Time(i64::MAX));
                book.set_locate(&oms_model::compliance::Locate { account_id, instrument_id, qty, until, ..Default::default() });
            }
        }
        book.set_limit(&limit(LimitType::DuplicateWindow, Scope::User(UserId::from_u128(0)), 1));
        Self { book, now: Time(0), mid: 100, orders: vec![], positions: BTreeMap::new(), accepted_at: vec![] }
    }

    fn judge(&self, order: &Order, ask: impl FnOnce(&RiskBook, &RiskContext<'_>) -> Gate) -> Gate {
        let level = |price| Some(Level { price: px(price), size: units(1), at: self.now });
        let market = Market { bid: level(self.mid - 1), ask: level(self.mid + 1), ..Market::default() };
        let instrument = Instrument {
            instrument_id: order.instrument_id,
            ticks: vec![TickStep { from: px(1), tick: px(1) }],
            lot: units(1),
            max_qty: units(1_000),
            active: true,
            ..Instrument::default()
        };
        let account = Account { account_id: order.account_id, active: true, ..Account::default() };
        let position = self.positions.get(&(order.account_id, order.instrument_id));
        ask(
            &self.book,
            &RiskContext {
                now: self.now,
                market: &market,
                instrument: &instrument,
                account: &account,
                position,
                rate: Some(Rate::same()),
                overrides: &[],
            },
        )
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Place { who, side, ord_type, qty, price } => {
                let order = Order {
                    account_id: AccountId::from_u128(u128::from(who % 2)),
                    user_id: UserId::from_u128(u128::from(who / 2 % 2)),
                    order_id: OrderId::from_u128(self.orders.len() as u128),
                    instrument_id: InstrumentId(u32::from(who / 4 % 2)),
                    side,
                    ord_type,
                    order_qty: units(qty),
                    price: ord_type.has_price().then(|| px(price)),
                    extras: Extras { stop_px: ord_type.has_stop().then(|| px(price)), ..Extras::default() }.into(),
                    ..Order::default()
                };
                let gate = self.judge(&order, |book, ctx| book.check(&Proposed::of(&order), ctx));
                let mut reserved = Reservation::default();
                self.book.on_checked(&order, gate.worst_price, self.now, &mut reserved);
                assert_eq!(gate.verdict.is_ok(), reserved.is_accepted());
                if gate.verdict.is_ok() {
                    self.accepted_at.push(self.now);
                    self.orders.push((order, reserved));
                }
            }
            Step::Wait { ms } => self.now = self.now.plus(ms * 1_000_000),
            Step::Quote { mid } => self.mid = mid,
            Step::Fill { nth, .. }
            | Step::Cancel { nth }
            | Step::AskReplace { nth, .. }
            | Step::AcceptReplace { nth }
            | Step::RejectReplace { nth } => {
                if let Some(at) = nth.checked_rem(self.orders.len()) {
                    let (mut order, mut reserved) = self.orders.swap_remove(at);
                    self.change(step, &mut order, &mut reserved);
                    self.book.follow(&order, &mut reserved);
                    self.orders.push((order, reserved));
                }
            }
        }
    }

    fn change(&mut self, step: &Step, order: &mut Order, reserved: &mut Reservation) {
        match *step {
            Step::Fill { qty, .. } if !order.state.is_done() => {
                let qty = units(qty).min(order.open_qty());
                let position = self.positions.entry((order.account_id, order.instrument_id)).or_default();
                if qty.is_positive() {
                    (position.account_id, position.instrument_id) = (order.account_id, order.instrument_id);
                    position.book(order.side.is_buy(), qty, px(self.mid), Notional::ZERO);
                    let valued = Valued { valuation: Default::default(), rate: Decimal::from_count(1), mark: Some(px(self.mid)) };
                    self.book.on_position(position, valued);
                    if order.side.is_short() {
                        self.book.on_shorted(order.account_id, order.instrument_id, qty);
                    }
                }
                order.cum_qty = order.cum_qty.checked_add(qty).unwrap();
                if order.open_qty().is_zero() {
                    (order.state, order.extras.replacing) = (OrdState::Filled, None);
                }
            }
            Step::Cancel { .. } if !order.state.is_done() => (order.state, order.extras.replacing) = (OrdState::Canceled, None),
            Step::AskReplace { qty, price, .. } if !order.state.is_done() && order.extras.replacing.is_none() => {
                let terms = Terms { order_qty: units(qty), price: order.price.map(|_| px(price)), stop_px: order.extras.stop_px };
                let gate = self.judge(order, |book, ctx| book.check_replace(order, reserved, &terms, ctx));
                self.book.on_checked(order, gate.worst_price, self.now, reserved);
                if gate.verdict.is_ok() {
                    self.accepted_at.push(self.now);
                    order.extras.replacing = Some(Box::new(terms));
                }
            }
            Step::AcceptReplace { .. } => {
                if let Some(terms) = order.extras.replacing.take() {
                    (order.order_qty, order.price, order.extras.stop_px) = (terms.order_qty, terms.price, terms.stop_px);
                    if order.open_qty().is_zero() {
                        order.state = OrdState::Filled;
                    }
                }
            }
            Step::RejectReplace { .. } => order.extras.replacing = None,
            _ => (),
        }
    }

    /// The sums are those of the reservations, the reservations those of the orders, and every limit holds.
    fn verify(&self) {
        let mut open: BTreeMap<Scope, (u64, i128)> = BTreeMap::new();
        let mut working: BTreeMap<(AccountId, InstrumentId), (Qty, Qty)> = BTreeMap::new();
        for (order, reserved) in &self.orders {
            assert_eq!(reserved.qty, order.worst_open_qty());
            if reserved.is_empty() {
                continue;
            }
            let asked = order.extras.replacing.as_deref().and_then(|t| t.price);
            assert!(reserved.price >= order.price.max(asked).unwrap_or_default());
            assert!(order.side.is_buy() && order.price.is_some() || reserved.price >= reserved.worst_price);
            for scope in owner_scopes(Owner::of(order), AssetClass::Equity).into_iter().flatten() {
                let sums = open.entry(scope).or_default();
                *sums = (sums.0 + 1, sums.1 + reserved.notional().raw());
            }
            let sides = working.entry((order.account_id, order.instrument_id)).or_default();
            let side = if order.side.is_buy() { &mut sides.0 } else { &mut sides.1 };
            *side = side.checked_add(reserved.qty).unwrap();
        }
        let parts = self.book.parts();
        let kept: BTreeMap<Scope, (u64, i128)> = parts.open.iter().map(|o| (o.scope, (o.open_orders, o.open_notional.raw()))).collect();
        assert_eq!(kept, open);
        let kept: BTreeMap<_, _> = parts
            .holdings
            .iter()
            .map(|w| ((w.account_id, w.instrument_id), (w.held.buy_qty, w.held.sell_qty)))
            .filter(|(_, sides)| *sides != Default::default())
            .collect();
        assert_eq!(kept, working);

        for scope in [Scope::Tenant, Scope::Account(AccountId::from_u128(1)), Scope::Instrument(InstrumentId(1))] {
            let inside = |parts: &&crate::parts::HeldParts| match scope {
                Scope::Account(id) => parts.account_id == id,
                Scope::Instrument(id) => parts.instrument_id == id,
                _ => true,
            };
            let gross: i128 = parts.holdings.iter().filter(inside).map(|parts| parts.held.worst()).sum();
            let pnl: i128 = parts.holdings.iter().filter(inside).map(|parts| parts.held.pnl.raw()).sum();
            let sums = self.book.scope(scope).map_or(Sums::NONE, |book| book.sums);
            assert_eq!((sums.gross, sums.pnl), (gross, pnl), "{scope}");
        }
        let resting = |order: &(Order, Reservation)| resting_rank(&order.0, order.1.qty) == order.1.resting;
        assert!(self.orders.iter().all(resting), "every working order has its place");

        assert!(self.book.open(Scope::Account(AccountId::from_u128(0))).0 <= MOST_OPEN);
        assert!(self.book.open(Scope::Tenant).1 <= Decimal::from_count(MOST_NOTIONAL).to_notional().unwrap());
        let most = units(MOST_POSITION.try_into().unwrap());
        for account in 0..2 {
            for instrument in 0..2 {
                let key = (AccountId::from_u128(account), InstrumentId(instrument));
                let held = self.positions.get(&key).map_or(Qty::ZERO, |p| p.qty);
                let (buy, sell) = self.book.working_qty(key.0, key.1);
                assert!(held.checked_add(buy).unwrap() <= most && held.checked_sub(sell).unwrap().abs() <= most);
            }
        }
        for (at, time) in self.accepted_at.iter().enumerate() {
            let within = self.accepted_at[at..].iter().filter(|t| t.since(*time) < SECOND).count();
            assert!(within as u64 <= MOST_RATE, "more than the rate in a second");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exposure_follows_orders_stays_within_limits_and_ends_at_zero(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
            world.verify();
        }
        let parts = world.book.parts();
        let restored = RiskBook::from_parts(parts.clone());
        prop_assert_eq!(restored.parts(), parts);
        for (order, reserved) in &mut world.orders {
            order.state = OrdState::Canceled;
            order.extras.replacing = None;
            world.book.follow(order, reserved);
            world.book.follow(order, reserved); // released once only
            prop_assert!(reserved.is_empty());
        }
        let parts = world.book.parts();
        prop_assert!(parts.open.is_empty() && parts.holdings.iter().all(|w| (w.held.buy, w.held.sell, w.held.short) == Default::default()), "{:?}", parts);
    }

    #[test]
    fn a_restored_book_judges_and_changes_like_the_one_that_was_saved(
        steps in prop::collection::vec(step(), 2..80), at in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new();
        let cut = at.index(steps.len());
        for step in &steps[..cut] {
            world.step(step);
        }
        let mut other = World {
            book: RiskBook::from_parts(world.book.parts()), now: world.now, mid: world.mid,
            orders: world.orders.clone(), positions: world.positions.clone(), accepted_at: world.accepted_at.clone(),
        };
        for step in &steps[cut..] {
            world.step(step);
            other.step(step);
            prop_assert_eq!(world.book.parts(), other.book.parts());
        }
    }
}

fn accepted(book: &RiskBook, order: &Order, now: Time) -> Option<Price> {
    let world = World { book: book.clone(), now, ..World::new() };
    let gate = world.judge(order, |book, ctx| book.check(&Proposed::of(order), ctx));
    assert!(gate.verdict.is_ok(), "{:?}", gate.verdict);
    gate.worst_price
}

fn plain(quantity: i64) -> Order {
    Order { order_qty: units(quantity), ord_type: OrdType::Limit, price: Some(px(100)), ..Order::default() }
}

#[test]
#[should_panic(expected = "cannot give back")]
fn a_reservation_released_twice_stops_the_process() {
    let mut book = RiskBook::default();
    let (mut order, mut reserved) = (plain(10), Reservation::default());
    let worst = accepted(&book, &order, Time(0));
    book.on_checked(&order, worst, Time(0), &mut reserved);
    let mut copy = reserved;
    order.state = OrdState::Canceled;
    book.follow(&order, &mut reserved);
    book.follow(&order, &mut copy);
}

#[test]
fn a_refused_order_leaves_no_trace() {
    let mut book = RiskBook::default();
    book.set_limit(&limit(LimitType::MaxOrderQty, Scope::Tenant, 5));
    book.set_limit(&limit(LimitType::OrderRate, Scope::Tenant, 5));
    book.set_limit(&limit(LimitType::DuplicateWindow, Scope::Tenant, 5));
    let before = book.parts();
    let (order, mut reserved) = (plain(10), Reservation::default());
    let world = World { book: book.clone(), ..World::new() };
    let gate = world.judge(&order, |book, ctx| book.check(&Proposed::of(&order), ctx));
    assert!(gate.verdict.is_err());
    book.on_checked(&order, gate.worst_price, Time(0), &mut reserved);
    book.follow(&order, &mut reserved);
    assert_eq!((book.parts(), reserved), (before, Reservation::default()));
}

#[test]
fn an_order_in_doubt_keeps_its_reservation() {
    let mut book = RiskBook::default();
    let (mut order, mut reserved) = (plain(10), Reservation::default());
    let worst = accepted(&book, &order, Time(0));
    book.on_checked(&order, worst, Time(0), &mut reserved);
    order.state = OrdState::Canceled;
    order.extras.doubt = Some(Box::default());
    book.follow(&order, &mut reserved);
    assert_eq!(reserved.qty, units(10));
    order.extras.doubt = None;
    book.follow(&order, &mut reserved);
    assert!(reserved.is_empty());
}

#[test]
fn remembered_orders_are_bounded_and_a_full_memory_refuses() {
    let mut book = RiskBook::default();
    book.set_limit(&limit(LimitType::DuplicateWindow, Scope::Tenant, 10));
    let worst = accepted(&book, &plain(1), Time(0));
    let most = i64::try_from(crate::duplicate::MAX_RECENT_ORDERS).unwrap();
    for n in 0..most {
        let order = Order { order_qty: units(n + 2), ..plain(1) };
        let mut reserved = Reservation::default();
        book.on_checked(&order, worst, Time(n), &mut reserved);
    }
    assert_eq!(book.parts().recent.len(), crate::duplicate::MAX_RECENT_ORDERS);
    let code = |book: &RiskBook, order: &Order, now| {
        let world = World { book: book.clone(), now, ..World::new() };
        world.judge(order, |book, ctx| book.check(&Proposed::of(order), ctx)).verdict.err().map(|r| r.code)
    };
    use oms_model::Code;
    assert_eq!(code(&book, &plain(1), Time(most)), Some(Code::Overloaded));
    assert_eq!(code(&book, &plain(2), Time(most)), Some(Code::DuplicateOrder), "what is remembered is told as it is");
    assert_eq!(code(&book, &plain(1), Time(10 * SECOND)), None, "the oldest has left the window");
    book.on_checked(&plain(1), worst, Time(10 * SECOND), &mut Reservation::default());
    assert_eq!(book.parts().recent.len(), crate::duplicate::MAX_RECENT_ORDERS);
    book.on_checked(&plain(1), worst, Time(30 * SECOND), &mut Reservation::default());
    assert_eq!(book.parts().recent.len(), 1);
    book.remove_limit(LimitKey::hard(LimitType::DuplicateWindow, Scope::Tenant));
    assert!(book.parts().recent.is_empty());
}

#[test]
fn a_version_never_means_two_values() {
    let mut book = RiskBook::default();
    let scope = Scope::Account(AccountId::from_u128(3));
    assert_eq!(book.next_version(LimitKey::hard(LimitType::MaxOrderQty, scope)), 1);
    book.set_limit(&limit(LimitType::MaxOrderQty, scope, 5));
    book.remove_limit(LimitKey::hard(LimitType::MaxOrderQty, scope));
    assert_eq!(book.limit(LimitType::MaxOrderQty, scope), None);
    assert_eq!(book.next_version(LimitKey::hard(LimitType::MaxOrderQty, scope)), 2);
    let restored = RiskBook::from_parts(book.parts());
    assert_eq!(restored.next_version(LimitKey::hard(LimitType::MaxOrderQty, scope)), 2);
    book.set_limit(&RiskLimit { version: 2, ..limit(LimitType::MaxOrderQty, scope, 6) });
    assert_eq!(book.limits(), vec![RiskLimit { version: 2, ..limit(LimitType::MaxOrderQty, scope, 6) }]);
    assert!(book.parts().retired.is_empty());
}

#[test]
fn parts_hold_switches_and_states_in_order() {
    let mut book = RiskBook::default();
    let scopes = [Scope::Venue(Mic::of(b"XNAS")), Scope::User(UserId::from_u128(2)), Scope::Tenant];
    for scope in scopes {
        book.engage(scope, Time(0));
        book.set_trading_state(scope, TradingState::Reducing);
    }
    book.engage(Scope::Instrument(InstrumentId(4)), Time(0));
    book.release(Scope::Instrument(InstrumentId(4)));
    let parts = book.parts();
    assert_eq!(parts.killed.iter().map(|one| one.scope).collect::<Vec<_>>(), [scopes[2], scopes[1], scopes[0]]);
    assert_eq!(parts.trading_states.len(), 3);
    let restored = RiskBook::from_parts(parts.clone());
    assert!(restored.is_killed(scopes[0]) && !restored.is_killed(Scope::Instrument(InstrumentId(4))));
    assert_eq!(restored.trading_state(Scope::Tenant), TradingState::Reducing);
    assert_eq!(restored.parts(), parts);
}

#[test]
fn limits_are_validated() {
    let value = |limit_type, text: &str| RiskLimit { limit_type, value: text.parse().unwrap(), ..RiskLimit::default() };
    let cases = [
        (value(LimitType::MaxOrderQty, "0.5"), true),
        (value(LimitType::MaxOrderQty, "-0.5"), false),
        (value(LimitType::OrderRate, "100000"), true),
        (value(LimitType::OrderRate, "100001"), false),
        (value(LimitType::OrderRate, "1.5"), false),
        (value(LimitType::MaxOpenOrders, "1.5"), false),
        (value(LimitType::DuplicateWindow, "86400"), true),
        (value(LimitType::MaxQuoteAge, "86400.1"), false),
    ];
    for (limit, fits) in cases {
        assert_eq!(validate_limit(&limit).is_ok(), fits, "{limit:?}");
    }
    let venue = RiskLimit { scope: Scope::Venue(Mic::of(b"XNAS")), ..RiskLimit::default() };
    assert_eq!(validate_limit(&venue), Err(InvalidLimit::Scope { scope: venue.scope }));
}

#[test]
fn status_shows_use_and_headroom() {
    let mut book = RiskBook::default();
    let types = [LimitType::MaxOrderQty, LimitType::OrderRate, LimitType::MaxOpenOrders, LimitType::MaxOpenNotional];
    for limit_type in types.into_iter().chain([LimitType::MaxPositionQty]) {
        book.set_limit(&limit(limit_type, Scope::Tenant, 5_000));
    }
    book.set_limit(&limit(LimitType::MaxPositionQty, Scope::Instrument(InstrumentId(1)), 10));
    let order = plain(30);
    let worst = accepted(&book, &order, Time(0));
    book.on_checked(&order, worst, Time(0), &mut Reservation::default());
    let short = Position { account_id: AccountId::from_u128(5), qty: units(-40), ..Position::default() };
    let held = Position { qty: units(15), ..Position::default() };
    let status = book.status(Time(1), [&short, &held].into_iter());
    let used: Vec<_> = status.iter().map(|s| (s.limit.limit_type, s.limit.scope, s.used.map(|u| u.to_string()))).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        used,
        [
            (LimitType::MaxOrderQty, Scope::Tenant, None),
            (LimitType::OrderRate, Scope::Tenant, some("1")),
            (LimitType::MaxOpenOrders, Scope::Tenant, some("1")),
            (LimitType::MaxOpenNotional, Scope::Tenant, some("3000")),
            (LimitType::MaxPositionQty, Scope::Tenant, some("45")), // 15 held and 30 working beats 40 short
            (LimitType::MaxPositionQty, Scope::Instrument(InstrumentId(1)), some("0")),
        ]
    );
    assert_eq!(status[3].headroom, Some(Decimal::from_count(2_000)));
    let later = book.status(Time(SECOND), core::iter::empty());
    assert_eq!(later[1].used, Some(Decimal::ZERO));
}
