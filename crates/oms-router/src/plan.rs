//! From the request to the plan.

use crate::request::{RoutePlan, RouteRequest};
use crate::score::Frame;
use crate::{eligibility, mode, score};
use oms_model::event::{Candidate, Exclusion};
use oms_model::{Qty, TimeInForce};

/// Decides where the order goes.
///
/// A venue that failed this order before keeps half its score for each failure, and is left out as
/// FAILED_BEFORE while another venue is eligible that did not fail it.
///
/// # Panics
/// If an order of a type with a limit has none, if a venue is listed twice, or if the plan breaks an
/// invariant of this crate: nothing may leave on such a plan.
#[must_use]
pub fn plan(request: &RouteRequest<'_>) -> RoutePlan {
    assert!(!request.ord_type.has_price() || request.price.is_some(), "an order of this type has a limit");
    let candidates = ranked(request);
    let eligible = candidates.iter().take_while(|candidate| candidate.excluded.is_none()).count();
    let (eligible, _) = candidates.split_at(eligible);
    let mut plan = RoutePlan {
        legs: mode::legs(request, eligible),
        unplaced: Qty::ZERO,
        bid: request.market.bid.map(|level| level.price),
        ask: request.market.ask.map(|level| level.price),
        candidates: Vec::new(),
    };
    let placed = plan.legs.iter().fold(Qty::ZERO, |sum, leg| sum.saturating_add(leg.qty));
    plan.unplaced = request.qty.saturating_sub(placed);
    assert_sound(request, eligible, &plan);
    plan.candidates = candidates;
    let lacks_gtd = |venue| request.venues.iter().any(|view| view.venue.venue == venue && view.venue.lacks_gtd);
    for leg in &mut plan.legs {
        if leg.time_in_force == TimeInForce::Gtd && lacks_gtd(leg.venue) {
            // It stays there until it is canceled; whoever placed it keeps its end.
            leg.time_in_force = TimeInForce::Gtc;
        }
    }
    plan
}

/// Every venue as a candidate, best first.
fn ranked(request: &RouteRequest<'_>) -> Vec<Candidate> {
    let views = request.venues.iter().enumerate();
    let mut candidates: Vec<Candidate> = views.map(|(nth, view)| score::observe(request, nth, view)).collect();
    if !request.failed.is_empty() {
        leave_out_failed(request, &mut candidates);
    }
    if let Some(frame) = Frame::of(request, &candidates) {
        candidates.iter_mut().for_each(|candidate| frame.score(request, candidate));
    }
    assert!(each_once(&candidates), "a venue is listed once");
    candidates.sort_unstable_by(|a, b| score::by_rank(request, a, b));
    candidates
}

fn leave_out_failed(request: &RouteRequest<'_>, candidates: &mut [Candidate]) {
    let eligible = |candidate: &&Candidate| candidate.excluded.is_none();
    let unfailing = |candidate: &Candidate| eligibility::failures(request, candidate.venue) == 0;
    if !candidates.iter().filter(eligible).any(unfailing) {
        return;
    }
    for candidate in candidates.iter_mut().filter(|c| c.excluded.is_none()) {
        if !unfailing(candidate) {
            candidate.excluded = Some(Exclusion::FailedBefore);
        }
    }
}

fn each_once(candidates: &[Candidate]) -> bool {
    if candidates.is_sorted_by(|a, b| a.venue < b.venue) {
        return true;
    }
    candidates.iter().enumerate().all(|(at, a)| candidates.iter().skip(at + 1).all(|b| a.venue != b.venue))
}

fn assert_sound(request: &RouteRequest<'_>, eligible: &[Candidate], plan: &RoutePlan) {
    let (mut placed, mut odd) = (Qty::ZERO, 0);
    for leg in &plan.legs {
        assert!(leg.qty.is_positive(), "a leg has a quantity");
        assert!(eligible.iter().any(|candidate| candidate.venue == leg.venue), "a leg is at an eligible venue");
        if let Some(limit) = request.limit() {
            let within = leg.price.is_some_and(|price| request.cost_of(price) <= request.cost_of(limit));
            assert!(within, "a leg is within the limit");
        }
        placed = placed.saturating_add(leg.qty);
        odd += u32::from(!leg.qty.is_multiple_of(request.lot));
    }
    assert!(placed.saturating_add(plan.unplaced) == request.qty, "the parts add up to the whole");
    assert!(plan.legs.is_empty() || !plan.unplaced.is_negative(), "no more is placed than there is");
    let allowed = u32::from(!request.qty.is_multiple_of(request.lot));
    assert!(odd <= allowed, "only the order's own odd remainder is off its lot");
}

#[cfg(test)]
mod tests;
