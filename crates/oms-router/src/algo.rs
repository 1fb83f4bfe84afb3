//! Algorithms: when the next slice of an order is released, how much of it and at which price.
//!
//! - [`next`] is a function of the request alone: parameters, progress, market and time. Randomness comes from the
//!   seed in the parameters, so the same inputs give the same slices.
//! - What is with slices (executed and open) is never more than the order, and, before the end, never more than
//!   `max_participation` of what the market traded since the start. The leftover is not bound by it: crossing or
//!   leaving the rest is what the client asked for.
//! - No slice is priced worse than the order's limit.
//! - While the instrument is halted nothing is released; the schedule goes on, so the slice after the halt holds what
//!   was missed. A leftover that cannot be crossed because of a halt is canceled.
//! - A kill switch ends it: the rest is canceled, whatever the leftover says.

mod arrival;
mod iceberg;
mod peg;
mod pov;
mod random;
mod schedule;
mod time_sliced;
mod twap;
mod vwap;

use oms_model::algo::{Algo, AlgoParams, FULL_PPM, Leftover, MAX_SLICES};
use oms_model::instrument::Instrument;
use oms_model::market::Market;
use oms_model::{Price, Qty, Side, Time};
pub use peg::{on_tick, peg_price};

/// How far an order has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Total quantity, executed part included.
    pub order_qty: Qty,
    /// What was executed.
    pub cum_qty: Qty,
    /// What is with slices that still work.
    pub open_qty: Qty,
    /// Slices released so far.
    pub slices: u32,
    /// The price of the newest slice that works; `None` for a market order or where none works.
    pub slice_px: Option<Price>,
    /// What the market traded since the start.
    pub volume: Qty,
    /// When the algorithm last released or repriced.
    pub acted_at: Option<Time>,
    /// Slices in a row, up to now, that ended without an execution.
    pub failed: u32,
    /// Whether the leftover was released.
    pub left: bool,
}

/// Why nothing may be released at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// Trading is halted; it may come back.
    Halted,
    /// A kill switch covers the order.
    Killed,
}

/// An order that an algorithm releases, and everything that the decision may depend on.
#[derive(Clone, Copy, Debug)]
pub struct AlgoRequest<'a> {
    /// The parameters, validated for this order.
    pub params: &'a AlgoParams,
    /// FIX 54.
    pub side: Side,
    /// The limit of the order; `None` for a market order.
    pub limit: Option<Price>,
    /// How far it has come.
    pub progress: Progress,
    /// What is traded: its lot and ticks.
    pub instrument: &'a Instrument,
    /// The market in it.
    pub market: &'a Market,
    /// Why nothing may be released.
    pub blocked: Option<Blocked>,
    /// The time of the decision.
    pub now: Time,
}

/// A slice to be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// How much; above zero.
    pub qty: Qty,
    /// At which limit; `None` for a market order.
    pub price: Option<Price>,
    /// Whether what is not executed at once is given back.
    pub at_once: bool,
    /// Whether it is the leftover, after which nothing more is released.
    pub leftover: bool,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Wait,
    /// Release a slice.
    Release(Slice),
    /// Give the slices that work this price.
    Reprice(Price),
    /// Cancel the slices that work, and ask again once they have come back.
    Recall,
    /// Cancel the slices that work and the order.
    Cancel,
}

/// So many slices in a row without an execution end an order whose next slice does not wait for a point in time.
const MAX_FAILED: u32 = 3;

/// What is to be done, and when to ask again. A slice that ends is always a reason to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What.
    pub action: Action,
    /// Ask again at this time; `None` where time alone changes nothing.
    pub wake: Option<Time>,
    /// Whether a change of the market is a reason to ask again too.
    pub on_market: bool,
    /// Why, in words.
    pub reason: &'static str,
}

/// Decides what an algorithm does now.
#[must_use]
pub fn next(request: &AlgoRequest<'_>) -> Decision {
    let decision = decide(request);
    request.assert_sound(&decision);
    decision
}

fn decide(request: &AlgoRequest<'_>) -> Decision {
    let AlgoRequest { params, now, .. } = *request;
    if request.progress.cum_qty >= request.progress.order_qty {
        return Decision::wait(None, "executed");
    }
    if request.blocked == Some(Blocked::Killed) {
        return Decision::act(Action::Cancel, "a kill switch is engaged");
    }
    if now >= params.end || request.progress.slices >= MAX_SLICES || request.progress.left {
        return at_end(request);
    }
    if now < params.start {
        return Decision::wait(Some(params.start), "before the start");
    }
    if request.is_halted() {
        // The market is asked about when it moves; a halt that only we know of is looked at again in a second.
        return Decision { on_market: true, ..Decision::wait(request.earliest(now.plus(1_000_000_000)), "halted") };
    }
    let mut decision = match params.algo {
        Algo::Twap => twap::next(request),
        Algo::Vwap => vwap::next(request),
        Algo::Pov => pov::next(request),
        Algo::Arrival => arrival::next(request),
        Algo::Iceberg => iceberg::next(request),
        Algo::TimeSliced => time_sliced::next(request),
        Algo::Peg => peg::next(request),
    };
    decision.wake = decision.wake.map_or(Some(params.end), |at| request.earliest(at));
    decision
}

