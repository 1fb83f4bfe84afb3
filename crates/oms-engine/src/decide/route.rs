//! From an approved order, or the rest of one, to legs with durable intents.

use super::create::policy_name;
use crate::state::State;
use crate::step::Step;
use oms_model::command::Placed;
use oms_model::event::{Candidate, Event, Leg, OrderCreated, OrderRejected, OrderSent, OrderStateSynced, RouteDecided};
use oms_model::limit::Scope;
use oms_model::market::Market;
use oms_model::order::Routing;
use oms_model::policy::{Exhausted, SorPolicy};
use oms_model::{
    Code, EndedBy, IntentKind, Mic, OrdState, OrdType, Order, OrderId, Qty, SorMode, StrategyId, Time, TimeInForce, TradingState,
};
use oms_risk::{Approved, Proposed};
use oms_router::{PlannedLeg, RoutePlan, RouteRequest, VenueView};

/// Places an order that has just passed the gate. Only the gate makes the proof that it did.
pub(crate) fn place(step: &mut Step<'_>, approved: Approved<Proposed>, order_id: OrderId) -> Placed {
    let Some(order) = step.state().order(order_id).cloned() else { return Placed::Invalid(super::create::vanished()) };
    let qty = approved.into_inner().order_qty;
    if release_legs(step, &order, qty, None) {
        return Placed::Accepted { order_id };
    }
    // A new order that finds no place is refused whatever the policy says of re-plans: the client is still there to decide.
    let text = "no venue is eligible; the route decision names each one's reason".to_owned();
    step.emit(Event::OrderRejected(OrderRejected { order_id, by: EndedBy::Router, code: Code::NoRoute, text }));
    Placed::Refused { order_id, code: Code::NoRoute }
}

/// Plans `qty` of `order` and releases the legs. Whether there was any.
pub(crate) fn release_legs(step: &mut Step<'_>, order: &Order, qty: Qty, replan_reason: Option<Box<str>>) -> bool {
    let policy = policy(step.state(), order);
    let failed = failures(step.state(), order);
    let (mut plan, mode) = plan(step, order, qty, &policy, &failed);
    let mut decided = decision(order, &policy, mode, &mut plan, replan_reason);
    // Bounded by the batch; a plan has at most a few legs for each venue.
    for leg in plan.legs.iter().take(usize::from(step.orders_left())) {
        let aggressive = is_aggressive(order, leg, &decided.candidates);
        decided.legs.push(Leg {
            order_id: step.new_order_id(),
            venue: leg.venue,
            qty: leg.qty,
            price: leg.price,
            time_in_force: leg.time_in_force,
            aggressive,
        });
        decided.place_qty = decided.place_qty.saturating_add(leg.qty);
    }
    let legs = decided.legs.clone();
    let place_qty = decided.place_qty;
    step.emit(Event::RouteDecided(Box::new(decided)));
    for leg in &legs {
        release(step, order, leg);
    }
    let Some(first) = legs.first() else { return false };
    if mode == SorMode::Staged {
        super::staged::start(step, order.order_id, first.order_id);
    }
    if order.state == OrdState::New {
        // The state of a parent follows its first child; so does that of everything above it.
        let synced = OrderStateSynced { order_id: order.order_id, state: OrdState::Unack, place_qty };
        step.emit(Event::OrderStateSynced(synced));
        super::tree::sent_below(step, order.order_id);
    }
    true
}

/// The decision that would be taken for `order`, without taking it.
pub(crate) fn preview(step: &mut Step<'_>, order: &Order) -> RouteDecided {
    let policy = policy(step.state(), order);
    let (mut plan, mode) = plan(step, order, order.order_qty, &policy, &[]);
    let mut decided = decision(order, &policy, mode, &mut plan, None);
    for leg in &plan.legs {
        let aggressive = is_aggressive(order, leg, &decided.candidates);
        let (venue, qty, price, time_in_force) = (leg.venue, leg.qty, leg.price, leg.time_in_force);
        decided.legs.push(Leg { order_id: OrderId::default(), venue, qty, price, time_in_force, aggressive });
        decided.place_qty = decided.place_qty.saturating_add(qty);
    }
    decided
}

/// How an order is to be placed: as it says, or the next node above it that does.
fn routing<'a>(state: &'a State, order: &'a Order) -> Option<&'a Routing> {
    let above = |order: &&'a Order| order.parent_order_id.and_then(|id| state.order(id));
    core::iter::successors(Some(order), above).take(super::tree::MAX_DEPTH).find_map(|order| order.extras.routing.as_deref())
}

fn policy(state: &State, order: &Order) -> SorPolicy {
    state.policy(&policy_name(routing(state, order))).cloned().unwrap_or_default()
}

