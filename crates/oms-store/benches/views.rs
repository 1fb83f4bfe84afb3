//! How many events a second the views fold, on one core, what common questions take, and what they take while orders flow.
//!
//! `cargo bench -p oms-store --bench views [ORDERS]`; the file is made in the temporary directory.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use oms_model::command::OrderRef;
use oms_model::event::*;
use oms_model::instrument::Instrument;
use oms_model::*;
use oms_store::views::{Filter, ListQuery, Sort, Views};

const INSTRUMENTS: u32 = 500;
const ACCOUNTS: u128 = 20;

/// A client's order with one leg that is placed, acknowledged and, some in two parts, filled; some are canceled.
/// Three batches, as the engine makes them, interleaved with those of other orders.
struct Flow {
    seq: u64,
    orders: u64,
    open: std::collections::VecDeque<(u64, Root, u8)>,
}

#[derive(Clone, Copy)]
struct Root {
    root: OrderId,
    leg: OrderId,
    instrument: InstrumentId,
    account: AccountId,
}

fn qty(units: i64) -> Qty {
    Qty::from_units(units).unwrap()
}

impl Flow {
    fn batch(&mut self, events: Vec<Event>) -> Arc<Batch> {
        let first_seq = Seq(self.seq + 1);
        self.seq += events.len() as u64;
        let time = Time(1_700_000_000_000_000_000 + first_seq.0 as i64 * 20_000);
        Arc::new(Batch { first_seq, time, command_id: CommandId::from_u128(first_seq.0.into()), events, ..Batch::default() })
    }

    fn listing(&mut self) -> Arc<Batch> {
        let listed = |n| {
            let symbol = Symbol::new(&format!("SYM{n}")).unwrap();
            Event::InstrumentListed(Box::new(Instrument { instrument_id: InstrumentId(n), symbol, ..Instrument::default() }))
        };
        self.batch((0..INSTRUMENTS).map(listed).collect())
    }

    fn next(&mut self) -> Arc<Batch> {
        // Orders live for about a thousand others.
        if self.open.len() < 1000 { self.place() } else { self.report() }
    }

