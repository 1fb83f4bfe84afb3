//! A route decision taken again from its own record.

use crate::decide::route;
use crate::state::State;
use oms_model::event::{Candidate, Exclusion, Leg, RouteDecided};
use oms_model::limit::Scope;
use oms_model::market::{Level, Market};
use oms_model::shadow::Rule;
use oms_model::{Order, OrderId, Price, Qty, SorMode, Time};

/// Whether the rules say anything about where orders of this policy go.
pub(super) fn concerns(rules: &[Rule], decided: &RouteDecided) -> bool {
    rules.iter().any(|rule| match rule {
        Rule::Policy(policy) => policy.name == decided.policy,
        Rule::Restriction(entry) => matches!(entry.subject, Scope::Venue(_)),
        Rule::NoRestriction(entry) => matches!(entry.subject, Scope::Venue(_)),
        _ => false,
    })
}

/// Where the order would go: first plans of orders that the market's venues price. What is planned again depends on how
/// its first legs went, so that it is followed as it went.
pub(super) fn again(state: &State, order: &Order, decided: &RouteDecided, now: Time) -> Option<Vec<Leg>> {
    if decided.attempt != 1 || decided.mode == SorMode::Named {
        return None;
    }
    let placed = decided.legs.iter().fold(Qty::ZERO, |sum, leg| sum.saturating_add(leg.qty));
    let qty = if order.is_worked() { placed } else { order.order_qty };
    let plan = route::plan_on(state, order, qty, &market(&decided.candidates, now), now);
    let leg = |leg: &oms_router::PlannedLeg| Leg {
        order_id: OrderId::default(),
        venue: leg.venue,
        qty: leg.qty,
        price: leg.price,
        time_in_force: leg.time_in_force,
        aggressive: false,
    };
    Some(plan.legs.iter().map(leg).collect())
}

/// The venues' quotes as the decision saw them.
fn market(candidates: &[Candidate], now: Time) -> Market {
    let mut market = Market::default();
    for candidate in candidates {
        let at = now.plus(i64::try_from(candidate.quote_age_ns).map_or(i64::MIN / 2, |age| -age));
        let level = |price: Option<Price>, size: Qty| price.map(|price| Level { price, size, at });
        market.set_quote(candidate.venue, true, level(candidate.bid, candidate.bid_size));
        market.set_quote(candidate.venue, false, level(candidate.ask, candidate.ask_size));
        if candidate.excluded == Some(Exclusion::Halted)
            && let Some(quote) = market.quotes.iter_mut().find(|quote| quote.venue == candidate.venue)
        {
            quote.halted = true;
        }
    }
    market
}
