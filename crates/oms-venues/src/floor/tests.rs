use oms_model::{OrdType, OrderId, Price, Qty, TimeInForce, WireId};
use oms_runtime::port::{Answer, Handed, VenueOrder, VenuePort, VenueState, WireCancel, WireOrder};

use super::*;
use crate::paper::faults::Faults;
use crate::paper::prng::Prng;

fn config(seed: u64) -> FloorConfig {
    let recording = Arc::new(Recording::embedded().unwrap());
    let symbols = recording.symbols().iter().cloned();
    let instruments = symbols.zip((1..).map(InstrumentId)).collect();
    let ledgers = Ledgers::memory(&VENUES);
    FloorConfig { seed, repeat: false, ..FloorConfig::new(recording, instruments, Time(1_000), ledgers) }
}

fn order(id: u128, symbol: usize, side: Side, shares: i64, price: Price, config: &FloorConfig) -> WireOrder {
    let (symbol, instrument) = config.instruments[symbol].clone();
    WireOrder {
        wire_id: WireId::derive(OrderId::from_u128(id), 0),
        instrument,
        symbol,
        side,
        ord_type: OrdType::Limit,
        order_qty: Qty::from_units(shares).unwrap(),
        cash_order_qty: None,
        quote_ref: None,
        price: Some(price),
        stop_px: None,
        time_in_force: TimeInForce::Day,
        expire_at: None,
        deadline: Time(i64::MAX),
    }
}

