//! Orders that the engine works: it releases them in slices when their time, their trigger, their list or their
//! algorithm says so.

use super::tree::{self, ChildSpec};
use super::trigger::{self, Reached};
use super::{cancel, parent, replace, route};
use crate::state::{Entry, Lookout, State};
use crate::step::Step;
use oms_model::event::{AlgoStepped, Event, OrderRejected, OrderTriggered, SliceReleased, StopMoved};
use oms_model::market::Market;
use oms_model::order::Terms;
use oms_model::work::{AlgoAction, TriggerSource, Work};
use oms_model::{
    Code, EndedBy, InstrumentId, OrdState, OrdType, Order, OrderId, OrderKind, Pending, Price, Qty, Refusal, Side, Time, TimeInForce,
};
use oms_router::algo::{Action, AlgoRequest, Blocked, Decision, Progress, Slice};

/// How soon an algorithm looks again where slices could not be repriced at present, nanoseconds.
const TRY_AGAIN_NS: i64 = 100_000_000;
/// How soon an algorithm looks again after a venue refused to cancel, and at most, nanoseconds.
const ASK_AGAIN_NS: i64 = 1_000_000_000;
const LONGEST_PAUSE_NS: i64 = 3_600_000_000_000;
/// How many orders a batch must still have room for where another one is acted on.
const ROOM: u16 = 256;
/// How many orders one move of the market acts on at most, and how many of those that watch every move it looks at; the
/// others follow at once with the next input.
const AT_ONCE: usize = 256;

/// Whether another order may be acted on in this batch: a slice and its legs need room there.
pub(crate) fn has_room(step: &Step<'_>) -> bool {
    step.orders_left() >= ROOM
}

/// The market in an instrument moved: the stops that it reaches or that follow it, and then orders behind `after` that
/// every move is a reason to look at. Where to go on, where some are left.
pub(crate) fn market_moved(step: &mut Step<'_>, instrument: InstrumentId, after: Option<OrderId>) -> Option<Option<OrderId>> {
    if stops_moved(step, instrument) {
        return Some(after);
    }
    let mut last = after;
    for _ in 0..AT_ONCE {
        let next = step.state().watching(instrument, last)?;
        if !has_room(step) {
            return Some(last);
        }
        drive(step, next);
        last = Some(next);
    }
    step.state().watching(instrument, last).map(|_| last)
}

/// Looks at the stops that are held here and that the market reaches or moves. Whether some are left.
fn stops_moved(step: &mut Step<'_>, instrument: InstrumentId) -> bool {
    let sources = TriggerSource::ALL.iter().flat_map(|&source| [(source, Side::Buy), (source, Side::Sell)]);
    let seen: Vec<(Lookout, Price)> = step.with_market(instrument, |_, market, _| {
        let seen = |(source, side): (TriggerSource, Side)| {
            trigger::seen(source, side, market).map(|seen| (Lookout { instrument, source, is_buy: side.is_buy() }, seen))
        };
        sources.filter_map(seen).collect()
    });
    let mut acted = 0;
    for (lookout, seen) in seen {
        for next in [State::reached, State::followed] {
            let mut at = None;
            while let Some(found) = next(step.state(), lookout, seen, at) {
                let before = step.event_count();
                drive(step, found.1);
                acted += usize::from(step.event_count() > before);
                if acted == AT_ONCE || !has_room(step) {
                    return true;
                }
                at = Some(found);
            }
        }
    }
    false
}

/// Does what is due for an order that the engine works; nothing where it is not one, or waits for an answer.
pub(crate) fn drive(step: &mut Step<'_>, order_id: OrderId) {
    let worked = step.state().order(order_id).filter(|order| order.extras.work.is_some());
    let Some(order) = worked.cloned() else { return };
    let Some(work) = order.extras.work.as_deref() else { return };
    if order.state.is_done() || order.pending != Pending::None || work.is_unarmed() || order.extras.hold.is_some() {
        return;
    }
    if work.suspended {
        return wait(step, &order, None, false, "it is suspended");
    }
    if let Some(at) = work.release_at.filter(|&at| at > step.now()) {
        return wait(step, &order, Some(at), false, "it waits for its time");
    }
    // When a market opens its first quotes are a moment away; without one the router knows no venue.
    let is_first = work.release_at.is_some() && order.children.is_empty() && work.instructions.algo.is_none();
    if is_first && !is_quoted(step, &order) {
        return wait(step, &order, None, true, "its time has come and no venue quotes it yet");
    }
    if waits_for_trigger(&order) {
        return look(step, &order);
    }
    match work.instructions.algo {
        Some(_) => run(step, &order),
        None => release_rest(step, &order),
    }
}

