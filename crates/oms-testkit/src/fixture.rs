//! A small desk: one tenant, one account, two instruments, three venues.

use oms_engine::input::{Input, InputBody};
use oms_engine::{Config, Context, Engine, Markets, Output, State};
use oms_model::command::{Actor, Command, NewOrder, RiskCommand};
use oms_model::compliance::Locate;
use oms_model::event::Event;
use oms_model::instrument::{Account, Currency, Instrument, TickStep, Venue};
use oms_model::market::{Level, Market};
use oms_model::report::{Report, ReportBody};
use oms_model::work::ContingencyType;
use oms_model::{
    AccountId, Anomaly, AssetClass, CommandId, InstrumentId, Mic, Notional, OptionRight, OrdType, Order, OrderId, Pending, Price, Qty,
    Side, Source, Symbol, TenantId, Time, TimeInForce, TraceId, UserId,
};
use std::collections::BTreeMap;

/// The venues of the desk.
pub const VENUES: [Mic; 3] = [Mic::of(b"ARCX"), Mic::of(b"XNAS"), Mic::of(b"XNYS")];
/// Its tenant.
pub const TENANT: TenantId = TenantId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
/// Its account.
pub const ACCOUNT: AccountId = AccountId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00AC);
/// A second account, which [`setup`] does not open.
pub const OTHER_ACCOUNT: AccountId = AccountId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00AD);
/// Another person.
pub const OTHER_USER: UserId = UserId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0056);
/// A third person.
pub const THIRD_USER: UserId = UserId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0057);
/// Its trader.
pub const USER: UserId = UserId::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0055);
/// When its day begins: 2026-11-20 14:30:00 UTC.
pub const OPEN: Time = Time(1_795_185_000_000_000_000);

/// Prices by instrument, as the tests set them.
#[derive(Clone, Debug, Default)]
pub struct TestMarkets(pub BTreeMap<InstrumentId, Market>);

impl Markets for TestMarkets {
    fn get_into(&self, instrument: InstrumentId, market: &mut Market) {
        match self.0.get(&instrument) {
            Some(known) => market.clone_from(known),
            None => *market = Market::default(),
        }
    }
}

/// An engine with its market and its clock.
pub struct Desk {
    /// The engine.
    pub engine: Engine,
    /// The market.
    pub markets: TestMarkets,
    /// The time.
    pub now: Time,
    /// What was raised so far, and of which client order.
    pub raised: Vec<(OrderId, Anomaly)>,
    inputs: u128,
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

/// Exact decimals from text, for tests.
///
/// # Panics
/// Where the text is none.
pub fn dec<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is not a number"))
}

/// The trader as an actor.
#[must_use]
pub fn actor() -> Actor {
    Actor { tenant_id: TENANT, user_id: USER, api_key_id: None, source: Source::Rest }
}

/// A limit order.
#[must_use]
pub fn limit_order(cl_ord_id: &str, side: Side, qty: &str, symbol: &str, price: &str) -> NewOrder {
    NewOrder {
        cl_ord_id: Some(dec_id(cl_ord_id)),
        symbol: Symbol::new(symbol).unwrap(),
        side,
        ord_type: OrdType::Limit,
        order_qty: dec(qty),
        price: Some(dec(price)),
        time_in_force: TimeInForce::Day,
        ..NewOrder::default()
    }
}

fn dec_id(text: &str) -> oms_model::ClOrdId {
    text.parse().unwrap()
}

/// The set-up commands of the desk.
#[must_use]
pub fn setup() -> Vec<Command> {
    let mut commands = vec![Command::CreateTenant { tenant_id: TENANT, slug: "desk".into() }];
    let account = Account { account_id: ACCOUNT, name: "main".into(), currency: Currency::USD, active: true, ..Account::default() };
    commands.push(Command::OpenAccount(account));
    for symbol in ["XYZ", "ABC"] {
        commands.push(Command::ListInstrument(Box::new(instrument(symbol))));
    }
    for instrument_id in [InstrumentId(0), InstrumentId(1)] {
        commands.push(lent(ACCOUNT, instrument_id));
    }
    for venue in VENUES {
        commands.push(Command::ConfigureVenue(Box::new(configured(venue))));
    }
    commands
}

