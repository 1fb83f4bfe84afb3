//! SPLIT: a part to each venue in proportion to its score.
//!
//! - An order that can trade at once is divided among the venues where it can; else among all eligible.
//! - Parts are whole lots; the lots that proportion leaves over go by largest remainder, the better venue first among equals.
//! - With `cap_to_displayed`, a venue where the order trades at once gets no more than it displays; what a cap cuts
//!   off goes to the venues that still have room, in proportion. What no venue has room for goes to the best leg.
//! - A part below `min_leg_qty` is not sent; the worst such venue drops out and its part is divided again.
//! - The order's own odd remainder, less than a lot, goes to the best leg.

use super::whole;
use crate::request::{PlannedLeg, RouteRequest};
use crate::score::takes;
use oms_model::Qty;
use oms_model::event::Candidate;

/// A venue's part while it is being found. Quantities are lots.
#[derive(Clone, Copy, Debug)]
struct Share {
    state: State,
    score: u64,
    cap: u128,
    lots: u128,
    remainder: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Gets nothing.
    Out,
    /// Gets a part in proportion.
    Open,
    /// Gets its cap.
    Full,
}

/// The order's size and least leg in lots.
struct Lots {
    lot: i128,
    total: u128,
    least: u128,
}

impl Lots {
    fn of(request: &RouteRequest<'_>) -> Self {
        let lot = request.lot.raw().max(1);
        let least = request.policy.min_leg_qty.raw().max(0).unsigned_abs().div_ceil(lot.unsigned_abs());
        Self { lot, total: request.qty.raw().max(0).unsigned_abs() / lot.unsigned_abs(), least }
    }

    /// This many lots, which are not more than a quantity.
    fn qty(&self, lots: u128) -> Qty {
        Qty::from_raw(i128::try_from(lots).unwrap_or(0) * self.lot)
    }
}

pub(super) fn legs(request: &RouteRequest<'_>, ranked: &[Candidate]) -> Vec<PlannedLeg> {
    let lots = Lots::of(request);
    let mut shares = open_shares(request, ranked, &lots);
    divide(&mut shares, &lots);
    let mut legs = Vec::with_capacity(ranked.len());
    let mut left = request.qty;
    for (candidate, share) in ranked.iter().zip(&shares).filter(|(_, share)| share.lots > 0) {
        let leg = request.leg(candidate.venue, lots.qty(share.lots));
        left = left.saturating_sub(leg.qty);
        legs.push(leg);
    }
    match legs.first_mut() {
        Some(best) => best.qty = best.qty.saturating_add(left),
        None => return whole(request, ranked.first()),
    }
    legs
}

/// Who takes part: none with less room than the least leg. No more venues than there are least legs in the order:
/// worse ones would drop out in [`divide`], round by round.
fn open_shares(request: &RouteRequest<'_>, ranked: &[Candidate], lots: &Lots) -> Vec<Share> {
    let trades_at_once = ranked.iter().any(|candidate| takes(request, candidate).is_some());
    let least = lots.least.max(1);
    let mut places = lots.total / least;
    let share = |candidate: &Candidate| {
        let taken = takes(request, candidate);
        let cap = match taken {
            Some((_, size)) if request.policy.cap_to_displayed => size.raw().max(0).unsigned_abs() / lots.lot.unsigned_abs(),
            _ => u128::MAX,
        };
        let open = taken.is_some() == trades_at_once && cap >= least && places > 0;
        places -= u128::from(open);
        let state = if open { State::Open } else { State::Out };
        Share { state, score: candidate.score.into(), cap, lots: 0, remainder: 0 }
    };
    ranked.iter().map(share).collect()
}

/// Divides until no part is below the least leg. Each round drops a venue.
fn divide(shares: &mut [Share], lots: &Lots) {
    for _ in 0..shares.len() {
        fill(shares, lots.total);
        let parts = shares.iter().filter(|share| share.state != State::Out).count();
        let worst = shares.iter_mut().rev().find(|share| share.state != State::Out && share.lots < lots.least);
        match worst {
            Some(worst) if parts > 1 => (worst.state, worst.lots) = (State::Out, 0),
            _ => return,
        }
    }
}

/// Divides `total` lots in proportion; who would get more than its cap gets that, and the rest is divided again.
fn fill(shares: &mut [Share], total: u128) {
    for share in shares.iter_mut().filter(|share| share.state == State::Full) {
        share.state = State::Open;
    }
    let mut left = total;
    for _ in 0..shares.len() {
        deal(shares, left);
        let mut capped = false;
        for share in shares.iter_mut().filter(|share| share.state == State::Open && share.lots > share.cap) {
            (share.state, share.lots, capped) = (State::Full, share.cap, true);
            left -= share.cap;
        }
        if !capped {
            return;
        }
    }
}

/// Deals `total` lots to the open shares in proportion to their scores, by largest remainder.
fn deal(shares: &mut [Share], total: u128) {
    let open = |share: &&mut Share| share.state == State::Open;
    let sum: u64 = shares.iter_mut().filter(open).map(|share| share.score).sum();
    let mut left = total;
    for share in shares.iter_mut().filter(open) {
        // total = whole * sum + rest; the product with a score then fits, however large the total is.
        let (whole, rest) = match (u64::try_from(total), sum) {
            (_, 0) => (0, 0),
            (Ok(total), sum) => (u128::from(total / sum), total % sum),
            (Err(_), sum) => (total / u128::from(sum), u64::try_from(total % u128::from(sum)).unwrap_or(0)),
        };
        let part = rest * share.score;
        share.lots = whole * u128::from(share.score) + u128::from(part.checked_div(sum).unwrap_or(0));
        share.remainder = part.checked_rem(sum).unwrap_or(0);
        left -= share.lots;
    }
    for _ in 0..shares.len() {
        let largest = shares.iter_mut().filter(open).filter(|s| s.remainder > 0).rev().max_by_key(|s| s.remainder);
        match largest {
            Some(largest) if left > 0 => {
                (largest.lots, largest.remainder) = (largest.lots + 1, 0);
                left -= 1;
            }
            _ => return,
        }
    }
}