/// The time that an order waited for has come. Where it waits for an answer now, the answer drives it.
pub(crate) fn woken(step: &mut Step<'_>, due: Time, order_id: OrderId) {
    drive(step, order_id);
    let Some(order) = step.state().order(order_id).filter(|order| order.wake() == Some(due)).cloned() else { return };
    wait(step, &order, None, order.is_watching(), "it waits for an answer");
}

/// A venue refused to cancel an order or a slice of it. It goes on. One with an algorithm is looked at again after a
/// while, and after its end ever later: what it then asks may be refused again.
pub(crate) fn not_canceled(step: &mut Step<'_>, order_id: OrderId) {
    let works = |order: &&Order| !order.state.is_done() && order.pending == Pending::None;
    let Some(order) = step.state().order(order_id).filter(works).cloned() else { return };
    let algo = order.extras.work.as_deref().and_then(|work| work.instructions.algo.as_ref());
    match algo.map(|algo| step.now().since(algo.end)) {
        Some(over) => {
            let again = step.now().plus(over.clamp(ASK_AGAIN_NS, LONGEST_PAUSE_NS));
            wait(step, &order, Some(again), order.is_watching(), "a venue refused to cancel");
        }
        None => drive(step, order_id),
    }
}

/// Whether a venue shows a quote that the order's policy takes for one that holds.
fn is_quoted(step: &mut Step<'_>, order: &Order) -> bool {
    step.with_market(order.instrument_id, |state, market, now| {
        let oldest = now.plus(-route::max_quote_age(state, order));
        market.quotes.iter().flat_map(|quote| [quote.bid, quote.ask]).flatten().any(|level| level.at >= oldest)
    })
}

/// Whether the engine holds the order for a stop that was not reached yet.
fn waits_for_trigger(order: &Order) -> bool {
    let Some(work) = order.extras.work.as_deref() else { return false };
    order.ord_type.has_stop() && !work.triggered && work.emulated
}

fn look(step: &mut Step<'_>, order: &Order) {
    let order_id = order.order_id;
    let reached = step.with_market(order.instrument_id, |state, market, _| {
        let instrument = state.instrument(order.instrument_id);
        instrument.map_or(Reached::No, |instrument| trigger::look(order, market, instrument))
    });
    match reached {
        Reached::No => wait(step, order, None, true, "the stop is not reached"),
        Reached::Moved { stop_px, seen_px } => {
            step.emit(Event::StopMoved(StopMoved { order_id, stop_px, seen_px }));
            wait(step, order, None, true, "the stop is not reached");
        }
        Reached::Yes { stop_px, seen_px } => {
            let source = order.extras.work.as_deref().and_then(|work| work.instructions.trigger_source).unwrap_or_default();
            let triggered = OrderTriggered { order_id, source, stop_px: Some(stop_px), seen_px: Some(seen_px) };
            step.emit(Event::OrderTriggered(triggered));
            let Some(order) = step.state().order(order_id).cloned() else { return };
            release_rest(step, &order);
        }
    }
}

/// Notes what an order waits for, unless that is known.
fn wait(step: &mut Step<'_>, order: &Order, wake: Option<Time>, on_market: bool, reason: &str) {
    let Some(work) = order.extras.work.as_deref() else { return };
    if work.wake == wake && work.on_market == on_market {
        return;
    }
    let (volume, volume_mark) = (work.volume, work.volume_mark);
    let (order_id, reason) = (order.order_id, reason.into());
    let stepped = AlgoStepped { order_id, action: AlgoAction::Wait, price: None, wake, on_market, volume, volume_mark, reason };
    step.emit(Event::AlgoStepped(Box::new(stepped)));
}

/// Releases what may work and is with no slice, as one slice; ends the order where a slice gave something back.
fn release_rest(step: &mut Step<'_>, order: &Order) {
    let Some(work) = order.extras.work.as_deref() else { return };
    if work.wake.is_some() || work.on_market {
        wait(step, order, None, false, "it is released");
    }
    // What a slice gave back was tried: it is not tried again, or slices and refusals would follow each other for ever.
    let (given_back, last) = given_back(step.state(), order);
    let qty = work.cap(order.order_qty).saturating_sub(order.place_qty).saturating_sub(given_back);
    if !qty.is_positive() {
        // More of it may be armed yet; that is tried then.
        let first = work.link.and_then(|link| link.armed_by).and_then(|first| step.state().order(first));
        let waits = first.is_some_and(|first| !first.state.is_done()) || step.state().works_below(order);
        if let Some(last) = last.filter(|_| !waits) {
            parent::end_unplaced(step, order, &last);
        }
        return;
    }
    let (ord_type, price) = step.with_market(order.instrument_id, |state, market, _| terms(state, order, market));
    let ioc = order.time_in_force == TimeInForce::Opg;
    let reason = if work.triggered { "triggered" } else { "released" };
    release(step, order, Slice { qty, price, at_once: ioc, leftover: false }, ord_type, reason);
}