/// How old a quote may be for the policy of `order`, nanoseconds.
pub(crate) fn max_quote_age(state: &State, order: &Order) -> i64 {
    i64::try_from(policy(state, order).max_quote_age_ns).unwrap_or(i64::MAX)
}

/// What happens to the rest of `order` once its re-plans are used up, and how many it has.
pub(crate) fn replan_bounds(state: &State, order: &Order) -> (u32, Exhausted) {
    let policy = policy(state, order);
    // Each stage of a staged order is an attempt at the next venue.
    let stages = if is_staged(state, order) { u32::try_from(state.venues().count()).unwrap_or(u32::MAX) } else { 0 };
    (policy.max_replans.saturating_add(stages), policy.exhausted)
}

/// Whether an order is placed one venue at a time.
pub(crate) fn is_staged(state: &State, order: &Order) -> bool {
    mode_of(routing(state, order), &policy(state, order)) == SorMode::Staged
}

/// How long a stage of an order lasts, nanoseconds.
pub(crate) fn stage_timeout(state: &State, order: &Order) -> i64 {
    i64::try_from(policy(state, order).stage_timeout_ns()).unwrap_or(i64::MAX)
}

/// Whether a venue other than `current` and those that failed before could take the rest of a staged order now.
pub(crate) fn has_next_stage(step: &mut Step<'_>, order: &Order, current: Mic) -> bool {
    let policy = policy(step.state(), order);
    let mut failed = failures(step.state(), order);
    failed.push((current, 1));
    let (plan, _) = plan(step, order, order.open_qty(), &policy, &failed);
    plan.legs.first().is_some_and(|leg| !failed.iter().any(|(mic, _)| *mic == leg.venue))
}

fn mode_of(routing: Option<&Routing>, policy: &SorPolicy) -> SorMode {
    routing.and_then(|routing| routing.mode).unwrap_or(policy.mode)
}

/// The plan of an order as its policy is now, on a market that was recorded, beside venues that were in maintenance.
pub(crate) fn plan_on(state: &State, order: &Order, qty: Qty, market: &Market, resting: &[Mic], now: Time) -> RoutePlan {
    let (policy, routing) = (policy(state, order), routing(state, order));
    let (mode, named) = (mode_of(routing, &policy), routing.and_then(|r| r.venue));
    plan_against(state, market, now, order, qty, &policy, mode, named, &[], resting)
}

fn plan(step: &mut Step<'_>, order: &Order, qty: Qty, policy: &SorPolicy, failed: &[(Mic, u32)]) -> (RoutePlan, SorMode) {
    let routing = routing(step.state(), order);
    let mut mode = mode_of(routing, policy);
    let mut named = routing.and_then(|r| r.venue);
    let now = step.now();
    let in_maintenance = |mic: &Mic| step.config.maintenance_until(*mic, now).is_some();
    let resting: Vec<Mic> = step.config.maintenance.keys().copied().filter(in_maintenance).collect();
    // What no venue's book prices goes to the one that does.
    let (state, now) = (step.state(), step.now());
    let fund = super::valued::own_market(state, order, now).map(|own| (own.market, own.venue));
    if let Some((market, venue)) = fund.or_else(|| super::quote::route_market(state, order, now)) {
        (mode, named) = (SorMode::Named, named.or(Some(venue)));
        return (plan_against(state, &market, now, order, qty, policy, mode, named, failed, &resting), mode);
    }
    let plan = step.with_market(order.instrument_id, |state, market, now| {
        plan_against(state, market, now, order, qty, policy, mode, named, failed, &resting)
    });
    (plan, mode)
}

/// The strategy that the client's order was sent for; its parts do not say it again.
fn root_strategy(state: &State, order: &Order) -> Option<StrategyId> {
    state.order(order.root_order_id).unwrap_or(order).strategy()
}