/// Somebody lends more than any test sells short.
#[must_use]
pub fn lent(account_id: AccountId, instrument_id: InstrumentId) -> Command {
    let locate = Locate { account_id, instrument_id, qty: dec("1000000"), until: Time(i64::MAX), source: "prime broker".into() };
    Command::Risk(Box::new(RiskCommand::SetLocate(locate)))
}

/// A venue with ordinary fees and priors.
#[must_use]
pub fn configured(venue: Mic) -> Venue {
    Venue {
        venue,
        name: venue.to_string(),
        maker_fee: dec("-0.002"),
        taker_fee: dec("0.003"),
        latency_prior_ns: 500_000,
        fill_prior_ppm: 500_000,
        fill_prior_weight: 10,
        enabled: true,
        lacks_stops: false,
        lacks_gtd: false,
    }
}

/// An instrument in cents, single units.
#[must_use]
pub fn instrument(symbol: &str) -> Instrument {
    Instrument {
        instrument_id: InstrumentId(0),
        symbol: Symbol::new(symbol).unwrap(),
        listing: Mic::of(b"XNYS"),
        asset_class: AssetClass::Equity,
        currency: Currency::USD,
        ticks: vec![TickStep { from: Price::ZERO, tick: dec("0.0001") }, TickStep { from: dec("1"), tick: dec("0.01") }],
        lot: dec("1"),
        min_qty: dec("1"),
        max_qty: dec("1000000"),
        active: true,
        ..Instrument::default()
    }
}

/// An instrument of a class, with what the class needs; those that end do so thirty days after `now`.
#[must_use]
pub fn instrument_of(class: AssetClass, symbol: &str, now: Time) -> Instrument {
    let plain = Instrument { asset_class: class, ..instrument(symbol) };
    let expiry = Some(now.plus(30 * 86_400_000_000_000));
    let underlying = Some(Symbol::new("XYZ").unwrap());
    let one_tick = |tick: &str| vec![TickStep { from: Price::ZERO, tick: dec(tick) }];
    let tenor = |text: &str| Some(oms_model::Tenor::new(text).unwrap());
    match class {
        AssetClass::Equity | AssetClass::Structured => plain,
        AssetClass::Option => {
            let (strike, right) = (Some(dec("20")), Some(OptionRight::Call));
            Instrument { multiplier: Some(dec("100")), underlying, expiry, strike, right, ..plain }
        }
        AssetClass::Future => Instrument { multiplier: Some(dec("50")), underlying, expiry, ..plain },
        AssetClass::Fund => Instrument { lot: dec("0.001"), min_qty: dec("0.001"), cut_off_utc_s: Some(15 * 3600), ..plain },
        AssetClass::Fx => {
            let (base_currency, tenor) = (Some(Currency(*b"EUR")), tenor("SPOT"));
            Instrument { lot: dec("1000"), ticks: one_tick("0.00001"), base_currency, tenor, ..plain }
        }
        AssetClass::MoneyMarket => {
            let (ticks, tenor) = (one_tick("0.001"), tenor("3M"));
            Instrument { max_qty: dec("100000000"), ticks, tenor, rate_quoted: true, ..plain }
        }
        AssetClass::Crypto => Instrument { lot: dec("0.00000001"), min_qty: dec("0.00001"), ..plain },
    }
}

impl Desk {
    /// The desk in the morning: set up, venues connected, no quotes.
    #[must_use]
    pub fn new() -> Self {
        let engine = Engine::new(State::default(), Config::default());
        let mut desk = Self { engine, markets: TestMarkets::default(), now: OPEN, raised: Vec::new(), inputs: 0 };
        for command in setup() {
            desk.command(command);
        }
        for venue in VENUES {
            desk.report(venue, ReportBody::SessionUp);
        }
        desk
    }

    /// Lets an input in.
    pub fn input(&mut self, actor: Actor, body: InputBody) -> Output {
        self.inputs += 1;
        let input = Input { command_id: CommandId::from_u128(self.inputs), actor, trace_id: TraceId::default(), body };
        let output = self.engine.step(input, &Context { now: self.now, markets: &self.markets });
        for event in &output.batch.events {
            if let Event::OrderAnomaly(e) = event {
                let root = self.engine.state().order(e.order_id).map_or(e.order_id, |order| order.root_order_id);
                self.raised.push((root, e.anomaly));
            }
        }
        output
    }

    /// Lets a command in.
    pub fn command(&mut self, command: Command) -> Output {
        self.input(actor(), InputBody::Command { command, idempotency: None })
    }

