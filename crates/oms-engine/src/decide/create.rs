//! A client's new order, task by task as [`crate::pipeline::Task`] names them.

use super::instruct::{self, ListPlace};
use super::{hold, overrides, quote, refused, route, valued};
use crate::input::Preview;
use crate::state::State;
use crate::step::Step;
use oms_model::asset_class::{CalendarKind, rules_of};
use oms_model::command::{Actor, CommandOutcome, NewOrder, Placed};
use oms_model::compliance::Compliance;
use oms_model::event::{Event, OrderCreated, OrderRejected, RiskChecked, ThrottleTripped};
use oms_model::instrument::Instrument;
use oms_model::market::Market;
use oms_model::order::{Basis, Routing};
use oms_model::overrides::MAX_NAMED;
use oms_model::work::{ArmRule, ContingencyType, Work};
use oms_model::{
    AccountId, ClOrdId, Code, EndedBy, InstrumentId, OrdType, Order, OrderId, PolicyName, Qty, Refusal, SorMode, Time, TimeInForce,
};
use oms_risk::{Gate, Proposed, Reservation, RiskBook, RiskContext};

/// What an order's names stand for.
struct Resolved {
    instrument_id: InstrumentId,
    account_id: AccountId,
}

pub(crate) fn create(step: &mut Step<'_>, actor: &Actor, new: &NewOrder) -> Placed {
    create_in(step, actor, new, None)
}

/// Creates an order, in its place in a list where it has one.
fn create_in(step: &mut Step<'_>, actor: &Actor, new: &NewOrder, list: Option<ListPlace>) -> Placed {
    let resolved = match resolve(step.state(), new) {
        Ok(resolved) => resolved,
        Err(refusal) => return Placed::Invalid(refusal),
    };
    let new = &*instruct::with_stop(step, new, resolved.instrument_id);
    let order_id = step.new_order_id();
    let (work, unworkable) = match work_of(step, new, order_id, list) {
        Ok(work) => (work, None),
        Err(refusal) => (None, Some(by_rules(refusal))),
    };
    let refusal = valid(step, new, &resolved).err().or(unworkable);
    let created = created(step, actor, new, &resolved, order_id, work);
    step.emit(Event::OrderCreated(Box::new(created)));
    if let Some((by, refusal)) = refusal {
        return reject(step, order_id, by, &refusal);
    }
    let Some(order) = step.state().order(order_id).cloned() else { return Placed::Invalid(vanished()) };
    let gate = step.with_market(order.instrument_id, |state, market, now| gate(state, state.risk(), &order, market, now));
    decided(step, &order, gate)
}

/// What the gate found is recorded; then the order is sent, waits, or is refused.
fn decided(step: &mut Step<'_>, order: &Order, gate: Gate) -> Placed {
    let order_id = order.order_id;
    let (worst_price, results, seen) = (gate.worst_price, gate.results, Some(gate.seen));
    step.emit(Event::RiskChecked(Box::new(RiskChecked { order_id, worst_price, results, seen })));
    if let Some((scope, value, limit)) = gate.trips {
        step.emit(Event::ThrottleTripped(ThrottleTripped { scope, value, limit }));
    }
    overrides::used(step, order_id, gate.overridden);
    match (gate.verdict, gate.hold) {
        (Ok(_), Some(reason)) => {
            hold::hold(step, order_id, reason, gate.met);
            Placed::Accepted { order_id }
        }
        // Nothing is sent of an order that a person works until they say so. One that the engine works is looked at
        // before the batch ends.
        (Ok(_), None) if order.is_worked() => Placed::Accepted { order_id },
        (Ok(approved), None) => hold::send(step, approved, order_id),
        (Err(refused), _) => {
            hold::refused_for(step, order_id, order.order_qty, gate.met.filter(|_| refused.code == Code::SelfMatch));
            reject(step, order_id, EndedBy::Risk, &refused.to_refusal())
        }
    }
}

fn reject(step: &mut Step<'_>, order_id: OrderId, by: EndedBy, refusal: &Refusal) -> Placed {
    step.emit(Event::OrderRejected(OrderRejected { order_id, by, code: refusal.code, text: refusal.message.clone() }));
    Placed::Refused { order_id, code: refusal.code }
}

pub(crate) fn vanished() -> Refusal {
    Refusal::new(Code::Internal, "the order is not in the state")
}

