//! Nanoseconds for one check with 1,000, 100,000 and 1,000,000 open orders on the book: `cargo bench -p oms-risk`.
//!
//! 16 limits over three scopes, 100 accounts, 1,000 instruments; then 200 limits, of every type, 60 of which concern the
//! order that is judged. Each figure is the median of 200 rounds of 1,000, so
//! that what else runs on the machine weighs little. Every column must stay flat.
#![allow(missing_docs, reason = "a program")]
#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]

use oms_model::instrument::{Account, Instrument, TickStep};
use oms_model::limit::{LimitType, RiskLimit, Scope};
use oms_model::market::{Level, Market};
use oms_model::{AccountId, Decimal, InstrumentId, OrdState, OrdType, Order, Price, Qty, Side, Time, UserId};
use oms_risk::{Proposed, Rate, Reservation, RiskBook, RiskContext};
use std::hint::black_box;
use std::time::Instant;

const ACCOUNTS: u32 = 100;
const INSTRUMENTS: u32 = 1_000;
const ROUNDS: usize = 200;
const PER_ROUND: u32 = 1_000;

fn main() {
    println!("{:>12} {:>14} {:>16} {:>18} {:>16}", "open orders", "check ns/op", "refused ns/op", "accept+end ns/op", "200 limits ns/op");
    for open in [1_000, 100_000, 1_000_000] {
        let mut bench = Bench::new(open);
        let (check, refused) = (bench.check("50"), bench.check("5000"));
        bench.set_two_hundred();
        let full = bench.check("50");
        let fold = bench.fold();
        println!("{open:>12} {check:>14} {refused:>16} {fold:>18} {full:>16}");
    }
}

struct Bench {
    book: RiskBook,
    market: Market,
    instruments: Vec<Instrument>,
    accounts: Vec<Account>,
    now: Time,
}

impl Bench {
    fn new(open: u32) -> Self {
        let level = |text| Some(Level { price: price(text), size: qty("100"), at: Time(0) });
        let market = Market { bid: level("99.99"), ask: level("100.01"), last: level("100"), ..Market::default() };
        let ticks = vec![TickStep { from: price("0.0001"), tick: price("0.0001") }, TickStep { from: price("1"), tick: price("0.01") }];
        let instrument = |n| Instrument {
            instrument_id: InstrumentId(n),
            ticks: ticks.clone(),
            lot: qty("1"),
            max_qty: qty("1000000"),
            active: true,
            ..Instrument::default()
        };
        let account = |n: u32| Account { account_id: AccountId::from_u128(n.into()), active: true, ..Account::default() };
        let instruments = (0..INSTRUMENTS).map(instrument).collect();
        let accounts = (0..ACCOUNTS).map(account).collect();
        let mut bench = Self { book: RiskBook::default(), market, instruments, accounts, now: Time(0) };
        let worst = bench.gate(&bench.order(0, "50")).worst_price;
        for n in 0..open {
            let order = bench.order(n, "50");
            bench.book.on_checked(&order, worst, bench.now, &mut Reservation::default());
        }
        bench.set_limits();
        bench
    }

    fn set_limits(&mut self) {
        let everywhere = [Scope::Tenant, Scope::Account(AccountId::from_u128(7)), Scope::Instrument(InstrumentId(7))];
        let types = [LimitType::MaxOrderQty, LimitType::MaxOrderNotional, LimitType::MaxOpenNotional, LimitType::MaxPositionQty];
        let tenant = [LimitType::MaxPositionNotional, LimitType::OrderRate, LimitType::DuplicateWindow];
        let all = everywhere.into_iter().flat_map(|scope| types.map(|t| (t, scope)));
        for (limit_type, scope) in all.chain(tenant.map(|t| (t, Scope::Tenant))) {
            let value = match limit_type {
                LimitType::MaxOrderQty => 1_000,
                LimitType::OrderRate => 100_000,
                LimitType::DuplicateWindow => 1,
                _ => 1_000_000_000_000,
            };
            self.book.set_limit(&RiskLimit { limit_type, scope, value: Decimal::from_count(value), version: 1, ..RiskLimit::default() });
        }
        let collar = RiskLimit { limit_type: LimitType::PriceCollarPct, value: Decimal::from_count(5), ..RiskLimit::default() };
        self.book.set_limit(&collar);
    }