    /// Lets a venue's report in.
    pub fn report(&mut self, venue: Mic, body: ReportBody) -> Output {
        let actor = Actor { tenant_id: TENANT, source: Source::Venue, ..Actor::default() };
        self.input(actor, InputBody::Report(Report { venue, transact_time: self.now, body }))
    }

    /// Moves the clock and serves what is due, at most `1_000` times.
    pub fn advance(&mut self, ns: i64) -> Vec<Output> {
        self.now = self.now.plus(ns);
        let mut outputs = Vec::new();
        for _ in 0..1_000 {
            if self.engine.next_deadline().is_none_or(|due| due > self.now) {
                return outputs;
            }
            outputs.push(self.input(Actor { tenant_id: TENANT, source: Source::Timer, ..Actor::default() }, InputBody::Timer));
        }
        panic!("timers do not come to rest");
    }

    /// Sets a venue's quote in an instrument.
    pub fn quote(&mut self, symbol: &str, venue: Mic, bid: Option<(Price, Qty)>, ask: Option<(Price, Qty)>) {
        let symbol = Symbol::new(symbol).unwrap();
        let id = self.engine.state().by_symbol(&symbol).expect("the instrument is listed").instrument_id;
        let at = self.now;
        let level = |side: Option<(Price, Qty)>| side.map(|(price, size)| Level { price, size, at });
        let market = self.markets.0.entry(id).or_default();
        market.set_quote(venue, true, level(bid));
        market.set_quote(venue, false, level(ask));
        self.moved(id);
    }

    /// A trade print in an instrument.
    pub fn trade(&mut self, symbol: &str, price: Price, size: Qty) {
        let symbol = Symbol::new(symbol).unwrap();
        let id = self.engine.state().by_symbol(&symbol).expect("the instrument is listed").instrument_id;
        self.markets.0.entry(id).or_default().set_last(price, size, self.now);
        self.moved(id);
    }

    /// Tells the engine that a market moved, where some order watches it; what that leaves to do is done at once.
    fn moved(&mut self, instrument: InstrumentId) {
        if self.engine.state().watched().any(|watched| watched == instrument) {
            self.input(Actor { tenant_id: TENANT, source: Source::System, ..Actor::default() }, InputBody::Market(instrument));
            self.advance(0);
        }
    }
}

/// What holds of an order that the engine works, and of the list that it belongs to.
fn assert_worked(state: &State, order: &Order, place: &str) {
    let Some(work) = order.extras.work.as_deref() else { return };
    let id = order.order_id;
    for slice in state.children(order).map(|slice| &slice.order).filter(|slice| !slice.state.is_done()) {
        let within = match (slice.price, order.price) {
            (Some(price), Some(limit)) => {
                if order.side.is_buy() {
                    price <= limit
                } else {
                    price >= limit
                }
            }
            (None, Some(_)) => order.ord_type.has_stop(),
            (_, None) => true,
        };
        assert!(within || order.pending == Pending::Replace, "{place}: slice {} of {id} is beyond its limit", slice.order_id);
    }
    let Some(link) = work.link else { return };
    let beside = state.list(link.list_id).iter().filter(|other| **other != id).filter_map(|other| state.order(*other));
    let excluded = beside.filter(|other| {
        let to = other.extras.work.as_deref().and_then(|work| work.link);
        link.contingency != ContingencyType::Oto && to.is_some_and(|to| to.armed_by == link.armed_by)
    });
    let taken = excluded.fold(Qty::ZERO, |sum, other| sum.saturating_add(other.cum_qty));
    assert_eq!(work.taken_qty, taken, "{place}: {id} knows what the others of its list have executed");
    if let Some(first) = link.armed_by.and_then(|first| state.order(first)) {
        assert!(
            order.state.is_done() || work.armed_qty <= first.cum_qty,
            "{place}: {id} protects {} of {} executed",
            work.armed_qty,
            first.cum_qty
        );
    }
}

/// The invariants of order trees, positions and exposure that hold after every batch.
///
/// # Panics
/// With the first one that does not hold.
pub fn assert_invariants(state: &State, place: &str) {
    assert_invariants_told(state, &[], place);
}