pub(crate) fn create_many(step: &mut Step<'_>, actor: &Actor, orders: &[NewOrder], atomic: bool) -> CommandOutcome {
    if orders.is_empty() || orders.len() > oms_model::command::MAX_BATCH {
        let text = format!("a batch holds 1 to {} orders", oms_model::command::MAX_BATCH);
        return refused(Refusal::new(Code::ValidationError, text).with("orders", orders.len()));
    }
    if orders.iter().any(|order| order.quote_id.is_some()) {
        return refused(Refusal::new(Code::ValidationError, "an order that accepts a quote is placed by itself, not in a batch"));
    }
    if atomic && let Err(refusal) = rehearse(step, actor, orders) {
        return refused(refusal);
    }
    CommandOutcome::Orders(orders.iter().map(|order| create(step, actor, order)).collect())
}

/// Creates orders that mean something for each other: all of them or none.
pub(crate) fn create_list(
    step: &mut Step<'_>,
    actor: &Actor,
    orders: &[NewOrder],
    contingency: ContingencyType,
    arm: ArmRule,
) -> CommandOutcome {
    if orders.len() < 2 || orders.len() > MAX_LIST {
        let text = format!("a list holds 2 to {MAX_LIST} orders");
        return refused(Refusal::new(Code::ValidationError, text).with("orders", orders.len()));
    }
    if let Err(refusal) = same_instrument(orders, contingency).and_then(|()| rehearse(step, actor, orders)) {
        return refused(refusal);
    }
    let mut placed: Vec<Placed> = Vec::with_capacity(orders.len());
    let mut first = None;
    for order in orders {
        let one = create_in(step, actor, order, Some(ListPlace { first, contingency, arm }));
        if let (None, Placed::Accepted { order_id } | Placed::Refused { order_id, .. }) = (first, &one) {
            first = Some(*order_id);
        }
        placed.push(one);
    }
    CommandOutcome::Orders(placed)
}

/// The most orders in a list.
const MAX_LIST: usize = 10;

/// Orders that stand in for each other are in the same instrument and of the same quantity; a list whose first order
/// arms the others protects it, so they are on the other side.
fn same_instrument(orders: &[NewOrder], contingency: ContingencyType) -> Result<(), Refusal> {
    let refuse = |text: &str| Err(Refusal::new(Code::ValidationError, text));
    let Some((first, rest)) = orders.split_first() else { return Ok(()) };
    if rest.iter().any(|order| order.symbol != first.symbol || order.account_id != first.account_id) {
        return refuse("the orders of a list have one symbol and one account");
    }
    if orders.iter().any(|order| matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok)) && contingency != ContingencyType::Oto
    {
        return refuse("orders that exclude each other wait, so they cannot be IOC or FOK");
    }
    let protects = |order: &&NewOrder| order.side.is_buy() != first.side.is_buy();
    let protection = rest.iter().filter(protects).try_fold(Qty::ZERO, |sum, order| sum.checked_add(order.order_qty));
    if contingency == ContingencyType::Oto && protection.is_none_or(|sum| sum > first.order_qty) {
        return refuse("orders on the other side of the first protect it, so together they are no larger");
    }
    let mut sides = rest.iter().map(|order| order.side.is_buy());
    match contingency {
        ContingencyType::Otoco if sides.any(|buy| buy == first.side.is_buy()) => refuse("a bracket's protection is on the other side"),
        ContingencyType::Otoco | ContingencyType::Ouo if rest.iter().any(|order| order.order_qty != first.order_qty) => {
            refuse("the orders of the list have one quantity")
        }
        _ => Ok(()),
    }
}

