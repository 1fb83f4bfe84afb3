//! What an order asks beyond quantity and price: triggers, trails, pegs, display, algorithms, lists.

use super::decode::Fields;
use super::orders::share;
use super::write::Writer;
use oms_model::algo::{AlgoParams, CurvePart, MAX_CURVE, Peg};
use oms_model::amount::AmountError;
use oms_model::event::{AlgoStepped, OrderArmed, OrderTriggered, PeerFilled, SliceReleased, StopMoved};
use oms_model::work::{ArmRule, ContingencyType, Instructions, Trail, Work};
use oms_model::{Decimal, Price, Qty, Refusal};

/// The fields of a new order that are instructions.
pub const INSTRUCTIONS: &[&str] = &["trigger_source", "trail", "peg", "max_floor", "good_after", "emulate", "algo"];
/// The fields of `trail`.
pub const TRAIL: &[&str] = &["amount", "percent", "limit_offset"];
/// The fields of `peg`.
pub const PEG: &[&str] = &["peg_price", "offset", "cap"];
/// The fields of `algo`.
pub const ALGO: &[&str] = &[
    "strategy",
    "start_time",
    "end_time",
    "slices",
    "interval_ms",
    "variance",
    "max_participation",
    "min_participation",
    "urgency",
    "slice_qty",
    "curve",
    "expected_volume",
    "peg",
    "leftover",
    "seed",
];

/// The instructions of a new order.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn instructions(order: &Fields<'_, '_>) -> Result<Instructions, Refusal> {
    Ok(Instructions {
        trigger_source: order.parsed("trigger_source")?,
        trail: trail(order)?,
        peg: peg(order)?,
        max_floor: order.amount("max_floor")?,
        good_after: order.time("good_after")?,
        emulate: order.bool("emulate")?.unwrap_or(false),
        algo: algo(order)?,
    })
}

fn trail(order: &Fields<'_, '_>) -> Result<Option<Trail>, Refusal> {
    let Some(value) = order.get("trail") else { return Ok(None) };
    let at = order.path("trail.");
    let fields = Fields::of(value, &at, TRAIL)?;
    let percent: Decimal = amount(&fields, "percent")?;
    // One percent is 10,000 parts per million, and a Decimal counts 10^-9.
    let ppm = u32::try_from(percent.raw() / 100_000).ok().filter(|_| percent.raw() % 100_000 == 0);
    Ok(Some(Trail {
        amount: amount(&fields, "amount")?,
        ppm: ppm.ok_or_else(|| fields.bad("percent", "must not be below zero, with four fractional digits at most"))?,
        limit_offset: amount(&fields, "limit_offset")?,
    }))
}

fn peg(object: &Fields<'_, '_>) -> Result<Option<Peg>, Refusal> {
    let Some(value) = object.get("peg") else { return Ok(None) };
    let at = object.path("peg.");
    let fields = Fields::of(value, &at, PEG)?;
    let reference = fields.required("peg_price", fields.parsed("peg_price")?)?;
    Ok(Some(Peg { reference, offset: amount(&fields, "offset")?, cap: fields.amount("cap")? }))
}

fn amount<T: core::str::FromStr<Err = AmountError> + Default>(fields: &Fields<'_, '_>, name: &str) -> Result<T, Refusal> {
    Ok(fields.amount(name)?.unwrap_or_default())
}

