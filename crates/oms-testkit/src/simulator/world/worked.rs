//! Orders that the engine works: triggers, pegs, displayed parts, algorithms, lists; and the moves of the market.

use super::World;
use super::clients::price;
use crate::fixture::TENANT;
use crate::hold;
use crate::simulator::mutant::Mutant;
use crate::simulator::node::Asker;
use crate::simulator::plan::Kind;
use crate::simulator::rng::Rng;
use oms_engine::input::InputBody;
use oms_model::algo::{Algo, AlgoParams, CurvePart, Leftover, Peg, PegPrice};
use oms_model::command::{Actor, Command, NewOrder, OrderRef};
use oms_model::market::Market;
use oms_model::policy::SorPolicy;
use oms_model::work::{ArmRule, ContingencyType, Trail, TriggerSource, Work};
use oms_model::{InstrumentId, OrdType, Pending, Price, Qty, Side, Source, Time, TimeInForce};
use std::collections::BTreeSet;

const SECOND: i64 = 1_000_000_000;

impl World {
    pub(super) fn worked(&mut self, kind: Kind, rng: &mut Rng) {
        match kind {
            Kind::PlaceWorked => {
                let order = self.worked_order(rng);
                self.ask(Command::CreateOrder(Box::new(order)), rng);
            }
            Kind::PlaceList => {
                let command = self.list(rng);
                self.ask(command, rng);
            }
            _ => {
                let Some(chosen) = self.some_worked(rng) else { return };
                let (order, if_version) = (OrderRef::Id(chosen), None);
                let suspended = self.works.is_suspended(chosen) == rng.chance(900);
                let command =
                    if suspended { Command::ResumeOrder { order, if_version } } else { Command::SuspendOrder { order, if_version } };
                self.ask(command, rng);
            }
        }
    }

    /// The latest are the likeliest to work still.
    fn some_worked(&self, rng: &mut Rng) -> Option<oms_model::OrderId> {
        let ids = self.works.ids();
        let from = ids.len().saturating_sub(4);
        (!ids.is_empty()).then(|| rng.pick(&ids[from..]))
    }

    /// A plain limit order that waits.
    fn waiting_order(&mut self, rng: &mut Rng) -> NewOrder {
        let mut order = self.new_order(rng);
        (order.ord_type, order.stop_px, order.routing.care) = (OrdType::Limit, None, false);
        order.price = Some(price(rng));
        (order.time_in_force, order.expire_at) = (rng.pick(&[TimeInForce::Day, TimeInForce::Day, TimeInForce::Gtc]), None);
        order
    }

    fn worked_order(&mut self, rng: &mut Rng) -> NewOrder {
        let mut order = self.waiting_order(rng);
        match rng.below(8) {
            0 | 1 => stop(&mut order, rng),
            2 => trailing(&mut order, rng),
            3 => {
                (order.ord_type, order.price) = (OrdType::MarketToLimit, None);
            }
            4 => {
                order.ord_type = OrdType::Pegged;
                order.instructions.peg = Some(peg(rng));
            }
            5 => order.instructions.max_floor = Some(whole(order.order_qty, rng.pick(&[2, 3, 7]))),
            _ => order.instructions.algo = Some(algo(order.order_qty, self.now, rng)),
        }
        if rng.chance(100) && order.instructions.algo.is_none() {
            order.instructions.good_after = Some(self.now.plus(1 << (28 + rng.below(8))));
        }
        order
    }

