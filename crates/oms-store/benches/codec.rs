//! What storing and reading one client order costs: `cargo bench -p oms-store --bench codec`.
//!
//! The batch is what placing one routed order leads to: the order, fifteen risk checks, a decision over
//! eight venues, one leg, its intent, the parent's state and the idempotency record. Each figure is the
//! best of many rounds, because anything above it is the machine's other work.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::time::Instant;

use oms_model::command::{Actor, Placed};
use oms_model::event::{
    Candidate, IdempotencyRecorded, IdempotentResult, Leg, OrderCreated, OrderSent, OrderStateSynced, RiskChecked, RouteDecided,
};
use oms_model::limit::{Check, CheckResult, Scope, Verdict};
use oms_model::{
    AccountId, ApiKeyId, Batch, ClOrdId, CommandId, Decimal, Event, InstrumentId, IntentKind, Mic, OrdState, OrdType, OrderId, PolicyName,
    Price, Qty, Seq, Side, SorMode, Source, TenantId, Time, TimeInForce, TraceId, UserId,
};
use oms_store::codec::{batch_header, decode_batch, decode_batch_for_replay, encode_batch};

const VENUES: [&[u8; 4]; 8] = [b"XNAS", b"XNYS", b"ARCX", b"BATS", b"IEXG", b"EDGX", b"MEMX", b"XBOS"];
const NOW: Time = Time(1_764_000_000_123_456_789);

fn uuid(salt: u128) -> u128 {
    0x0192_5c1a_9d3e_7000_8000_0000_0000_0000 | (salt.wrapping_mul(0x9E37_79B9_7F4A_7C15) & 0x3FFF_FFFF_FFFF_FFFF)
}

fn px(text: &str) -> Price {
    text.parse().unwrap()
}

fn created(order_id: OrderId, parent: Option<OrderId>, root: OrderId) -> Event {
    Event::OrderCreated(Box::new(OrderCreated {
        order_id,
        parent_order_id: parent,
        root_order_id: root,
        cl_ord_id: ClOrdId::new("desk7-20261121-004217").unwrap(),
        account_id: AccountId::from_u128(uuid(10)),
        user_id: UserId::from_u128(uuid(11)),
        instrument_id: InstrumentId(412),
        side: Side::Buy,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::Day,
        source: Source::Rest,
        order_qty: Qty::from_units(100).unwrap(),
        price: Some(px("177.25")),
        stop_px: None,
        expire_at: Some(NOW.plus(3_600_000_000_000)),
        routing: None,
        venue: parent.map(|_| Mic::of(b"XNAS")),
        metadata: None,
        kind: None,
        basis: None,
        number: 0,
        compliance: None,
        work: None,
    }))
}

fn checked(order_id: OrderId) -> Event {
    let account = Scope::Account(AccountId::from_u128(uuid(10)));
    let result = |check: &Check| {
        // The first six look at states and the instrument, the others at configured figures.
        let measured = check.code() > 6;
        CheckResult {
            check: *check,
            verdict: Verdict::Pass,
            code: None,
            scope: if check.code().is_multiple_of(4) { account } else { Scope::Tenant },
            value: measured.then(|| "17725".parse().unwrap()),
            limit: measured.then(|| Decimal::from_count(250_000)),
            limit_version: u32::from(measured),
            ..CheckResult::default()
        }
    };
    let results = Check::ALL.iter().map(result).collect();
    Event::RiskChecked(Box::new(RiskChecked { order_id, worst_price: Some(px("177.25")), results, ..RiskChecked::default() }))
}

fn candidate(venue: &[u8; 4], at: u32) -> Candidate {
    Candidate {
        venue: Mic::of(venue),
        excluded: None,
        bid: Some(px("177.24")),
        bid_size: Qty::from_units(300).unwrap(),
        ask: Some(px("177.25")),
        ask_size: Qty::from_units(500).unwrap(),
        quote_age_ns: 1_250_000,
        latency_ns: 480_000,
        fill_ppm: 912_000,
        fee: px("0.003"),
        price_score: 1_000_000,
        latency_score: 873_000 - at,
        fill_score: 912_000,
        fee_score: 640_000,
        score: 934_000 - at,
    }
}

