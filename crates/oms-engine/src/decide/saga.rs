//! A replace of an order with working parts, as a saga.
//!
//! - Forward, one part after another: a smaller quantity is taken from what is unplaced first, then from the newest part;
//!   a larger one goes to the only part or, once the replace is through, to new ones. Prices go to every part.
//! - Where a part refuses, the parts that were changed before are put back, the last one first. One that cannot be put
//!   back is canceled, so that nothing works on terms that the order does not have.
//! - A part that has parts itself is changed by the same steps, one level down.
//! - Each step is a fact of the order, unless there can be only one.

use super::{cancel, parent, route, tree};
use crate::state::Entry;
use crate::step::Step;
use oms_model::event::{Event, OrderAnomaly, OrderReplaceRequested, OrderReplaced, RequestRejected, SagaStepped};
use oms_model::order::Terms;
use oms_model::{Anomaly, EndedBy, IntentKind, OrdState, Order, OrderId, Pending, Qty, SagaPhase};

/// How a replace stands.
pub(crate) enum Decided {
    /// Parts have not answered yet, or none is pending.
    No,
    /// The new terms hold.
    Replaced,
    /// The order stands as it was, for this reason.
    Refused(String),
}

/// What a replace asks of one working part.
#[derive(Clone, Copy)]
enum PartChange {
    Replace(Terms),
    Cancel,
}

/// Takes a replace on and goes as far as nothing has to be asked at a venue.
pub(crate) fn begin(step: &mut Step<'_>, order_id: OrderId, terms: Terms) -> Decided {
    step.emit(Event::OrderReplaceRequested(OrderReplaceRequested { order_id, terms }));
    advance(step, order_id)
}

/// Goes on with an order's pending replace as far as its parts have answered.
pub(crate) fn advance(step: &mut Step<'_>, order_id: OrderId) -> Decided {
    // Each turn changes one part, and each part is changed at most once each way; parts that were filled meanwhile only
    // make it shorter.
    for _ in 0..=2 * tree::MAX_CHILDREN {
        let Some(order) = step.state().order(order_id).cloned() else { return Decided::No };
        let Some(terms) = order.extras.replacing.as_deref().copied() else { return Decided::No };
        if is_undecided(step, &order) {
            return Decided::No;
        }
        let back = order.extras.saga.as_deref().is_some_and(|saga| saga.phase == SagaPhase::Back);
        if order.pending == Pending::Cancel {
            // A cancel that came meanwhile decides what becomes of the parts; what had gone back is refused all the same.
            let refusal = order.extras.saga.as_deref().filter(|_| back).map(|saga| saga.text.clone());
            return conclude(step, &order, terms, refusal);
        }
        if back {
            let Some(last) = order.extras.saga.as_deref().and_then(|saga| saga.done.last()).copied() else {
                let text = order.extras.saga.as_deref().map(|saga| saga.text.clone()).unwrap_or_default();
                return conclude(step, &order, terms, Some(text));
            };
            put_back(step, &order, last.order_id, last.before);
            continue;
        }
        let changes = part_changes(step, &order, &terms);
        let Some(&(part_id, change)) = changes.first() else { return conclude(step, &order, terms, None) };
        if let Some(refusal) = forward(step, &order, part_id, change, changes.len())
            && let Decided::Refused(text) = refused_below(step, order_id, part_id, &refusal)
        {
            return Decided::Refused(text);
        }
    }
    Decided::No
}

/// Whether a part has not answered yet. A cancel of the order that came meanwhile waits for the answers to the replace,
/// not the other way round.
fn is_undecided(step: &Step<'_>, order: &Order) -> bool {
    let canceling = order.pending == Pending::Cancel;
    let asked = |part: &Order| part.extras.replacing.is_some() || (!canceling && part.pending != Pending::None);
    step.state().children(order).any(|part| part.is_working() && asked(&part.order))
}

/// Asks one part to change. The reason, where it has refused already.
fn forward(step: &mut Step<'_>, order: &Order, part_id: OrderId, change: PartChange, changes: usize) -> Option<String> {
    let part = step.state().order(part_id).cloned()?;
    let saga = order.extras.saga.as_deref();
    // A part that is filled works again where an execution is taken back, and then there is more than one to change.
    let may_grow = || step.state().children(order).any(|part| part.order.state == OrdState::Filled);
    if changes > 1 || saga.is_some() || may_grow() {
        let nth = saga.map_or(0, |saga| saga.step) + 1;
        stepped(step, order.order_id, SagaPhase::Forward, nth, Some((part_id, part.terms())), String::new());
    }
    match change {
        PartChange::Cancel if part.is_leg() => cancel::cancel_leg(step, part_id, EndedBy::Client),
        PartChange::Cancel => cancel::cancel_tree(step, part_id, EndedBy::Client),
        PartChange::Replace(terms) => return replace_part(step, &part, terms),
    }
    None
}