#[allow(clippy::too_many_arguments, reason = "the one place where the router's request is put together")]
fn plan_against(
    state: &State,
    market: &Market,
    now: Time,
    order: &Order,
    qty: Qty,
    policy: &SorPolicy,
    mode: SorMode,
    named: Option<Mic>,
    failed: &[(Mic, u32)],
    resting: &[Mic],
) -> RoutePlan {
    let owners = [
        Scope::Tenant,
        Scope::Account(order.account_id),
        Scope::User(order.user_id),
        root_strategy(state, order).map_or(Scope::Tenant, Scope::Strategy),
    ];
    let venues: Vec<VenueView<'_>> = state
        .venues()
        .map(|entry| VenueView {
            venue: &entry.venue,
            stats: &entry.stats,
            connected: entry.connected,
            killed: state.risk().is_killed(Scope::Venue(entry.venue.venue)),
            halted: state.risk().trading_state(Scope::Venue(entry.venue.venue)) == TradingState::Halted,
            restricted: state.risk().blocks_venue(&owners, entry.venue.venue),
            maintenance: resting.contains(&entry.venue.venue),
            in_doubt: entry.in_doubt >= MAX_IN_DOUBT,
        })
        .collect();
    let lot = state.instrument(order.instrument_id).map_or(Qty::ZERO, |instrument| instrument.lot);
    oms_router::plan(&RouteRequest {
        side: order.side,
        ord_type: order.ord_type,
        qty,
        price: order.price,
        time_in_force: order.time_in_force,
        lot,
        mode,
        named,
        market,
        venues: &venues,
        policy,
        failed,
        now,
    })
}

/// So many orders in doubt at a venue keep new ones away from it.
const MAX_IN_DOUBT: u32 = 5;

/// The decision without its legs; it takes the plan's candidates.
fn decision(order: &Order, policy: &SorPolicy, mode: SorMode, plan: &mut RoutePlan, replan_reason: Option<Box<str>>) -> RouteDecided {
    RouteDecided {
        order_id: order.order_id,
        attempt: order.attempts + 1,
        policy: policy.name.clone(),
        policy_version: policy.version,
        mode,
        bid: plan.bid,
        ask: plan.ask,
        candidates: std::mem::take(&mut plan.candidates),
        legs: Vec::new(),
        place_qty: order.place_qty,
        replan_reason,
    }
}

fn is_aggressive(order: &Order, leg: &PlannedLeg, candidates: &[Candidate]) -> bool {
    if order.ord_type.has_stop() {
        return false;
    }
    let Some(price) = leg.price else { return true };
    let seen = candidates.iter().find(|candidate| candidate.venue == leg.venue);
    match seen {
        Some(candidate) if order.side.is_buy() => candidate.ask.is_some_and(|ask| price >= ask),
        Some(candidate) => candidate.bid.is_some_and(|bid| price <= bid),
        None => false,
    }
}

/// Venues where a part of this order ended without being filled, with how often.
fn failures(state: &State, order: &Order) -> Vec<(Mic, u32)> {
    let mut failed: Vec<(Mic, u32)> = Vec::new();
    for child in state.children(order) {
        let Some(venue) = child.order.venue else { continue };
        if !matches!(child.order.state, OrdState::Rejected | OrdState::Canceled | OrdState::Expired) {
            continue;
        }
        match failed.iter_mut().find(|(mic, _)| *mic == venue) {
            Some((_, times)) => *times += 1,
            None => failed.push((venue, 1)),
        }
    }
    failed
}

fn release(step: &mut Step<'_>, order: &Order, leg: &Leg) {
    // A sweep takes a market order's liquidity with a limit at each level.
    let priced = order.ord_type == OrdType::Market && leg.price.is_some();
    let ord_type = if priced { OrdType::Limit } else { order.ord_type };
    let expire_at = matches!(leg.time_in_force, TimeInForce::Day | TimeInForce::Gtd).then_some(order.expire_at).flatten();
    step.emit(Event::OrderCreated(Box::new(OrderCreated {
        order_id: leg.order_id,
        parent_order_id: Some(order.order_id),
        root_order_id: order.root_order_id,
        cl_ord_id: order.cl_ord_id.clone(),
        account_id: order.account_id,
        user_id: order.user_id,
        instrument_id: order.instrument_id,
        side: order.side,
        ord_type,
        time_in_force: leg.time_in_force,
        source: order.source,
        order_qty: leg.qty,
        price: leg.price,
        stop_px: order.extras.stop_px,
        expire_at,
        routing: None,
        venue: Some(leg.venue),
        metadata: None,
        kind: None,
        basis: order.extras.basis.clone(),
        number: 0,
        work: None,
        compliance: None,
    })));
    send(step, leg.order_id, IntentKind::New);
}

/// Makes an intent of a leg durable; its venue is handed it once the batch is.
pub(crate) fn send(step: &mut Step<'_>, order_id: OrderId, intent: IntentKind) {
    let Some(leg) = step.state().order(order_id) else { return };
    let Some(venue) = leg.venue else { return };
    let revision = if intent == IntentKind::New { 0 } else { leg.revision + 1 };
    let terms = if intent == IntentKind::Replace { leg.extras.replacing.as_deref().copied() } else { None };
    let deadline = step.now().plus(step.config.send_within_ns);
    step.emit(Event::OrderSent(OrderSent { order_id, intent, revision, venue, deadline, terms }));
}