fn algo(order: &Fields<'_, '_>) -> Result<Option<AlgoParams>, Refusal> {
    let Some(value) = order.get("algo") else { return Ok(None) };
    let at = order.path("algo.");
    let fields = Fields::of(value, &at, ALGO)?;
    let interval_ms: u32 = fields.count("interval_ms")?.unwrap_or(0);
    Ok(Some(AlgoParams {
        algo: fields.required("strategy", fields.parsed("strategy")?)?,
        start: fields.time("start_time")?.unwrap_or_default(),
        end: fields.time("end_time")?.unwrap_or_default(),
        slices: fields.count("slices")?.unwrap_or(0),
        interval_ns: i64::from(interval_ms) * 1_000_000,
        variance_ppm: part(&fields, "variance")?,
        max_participation_ppm: part(&fields, "max_participation")?,
        min_participation_ppm: part(&fields, "min_participation")?,
        urgency_ppm: part(&fields, "urgency")?,
        slice_qty: amount::<Qty>(&fields, "slice_qty")?,
        curve: curve(&fields)?,
        expected_volume: amount::<Qty>(&fields, "expected_volume")?,
        peg: peg(&fields)?,
        leftover: fields.parsed("leftover")?.unwrap_or_default(),
        seed: fields.count("seed")?.unwrap_or(0),
    }))
}

/// A part of one, in parts per million.
fn part(fields: &Fields<'_, '_>, name: &str) -> Result<u32, Refusal> {
    let part: Decimal = amount(fields, name)?;
    let ppm = u32::try_from(part.raw() / 1_000).ok().filter(|ppm| *ppm <= 1_000_000 && part.raw() % 1_000 == 0);
    ppm.ok_or_else(|| fields.bad(name, "must lie between 0 and 1, with six fractional digits at most"))
}

fn curve(fields: &Fields<'_, '_>) -> Result<Vec<CurvePart>, Refusal> {
    let items = fields.array("curve")?.unwrap_or_default();
    if items.len() > MAX_CURVE {
        return Err(fields.bad("curve", format_args!("holds {} weights; the most is {MAX_CURVE}", items.len())));
    }
    let weight = |value: &super::read::Value<'_>| match value {
        super::read::Value::Number(text) => text.parse().ok().map(|weight| CurvePart { weight }),
        _ => None,
    };
    items.iter().map(|value| weight(value).ok_or_else(|| fields.bad("curve", "must hold whole numbers from 0 to 4294967295"))).collect()
}

/// What the orders of a batch mean for each other, where they do.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn contingency(batch: &Fields<'_, '_>) -> Result<Option<(ContingencyType, ArmRule)>, Refusal> {
    let arm: Option<ArmRule> = batch.parsed("arm")?;
    match batch.parsed("contingency")? {
        Some(contingency) => Ok(Some((contingency, arm.unwrap_or_default()))),
        None if arm.is_some() => Err(batch.bad("arm", "is for orders with a contingency")),
        None => Ok(None),
    }
}

/// What the engine works an order by, within an object that is open.
pub fn work_fields(w: &mut Writer, work: &Work) {
    w.bool("emulated", work.emulated);
    w.time_or_null("release_at", work.release_at);
    let asked = &work.instructions;
    w.text_or_null("trigger_source", asked.trigger_source);
    w.bool("triggered", work.triggered);
    w.bool("suspended", work.suspended);
    w.text_or_null("stop_px", work.stop_px);
    match &asked.trail {
        None => w.null("trail"),
        Some(trail) => w.object_at("trail", |w| trail_fields(w, trail)),
    }
    match &asked.peg {
        None => w.null("peg"),
        Some(peg) => w.object_at("peg", |w| peg_fields(w, peg)),
    }
    w.text_or_null("max_floor", asked.max_floor);
    match &asked.algo {
        None => w.null("algo"),
        Some(algo) => w.object_at("algo", |w| algo_fields(w, algo)),
    }
    match &work.link {
        None => w.null("list"),
        Some(link) => w.object_at("list", |w| {
            w.text("list_id", link.list_id);
            w.text("contingency", link.contingency);
            w.text_or_null("armed_by", link.armed_by);
            w.text("arm", link.arm);
            w.text("list_qty", link.list_qty);
            w.text("armed_qty", work.armed_qty);
            w.text("taken_qty", work.taken_qty);
        }),
    }
    w.number("slices", work.slices);
    w.text("released_qty", work.released_qty);
    w.time_or_null("wake", work.wake);
    w.bool("on_market", work.on_market);
    w.text("volume", work.volume);
}