/// What slices that failed had left, with the newest of them.
fn given_back(state: &State, order: &Order) -> (Qty, Option<Order>) {
    let failed = |slice: &&Order| slice.state.is_done() && slice.open_qty().is_positive() && !is_taken_back(slice);
    let slices = state.children(order).map(|slice| &slice.order).filter(failed);
    let (sum, last) = slices.fold((Qty::ZERO, None), |(sum, _), slice| (sum.saturating_add(slice.open_qty()), Some(slice)));
    (sum, last.cloned())
}

/// A slice that was canceled because it was asked to be - its list needed less, its algorithm recalled it, somebody
/// suspended the order - has not failed.
fn is_taken_back(slice: &Order) -> bool {
    slice.state == OrdState::Canceled && slice.ended_by == Some(EndedBy::Client)
}

/// Type and limit of a slice that holds the order as it is.
fn terms(state: &State, order: &Order, market: &Market) -> (OrdType, Option<Price>) {
    let work = order.extras.work.as_deref();
    let Some(instrument) = state.instrument(order.instrument_id) else { return (order.ord_type, order.price) };
    match order.ord_type {
        OrdType::MarketOnClose => (OrdType::Market, None),
        OrdType::LimitOnClose | OrdType::Pegged => (OrdType::Limit, order.price),
        OrdType::MarketToLimit => {
            let far = if order.side.is_buy() { market.ask } else { market.bid };
            far.map_or((OrdType::Market, None), |level| (OrdType::Limit, Some(level.price)))
        }
        stop if stop.has_stop() && work.is_some_and(|work| work.triggered) => trigger::released_as(order, order.stop_at(), instrument),
        other => (other, order.price),
    }
}

/// Creates a slice and hands it to the router. One that finds no place is refused, and its quantity comes back.
fn release(step: &mut Step<'_>, order: &Order, slice: Slice, ord_type: OrdType, reason: &str) {
    let time_in_force = match order.time_in_force {
        _ if slice.at_once => TimeInForce::Ioc,
        TimeInForce::Ioc | TimeInForce::Fok => order.time_in_force,
        // What has no limit does not outlive the day.
        _ if !ord_type.has_price() && !ord_type.has_stop() => TimeInForce::Day,
        other => other,
    };
    let spec = ChildSpec {
        kind: OrderKind::Slice,
        order_qty: slice.qty,
        ord_type,
        price: slice.price,
        stop_px: order.extras.stop_px.filter(|_| ord_type.has_stop()),
        time_in_force,
        expire_at: order.expire_at.filter(|_| matches!(time_in_force, TimeInForce::Day | TimeInForce::Gtd)),
        routing: None,
        cl_ord_id: None,
    };
    let slice_id = match tree::create_child(step, order.order_id, spec) {
        Ok(slice_id) => slice_id,
        // A tree that may grow no more gives up the rest.
        Err(_) => return cancel::cancel_tree(step, order.order_id, EndedBy::Algo),
    };
    step.emit(Event::SliceReleased(SliceReleased {
        order_id: order.order_id,
        slice_id,
        qty: slice.qty,
        price: slice.price,
        leftover: slice.leftover,
        reason: reason.into(),
    }));
    if let Err(refusal) = tree::release(step, slice_id, reason) {
        refuse(step, slice_id, refusal);
    }
}

fn refuse(step: &mut Step<'_>, slice_id: OrderId, refusal: Refusal) {
    let by = if refusal.code == Code::NoRoute { EndedBy::Router } else { EndedBy::Risk };
    step.emit(Event::OrderRejected(OrderRejected { order_id: slice_id, by, code: refusal.code, text: refusal.message }));
    parent::part_ended(step, slice_id);
}

