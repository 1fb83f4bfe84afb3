//! SWEEP: takes what is displayed within the limit, the best price first, everywhere at the same time.
//!
//! - Each level is one IOC limit order at the level's own price for no more than its size; at equal price the venue
//!   with the better score first. With `fee_adjusted` the order of levels is net of fees.
//! - A level is taken in whole lots, unless all that is left of the order fits into it.
//! - What is left goes to the venue with the best score on the order's own terms. An IOC order's rest is not placed.

use crate::request::{PlannedLeg, RouteRequest};
use crate::score::{Reach, reach, takes};
use oms_model::event::Candidate;
use oms_model::terms::{OrdType, TimeInForce};
use oms_model::{Mic, Price, Qty};

pub(super) fn legs(request: &RouteRequest<'_>, ranked: &[Candidate]) -> Vec<PlannedLeg> {
    let levels = levels(request, ranked);
    // A level each, and one leg for the rest.
    let mut legs = Vec::with_capacity(levels.len() + 1);
    let mut left = request.qty;
    for level in levels {
        if !left.is_positive() {
            break;
        }
        let qty = if level.size >= left { left } else { level.size.round_down_to(request.lot) };
        if qty.is_positive() {
            legs.push(level.leg(qty));
            left = left.saturating_sub(qty);
        }
    }
    if let Some(best) = ranked.first().filter(|_| left.is_positive() && request.outlives_arrival()) {
        legs.push(request.leg(best.venue, left));
    }
    legs
}

/// What a venue displays within the limit.
struct Level {
    cost: i64,
    rank: usize,
    venue: Mic,
    price: Price,
    size: Qty,
}

impl Level {
    fn leg(&self, qty: Qty) -> PlannedLeg {
        let (venue, price) = (self.venue, Some(self.price));
        PlannedLeg { venue, qty, ord_type: OrdType::Limit, price, time_in_force: TimeInForce::Ioc }
    }
}

/// The levels within the limit in the order in which they are swept.
fn levels(request: &RouteRequest<'_>, ranked: &[Candidate]) -> Vec<Level> {
    let mut levels = Vec::with_capacity(ranked.len());
    for (rank, candidate) in ranked.iter().enumerate() {
        if let (Some((price, size)), Reach::Takes(cost)) = (takes(request, candidate), reach(request, candidate)) {
            levels.push(Level { cost, rank, venue: candidate.venue, price, size });
        }
    }
    levels.sort_unstable_by_key(|level| (level.cost, level.rank));
    levels
}