fn trail_fields(w: &mut Writer, trail: &Trail) {
    w.text("amount", trail.amount);
    w.text("percent", Decimal::from_raw(i128::from(trail.ppm) * 100_000));
    w.text("limit_offset", trail.limit_offset);
}

fn peg_fields(w: &mut Writer, peg: &Peg) {
    w.text("peg_price", peg.reference);
    w.text("offset", peg.offset);
    w.text_or_null("cap", peg.cap);
}

fn algo_fields(w: &mut Writer, algo: &AlgoParams) {
    w.text("strategy", algo.algo);
    w.time("start_time", algo.start);
    w.time("end_time", algo.end);
    w.number("slices", algo.slices);
    w.number("interval_ms", u64::try_from(algo.interval_ns / 1_000_000).unwrap_or(0));
    w.text("variance", share(algo.variance_ppm));
    w.text("max_participation", share(algo.max_participation_ppm));
    w.text("min_participation", share(algo.min_participation_ppm));
    w.text("urgency", share(algo.urgency_ppm));
    w.text("slice_qty", algo.slice_qty);
    w.text("expected_volume", algo.expected_volume);
    w.text("leftover", algo.leftover);
    w.number("seed", algo.seed);
}

/// See [`OrderTriggered`].
pub fn triggered(w: &mut Writer, e: &OrderTriggered) {
    w.text("source", e.source);
    w.text_or_null("stop_px", e.stop_px);
    w.text_or_null("seen_px", e.seen_px);
}

/// See [`StopMoved`].
pub fn stop_moved(w: &mut Writer, e: &StopMoved) {
    w.text("stop_px", e.stop_px);
    w.text("seen_px", e.seen_px);
}

/// See [`SliceReleased`].
pub fn slice_released(w: &mut Writer, e: &SliceReleased) {
    w.text("slice_id", e.slice_id);
    w.text("qty", e.qty);
    w.text_or_null("price", e.price);
    w.bool("leftover", e.leftover);
    w.string("reason", &e.reason);
}

/// See [`AlgoStepped`].
pub fn algo_stepped(w: &mut Writer, e: &AlgoStepped) {
    w.text("action", e.action);
    w.text_or_null("price", e.price);
    w.time_or_null("wake", e.wake);
    w.bool("on_market", e.on_market);
    w.text("volume", e.volume);
    w.string("reason", &e.reason);
}

/// See [`OrderArmed`].
pub fn armed(w: &mut Writer, e: &OrderArmed) {
    w.text("by", e.by);
    w.text("armed_qty", e.armed_qty);
}

/// See [`PeerFilled`].
pub fn peer_filled(w: &mut Writer, e: &PeerFilled) {
    w.text("by", e.by);
    w.text("taken_qty", e.taken_qty);
}

/// A price, or that there is none.
fn priced(price: Option<Price>) -> String {
    price.map_or_else(String::new, |price| format!(" at {price}"))
}

/// What an event about a worked order says, in a sentence; `None` for other events.
#[must_use]
pub fn sentence(event: &oms_model::Event) -> Option<String> {
    use oms_model::Event;
    let text = match event {
        Event::OrderTriggered(e) => {
            let seen = e.seen_px.map_or_else(String::new, |seen| format!(" by {} at {seen}", e.source));
            format!("stop{} reached{seen}", e.stop_px.map_or_else(String::new, |stop| format!(" {stop}")))
        }
        Event::StopMoved(e) => format!("stop follows to {}, {} seen", e.stop_px, e.seen_px),
        Event::SliceReleased(e) => format!("slice of {}{}: {}", e.qty, priced(e.price), e.reason),
        Event::AlgoStepped(e) => format!("{}{}: {}", e.action, priced(e.price), e.reason),
        Event::OrderArmed(e) => format!("{} armed by order {}", e.armed_qty, e.by),
        Event::PeerFilled(e) => format!("{} executed by others of its list, the last of it by order {}", e.taken_qty, e.by),
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests;
