//! Days of a desk on which everything goes wrong.

use oms_model::{InstrumentId, OrdType, OrderId, Price, Qty, Side, Symbol, Time, TimeInForce, WireId};
use oms_runtime::port::{Handed, WireCancel, WireOrder, WireReplace};

use super::faults::{Fault, Switched, calm};
use super::world::{DAY, MS, SECOND, SYMBOLS, World};
use crate::simulator::Rng;

/// Days of a seed.
const DAYS: u64 = 2;
/// Orders of a day at least, and so many more.
const ORDERS: (u64, u64) = (12, 14);
/// 19.80, in 10^-9, and a cent.
const LOW: i64 = 19_800_000_000;
const CENT: i64 = 10_000_000;

fn shares(shares: u64) -> Qty {
    Qty::from_units(i64::try_from(shares).unwrap_or(1)).unwrap_or_default()
}

/// A price within twenty cents, from 19.80.
fn price(dice: &mut Rng) -> Price {
    Price::from_raw(LOW + CENT * i64::try_from(dice.below(21)).unwrap_or(0))
}

/// Runs the days of a seed.
pub(super) fn days(world: &mut World, dice: &mut Rng) {
    let mut next = 1_u128;
    for _ in 0..DAYS {
        let switched = &mut Switched::default();
        calm(world);
        for _ in 0..ORDERS.0 + dice.below(ORDERS.1) {
            while dice.chance(800) {
                switched.next(world, dice);
                lives_again(world, dice, switched);
                if dice.chance(300) {
                    pass(world, dice, switched);
                }
            }
            trade(world, dice, switched, &mut next);
            pass(world, dice, switched);
        }
        calm(world);
        settle(world);
        world.tally.days += 1;
        night(world);
    }
    world.tally.sessions = world.connector.as_ref().map_or(0, |connector| connector.status().figures.sessions);
    world.tally.orders = u64::try_from(world.desk.orders.len()).unwrap_or(0);
    world.tally.executions = u64::try_from(world.gateway.executions().count()).unwrap_or(0);
}

/// A process that died is started again, some time later; the market does not wait for it.
fn lives_again(world: &mut World, dice: &mut Rng, switched: &mut Switched) {
    if world.connector.is_some() {
        return;
    }
    market(world, dice);
    world.run(i64::try_from(dice.below(4_000)).unwrap_or(0) * MS);
    market(world, dice);
    // What was told last before it died may have changed when it lives again.
    if dice.chance(500) {
        switched.does(world, dice, Fault::Correction);
    }
    world.start();
}

/// Some time goes by, now and then enough for a silent peer to be given up.
fn pass(world: &mut World, dice: &mut Rng, switched: &mut Switched) {
    let ms = if dice.chance(60) { 4_000 + dice.below(16_000) } else { dice.below(1_500) };
    world.run(i64::try_from(ms).unwrap_or(0) * MS);
    lives_again(world, dice, switched);
}

/// One side of one symbol is shown anew.
fn market(world: &mut World, dice: &mut Rng) {
    let instrument = InstrumentId(dice.below(2).try_into().unwrap_or(0));
    let side = dice.pick(&[Side::Buy, Side::Sell]);
    let (at, size) = (price(dice), shares(1 + dice.below(300)));
    world.show(instrument, side, at, size);
}

fn trade(world: &mut World, dice: &mut Rng, switched: &mut Switched, next: &mut u128) {
    market(world, dice);
    if dice.chance(20) {
        let action = dice.pick(&["BUY", "SELL"]);
        let line = format!("manual {action} {} {} {}", 1 + dice.below(200), dice.pick(&SYMBOLS), price(dice));
        world.order_sim(&line);
    }
    // Now and then more orders at once than a second takes.
    let orders = if dice.chance(15) { 40 + dice.below(40) } else { 1 };
    for _ in 0..orders {
        order(world, dice, OrderId::from_u128(*next));
        *next += 1;
    }
    for _ in 0..=dice.below(3) {
        request(world, dice, *next);
    }
    if dice.chance(300) {
        let asked = OrderId::from_u128(1 + u128::from(dice.below(u64::try_from(*next - 1).unwrap_or(1))));
        world.ask([asked]);
    }
    lives_again(world, dice, switched);
}