/// Whether all of `orders`, one after the other, would pass validation and the gate.
///
/// Works on a copy of the risk book. The copy grows with accounts and instruments, not with orders.
fn rehearse(step: &mut Step<'_>, actor: &Actor, orders: &[NewOrder]) -> Result<(), Refusal> {
    let mut book = step.state().risk().clone();
    let mut seen: Vec<&ClOrdId> = Vec::new();
    for (at, new) in orders.iter().enumerate() {
        let named = |refusal: Refusal| {
            let text = format!("order {at} of the batch would be refused: {}", refusal.message);
            Refusal::new(Code::BatchRefused, text).with("index", at).with("code", refusal.code)
        };
        let resolved = resolve(step.state(), new).map_err(named)?;
        let stopped = instruct::with_stop(step, new, resolved.instrument_id);
        valid(step, &stopped, &resolved).map_err(|(_, refusal)| named(refusal))?;
        if let Some(id) = &new.cl_ord_id {
            if seen.contains(&id) {
                return Err(named(Refusal::new(Code::DuplicateClOrdId, "cl_ord_id occurs twice in the batch")));
            }
            seen.push(id);
        }
        let work = work_of(step, &stopped, OrderId::default(), None).map_err(named)?;
        let created = created(step, actor, &stopped, &resolved, OrderId::default(), work);
        let order = Order::create(&created, step.state().next_seq(), step.now());
        let gate = step.with_market(order.instrument_id, |state, market, now| gate(state, &book, &order, market, now));
        gate.verdict.as_ref().map_err(|refused| named(refused.to_refusal()))?;
        // What one order of the batch uses, the next cannot.
        gate.overridden.iter().for_each(|used| book.use_override(used.override_id, order.order_id));
        let valuation = step.state().risk_valuation(order.instrument_id).0;
        book.on_checked(&order, gate.worst_price, step.now(), &mut Reservation { valuation, ..Reservation::default() });
    }
    Ok(())
}

pub(crate) fn preview(step: &mut Step<'_>, actor: &Actor, new: &NewOrder) -> Preview {
    let refusal = |refusal| Preview { checks: Vec::new(), refusal: Some(refusal), route: None };
    let resolved = match resolve(step.state(), new) {
        Ok(resolved) => resolved,
        Err(error) => return refusal(error),
    };
    let new = &*instruct::with_stop(step, new, resolved.instrument_id);
    let valid = valid(step, new, &resolved).map_err(|(_, refusal)| refusal);
    let work = match valid.and_then(|()| work_of(step, new, OrderId::default(), None)) {
        Ok(work) => work,
        Err(error) => return refusal(error),
    };
    let created = created(step, actor, new, &resolved, OrderId::default(), work);
    let order = Order::create(&created, step.state().next_seq(), step.now());
    let gate = step.with_market(order.instrument_id, |state, market, now| gate(state, state.risk(), &order, market, now));
    match gate.verdict {
        Err(refused) => Preview { checks: gate.results, refusal: Some(refused.to_refusal()), route: None },
        Ok(_) => {
            let route = route::preview(step, &order);
            let refusal = route.legs.is_empty().then(|| Refusal::new(Code::NoRoute, "no venue is eligible"));
            Preview { checks: gate.results, refusal, route: Some(route) }
        }
    }
}

fn gate(state: &State, book: &RiskBook, order: &Order, market: &Market, now: Time) -> Gate {
    let own = valued::own_market(state, order, now).map(|own| own.market).or_else(|| quote::gate_market(state, order, market, now));
    let market = own.as_ref().unwrap_or(market);
    book.check(&Proposed::of(order), &risk_context(state, order, market, now))
}

/// What the gate may know about an order's surroundings.
pub(crate) fn risk_context<'a>(state: &'a State, order: &'a Order, market: &'a Market, now: Time) -> RiskContext<'a> {
    let (Some(instrument), Some(account)) = (state.instrument(order.instrument_id), state.account(order.account_id)) else {
        unreachable!("an order is created only for an instrument and an account that are known");
    };
    let position = state.position(order.account_id, order.instrument_id);
    let rate = state.risk_rate(instrument.currency);
    let overrides = order.extras.compliance.as_deref().map_or(&[][..], |said| &said.override_ids);
    RiskContext { now, market, instrument, account, position, rate, overrides }
}

/// The account that a command names, or the tenant's only one.
pub(crate) fn account_of(state: &State, named: Option<AccountId>) -> Result<AccountId, Refusal> {
    match named {
        Some(id) if state.account(id).is_some() => Ok(id),
        Some(id) => Err(Refusal::new(Code::NotFound, "there is no such account").with("account_id", id)),
        None => {
            let mut accounts = state.accounts();
            match (accounts.next(), accounts.next()) {
                (Some(only), None) => Ok(only.account_id),
                (None, _) => Err(Refusal::new(Code::NotFound, "the tenant has no account")),
                (Some(_), Some(_)) => Err(Refusal::new(Code::ValidationError, "account_id is needed: the tenant has several accounts")),
            }
        }
    }
}