/// The life of the algorithm is over: what is left becomes the leftover.
fn at_end(request: &AlgoRequest<'_>) -> Decision {
    let Progress { open_qty, left, .. } = request.progress;
    let rest = request.rest();
    match request.params.leftover {
        Leftover::Leave if left || !rest.is_positive() => Decision::wait(None, "the leftover stays in the market"),
        Leftover::Leave if request.is_halted() => Decision { on_market: true, ..Decision::wait(None, "halted") },
        Leftover::Leave => Decision::act(request.release_as(rest, request.limit, false, true), "the leftover stays in the market"),
        Leftover::Cross if !left && !request.is_halted() => {
            if open_qty.is_positive() {
                return Decision::act(Action::Recall, "the end: slices are recalled to be crossed");
            }
            match (request.limit, request.crossing()) {
                (None, _) => Decision::act(request.release_as(rest, None, false, true), "the leftover is crossed"),
                (Some(_), Some(price)) => Decision::act(request.release_as(rest, Some(price), true, true), "the leftover is crossed"),
                (Some(_), None) => Decision::act(Action::Cancel, "there is nothing within the limit to cross with"),
            }
        }
        // The crossing slice is still out.
        Leftover::Cross if left && open_qty.is_positive() => Decision::wait(None, "the leftover is being crossed"),
        Leftover::Cross | Leftover::Cancel => Decision::act(Action::Cancel, "the end"),
    }
}

impl Decision {
    fn act(action: Action, reason: &'static str) -> Self {
        Self { action, wake: None, on_market: false, reason }
    }
    fn wait(wake: Option<Time>, reason: &'static str) -> Self {
        Self { action: Action::Wait, wake, on_market: false, reason }
    }
}

impl AlgoRequest<'_> {
    /// What is with slices: executed and open.
    fn placed(&self) -> Qty {
        self.progress.cum_qty.saturating_add(self.progress.open_qty)
    }

    /// What is with no slice yet; never below zero.
    fn rest(&self) -> Qty {
        self.progress.order_qty.saturating_sub(self.placed()).max(Qty::ZERO)
    }

    fn is_halted(&self) -> bool {
        self.blocked.is_some() || self.market.is_halted()
    }

    fn earliest(&self, at: Time) -> Option<Time> {
        Some(at.min(self.params.end))
    }

    /// What may be with slices by `max_participation`.
    fn most(&self) -> Qty {
        match self.params.max_participation_ppm {
            0 => self.progress.order_qty,
            ppm => part(self.progress.volume, u64::from(ppm), u64::from(FULL_PPM)).min(self.progress.order_qty),
        }
    }

    /// Releases what is missing to `target`, in whole lots but for the very last, within `max_participation`.
    fn toward(&self, target: Qty, price: Option<Price>, wake: Option<Time>) -> Decision {
        let most = self.most();
        let bound = target.min(most);
        let missing = bound.saturating_sub(self.placed()).min(self.rest());
        let last = missing == self.rest();
        let qty = if last { missing } else { missing.round_down_to(self.instrument.lot) };
        let held_back = target > most;
        if !qty.is_positive() {
            return Decision::wait(wake, if held_back { "held back by max_participation" } else { "on schedule" });
        }
        let reason = if held_back { "a slice is due, held back by max_participation" } else { "a slice is due" };
        Decision { action: self.release_as(qty, price, false, false), wake, on_market: false, reason }
    }

    fn release_as(&self, qty: Qty, price: Option<Price>, at_once: bool, leftover: bool) -> Action {
        if !qty.is_positive() {
            return Action::Cancel;
        }
        Action::Release(Slice { qty, price, at_once, leftover })
    }

    /// A price brought within the order's limit.
    fn within_limit(&self, price: Price) -> Price {
        match self.limit {
            Some(limit) if self.side.is_buy() => price.min(limit),
            Some(limit) => price.max(limit),
            None => price,
        }
    }

    /// The best price of the other side, where it is within the limit.
    fn crossing(&self) -> Option<Price> {
        let far = if self.side.is_buy() { self.market.ask } else { self.market.bid };
        far.map(|level| level.price).filter(|&price| self.within_limit(price) == price)
    }

    /// The best price of the order's own side, within the limit.
    fn joining(&self) -> Option<Price> {
        let near = if self.side.is_buy() { self.market.bid } else { self.market.ask };
        near.map(|level| self.within_limit(level.price)).or(self.limit)
    }

    /// What no decision may do, whatever the algorithm.
    fn assert_sound(&self, decision: &Decision) {
        let price = match decision.action {
            Action::Release(slice) => {
                assert!(slice.qty.is_positive() && slice.qty <= self.rest(), "a slice is a part of what is left");
                let placed = self.placed().saturating_add(slice.qty);
                assert!(slice.leftover || placed <= self.most(), "slices keep within the participation");
                slice.price
            }
            Action::Reprice(price) => Some(price),
            Action::Wait | Action::Recall | Action::Cancel => None,
        };
        assert!(price.is_none_or(|price| self.within_limit(price) == price), "a slice is within the limit");
    }
}

/// `qty * numerator / denominator`, rounded down. `denominator` is above zero.
fn part(qty: Qty, numerator: u64, denominator: u64) -> Qty {
    let (n, d) = (i128::from(numerator), i128::from(denominator.max(1)));
    // In two steps, so that no product overflows for quantities up to 10^19 units.
    let whole = (qty.raw() / d).saturating_mul(n);
    let rest = (qty.raw() % d).saturating_mul(n) / d;
    Qty::from_raw(whole.saturating_add(rest))
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
