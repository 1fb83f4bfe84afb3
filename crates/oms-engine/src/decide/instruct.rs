//! From what a client asks to what the engine works an order by.

use super::trigger;
use crate::config::{Config, Opening};
use crate::state::State;
use crate::step::Step;
use oms_model::algo::{Algo, AlgoParams, Leftover};
use oms_model::command::NewOrder;
use oms_model::instrument::Instrument;
use oms_model::work::{ArmRule, ContingencyType, Instructions, Link, Trail, Work};
use oms_model::{Code, InstrumentId, Mic, OrdType, OrderId, Qty, Refusal, Time, TimeInForce};
use std::borrow::Cow;

/// How often an emulated peg may move, nanoseconds.
const PEG_INTERVAL_NS: i64 = 100_000_000;

/// An order's place in a list that is being made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListPlace {
    /// The first order of the list; `None` for that order itself.
    pub(crate) first: Option<OrderId>,
    pub(crate) contingency: ContingencyType,
    pub(crate) arm: ArmRule,
}

/// The order with the stop that a trailing order begins at, where the client leaves it to the market.
pub(crate) fn with_stop<'a>(step: &mut Step<'_>, new: &'a NewOrder, instrument_id: InstrumentId) -> Cow<'a, NewOrder> {
    let trail = new.instructions.trail.filter(|_| new.ord_type.is_trailing() && new.stop_px.is_none());
    let Some(trail) = trail else { return Cow::Borrowed(new) };
    let source = new.instructions.trigger_source.unwrap_or_default();
    let stop_px = step.with_market(instrument_id, |state, market, _| {
        let (seen, instrument) = (trigger::seen(source, new.side, market)?, state.instrument(instrument_id)?);
        trigger::trailing_stop(&trail, new.side, seen, instrument)
    });
    Cow::Owned(NewOrder { stop_px, ..new.clone() })
}

fn refuse(code: Code, text: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal::new(code, text))
}

/// The rules of instructions, by the order's type.
pub(crate) fn validate(new: &NewOrder, config: &Config, instrument: Option<&Instrument>, now: Time) -> Result<(), Refusal> {
    let (asked, ord_type, tif) = (&new.instructions, new.ord_type, new.time_in_force);
    if new.routing.care && (!ord_type.is_native() || *asked != Instructions::default()) {
        return refuse(Code::OrderTypeUnsupported, "a care order is worked by a person; give instructions to its parts");
    }
    belongs("trail", asked.trail.is_some(), ord_type.is_trailing(), ord_type)?;
    belongs("peg", asked.peg.is_some(), ord_type == OrdType::Pegged, ord_type)?;
    if let Some(trail) = &asked.trail {
        valid_trail(trail, ord_type)?;
        if new.stop_px.is_none() {
            return refuse(Code::NoReferencePrice, format!("a {ord_type} order needs a stop_px, or a market price to begin from"));
        }
    }
    if asked.trigger_source.is_some() && !ord_type.has_stop() {
        return refuse(Code::ValidationError, format!("a {ord_type} order takes no trigger_source"));
    }
    if asked.emulate && !ord_type.has_stop() {
        return refuse(Code::ValidationError, format!("a {ord_type} order has nothing to emulate"));
    }
    valid_display(new)?;
    if asked.good_after.is_some_and(|at| at <= now || new.expire_at.is_some_and(|end| end <= at)) {
        return refuse(Code::ValidationError, "good_after must be in the future and before expire_at");
    }
    let on_close = matches!(ord_type, OrdType::MarketOnClose | OrdType::LimitOnClose);
    if on_close && tif != TimeInForce::Day {
        return refuse(Code::OrderTypeUnsupported, format!("a {ord_type} order is good for the day, so it cannot be {tif}"));
    }
    if tif == TimeInForce::Opg {
        if !matches!(ord_type, OrdType::Market | OrdType::Limit) || asked.algo.is_some() {
            return refuse(Code::OrderTypeUnsupported, format!("a {ord_type} order cannot be OPG"));
        }
        if now >= config.day_open(instrument, now) {
            return refuse(Code::OrderTypeUnsupported, "the opening has passed; an OPG order would not be executed");
        }
    }
    let plain = ord_type.is_native() && asked.algo.is_none() && asked.max_floor.is_none() && asked.good_after.is_none();
    if !plain && matches!(tif, TimeInForce::Ioc | TimeInForce::Fok) {
        return refuse(Code::OrderTypeUnsupported, format!("the order waits, so it cannot be {tif}"));
    }
    valid_algo(new)
}