fn routed(order_id: OrderId, leg: OrderId) -> Event {
    let qty = Qty::from_units(100).unwrap();
    Event::RouteDecided(Box::new(RouteDecided {
        order_id,
        attempt: 1,
        policy: PolicyName::new("default").unwrap(),
        policy_version: 1,
        mode: SorMode::SingleBest,
        bid: Some(px("177.24")),
        ask: Some(px("177.25")),
        candidates: VENUES.iter().zip(0..).map(|(venue, at)| candidate(venue, at)).collect(),
        legs: vec![Leg {
            order_id: leg,
            venue: Mic::of(b"XNAS"),
            qty,
            price: Some(px("177.25")),
            time_in_force: TimeInForce::Day,
            aggressive: true,
        }],
        place_qty: qty,
        replan_reason: None,
    }))
}

fn order_batch() -> Batch {
    let (root, leg) = (OrderId::derive(NOW, 77, Seq(8_000_001), 0), OrderId::derive(NOW, 77, Seq(8_000_001), 1));
    let placed = IdempotentResult { placed: vec![Placed::Accepted { order_id: root }], ..IdempotentResult::default() };
    Batch {
        first_seq: Seq(8_000_001),
        time: NOW,
        command_id: CommandId::from_u128(uuid(1)),
        actor: Actor {
            tenant_id: TenantId::from_u128(uuid(2)),
            user_id: UserId::from_u128(uuid(11)),
            api_key_id: Some(ApiKeyId::from_u128(uuid(4))),
            source: Source::Rest,
        },
        trace_id: TraceId::from_u128(uuid(5)),
        events: vec![
            created(root, None, root),
            checked(root),
            routed(root, leg),
            created(leg, Some(root), root),
            Event::OrderSent(OrderSent {
                order_id: leg,
                intent: IntentKind::New,
                revision: 0,
                venue: Mic::of(b"XNAS"),
                deadline: NOW.plus(5_000_000_000),
                terms: None,
            }),
            Event::OrderStateSynced(OrderStateSynced { order_id: root, state: OrdState::Unack, place_qty: Qty::from_units(100).unwrap() }),
            Event::IdempotencyRecorded(Box::new(IdempotencyRecorded {
                key: uuid(6),
                fingerprint: std::array::from_fn(|at| at as u8 + 1),
                result: placed,
            })),
        ],
    }
}

/// Nanoseconds that one call takes: the best of 200 rounds of 500.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    const CALLS: u32 = 500;
    let round = |_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    };
    (0..200).map(round).fold(f64::INFINITY, f64::min)
}

fn main() {
    let batch = order_batch();
    let mut bytes = Vec::new();
    encode_batch(&batch, &mut bytes);
    assert_eq!(decode_batch(&bytes).unwrap(), batch);

    let mut out = Vec::with_capacity(4096);
    let encode = nanoseconds(|| {
        out.clear();
        encode_batch(black_box(&batch), &mut out);
        black_box(&out);
    });
    let decode = nanoseconds(|| drop(black_box(decode_batch(black_box(&bytes)).unwrap())));
    let replay = nanoseconds(|| drop(black_box(decode_batch_for_replay(black_box(&bytes)).unwrap())));
    let header = nanoseconds(|| {
        black_box(batch_header(black_box(&bytes)).unwrap());
    });

    let events = batch.events.len() as f64;
    println!("batch of {} events, {} bytes, {:.0} bytes/event", batch.events.len(), bytes.len(), bytes.len() as f64 / events);
    for (what, ns) in [("encode", encode), ("decode", decode), ("decode for replay", replay), ("header", header)] {
        println!("{what:18} {ns:7.0} ns/batch {:6.0} ns/event {:6.2} M events/s", ns / events, events * 1e3 / ns);
    }
    let mut one = Batch { events: Vec::new(), ..batch.clone() };
    each_alone(&mut one, &batch.events);
}

/// What each event of the batch costs, in bytes and time.
fn each_alone(one: &mut Batch, events: &[Event]) {
    let mut bytes = Vec::with_capacity(4096);
    encode_batch(one, &mut bytes);
    let empty = bytes.len();
    for event in events {
        one.events = vec![event.clone()];
        let encode = nanoseconds(|| {
            bytes.clear();
            encode_batch(black_box(one), &mut bytes);
        });
        let decode = nanoseconds(|| drop(black_box(decode_batch(black_box(&bytes)).unwrap())));
        println!("  {:22} {:5} bytes, encode {encode:5.0} ns, decode {decode:5.0} ns, header included", event.name(), bytes.len() - empty);
    }
}