    /// Orders of one instrument that exclude, update or arm each other.
    fn list(&mut self, rng: &mut Rng) -> Command {
        let contingency = rng.pick(ContingencyType::ALL);
        let arm = rng.pick(ArmRule::ALL);
        let mut first = self.waiting_order(rng);
        first.side = rng.pick(&[Side::Buy, Side::Sell]);
        let arms = matches!(contingency, ContingencyType::Oto | ContingencyType::Otoco);
        let mut orders = vec![first.clone()];
        for nth in 0..=rng.below(2) {
            let mut order = self.waiting_order(rng);
            (order.symbol, order.side) = (first.symbol.clone(), first.side);
            order.order_qty = first.order_qty;
            if arms {
                order.side = if first.side.is_buy() { Side::Sell } else { Side::Buy };
            }
            if contingency == ContingencyType::Oto {
                // Together they are no larger than what they protect.
                order.order_qty = whole(first.order_qty, 2);
            }
            if nth == 1 || rng.chance(300) {
                stop(&mut order, rng);
            }
            orders.push(order);
        }
        Command::CreateOrderList { orders, contingency, arm }
    }

    /// What moved is let in where some order watches it: one input, however often it moved.
    pub(super) fn moves(&mut self) {
        let Some(node) = self.node.as_ref() else { return };
        let watched: BTreeSet<InstrumentId> = node.engine.state().watched().collect();
        // What moved between the decision to watch and now is looked at too.
        let fresh: Vec<InstrumentId> = watched.difference(&self.watched).copied().collect();
        self.moved.extend(fresh);
        self.watched = watched;
        for instrument in std::mem::take(&mut self.moved) {
            if self.watched.contains(&instrument) && self.mutant != Some(Mutant::MovesDropped) {
                let from = Actor { tenant_id: TENANT, source: Source::System, ..Actor::default() };
                self.enter(from, InputBody::Market(instrument), Asker::Nobody);
            }
        }
    }

    /// Once moves and timers were served, nothing that is due waits.
    pub(super) fn hold_watched(&self) {
        let Some(node) = self.node.as_ref() else { return };
        let state = node.engine.state();
        for id in self.works.ids() {
            let Some(order) = state.order(id).filter(|order| !order.state.is_done() && order.pending == Pending::None) else { continue };
            let Some(work) = order.extras.work.as_deref() else { continue };
            let unarmed = work.link.is_some_and(|link| link.armed_by.is_some()) && !work.armed_qty.is_positive();
            if order.extras.hold.is_some() || work.suspended || unarmed || work.release_at.is_some_and(|at| at > self.now) {
                continue;
            }
            let market = self.markets.0.get(&order.instrument_id);
            // What waited for its time waits for a quote that holds as well.
            let is_first = work.release_at.is_some() && order.children.is_empty() && work.instructions.algo.is_none();
            if is_first && work.on_market && !market.is_some_and(|market| is_quoted(market, self.now)) {
                continue;
            }
            if let Some(stop) = order.stop_at().filter(|_| order.ord_type.has_stop() && work.emulated && !work.triggered) {
                let seen = market.and_then(|market| seen(work, order.side, market));
                let reached = seen.is_some_and(|seen| if order.side.is_buy() { seen >= stop } else { seen <= stop });
                hold!(6, !reached, "the stop of order {id} at {stop} was reached by {seen:?} and is not triggered");
                continue;
            }
            // Protection waits for what may be armed yet.
            let first = work.link.and_then(|link| link.armed_by).and_then(|first| state.order(first));
            let first_works = first.is_some_and(|first| !first.state.is_done());
            let waits = first_works || work.wake.is_some() || work.on_market || state.works_below(order);
            hold!(6, waits || is_left(work, self.now), "order {id} is worked and waits for nothing");
        }
    }
}

/// Whether a quote is young enough for the policies of the simulation.
fn is_quoted(market: &Market, now: Time) -> bool {
    let oldest = now.plus(-i64::try_from(SorPolicy::default().max_quote_age_ns).unwrap_or(i64::MAX));
    market.quotes.iter().flat_map(|quote| [quote.bid, quote.ask]).flatten().any(|level| level.at >= oldest)
}

/// The price that the order's stop looks at.
fn seen(work: &Work, side: Side, market: &Market) -> Option<Price> {
    match work.instructions.trigger_source.unwrap_or_default() {
        TriggerSource::Last => market.last.map(|level| level.price),
        TriggerSource::BidAsk if side.is_buy() => market.ask.map(|level| level.price),
        TriggerSource::BidAsk => market.bid.map(|level| level.price),
        TriggerSource::Mid => market.mid(),
    }
}