fn belongs(name: &str, given: bool, wanted: bool, ord_type: OrdType) -> Result<(), Refusal> {
    match (given, wanted) {
        (true, false) => refuse(Code::ValidationError, format!("a {ord_type} order takes no {name}")),
        (false, true) => refuse(Code::ValidationError, format!("a {ord_type} order needs {name}")),
        _ => Ok(()),
    }
}

fn valid_trail(trail: &Trail, ord_type: OrdType) -> Result<(), Refusal> {
    if trail.amount.is_positive() == (trail.ppm > 0) || trail.amount.is_negative() {
        return refuse(Code::ValidationError, "trail is either an amount or a percentage, above zero");
    }
    if trail.ppm >= oms_model::algo::FULL_PPM {
        return refuse(Code::ValidationError, "a trail of 100 % or more never triggers");
    }
    if trail.limit_offset.is_negative() || (!trail.limit_offset.is_zero() && ord_type != OrdType::TrailingStopLimit) {
        return refuse(Code::ValidationError, "limit_offset is for TRAILING_STOP_LIMIT and not below zero");
    }
    Ok(())
}

fn valid_display(new: &NewOrder) -> Result<(), Refusal> {
    let Some(max_floor) = new.instructions.max_floor else { return Ok(()) };
    if new.ord_type != OrdType::Limit || new.instructions.algo.is_some() {
        return refuse(Code::OrderTypeUnsupported, "max_floor is for LIMIT orders without an algorithm");
    }
    if !max_floor.is_positive() || max_floor > new.order_qty {
        return refuse(Code::ValidationError, "max_floor must be above zero and not above order_qty");
    }
    iceberg(max_floor).validate(new.order_qty)
}

fn valid_algo(new: &NewOrder) -> Result<(), Refusal> {
    if new.instructions.algo.is_some() && !matches!(new.ord_type, OrdType::Market | OrdType::Limit) {
        return refuse(Code::OrderTypeUnsupported, format!("an algorithm works MARKET and LIMIT orders, not {}", new.ord_type));
    }
    Ok(())
}

/// The emulation of a displayed quantity.
fn iceberg(max_floor: Qty) -> AlgoParams {
    AlgoParams { algo: Algo::Iceberg, slice_qty: max_floor, end: Time(oms_model::algo::MAX_LIFE_NS), ..AlgoParams::default() }
}

/// What the engine works an order by; `None` for an order that goes to the router as it stands.
///
/// # Errors
/// Where the parameters of its algorithm break a rule.
pub(crate) fn work_of(
    state: &State,
    config: &Config,
    now: Time,
    new: &NewOrder,
    order_id: OrderId,
    list: Option<ListPlace>,
) -> Result<Option<Box<Work>>, Refusal> {
    let instrument = state.by_symbol(&new.symbol);
    let mut instructions = new.instructions.clone();
    let end = match new.time_in_force {
        TimeInForce::Gtd => new.expire_at.unwrap_or(Time(i64::MAX)),
        TimeInForce::Gtc => Time(i64::MAX),
        _ => config.day_end(instrument, now),
    };
    let begin = instructions.good_after.unwrap_or(now);
    let asked_algo = instructions.algo.is_some();
    if let Some(algo) = &mut instructions.algo {
        fill_in(algo, begin, end, order_id);
        algo.validate(new.order_qty)?;
        if algo.end > end {
            return Err(Refusal::new(Code::ValidationError, "end_time must not be after the end of the order"));
        }
    }
    if let Some(emulation) = emulation(new) {
        let mut algo = emulation;
        (algo.start, algo.end) = (begin, end);
        algo.seed = seed_of(order_id);
        instructions.algo = Some(algo);
    }
    let held_stop = new.ord_type.has_stop() && (new.ord_type.is_trailing() || instructions.emulate || !has_native_stops(state, new));
    let emulated = held_stop || !new.ord_type.is_native() || instructions.max_floor.is_some() || new.time_in_force == TimeInForce::Opg;
    let release_at = release_at(state, new, config, instrument, now);
    if !asked_algo && !emulated && release_at.is_none() && list.is_none() {
        return Ok(None);
    }
    let link = list.map(|place| link(&place, order_id, new.order_qty));
    let armed_qty = link.filter(|link| link.armed_by.is_none()).map_or(Qty::ZERO, |link| link.list_qty);
    Ok(Some(Box::new(Work { instructions, emulated, release_at, link, armed_qty, ..Work::default() })))
}

