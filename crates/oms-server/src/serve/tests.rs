//! The demo desk as it is wired: an order of every asset class from entry to position, on the paper venues.

use super::*;
use oms_model::command::{Actor, Command, CommandOutcome, NewOrder, NewQuoteRequest, Placed};
use oms_model::{AssetClass, Code, Mic, OrdState, OrdType, OrderId, Price, Qty, QuoteId, Side, Time, TimeInForce, TraceId};
use oms_runtime::Request;
use oms_store::MemoryJournal;
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(60);

struct Demo {
    handle: Handle,
    market: Arc<MarketBook>,
    actor: Actor,
}

impl Demo {
    fn ask(&self, command: Command) -> CommandOutcome {
        let request = Request { actor: self.actor, trace_id: TraceId::default(), idempotency: None, command };
        self.handle.execute_blocking(request).unwrap().outcome
    }

    /// Reads until there is something, again after each change of the log and now and then, because markets are not in it.
    fn until<T: Send + 'static>(&self, what: &str, read: impl Fn(&oms_engine::State) -> Option<T> + Clone + Send + 'static) -> T {
        let (began, mut follower) = (Instant::now(), self.handle.feed().follow(self.handle.durable()));
        loop {
            let read = read.clone();
            if let Some(found) = self.handle.inspect_blocking(move |state, _| read(state)).unwrap() {
                return found;
            }
            assert!(began.elapsed() < WITHIN, "{what} does not come");
            follower.next_timeout(Duration::from_millis(50)).unwrap();
        }
    }

    fn quote(&self, symbol: &'static str) -> (Price, Price) {
        let market = self.market.clone();
        self.until(&format!("a quote in {symbol}"), move |state| {
            let market = market.get(state.by_symbol(&symbol.parse().unwrap())?.instrument_id);
            Some((market.bid?.price, market.ask?.price))
        })
    }

    /// Places an order, again where the market was not there for the moment: a replayed venue withdraws its quotes too.
    fn place(&self, order: &NewOrder) -> OrderId {
        let (began, mut follower) = (Instant::now(), self.handle.feed().follow(self.handle.durable()));
        loop {
            let outcome = self.ask(Command::CreateOrder(Box::new(order.clone())));
            let CommandOutcome::Orders(placed) = outcome else { panic!("{order:?}: {outcome:?}") };
            match placed.as_slice() {
                [Placed::Accepted { order_id }] => return *order_id,
                [Placed::Refused { code: Code::NoReferencePrice | Code::NoRoute, .. }] if began.elapsed() < WITHIN => (),
                other => panic!("{order:?}: {other:?}"),
            }
            follower.next_timeout(Duration::from_millis(50)).unwrap();
        }
    }

    fn wait_filled(&self, order_id: OrderId) {
        self.until(&format!("the execution of {order_id}"), move |state| {
            let order = state.order(order_id)?;
            let dead = matches!(order.state, OrdState::Rejected | OrdState::Canceled | OrdState::Expired);
            assert!(!dead, "{order:?}");
            (order.state == OrdState::Filled).then_some(())
        });
    }

    fn position(&self, symbol: &'static str) -> Qty {
        let read = move |state: &oms_engine::State| {
            let id = state.by_symbol(&symbol.parse().unwrap()).unwrap().instrument_id;
            state.positions().filter(|position| position.instrument_id == id).map(|position| position.qty).next()
        };
        self.handle.inspect_blocking(move |state, _| read(state)).unwrap().unwrap_or_default()
    }
}

fn order(side: Side, qty: &str, symbol: &str) -> NewOrder {
    NewOrder { side, order_qty: qty.parse().unwrap(), symbol: symbol.parse().unwrap(), ..NewOrder::default() }
}