fn replace_part(step: &mut Step<'_>, part: &Order, terms: Terms) -> Option<String> {
    let order_id = part.order_id;
    if !part.is_leg() {
        return match begin(step, order_id, terms) {
            Decided::Refused(text) => Some(text),
            Decided::No | Decided::Replaced => None,
        };
    }
    let unknown = part.extras.doubt.is_some() || step.state().entry(order_id).is_some_and(|leg| leg.request().is_some());
    if unknown {
        // It came in doubt since the replace was taken on; nothing can be asked of it before that has ended.
        return Some("its outcome at the venue is not known".to_owned());
    }
    step.emit(Event::OrderReplaceRequested(OrderReplaceRequested { order_id, terms }));
    route::send(step, order_id, IntentKind::Replace);
    None
}

fn stepped(step: &mut Step<'_>, order_id: OrderId, phase: SagaPhase, nth: u32, part: Option<(OrderId, Terms)>, text: String) {
    let (part, before) = part.map_or((None, None), |(part, before)| (Some(part), Some(before)));
    step.emit(Event::SagaStepped(Box::new(SagaStepped { order_id, phase, step: nth, part, before, text })));
}

/// A part of an order whose replace is pending has refused: what was changed before is put back, where there is any.
pub(crate) fn refused_below(step: &mut Step<'_>, order_id: OrderId, part_id: OrderId, text: &str) -> Decided {
    let Some(order) = step.state().order(order_id).cloned() else { return Decided::No };
    let Some(terms) = order.extras.replacing.as_deref().copied() else { return Decided::No };
    let reason = format!("a part of it could not be replaced: {text}");
    match order.extras.saga.as_deref() {
        None => return conclude(step, &order, terms, Some(reason)),
        Some(saga) if saga.phase == SagaPhase::Back => not_put_back(step, order_id, part_id, text),
        Some(saga) => {
            // One that its venue changed all the same, and whose cancel was refused since, is put back with the others.
            let last = saga.done.iter().rfind(|done| done.order_id == part_id);
            let is_changed = last.is_some_and(|done| step.state().order(part_id).is_some_and(|part| part.terms() != done.before));
            let refused = (!is_changed).then(|| (part_id, Terms::default()));
            stepped(step, order_id, SagaPhase::Back, saga.step, refused, reason);
        }
    }
    advance(step, order_id)
}

/// A part that would not be put back may not work on terms that the order does not have.
fn not_put_back(step: &mut Step<'_>, order_id: OrderId, part_id: OrderId, text: &str) {
    let detail = format!("part {part_id} could not be put back and is canceled: {text}");
    step.emit(Event::OrderAnomaly(OrderAnomaly { order_id, anomaly: Anomaly::NotPutBack, detail }));
    let Some(part) = step.state().entry(part_id).filter(|part| part.is_working()) else { return };
    if part.order.is_leg() {
        cancel::cancel_leg(step, part_id, EndedBy::Router);
    } else {
        cancel::cancel_tree(step, part_id, EndedBy::Router);
    }
}

/// Gives a part that was changed the terms that it had before, where it still works on others.
fn put_back(step: &mut Step<'_>, order: &Order, part_id: OrderId, before: Terms) {
    let nth = order.extras.saga.as_deref().map_or(0, |saga| saga.step);
    let works = step.state().entry(part_id).filter(|part| part.is_working()).map(|part| part.order.clone());
    let Some(part) = works.filter(|part| part.terms() != before && before.order_qty > part.cum_qty) else {
        return stepped(step, order.order_id, SagaPhase::Back, nth, Some((part_id, before)), "there is nothing to put back".to_owned());
    };
    stepped(step, order.order_id, SagaPhase::Back, nth, Some((part_id, before)), String::new());
    if let Some(text) = replace_part(step, &part, before) {
        not_put_back(step, order.order_id, part_id, &text);
    }
}