fn link(place: &ListPlace, order_id: OrderId, list_qty: Qty) -> Link {
    let arms = matches!(place.contingency, ContingencyType::Oto | ContingencyType::Otoco);
    Link {
        list_id: place.first.unwrap_or(order_id),
        contingency: place.contingency,
        armed_by: place.first.filter(|_| arms),
        arm: place.arm,
        list_qty,
    }
}

/// What the client leaves open: from now on, to the end of the order, with a seed of its own.
fn fill_in(algo: &mut AlgoParams, begin: Time, end: Time, order_id: OrderId) {
    if algo.start == Time::default() {
        algo.start = begin;
    }
    if algo.end == Time::default() {
        algo.end = end.min(algo.start.plus(oms_model::algo::MAX_LIFE_NS));
    }
    if algo.seed == 0 {
        algo.seed = seed_of(order_id);
    }
}

/// An order's own seed: the same at every replay, another for each order.
fn seed_of(order_id: OrderId) -> u64 {
    let id = order_id.as_u128();
    (id >> 64) as u64 ^ id as u64
}

fn emulation(new: &NewOrder) -> Option<AlgoParams> {
    if let Some(peg) = new.instructions.peg {
        let leftover = Leftover::Cancel;
        return Some(AlgoParams { algo: Algo::Peg, peg: Some(peg), interval_ns: PEG_INTERVAL_NS, leftover, ..AlgoParams::default() });
    }
    new.instructions.max_floor.map(iceberg)
}

/// What an order waits for before anything of it is sent: the time that its type or its client names, or the opening.
fn release_at(state: &State, new: &NewOrder, config: &Config, instrument: Option<&Instrument>, now: Time) -> Option<Time> {
    match new.ord_type {
        OrdType::MarketOnClose | OrdType::LimitOnClose => Some(config.on_close(instrument, now)),
        _ if new.time_in_force == TimeInForce::Opg => Some(config.day_open(instrument, now)),
        // A person who works an order sees that the market is closed.
        _ if new.routing.care => new.instructions.good_after,
        _ => {
            let from = new.instructions.good_after.unwrap_or(now).max(now);
            let at = opening(state, new, config, instrument, from);
            if at > from { Some(at) } else { new.instructions.good_after }
        }
    }
}

/// So often a market that opens into a maintenance, or a maintenance that ends after the close, is followed.
const MOST_TURNS: usize = 8;

/// The first moment from `from` on at which the market is open and a venue that the order may go to is in no maintenance;
/// `from` where there is none within a month, which the gate refuses.
fn opening(state: &State, new: &NewOrder, config: &Config, instrument: Option<&Instrument>, from: Time) -> Time {
    let mut at = from;
    for _ in 0..MOST_TURNS {
        let open = match config.opening(instrument, at) {
            Opening::Open => at,
            Opening::At(open) => open,
            Opening::Never => return from,
        };
        match config.all_in_maintenance(eligible(state, new.routing.venue), open) {
            Some(until) => at = until,
            None => return open,
        }
    }
    at
}

/// The venues that an order may go to, as far as its client and the configuration say.
pub(crate) fn eligible(state: &State, named: Option<Mic>) -> impl Iterator<Item = Mic> + '_ {
    state
        .venues()
        .filter(|entry| entry.venue.enabled)
        .map(|entry| entry.venue.venue)
        .filter(move |mic| named.is_none_or(|named| named == *mic))
}

/// Whether a venue that the order may go to has stops of its own.
fn has_native_stops(state: &State, new: &NewOrder) -> bool {
    let named = new.routing.venue;
    let eligible = |mic| named.is_none_or(|named| named == mic);
    state.venues().any(|entry| entry.venue.enabled && !entry.venue.lacks_stops && eligible(entry.venue.venue))
}
