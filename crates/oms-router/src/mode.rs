//! How the order is divided among the eligible venues.

mod split;
mod sweep;

use crate::request::{PlannedLeg, RouteRequest};
use crate::score::takes;
use oms_model::event::Candidate;
use oms_model::terms::{SorMode, TimeInForce};

/// The legs, best first. `ranked` are the eligible venues, best first.
///
/// Whatever the mode, a FOK order and a stop are one leg: parts of a FOK could not be all or nothing, and parts of a
/// stop would trigger apart.
pub(crate) fn legs(request: &RouteRequest<'_>, ranked: &[Candidate]) -> Vec<PlannedLeg> {
    if !request.qty.is_positive() {
        return Vec::new();
    }
    if request.time_in_force == TimeInForce::Fok {
        return whole(request, covering(request, ranked));
    }
    if request.ord_type.has_stop() {
        return whole(request, ranked.first());
    }
    match request.mode {
        SorMode::SingleBest | SorMode::Named => whole(request, ranked.first()),
        SorMode::Staged => whole(request, first_stage(request, ranked)),
        SorMode::Split => split::legs(request, ranked),
        SorMode::Sweep => sweep::legs(request, ranked),
    }
}

/// The best venue whose displayed size within the limit is enough for all of it; else the best venue.
fn covering<'a>(request: &RouteRequest<'_>, ranked: &'a [Candidate]) -> Option<&'a Candidate> {
    let covers = |c: &&Candidate| takes(request, c).is_some_and(|(_, size)| size >= request.qty);
    ranked.iter().find(covers).or(ranked.first())
}

/// The next venue of a staged order: the first in the policy's own order, the best one where it has none.
fn first_stage<'a>(request: &RouteRequest<'_>, ranked: &'a [Candidate]) -> Option<&'a Candidate> {
    let in_order = |mic: &oms_model::Mic| ranked.iter().find(|candidate| candidate.venue == *mic);
    request.policy.allow.iter().find_map(in_order).or(ranked.first())
}

/// One leg with the whole quantity.
fn whole(request: &RouteRequest<'_>, venue: Option<&Candidate>) -> Vec<PlannedLeg> {
    venue.map(|candidate| request.leg(candidate.venue, request.qty)).into_iter().collect()
}

#[cfg(test)]
mod tests;