fn resolve(state: &State, new: &NewOrder) -> Result<Resolved, Refusal> {
    let Some(instrument) = state.by_symbol(&new.symbol) else {
        return Err(Refusal::new(Code::UnknownSymbol, format!("there is no instrument {}", new.symbol)).with("symbol", &new.symbol));
    };
    let account_id = account_of(state, new.account_id)?;
    if let Some(id) = &new.cl_ord_id
        && let Some(original) = state.by_cl_ord_id(id)
    {
        return Err(Refusal::new(Code::DuplicateClOrdId, "cl_ord_id was used before").with("order_id", original));
    }
    if let Some(policy) = &new.routing.policy
        && state.policy(policy).is_none()
    {
        return Err(Refusal::new(Code::NotFound, "there is no such routing policy").with("policy", policy));
    }
    Ok(Resolved { instrument_id: instrument.instrument_id, account_id })
}

/// A refusal, and the task that it is of.
type RefusedBy = (EndedBy, Refusal);

fn by_rules(refusal: Refusal) -> RefusedBy {
    (EndedBy::Rules, refusal)
}

/// Every rule that an order by itself keeps. What is refused here is recorded as a refused order.
fn valid(step: &Step<'_>, new: &NewOrder, resolved: &Resolved) -> Result<(), RefusedBy> {
    if new.compliance.override_ids.len() > MAX_NAMED {
        let text = format!("an order names at most {MAX_NAMED} overrides");
        return Err((EndedBy::Validation, Refusal::new(Code::ValidationError, text)));
    }
    validate_type(new, step.now()).map_err(|refusal| (EndedBy::Validation, refusal))?;
    rules(step.state(), new, resolved, step.now()).map_err(by_rules)?;
    instruct::validate(new, &step.config, step.state().instrument(resolved.instrument_id), step.now()).map_err(by_rules)
}

fn work_of(step: &Step<'_>, new: &NewOrder, order_id: OrderId, list: Option<ListPlace>) -> Result<Option<Box<Work>>, Refusal> {
    instruct::work_of(step.state(), &step.config, step.now(), new, order_id, list)
}

/// The rules of the instrument's class, and of the quote that is accepted.
fn rules(state: &State, new: &NewOrder, resolved: &Resolved, now: Time) -> Result<(), Refusal> {
    let Some(instrument) = state.instrument(resolved.instrument_id) else { return Ok(()) };
    validate_class(instrument, new, now)?;
    valued::validate_cash(instrument, new)?;
    quote::validate(state, new, resolved.account_id, instrument, now)
}

/// What [`valid`] asks of a part that is worked on its own: what it is of was decided with the order above it.
pub(crate) fn validate_part(state: &State, instrument: InstrumentId, new: &NewOrder, now: Time) -> Result<(), Refusal> {
    if let Some(instrument) = state.instrument(instrument) {
        validate_class(instrument, new, now)?;
    }
    validate_type(new, now)
}

fn validate_class(instrument: &Instrument, new: &NewOrder, now: Time) -> Result<(), Refusal> {
    rules_of(instrument.asset_class).check(new)?;
    if instrument.is_expired(now) {
        let text = format!("{} has expired", instrument.symbol);
        return Err(Refusal::new(Code::InstrumentExpired, text).with("symbol", &instrument.symbol));
    }
    Ok(())
}

fn validate_type(new: &NewOrder, now: Time) -> Result<(), Refusal> {
    let refuse = |code: Code, text: String| Err(Refusal::new(code, text));
    let (ord_type, tif) = (new.ord_type, new.time_in_force);
    if new.price.is_some() != ord_type.has_price() {
        let need = if ord_type.has_price() { "needs a price" } else { "takes no price" };
        return refuse(Code::ValidationError, format!("a {ord_type} order {need}"));
    }
    // A trailing order may leave its stop to the market.
    if new.stop_px.is_some() != ord_type.has_stop() && !ord_type.is_trailing() {
        let need = if ord_type.has_stop() { "needs a stop_px" } else { "takes no stop_px" };
        return refuse(Code::ValidationError, format!("a {ord_type} order {need}"));
    }
    if new.expire_at.is_some() != (tif == TimeInForce::Gtd) {
        let need = if tif == TimeInForce::Gtd { "needs expire_at" } else { "takes no expire_at" };
        return refuse(Code::ValidationError, format!("a {tif} order {need}"));
    }
    if new.expire_at.is_some_and(|at| at <= now) {
        return refuse(Code::ValidationError, "expire_at is not in the future".to_owned());
    }
    let at_once = matches!(tif, TimeInForce::Ioc | TimeInForce::Fok);
    if at_once && ord_type.has_stop() {
        return refuse(Code::OrderTypeUnsupported, format!("a {ord_type} order waits, so it cannot be {tif}"));
    }
    if matches!(tif, TimeInForce::Gtc | TimeInForce::Gtd) && ord_type == OrdType::Market {
        return refuse(Code::OrderTypeUnsupported, format!("a MARKET order cannot be {tif}"));
    }
    if new.routing.care && at_once {
        return refuse(Code::OrderTypeUnsupported, format!("a care order waits for a person, so it cannot be {tif}"));
    }
    let named = new.routing.mode == Some(SorMode::Named);
    if named != new.routing.venue.is_some() {
        let text = if named { "mode NAMED needs a venue" } else { "a venue is named only with mode NAMED" };
        return refuse(Code::ValidationError, text.to_owned());
    }
    Ok(())
}