/// Whether its algorithm has left what is left to the market.
fn is_left(work: &Work, now: Time) -> bool {
    work.instructions.algo.as_ref().is_some_and(|algo| algo.leftover == Leftover::Leave && now >= algo.end)
}

/// A part of a quantity in whole units.
fn whole(qty: Qty, parts: i128) -> Qty {
    const UNIT: i128 = 1_000_000_000;
    Qty::from_raw((qty.raw() / UNIT / parts).max(1) * UNIT)
}

fn stop(order: &mut NewOrder, rng: &mut Rng) {
    order.ord_type = rng.pick(&[OrdType::Stop, OrdType::StopLimit]);
    if order.ord_type == OrdType::Stop {
        order.price = None;
    }
    order.stop_px = Some(price(rng));
    order.instructions.emulate = rng.chance(800);
    order.instructions.trigger_source = rng.pick(&[None, Some(TriggerSource::BidAsk), Some(TriggerSource::Mid)]);
}

fn trailing(order: &mut NewOrder, rng: &mut Rng) {
    order.ord_type = rng.pick(&[OrdType::TrailingStop, OrdType::TrailingStopLimit]);
    order.price = None;
    let cents = |cents: u64| Price::from_raw(i64::try_from(cents * 10_000_000).unwrap_or(0));
    let mut trail = Trail::default();
    if rng.chance(500) {
        trail.amount = cents(1 + rng.below(60));
    } else {
        trail.ppm = u32::try_from(500 + rng.below(30_000)).unwrap_or(1_000);
    }
    if order.ord_type == OrdType::TrailingStopLimit {
        trail.limit_offset = cents(rng.below(10));
    }
    order.instructions.trail = Some(trail);
    order.instructions.trigger_source = rng.pick(&[None, Some(TriggerSource::BidAsk), Some(TriggerSource::Mid)]);
}

fn peg(rng: &mut Rng) -> Peg {
    let offset = Price::from_raw(rng.pick(&[0, 0, 10_000_000, -10_000_000]));
    Peg { reference: rng.pick(PegPrice::ALL), offset, cap: None }
}

/// An algorithm that is over within minutes.
fn algo(qty: Qty, now: Time, rng: &mut Rng) -> AlgoParams {
    let life = SECOND * i64::try_from(2 + rng.below(120)).unwrap_or(2);
    let start = if rng.chance(200) { now.plus(SECOND * 3) } else { now };
    let strategy = rng.pick(Algo::ALL);
    let interval = (life / 8).max(SECOND / 2);
    let mut algo = AlgoParams {
        algo: strategy,
        start,
        end: start.plus(life),
        leftover: rng.pick(Leftover::ALL),
        seed: rng.next(),
        ..AlgoParams::default()
    };
    match strategy {
        Algo::Twap => (algo.slices, algo.variance_ppm) = (u32::try_from(1 + rng.below(6)).unwrap_or(1), rng.pick(&[0, 300_000])),
        Algo::Vwap => {
            algo.interval_ns = interval;
            if rng.chance(500) {
                algo.expected_volume = qty;
            } else {
                algo.curve = [1, 3, 2].into_iter().map(|weight| CurvePart { weight }).collect();
            }
        }
        Algo::Pov => {
            (algo.interval_ns, algo.max_participation_ppm) = (interval, rng.pick(&[100_000, 300_000, 1_000_000]));
            algo.min_participation_ppm = rng.pick(&[0, 50_000]);
        }
        Algo::Arrival => (algo.interval_ns, algo.urgency_ppm) = (interval, rng.pick(&[0, 500_000, 1_000_000])),
        Algo::Iceberg => algo.slice_qty = whole(qty, 3),
        Algo::TimeSliced => (algo.interval_ns, algo.slice_qty) = (interval, whole(qty, 4)),
        Algo::Peg => (algo.interval_ns, algo.peg) = (interval, Some(peg(rng))),
    }
    algo
}