/// The same after these anomalies were raised: below an order of which [`Anomaly::NotPutBack`] was, a venue carried a replace
/// out that had been given up, so that more may work than was placed until the cancel of it is answered.
///
/// # Panics
/// With the first one that does not hold.
pub fn assert_invariants_told(state: &State, raised: &[(OrderId, Anomaly)], place: &str) {
    let mut sums: BTreeMap<(AccountId, InstrumentId), Qty> = BTreeMap::new();
    let mut open = 0;
    for entry in state.orders_sorted() {
        let order = &entry.order;
        let id = order.order_id;
        for (name, qty) in [("cum", order.cum_qty), ("leaves", order.leaves_qty()), ("place", order.place_qty)] {
            assert!(!qty.is_negative(), "{place}: {name} of {id} is below zero");
        }
        assert!(order.state.is_done() || order.cum_qty <= order.order_qty, "{place}: {id} is over its quantity");
        if order.member_count() > 0 {
            // What is shared out stands with the members.
            let out = if order.side.is_buy() { order.alloc_qty().negated() } else { order.alloc_qty() };
            let sum = sums.entry((order.account_id, order.instrument_id)).or_default();
            *sum = sum.saturating_add(out);
            assert!(order.alloc_qty() <= order.cum_qty, "{place}: {id} shares out more than it has");
        }
        let own = if order.is_leg() { order.cum_qty } else { order.direct_qty() };
        if !own.is_zero() || order.is_leg() {
            let signed = if order.side.is_buy() { own } else { own.negated() };
            let sum = sums.entry((order.account_id, order.instrument_id)).or_default();
            *sum = sum.saturating_add(signed);
        }
        if order.is_leg() {
            continue;
        }
        open += u64::from(order.is_root() && !order.state.is_done());
        let working = state.open_below(order);
        let cum = state.children(order).fold(order.direct_qty(), |sum, part| sum.saturating_add(part.order.cum_qty));
        assert_eq!(cum, order.cum_qty, "{place}: {id} has what its parts have");
        let asked = order.extras.replacing.as_deref().map_or(order.order_qty, |terms| terms.order_qty.max(order.order_qty));
        let placed = cum.saturating_add(working);
        // No leg is made larger than its order; one that is became so at its venue, which was raised.
        let raised = raised.contains(&(order.root_order_id, Anomaly::NotPutBack))
            || state.children(order).any(|part| part.order.is_leg() && part.order.order_qty > asked);
        assert!(order.state.is_done() || raised || placed <= asked, "{place}: {id} has {placed} with its parts, more than {asked}");
        if !order.state.is_done() && order.pending == Pending::None {
            assert_eq!(order.place_qty, placed, "{place}: {id} knows what is with its parts");
        }
        assert_worked(state, order, place);
        let whole = state.order(order.root_order_id).expect("a tree is whole");
        assert!(order.is_root() || whole.root_order_id == whole.order_id, "{place}: {id} has the root of its parent");
        assert_eq!(
            entry.reserved().qty,
            if entry.reserved().is_accepted() { order.worst_open_qty() } else { Qty::ZERO },
            "{place}: reservation of {id}"
        );
    }
    assert_eq!(open, state.open_roots(), "{place}: open orders are counted");
    for group in state.groups() {
        let Some(booked) = group.booked.as_deref() else { continue };
        let sum = booked.shares.iter().fold(Qty::ZERO, |sum, share| sum.saturating_add(share.qty));
        let value = booked.shares.iter().fold(Notional::ZERO, |sum, share| sum.saturating_add(share.notional));
        let whole = group.members.iter().fold(Qty::ZERO, |sum, member| sum.saturating_add(member.remaining));
        assert_eq!(sum, booked.qty.min(whole), "{place}: the shares of {} are its quantity", group.group_order_id);
        assert!(booked.qty > whole || value == booked.notional, "{place}: the shares of {} are its value", group.group_order_id);
    }
    for holding in state.holdings_after(None) {
        let position = holding.now();
        let of_orders = sums.get(&(position.account_id, position.instrument_id)).copied().unwrap_or_default();
        // What was booked on the account alone has no order.
        let alone = holding.day().iter().chain(holding.closed()).filter(|booking| booking.order_id == OrderId::default());
        let sum = alone.fold(of_orders, |sum, b| sum.saturating_add(if b.is_buy { b.qty } else { b.qty.negated() }));
        assert_eq!(position.qty, sum, "{place}: a position is the sum of its executions");
    }
}