/// Asks the algorithm, and does what it says.
fn run(step: &mut Step<'_>, order: &Order) {
    let blocked = match tree::blocked(step, order) {
        Ok(()) => None,
        Err(refusal) if refusal.code == Code::KillSwitch => Some(Blocked::Killed),
        Err(_) => Some(Blocked::Halted),
    };
    let asked = step.with_market(order.instrument_id, |state, market, now| ask(state, order, market, now, blocked));
    let Some((decision, volume, volume_mark)) = asked else { return };
    let mut stepped = AlgoStepped {
        order_id: order.order_id,
        action: AlgoAction::Wait,
        price: None,
        wake: decision.wake,
        on_market: decision.on_market,
        volume,
        volume_mark,
        reason: decision.reason.into(),
    };
    match decision.action {
        Action::Wait => {
            let known = order.extras.work.as_deref().is_some_and(|work| work.wake == decision.wake && work.on_market == decision.on_market);
            if !known {
                step.emit(Event::AlgoStepped(Box::new(stepped)));
            }
        }
        Action::Release(slice) => {
            stepped.action = AlgoAction::Release;
            stepped.price = slice.price;
            step.emit(Event::AlgoStepped(Box::new(stepped)));
            let ord_type = if slice.price.is_some() { OrdType::Limit } else { OrdType::Market };
            release(step, order, slice, ord_type, decision.reason);
        }
        Action::Reprice(price) => reprice(step, order, price, stepped),
        Action::Recall => {
            stepped.action = AlgoAction::Recall;
            step.emit(Event::AlgoStepped(Box::new(stepped)));
            for slice_id in working_slices(step.state(), order) {
                cancel::cancel_tree(step, slice_id, EndedBy::Algo);
            }
        }
        Action::Cancel => {
            stepped.action = AlgoAction::Cancel;
            step.emit(Event::AlgoStepped(Box::new(stepped)));
            cancel::cancel_tree(step, order.order_id, EndedBy::Algo);
        }
    }
}

/// Slices that work and of which nothing is asked at present.
pub(crate) fn working_slices(state: &State, order: &Order) -> Vec<OrderId> {
    let free = |slice: &&Entry| !slice.order.state.is_done() && slice.order.pending == Pending::None;
    state.children(order).filter(free).map(|slice| slice.order.order_id).collect()
}

fn reprice(step: &mut Step<'_>, order: &Order, price: Price, mut stepped: AlgoStepped) {
    let ready: Vec<OrderId> = working_slices(step.state(), order).into_iter().filter(|&id| replace::may_replace(step, id)).collect();
    if ready.is_empty() {
        stepped.wake = Some(step.now().plus(TRY_AGAIN_NS));
        stepped.reason = "slices cannot be repriced at present".into();
        return step.emit(Event::AlgoStepped(Box::new(stepped)));
    }
    stepped.action = AlgoAction::Reprice;
    stepped.price = Some(price);
    step.emit(Event::AlgoStepped(Box::new(stepped)));
    for slice_id in ready {
        let Some(slice) = step.state().order(slice_id).cloned() else { continue };
        parent::replace_part(step, slice_id, Terms { price: Some(price), ..slice.terms() });
    }
}

/// The algorithm's decision, with the volume that it saw.
fn ask(state: &State, order: &Order, market: &Market, now: Time, blocked: Option<Blocked>) -> Option<(Decision, Qty, Qty)> {
    let work = order.extras.work.as_deref()?;
    let params = work.instructions.algo.as_ref()?;
    let instrument = state.instrument(order.instrument_id)?;
    let (volume, volume_mark) = counted(work, params.start, market.volume, now);
    let progress = progress(state, order, work, volume);
    let request = AlgoRequest { params, side: order.side, limit: order.price, progress, instrument, market, blocked, now };
    Some((oms_router::algo::next(&request), volume, volume_mark))
}

/// What the market traded since the algorithm's start. A feed that began again counts from zero: what it traded while
/// nobody looked is not counted, so participation errs to the low side.
fn counted(work: &Work, start: Time, feed: Qty, now: Time) -> (Qty, Qty) {
    match work.stepped_at {
        Some(at) if at >= start && now >= start => {
            let more = if feed >= work.volume_mark { feed.saturating_sub(work.volume_mark) } else { feed };
            (work.volume.saturating_add(more), feed)
        }
        _ => (Qty::ZERO, feed),
    }
}

fn progress(state: &State, order: &Order, work: &Work, volume: Qty) -> Progress {
    let cap = work.cap(order.order_qty).max(order.cum_qty);
    let newest = state.children(order).filter(|slice| !slice.order.state.is_done()).last();
    let asked = |slice: &Order| slice.extras.replacing.as_deref().map_or(slice.price, |terms| terms.price);
    let failed = order.children.iter().rev().filter_map(|id| state.order(*id)).filter(|slice| !is_taken_back(slice));
    let failed = failed.take_while(|slice| slice.state.is_done() && slice.cum_qty.is_zero()).take(8).count();
    Progress {
        order_qty: cap,
        cum_qty: order.cum_qty,
        open_qty: order.place_qty.saturating_sub(order.cum_qty).max(Qty::ZERO),
        slices: work.slices,
        slice_px: newest.and_then(|slice| asked(&slice.order)),
        volume,
        acted_at: work.acted_at,
        failed: u32::try_from(failed).unwrap_or(u32::MAX),
        left: work.left,
    }
}