    fn place(&mut self) -> Arc<Batch> {
        self.orders += 1;
        let n = self.orders;
        let time = Time(1_700_000_000_000_000_000 + n as i64 * 100_000);
        let id = |nth| OrderId::derive(time, 77, Seq(self.seq + 1), nth);
        let order = Root {
            root: id(0),
            leg: id(1),
            instrument: InstrumentId((n.wrapping_mul(2_654_435_761) % u64::from(INSTRUMENTS)) as u32),
            account: AccountId::from_u128(u128::from(n) % ACCOUNTS),
        };
        let root = OrderCreated {
            order_id: order.root,
            root_order_id: order.root,
            cl_ord_id: ClOrdId::new(&format!("{:016x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).unwrap(),
            account_id: order.account,
            instrument_id: order.instrument,
            ord_type: OrdType::Limit,
            order_qty: qty(100),
            price: Some(Price::from_raw(100_000_000_000 + n as i64 % 977 * 10_000_000)),
            ..OrderCreated::default()
        };
        let venue = Mic::of(b"XNAS");
        let leg = OrderCreated { order_id: order.leg, parent_order_id: Some(order.root), venue: Some(venue), ..root.clone() };
        let sent = OrderSent { order_id: order.leg, venue, ..OrderSent::default() };
        let route = RouteDecided { order_id: order.root, attempt: 1, place_qty: qty(100), ..RouteDecided::default() };
        self.open.push_back((n, order, 0));
        self.batch(vec![
            Event::OrderCreated(Box::new(root)),
            Event::RiskChecked(Box::new(RiskChecked { order_id: order.root, ..RiskChecked::default() })),
            Event::RouteDecided(Box::new(route)),
            Event::OrderCreated(Box::new(leg)),
            Event::OrderSent(sent),
            Event::OrderStateSynced(OrderStateSynced { order_id: order.root, state: OrdState::Unack, place_qty: qty(100) }),
        ])
    }

    fn report(&mut self) -> Arc<Batch> {
        let (n, order, step) = self.open.pop_front().unwrap();
        if step == 0 {
            self.open.push_back((n, order, 1));
            return self.batch(vec![
                Event::OrderAccepted(OrderAccepted { order_id: order.leg, broker_order_id: None }),
                Event::OrderStateSynced(OrderStateSynced { order_id: order.root, state: OrdState::Live, place_qty: qty(100) }),
            ]);
        }
        if n.is_multiple_of(8) {
            let ended = |order_id| OrderEnded { order_id, by: EndedBy::Client, text: String::new() };
            return self.batch(vec![Event::OrderCanceled(ended(order.leg)), Event::OrderCanceled(ended(order.root))]);
        }
        let (part, done) = match step {
            1 if n.is_multiple_of(3) => (50, false),
            1 => (100, true),
            _ => (50, true),
        };
        if !done {
            self.open.push_back((n, order, 2));
        }
        self.fill(n, order, qty(part), done)
    }

    fn fill(&mut self, n: u64, order: Root, last_qty: Qty, done: bool) -> Arc<Batch> {
        let exec_id = ExecId::new(&format!("X{}", self.seq)).unwrap();
        let last_px = Price::from_raw(100_000_000_000 + n as i64 % 7 * 10_000_000);
        let last_notional = last_px.notional(last_qty).unwrap();
        let filled = |order_id| {
            let body = Filled { order_id, exec_id: exec_id.clone(), last_qty, last_px, last_notional };
            if done { Event::OrderFilled(body) } else { Event::OrderPartiallyFilled(body) }
        };
        let execution = ExecutionRecorded {
            exec_id: exec_id.clone(),
            order_id: order.leg,
            root_order_id: order.root,
            account_id: order.account,
            instrument_id: order.instrument,
            side: if n.is_multiple_of(2) { Side::Buy } else { Side::Sell },
            venue: Mic::of(b"XNAS"),
            last_qty,
            last_px,
            ..ExecutionRecorded::default()
        };
        let events = vec![Event::ExecutionRecorded(Box::new(execution)), filled(order.leg), filled(order.root)];
        self.batch(events)
    }
}

fn ask<T>(name: &str, mut read: impl FnMut() -> T) {
    let mut times = Vec::with_capacity(50);
    for _ in 0..50 {
        times.push(timed(&mut read));
    }
    times.sort_unstable();
    println!("  {name:<44} median {:>9.1?}  slowest {:>9.1?}", times[25], times[49]);
}

fn timed<T>(mut read: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    std::hint::black_box(read());
    start.elapsed()
}

fn list(pairs: &[(&str, &str)], sort: &str) -> ListQuery {
    ListQuery {
        filters: pairs.iter().map(|(key, value)| Filter::from_pair(key, value).unwrap()).collect(),
        sort: Sort::parse(sort),
        ..ListQuery::default()
    }
}

/// Orders in a second of the flow.
const RATE: u64 = 5_000;
/// How often the flow is folded in.
const TICK: Duration = Duration::from_millis(10);
/// How often each question is asked.
const ASKED: usize = 400;

/// Two filters beside "client orders", and a sort: what a blotter asks. `{n}` differs each time.
const QUESTIONS: &[(&[(&str, &str)], &str)] = &[
    (&[("symbol", "SYM{n}"), ("ord_status", "FILLED")], "-created_at"),
    (&[("symbol", "SYM{n}"), ("side", "BUY")], "-price"),
    (&[("symbol", "SYM{n}"), ("ord_status__in", "FILLED,CANCELED")], "-updated_at"),
    (&[("symbol", "SYM{n}"), ("ord_type", "LIMIT")], "leaves_qty,-created_at"),
    (&[("account_id", "{account}"), ("ord_status", "LIVE")], "-updated_at"),
    (&[("account_id", "{account}"), ("side", "BUY")], "-created_at"),
    (&[("account_id", "{account}"), ("symbol", "SYM{n}")], "-price"),
    (&[("ord_status", "LIVE"), ("side", "BUY")], "-price"),
    (&[("ord_status__in", "REJ,EXP"), ("symbol", "SYM{n}")], "-created_at"),
];

/// Asks each question while orders flow. Every answer is of the views as they are at that moment.
fn while_orders_flow(mut views: Views, mut flow: Flow) {
    let reader = views.reader();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writing = std::thread::spawn(move || {
        let (began, first) = (Instant::now(), flow.orders);
        let mut behind = Duration::ZERO;
        for tick in 1_u32.. {
            let until = first + RATE * TICK.as_millis() as u64 / 1_000 * u64::from(tick);
            let mut batches = Vec::new();
            while flow.orders < until {
                batches.push(flow.next());
            }
            views.apply(&batches).unwrap();
            let due = TICK * tick;
            behind = behind.max(began.elapsed().saturating_sub(due + TICK));
            let left = due.saturating_sub(began.elapsed());
            match stopped.recv_timeout(left) {
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => (),
                _ => break,
            }
        }
        let rate = (flow.orders - first) as f64 / began.elapsed().as_secs_f64();
        println!("  {rate:.0} orders/s were folded in meanwhile, {behind:.1?} late at worst");
        views
    });
    let mut times = vec![Vec::with_capacity(ASKED); QUESTIONS.len()];
    for n in 0..ASKED {
        for ((filters, sort), times) in QUESTIONS.iter().zip(&mut times) {
            let account = AccountId::from_u128(n as u128 % ACCOUNTS).to_string();
            let fill = |text: &str| text.replace("{n}", &(n * 31 % INSTRUMENTS as usize).to_string()).replace("{account}", &account);
            let pairs: Vec<_> = filters.iter().map(|(key, value)| (*key, fill(value))).collect();
            let mut pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
            pairs.push(("is_root", "true"));
            let question = list(&pairs, sort);
            times.push(timed(|| reader.orders(&question).unwrap()));
        }
    }
    drop(stop);
    let views = writing.join().unwrap();
    let mut all: Vec<Duration> = times.iter().flatten().copied().collect();
    for ((filters, sort), times) in QUESTIONS.iter().zip(&mut times) {
        let text: Vec<String> = filters.iter().map(|(key, value)| format!("{key}={value}")).collect();
        quantiles(&format!("{} sort={sort}", text.join("&")), times);
    }
    quantiles("all of them", &mut all);
    drop(views);
}

fn quantiles(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("  {name:<66} p50 {:>8.1?}  p99 {:>8.1?}  max {:>8.1?}", at(50), at(99), at(100));
}

fn main() {
    let orders = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(200_000_u64);
    let path = std::env::temp_dir().join(format!("oms-views-bench-{}", std::process::id()));
    let mut views = Views::rebuild(&path).unwrap();
    let mut flow = Flow { seq: 0, orders: 0, open: std::collections::VecDeque::new() };
    views.apply(&[flow.listing()]).unwrap();
    let reader = views.reader();
    let mut last = None;
    for (name, per_call, share) in [("1000 batches a transaction", 1000, 90), ("50 batches a transaction", 50, 10)] {
        let until = flow.orders + orders * share / 100;
        let (mut events, mut busy, mut slowest) = (0, Duration::ZERO, Duration::ZERO);
        while flow.orders < until {
            let batches: Vec<_> = (0..per_call).map(|_| flow.next()).collect();
            events += batches.iter().map(|batch| batch.events.len()).sum::<usize>();
            let start = Instant::now();
            views.apply(&batches).unwrap();
            slowest = slowest.max(start.elapsed());
            busy += start.elapsed();
            last = batches.iter().rev().find_map(|batch| batch.events.first().and_then(Event::order_id)).or(last);
        }
        println!("{name}: {events} events, {:.0} events/s, slowest transaction {slowest:.1?}", events as f64 / busy.as_secs_f64());
    }
    println!("{} orders with {} events, {} MB", flow.orders * 2, flow.seq, std::fs::metadata(&path).unwrap().len() >> 20);

    let id = last.unwrap();
    ask("one order", || reader.order(&OrderRef::Id(id)).unwrap().unwrap());
    ask("its tree", || reader.tree(id).unwrap());
    ask("its events", || reader.event_seqs(id, true, Seq(0), 500).unwrap());
    ask("newest 100 roots", || reader.orders(&list(&[("is_root", "true")], "")).unwrap());
    ask("newest 100 live", || reader.orders(&list(&[("ord_status", "LIVE"), ("is_root", "true")], "")).unwrap());
    ask("100 of a symbol", || reader.orders(&list(&[("symbol", "SYM42"), ("is_root", "true")], "")).unwrap());
    ask("newest 100 executions of a symbol", || reader.executions(&list(&[("symbol", "SYM42")], "")).unwrap());
    ask("100 by price (reads the whole table)", || reader.orders(&list(&[("is_root", "true")], "-price")).unwrap());
    println!("while {RATE} orders flow each second:");
    while_orders_flow(views, flow);
    for suffix in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{suffix}", path.display())));
    }
}