    /// Every type for the tenant and for the account of the order that is judged, many for its instrument and user, and
    /// others elsewhere, so that there are 200.
    fn set_two_hundred(&mut self) {
        let own =
            [Scope::Tenant, Scope::Account(AccountId::from_u128(7)), Scope::Instrument(InstrumentId(7)), Scope::User(UserId::from_u128(0))];
        let huge = |limit_type: LimitType| match limit_type {
            LimitType::OrderRate | LimitType::RepeatedExecution => 100_000,
            LimitType::DuplicateWindow | LimitType::WashWindow => 0,
            LimitType::MaxQuoteAge | LimitType::MaxFxRateAge => 86_400,
            LimitType::PriceCollarPct => 5,
            _ => 1_000_000_000_000,
        };
        let mut limits: Vec<RiskLimit> = Vec::new();
        for scope in own {
            for &limit_type in LimitType::ALL {
                let value = Decimal::from_count(huge(limit_type));
                let limit = RiskLimit { limit_type, scope, value, version: 1, ..RiskLimit::default() };
                limits.extend(oms_risk::validate_limit(&limit).is_ok().then_some(limit));
            }
        }
        limits.truncate(60);
        let elsewhere = (100..).map(|n| Scope::Instrument(InstrumentId(n)));
        let left = 200 - limits.len();
        limits.extend(elsewhere.take(left).map(|scope| RiskLimit {
            limit_type: LimitType::MaxOrderQty,
            scope,
            value: Decimal::from_count(1_000),
            version: 1,
            ..RiskLimit::default()
        }));
        for account in 0..ACCOUNTS {
            self.book.set_capital(AccountId::from_u128(account.into()), "1000000000".parse().ok());
        }
        limits.iter().for_each(|limit| self.book.set_limit(limit));
        self.instruments.iter_mut().for_each(|instrument| instrument.adv_qty = Some(qty("1000000")));
    }

    fn order(&self, n: u32, quantity: &str) -> Order {
        Order {
            account_id: AccountId::from_u128((n / INSTRUMENTS % ACCOUNTS).into()),
            user_id: UserId::from_u128((n % 10).into()),
            instrument_id: InstrumentId(n % INSTRUMENTS),
            side: if n.is_multiple_of(2) { Side::Buy } else { Side::Sell },
            ord_type: OrdType::Limit,
            order_qty: qty(quantity),
            price: Some(Price::from_raw(100_000_000_000 + i64::from(n % 97) * 10_000_000)),
            ..Order::default()
        }
    }

    /// An order of the account and the instrument that have limits of their own.
    fn limited(&self, n: u32, quantity: &str) -> Order {
        Order { account_id: AccountId::from_u128(7), instrument_id: InstrumentId(7), ..self.order(n, quantity) }
    }

    fn gate(&self, order: &Order) -> oms_risk::Gate {
        let at = order.instrument_id.0 as usize;
        let account = usize::try_from(order.account_id.as_u128()).unwrap_or(0);
        let ctx = RiskContext {
            now: self.now,
            market: &self.market,
            instrument: &self.instruments[at],
            account: &self.accounts[account],
            position: None,
            rate: Some(Rate::same()),
            overrides: &[],
        };
        self.book.check(&Proposed::of(order), &ctx)
    }

    fn check(&self, quantity: &str) -> u128 {
        let orders: Vec<Order> = (0..PER_ROUND).map(|n| self.limited(n, quantity)).collect();
        median(|| {
            for order in &orders {
                let gate = self.gate(black_box(order));
                assert_eq!(gate.verdict.is_ok(), quantity == "50");
                black_box(gate);
            }
        })
    }

    /// Accepts an order and ends it, as the engine does when it folds events.
    fn fold(&mut self) -> u128 {
        let mut order = self.limited(0, "50");
        let worst = self.gate(&order).worst_price;
        let mut n = 0;
        median(|| {
            for _ in 0..PER_ROUND {
                // 100,000 orders a second, so that the windows are as full as they get.
                self.now = self.now.plus(10_000);
                n += 1;
                order.price = Some(Price::from_raw(100_000_000_000 + n * 10_000_000));
                order.state = OrdState::New;
                let mut reserved = Reservation::default();
                self.book.on_checked(&order, black_box(worst), self.now, &mut reserved);
                order.state = OrdState::Canceled;
                self.book.follow(&order, &mut reserved);
                assert!(reserved.is_empty());
            }
        })
    }
}

/// Nanoseconds for one operation.
fn median(mut round: impl FnMut()) -> u128 {
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed().as_nanos() / u128::from(PER_ROUND)
        })
        .collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

fn price(text: &str) -> Price {
    text.parse().unwrap_or_default()
}
fn qty(text: &str) -> Qty {
    text.parse().unwrap_or_default()
}