fn created(
    step: &Step<'_>,
    actor: &Actor,
    new: &NewOrder,
    resolved: &Resolved,
    order_id: OrderId,
    work: Option<Box<Work>>,
) -> OrderCreated {
    let instrument = step.state().instrument(resolved.instrument_id);
    let expire_at = expire_at(step, new, instrument);
    let order_qty = instrument.map_or(new.order_qty, |instrument| valued::order_qty(instrument, new));
    let quote_ref = new.quote_id.and_then(|id| step.state().quote(id)).map(|quote| quote.quote_ref.clone());
    let basis = Basis { cash_order_qty: new.cash_order_qty, quote_id: new.quote_id, quote_ref };
    let basis = (basis != Basis::default()).then(|| Box::new(basis));
    let cl_ord_id = new.cl_ord_id.clone().unwrap_or_else(|| own_cl_ord_id(order_id));
    let plain = new.routing == Routing::default();
    OrderCreated {
        order_id,
        parent_order_id: None,
        root_order_id: order_id,
        cl_ord_id,
        account_id: resolved.account_id,
        user_id: actor.user_id,
        instrument_id: resolved.instrument_id,
        side: new.side,
        ord_type: new.ord_type,
        time_in_force: new.time_in_force,
        source: actor.source,
        order_qty,
        price: new.price,
        stop_px: new.stop_px,
        expire_at,
        routing: (!plain).then(|| Box::new(new.routing.clone())),
        venue: None,
        metadata: new.metadata.clone(),
        kind: None,
        basis,
        number: step.state().next_number(step.now()),
        work,
        compliance: (new.compliance != Compliance::default()).then(|| Box::new(new.compliance.clone())),
    }
}

/// When the order ends by its time in force: a DAY order with the trading day of its class, every one with its instrument.
pub(crate) fn expire_at(step: &Step<'_>, new: &NewOrder, instrument: Option<&Instrument>) -> Option<Time> {
    let now = step.now();
    let day_end = || step.config.day_end(instrument, now);
    let calendar = instrument.map_or(CalendarKind::Session, |instrument| rules_of(instrument.asset_class).calendar);
    let own = match new.time_in_force {
        TimeInForce::Day => match calendar {
            CalendarKind::Session | CalendarKind::Quoted | CalendarKind::Continuous => Some(day_end()),
            // It waits for the valuation, which comes after the end of the day.
            CalendarKind::CutOff => None,
        },
        TimeInForce::Gtd => new.expire_at,
        TimeInForce::Opg => Some(day_end()),
        TimeInForce::Ioc | TimeInForce::Fok => return None,
        TimeInForce::Gtc => None,
    };
    let end = instrument.and_then(|instrument| instrument.expiry);
    [own, end].into_iter().flatten().min()
}

/// A client that names no id gets the order's own, so that every order has one.
pub(crate) fn own_cl_ord_id(order_id: OrderId) -> ClOrdId {
    ClOrdId::new(oms_model::WireId::derive(order_id, 0).as_str()).unwrap_or_default()
}

/// The policy that an order is placed under.
pub(crate) fn policy_name(routing: Option<&Routing>) -> PolicyName {
    let named = routing.and_then(|routing| routing.policy.clone());
    named.unwrap_or_else(|| oms_model::policy::SorPolicy::default().name)
}