fn order(world: &mut World, dice: &mut Rng, order_id: OrderId) {
    let at_market = dice.chance(100);
    let instrument = InstrumentId(dice.below(2).try_into().unwrap_or(0));
    let order = WireOrder {
        wire_id: WireId::derive(order_id, 0),
        instrument,
        symbol: Symbol::new(SYMBOLS[usize::try_from(instrument.0).unwrap_or(0)]).expect("a symbol"),
        side: dice.pick(&[Side::Buy, Side::Sell]),
        ord_type: if at_market { OrdType::Market } else { OrdType::Limit },
        order_qty: shares(1 + dice.below(250)),
        cash_order_qty: None,
        quote_ref: None,
        price: (!at_market).then(|| price(dice)),
        stop_px: None,
        time_in_force: dice.pick(&[TimeInForce::Day, TimeInForce::Day, TimeInForce::Gtc, TimeInForce::Ioc]),
        expire_at: None,
        deadline: world.now.plus(60 * SECOND),
    };
    world.desk.hands(order_id);
    world.note(|| format!("new {order_id}: {:?} {} {:?} {:?}", order.side, order.order_qty, order.price, order.time_in_force));
    if let Handed::NotSent(_) = world.send(&order) {
        world.desk.not_sent(order_id);
    }
}

/// A cancel or new terms of some order of the last ones; whatever they are answered, their order is asked about in the end.
fn request(world: &mut World, dice: &mut Rng, next: u128) {
    let back = u128::from(1 + dice.below(12));
    let order_id = OrderId::from_u128(next.saturating_sub(back).max(1));
    if !world.desk.orders.contains_key(&order_id) {
        return;
    }
    let revision = world.desk.revise(order_id);
    let (wire_id, orig_wire_id) = (WireId::derive(order_id, revision), WireId::derive(order_id, 0));
    let deadline = world.now.plus(60 * SECOND);
    if dice.chance(500) {
        world.note(|| format!("cancel {order_id} {revision}"));
        world.cancel(&WireCancel { wire_id, orig_wire_id, deadline });
    } else {
        let (order_qty, price) = (shares(1 + dice.below(400)), Some(price(dice)));
        world.note(|| format!("replace {order_id} {revision}: {order_qty} {price:?}"));
        world.replace(&WireReplace { wire_id, orig_wire_id, order_qty, price, stop_px: None, deadline });
    }
}

/// How often what is not known is asked again: three looks of a session may stay unfinished for an end that was lost before
/// the faults stopped, then the next session is new.
const ROUNDS: u32 = 5;

/// Every order that may work is asked about, and what the desk knows then is what there is.
fn settle(world: &mut World) {
    world.is_calm = true;
    for _ in 0..ROUNDS {
        world.desk.is_in_doubt = false;
        let open = world.desk.open();
        world.ask(open);
        // Also where nothing may work: what others execute in the account is found by looking, and looks are far apart.
        world.ask_executions(Time(world.now.0 - world.now.0.rem_euclid(DAY)));
        let until = world.now.plus(120 * SECOND);
        while world.desk.waits() {
            assert!(world.step(until), "invariant answers: there is none in two minutes");
        }
        if !world.desk.is_in_doubt {
            break;
        }
        // A session that was given up begins anew meanwhile.
        world.run(5 * SECOND);
    }
    world.check();
    world.is_calm = false;
}

/// The desk goes home; the gateway has its daily restart; the next day comes.
fn night(world: &mut World) {
    world.kill();
    world.before = world.gateway.executions().count();
    world.order_sim("restart");
    let morning = world.now.0.div_euclid(DAY) * DAY + DAY + DAY / 2;
    world.run(morning - world.now.0);
    world.start();
}