/// The replace is decided: the new terms hold where every part fits them, and the old ones otherwise.
fn conclude(step: &mut Step<'_>, order: &Order, terms: Terms, refusal: Option<String>) -> Decided {
    let order_id = order.order_id;
    // What was executed meanwhile cannot be ordered away: a quantity below it is amended to it (FIX 4.4 Vol. 4 App. D, C.2.c).
    let terms = Terms { order_qty: terms.order_qty.max(order.cum_qty), ..terms };
    let own_prices = order.extras.work.is_some();
    let fits = |part: &Entry| {
        let part = if part.is_working() { &part.order } else { return true };
        // A slice has a price of its own within the order's.
        let price = if own_prices { parent::within(part.side, part.price, terms.price) } else { part.price == terms.price.or(part.price) };
        let price_fits = !part.ord_type.has_price() || price;
        price_fits && (!part.ord_type.has_stop() || part.extras.stop_px == terms.stop_px.or(part.extras.stop_px))
    };
    let prices_fit = order.price == terms.price && order.extras.stop_px == terms.stop_px;
    let all_fit = prices_fit || step.state().children(order).all(fits);
    let refusal = match refusal {
        None if all_fit && parent::placed(step, order) <= terms.order_qty => None,
        None => Some("not every part could be replaced".to_owned()),
        Some(text) => Some(text),
    };
    if refusal.is_some() && order.pending == Pending::Cancel {
        cancel_changed(step, order);
    }
    if let Some(saga) = order.extras.saga.as_deref() {
        let phase = if refusal.is_none() { SagaPhase::Done } else { SagaPhase::Undone };
        stepped(step, order_id, phase, saga.step, None, String::new());
    }
    let decided = if let Some(text) = refusal {
        let rejected = RequestRejected { order_id, by: EndedBy::Venue, text: format!("{text}; the order stands as it was") };
        step.emit(Event::ReplaceRejected(rejected));
        Decided::Refused(text)
    } else {
        step.emit(Event::OrderReplaced(OrderReplaced { order_id, terms, revision: 0 }));
        Decided::Replaced
    };
    parent::place_rest(step, order_id, "replaced");
    decided
}

/// The order is on its way out and keeps its terms; a part that was changed before and whose cancel was refused is asked
/// again, for it may not work on terms that the order does not have.
fn cancel_changed(step: &mut Step<'_>, order: &Order) {
    let changed: Vec<(OrderId, Terms)> =
        order.extras.saga.as_deref().map_or_else(Vec::new, |saga| saga.done.iter().map(|done| (done.order_id, done.before)).collect());
    for (part_id, before) in changed {
        let Some(part) = step.state().entry(part_id).filter(|part| part.is_working()).map(|part| part.order.clone()) else { continue };
        if part.terms() == before || part.pending == Pending::Cancel {
            continue;
        }
        if part.is_leg() {
            cancel::cancel_leg(step, part_id, EndedBy::Router);
        } else {
            cancel::cancel_tree(step, part_id, EndedBy::Router);
        }
    }
}

/// What the parts have to change for the order to fit `terms`, in the order of the steps: newest first.
fn part_changes(step: &Step<'_>, order: &Order, terms: &Terms) -> Vec<(OrderId, PartChange)> {
    let working: Vec<&Order> = step.state().children(order).filter(|part| part.is_working()).map(|part| &part.order).collect();
    let placed = parent::placed(step, order);
    let mut surplus = placed.saturating_sub(terms.order_qty).max(Qty::ZERO);
    let grows = if working.len() == 1 && !order.is_worked() { terms.order_qty.saturating_sub(placed).max(Qty::ZERO) } else { Qty::ZERO };
    let own_prices = order.extras.work.as_deref().is_some_and(|work| work.instructions.algo.is_some());
    let mut changes: Vec<(OrderId, PartChange)> = Vec::new();
    for part in working.iter().rev() {
        let mut wanted = part.terms();
        // A slice keeps the price that its algorithm gave it while that is within the new limit.
        let keeps = own_prices && parent::within(part.side, part.price, terms.price);
        wanted.price = terms.price.filter(|_| part.ord_type.has_price() && !keeps).or(part.price);
        wanted.stop_px = terms.stop_px.filter(|_| part.ord_type.has_stop()).or(part.extras.stop_px);
        let cut = surplus.min(part.open_qty());
        surplus = surplus.saturating_sub(cut);
        wanted.order_qty = wanted.order_qty.saturating_sub(cut).saturating_add(grows);
        if wanted.order_qty <= part.cum_qty {
            changes.push((part.order_id, PartChange::Cancel));
        } else if wanted != part.terms() {
            changes.push((part.order_id, PartChange::Replace(wanted)));
        }
    }
    changes
}