/// FNV-1a over the events as text: equal hashes mean equal traces.
fn fold(hash: u64, event: &FloorEvent) -> u64 {
    format!("{event:?}").bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Five minutes of a client that sends, cancels and suffers every fault; its trace and its reports.
fn scripted(seed: u64) -> (u64, Vec<Report>) {
    let config = config(seed);
    let floor = SharedFloor::driven(Floor::open(config.clone()).unwrap());
    let mut ports = floor.ports();
    let mut script = Prng::new(7);
    let mut asks: BTreeMap<(InstrumentId, Mic), Price> = BTreeMap::new();
    let (mut hash, mut reports) = (0xcbf2_9ce4_8422_2325, Vec::new());
    for round in 1..300_u128 {
        let mut events = Vec::new();
        let now = floor.lock().now().plus(1_000_000_000);
        while floor.lock().step(now, &mut events) {}
        for event in events {
            hash = fold(hash, &event);
            match event {
                FloorEvent::Quote { instrument, venue, side: Side::Sell, shown: Some(shown), .. } => {
                    asks.insert((instrument, venue), shown.price);
                }
                FloorEvent::Report(report) => reports.push(report),
                FloorEvent::Quote { .. } | FloorEvent::Trade { .. } => (),
            }
        }
        let at = script.below(ports.len() as u64) as usize;
        let port = &mut ports[at];
        let symbol = script.below(3) as usize;
        let Some(&ask) = asks.get(&(config.instruments[symbol].1, port.venue())) else { continue };
        port.send(&order(round, symbol, Side::Buy, 100 + 100 * (round as i64 % 5), ask, &config));
        if script.chance(200_000) {
            let orig_wire_id = WireId::derive(OrderId::from_u128(round), 0);
            let wire_id = WireId::derive(OrderId::from_u128(round), 1);
            port.cancel(&WireCancel { wire_id, orig_wire_id, deadline: Time(i64::MAX) });
        }
        if script.chance(50_000) {
            let faults = Faults { lost_ppm: 100_000, duplicate_ppm: 200_000, reorder_ppm: 200_000, ..Faults::none() };
            assert!(floor.set_faults(port.venue(), faults));
        }
    }
    (hash, reports)
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let (first, reports) = scripted(11);
    assert_eq!(first, scripted(11).0);
    assert_ne!(first, scripted(12).0);
    let fills = reports.iter().filter(|r| matches!(r.body, oms_model::report::ReportBody::Fill { .. })).count();
    assert!(fills > 100, "{fills} fills");
}

#[test]
fn a_restarted_floor_answers_for_the_one_before() {
    let config = config(3);
    let ask = |floor: &SharedFloor| -> Vec<VenueOrder> {
        floor
            .ports()
            .iter_mut()
            .flat_map(|port| match port.open_orders() {
                Answer::Complete(open) => open,
                other => panic!("{other:?}"),
            })
            .collect()
    };
    let floor = SharedFloor::driven(Floor::open(config.clone()).unwrap());
    for (id, mut port) in (1..).zip(floor.ports()) {
        let price = Price::from_units(1).unwrap();
        assert_eq!(port.send(&order(id, 1, Side::Buy, 100, price, &config)), Handed::Over);
    }
    let before = ask(&floor);
    assert_eq!(before.len(), 8);
    drop(floor);
    let floor = SharedFloor::driven(Floor::open(FloorConfig { start: Time(9_000), ..config }).unwrap());
    assert_eq!(ask(&floor), before);
}

#[test]
fn what_is_published_is_what_can_be_taken() {
    let config = config(5);
    let mut floor = Floor::open(config.clone()).unwrap();
    let mut events = Vec::new();
    floor.advance(Time(60_000_000_000), usize::MAX, &mut events);
    let standing: Vec<_> = floor
        .standing
        .iter()
        .filter(|((symbol, mic, bid), _)| *symbol == 1 && !bid && floor.venues.contains_key(mic))
        .map(|((_, mic, _), shown)| (*mic, *shown))
        .collect();
    assert!(standing.len() >= 3, "{standing:?}");
    let shared = SharedFloor::driven(floor);
    for (id, (mic, shown)) in (1..).zip(&standing) {
        let mut port = shared.ports().into_iter().find(|port| port.venue() == *mic).unwrap();
        let shares = i64::try_from(shown.size.raw() / 1_000_000_000).unwrap();
        let mut wanted = order(id, 1, Side::Buy, shares, shown.price, &config);
        wanted.time_in_force = TimeInForce::Ioc;
        assert_eq!(port.send(&wanted), Handed::Over);
        // Asked at once, so that the market has not moved on.
        match port.query(&wanted.wire_id) {
            Answer::Complete(Some(found)) => assert_eq!(found.state, VenueState::Filled, "{mic} {shown:?}"),
            other => panic!("{other:?}"),
        }
    }
    let mut events = Vec::new();
    let mut floor = shared.lock();
    let now = floor.now();
    floor.advance(now.plus(1), usize::MAX, &mut events);
    for (mic, _) in standing {
        let withdrawn = events
            .iter()
            .any(|event| matches!(event, FloorEvent::Quote { venue, side: Side::Sell, shown: None, source: None, .. } if *venue == mic));
        assert!(withdrawn, "{mic} still shows what we took");
    }
}

#[test]
fn a_standing_quote_is_published_again() {
    let mut floor = Floor::open(FloorConfig { refresh_ns: 500_000_000, ..config(1) }).unwrap();
    let mut events = Vec::new();
    floor.advance(Time(10_000_000_000), usize::MAX, &mut events);
    let mut last: BTreeMap<(InstrumentId, Mic, bool), Time> = BTreeMap::new();
    for event in &events {
        if let FloorEvent::Quote { instrument, venue, side, shown, at, .. } = event {
            match shown {
                Some(_) => last.insert((*instrument, *venue, side.is_buy()), *at),
                None => last.remove(&(*instrument, *venue, side.is_buy())),
            };
        }
    }
    assert!(last.len() > 20, "{last:?}");
    assert!(last.values().all(|at| floor.now().since(*at) <= 500_000_000), "{last:?}");
}

#[test]
fn events_come_in_time_order_and_within_the_limit() {
    let mut floor = Floor::open(config(1)).unwrap();
    let mut events = Vec::new();
    while !floor.advance(Time(5_000_000_000), 100, &mut events) {}
    let times: Vec<Time> = events
        .iter()
        .map(|event| match event {
            FloorEvent::Quote { at, .. } | FloorEvent::Trade { at, .. } => *at,
            FloorEvent::Report(report) => report.transact_time,
        })
        .collect();
    assert!(times.is_sorted());
    assert!(times.len() > 300);
}

#[test]
fn an_instrument_that_is_listed_later_is_quoted_from_then_on() {
    let mut config = config(1);
    let (symbol, instrument) = config.instruments.remove(0);
    let mut floor = Floor::open(config).unwrap();
    let quotes = |events: &[FloorEvent]| {
        events.iter().filter(|event| matches!(event, FloorEvent::Quote { instrument: of, .. } if *of == instrument)).count()
    };
    let mut events = Vec::new();
    while !floor.advance(Time(60_000_000_000), 1_000, &mut events) {}
    assert_eq!(quotes(&events), 0);
    assert!(floor.trade(&symbol, instrument));
    assert!(!floor.trade(&"NONE".parse().unwrap(), instrument), "the recording has no such symbol");
    while !floor.advance(Time(120_000_000_000), 1_000, &mut events) {}
    assert!(quotes(&events) > 50);
}