#[test]
fn an_order_of_every_class_goes_from_entry_to_position() {
    let data = std::env::temp_dir().join(format!("oms-classes-{}", std::process::id()));
    std::fs::create_dir_all(&data).unwrap();
    let flags = Serve { demo: true, data: Some(data.clone()), listen: None, speed: None, seed: Some(5) };
    let desk = Desk::of(&flags, crate::config::load(None, std::iter::empty()).unwrap().settings).unwrap();
    let market = Arc::new(MarketBook::new());
    let partition = start(&desk, Box::new(MemoryJournal::new(0)), &market).unwrap();
    let handle = partition.handle().clone();
    demo::set_up(&handle, &desk).unwrap();
    let venues = Venues::open(&partition, &handle, &market, &desk).unwrap();
    let tenant_id = handle.inspect_blocking(|state, _| state.tenant_id()).unwrap();
    let demo = Demo { handle, market, actor: Actor { tenant_id, ..Actor::default() } };
    demo.until("every session", |state| state.venues().all(|venue| venue.connected).then_some(()));

    let trades = [
        (AssetClass::Equity, "IBM", Side::Buy, "100"),
        (AssetClass::Option, "IBM.C180", Side::Buy, "5"),
        (AssetClass::Future, "ES.F", Side::Sell, "2"),
        (AssetClass::Fx, "EURUSD", Side::Buy, "50000"),
        (AssetClass::MoneyMarket, "USD.3M", Side::Buy, "90000"),
        (AssetClass::Crypto, "BTCUSD", Side::Buy, "0.25"),
    ];
    for (class, symbol, side, qty) in trades {
        let (bid, ask) = demo.quote(symbol);
        // Through the market, so that a tick against it does not leave it resting.
        let order = match class {
            AssetClass::MoneyMarket => {
                let price = ask.checked_add("0.1".parse().unwrap());
                NewOrder { ord_type: OrdType::Limit, price, ..order(side, qty, symbol) }
            }
            _ => order(side, qty, symbol),
        };
        assert!(bid < ask, "{symbol}");
        demo.wait_filled(demo.place(&order));
        let expected: Qty = qty.parse().unwrap();
        let signed = if side.is_buy() { expected } else { Qty::ZERO.checked_sub(expected).unwrap() };
        assert_eq!(demo.position(symbol), signed, "{symbol}");
    }
    subscribes(&demo);
    deals_on_a_quote(&demo);

    if let Some((market, otc)) = venues.classes {
        otc.stop();
        market.stop();
    }
    if let Some(market) = venues.market {
        market.stop();
    }
    let _stopped = partition.stop();
    if let Some(gateway) = venues.gateway {
        gateway.join();
    }
    std::fs::remove_dir_all(data).unwrap();
}

/// A fund: money in, units out at the next net asset value.
fn subscribes(demo: &Demo) {
    let fund = demo::classes::FUND;
    let cash = NewOrder { cash_order_qty: Some("1000".parse().unwrap()), ..order(Side::Subscribe, "0", fund) };
    let order_id = demo.place(&cash);
    demo.until("the agent's acknowledgement", move |state| {
        state.order(order_id).filter(|order| matches!(order.state, OrdState::Live | OrdState::Filled)).map(|_| ())
    });
    // The administrator may have been faster; a valuation of the same moment is refused then, and was not needed.
    let as_of = SystemClock.now();
    drop(demo.ask(Command::SetNav { symbol: fund.parse().unwrap(), nav: "12.8".parse().unwrap(), as_of }));
    demo.wait_filled(order_id);
    let (order, nav) = demo.until("the units", move |state| {
        let order = state.order(order_id)?.clone();
        let price = order.avg_px()?;
        Some((order, price))
    });
    let lot: Qty = "0.001".parse().unwrap();
    let (spent, one_more) = (order.cum_notional, nav.notional(order.cum_qty.checked_add(lot).unwrap()).unwrap());
    let cash = "1000".parse().unwrap();
    assert!(spent <= cash && one_more > cash, "{} units at {nav} cost {spent}", order.cum_qty);
    assert_eq!(order.order_qty, order.cum_qty, "the quantity is no estimate any more");
    assert_eq!(demo.position(fund), order.cum_qty);
}

/// A product that is dealt on quotes only: both dealers answer, the better offer is accepted and filled at its price.
fn deals_on_a_quote(demo: &Demo) {
    let (note, qty) = (demo::classes::NOTE, "10");
    let new = NewQuoteRequest {
        symbol: note.parse().unwrap(),
        side: Some(Side::Buy),
        order_qty: qty.parse().unwrap(),
        life_ms: 60_000,
        ..NewQuoteRequest::default()
    };
    let CommandOutcome::QuoteRequested { quote_req_id } = demo.ask(Command::RequestQuote(Box::new(new))) else { panic!("not asked") };
    let quotes: Vec<(Price, QuoteId, Mic, Time)> = demo.until("two quotes", move |state| {
        let request = state.quote_request(quote_req_id)?;
        let offers: Vec<_> = state.quotes_of(request).filter_map(|q| Some((q.offer_px?, q.quote_id, q.dealer, q.valid_until))).collect();
        (offers.len() == 2).then_some(offers)
    });
    let (price, quote_id, dealer, _) = *quotes.iter().min().unwrap();
    let accept = Command::AcceptQuote { quote_id, side: None, order_qty: None, cl_ord_id: None };
    let CommandOutcome::Orders(placed) = demo.ask(accept) else { panic!("not accepted") };
    let [Placed::Accepted { order_id }] = placed.as_slice() else { panic!("{placed:?}") };
    demo.wait_filled(*order_id);
    let order_id = *order_id;
    let (order, venue) = demo.until("the deal", move |state| {
        let order = state.order(order_id)?;
        let leg = state.children(order).next()?;
        Some((order.clone(), leg.order.venue?))
    });
    assert_eq!((order.ord_type, order.time_in_force), (OrdType::PreviouslyQuoted, TimeInForce::Fok));
    assert_eq!((order.avg_px(), venue), (Some(price), dealer), "filled at the quoted price by who quoted it");
    assert_eq!(demo.position(note), qty.parse().unwrap());
}
