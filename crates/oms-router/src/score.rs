//! How good a venue is for this order: four components and their weighted sum, in parts per million.
//!
//! | component | 1.0 | falls |
//! |---|---|---|
//! | price | at the best cost that the order can reach at an eligible venue | linear, to 0 at `price_range_bps` worse |
//! | latency | at the fastest eligible venue | as fastest / own |
//! | fill | where every order is executed | fills over submissions, with the venue's prior |
//! | fee | at the cheapest eligible venue, rebates counted | linear, to 0 at the dearest |
//!
//! What the price component compares depends on what the order does on arrival, see [`Reach`]:
//! - If it can trade at once somewhere, cost is the price it would get there; where it could only wait, the component is 0.
//! - If it can only wait, it waits at its own limit everywhere, and cost is how far that is behind the venue's own
//!   best on the order's side: nothing where it would join or improve it. Bps are those of the limit.
//! - A stop waits for its trigger; the price it gets then is not known, and the component is 1.0 everywhere.
//!
//! With `fee_adjusted`, cost includes the fee. The fee is the taker's where the order would trade at once and
//! for stops, which trade at once when they trigger; the maker's where it would rest. Fills are counted likewise.
//!
//! Excluded venues are scored against the eligible ones, for the record; a component is never above 1.0.

use crate::eligibility::shown;
use crate::request::{RouteRequest, VenueView};
use crate::{FULL_PPM, eligibility};
use core::cmp::Ordering;
use oms_model::event::{Candidate, Exclusion};
use oms_model::market::VenueQuote;
use oms_model::policy::Weights;
use oms_model::{Mic, OrdType, Price, Qty, Side};

/// What the order could do at a venue on arrival, and at which cost; better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// It trades at once, at this price as a cost.
    Takes(i64),
    /// It rests, this far behind the venue's own best.
    Rests(i64),
    /// It waits for its trigger.
    Waits,
    /// Nothing: it cannot rest, and its limit is out of reach.
    Nothing,
}

/// Price and displayed size that the order would trade against at once, within its limit.
pub(crate) fn takes(request: &RouteRequest<'_>, candidate: &Candidate) -> Option<(Price, Qty)> {
    if request.ord_type.has_stop() { None } else { within(request.side, request.limit(), candidate) }
}

/// Whether an order counts as aggressive at the candidate: it would trade there at once, or it is a stop, which trades
/// at once when it triggers. `price` is its limit. Says which of a venue's counts an order belongs to, see
/// [`crate::VenueStats::submitted`].
#[must_use]
pub fn is_aggressive(side: Side, ord_type: OrdType, price: Option<Price>, candidate: &Candidate) -> bool {
    ord_type.has_stop() || within(side, price.filter(|_| ord_type.has_price()), candidate).is_some()
}

/// The candidate's displayed price and size on the side that is traded against, where it is within the limit.
fn within(side: Side, limit: Option<Price>, candidate: &Candidate) -> Option<(Price, Qty)> {
    let (price, size) = match side.is_buy() {
        true => (candidate.ask?, candidate.ask_size),
        false => (candidate.bid?, candidate.bid_size),
    };
    let reached = limit.is_none_or(|limit| if side.is_buy() { price <= limit } else { price >= limit });
    (reached && size.is_positive()).then_some((price, size))
}

/// What the order could do at the candidate.
pub(crate) fn reach(request: &RouteRequest<'_>, candidate: &Candidate) -> Reach {
    let fee = if request.policy.fee_adjusted { candidate.fee.raw() } else { 0 };
    if request.ord_type.has_stop() {
        return Reach::Waits;
    }
    if let Some((price, _)) = takes(request, candidate) {
        return Reach::Takes(request.cost_of(price).saturating_add(fee));
    }
    match request.limit() {
        Some(limit) if request.can_rest() => {
            let own = if request.side.is_buy() { candidate.bid } else { candidate.ask };
            let behind = own.map_or(0, |own| request.cost_of(own).saturating_sub(request.cost_of(limit)).max(0));
            Reach::Rests(behind.saturating_add(fee))
        }
        _ => Reach::Nothing,
    }
}

/// The venue's quote. Where venues are listed in the order of quotes it stands at the place of the `nth` venue.
fn quote_of<'a>(request: &RouteRequest<'a>, nth: usize, venue: Mic) -> Option<&'a VenueQuote> {
    let quotes = &request.market.quotes;
    quotes.get(nth).filter(|quote| quote.venue == venue).or_else(|| {
        let at = quotes.binary_search_by_key(&venue, |quote| quote.venue).ok()?;
        quotes.get(at)
    })
}

/// What is known of the `nth` venue before it is compared with others.
pub(crate) fn observe(request: &RouteRequest<'_>, nth: usize, view: &VenueView<'_>) -> Candidate {
    let venue = view.venue.venue;
    let none = VenueQuote::default();
    let quote = quote_of(request, nth, venue).unwrap_or(&none);
    let (bid, ask) = (shown(quote.bid), shown(quote.ask));
    let mut candidate = Candidate {
        venue,
        excluded: eligibility::exclusion(request, view, quote),
        bid: bid.map(|level| level.price),
        bid_size: bid.map_or(Qty::ZERO, |level| level.size),
        ask: ask.map(|level| level.price),
        ask_size: ask.map_or(Qty::ZERO, |level| level.size),
        quote_age_ns: eligibility::quote_age_ns(request, quote),
        latency_ns: view.stats.latency_ns(request.policy.latency_stat, view.venue.latency_prior_ns),
        ..Candidate::default()
    };
    let aggressive = is_aggressive(request.side, request.ord_type, request.limit(), &candidate);
    candidate.fee = if aggressive { view.venue.taker_fee } else { view.venue.maker_fee };
    candidate.fill_ppm = view.stats.fill_ppm(aggressive, view.venue.fill_prior_ppm, view.venue.fill_prior_weight);
    candidate
}

/// What the venues are measured against: the best and worst of those that could have a part of the order,
/// and of those that only the client's naming another leaves out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    best: Reach,
    /// Raw price of which `price_range_bps` are taken.
    reference: u64,
    min_latency_ns: u64,
    min_fee: Price,
    max_fee: Price,
}

impl Frame {
    /// The frame of these candidates; `None` where there is nothing to compare with.
    pub(crate) fn of(request: &RouteRequest<'_>, candidates: &[Candidate]) -> Option<Self> {
        let mut frame: Option<Self> = None;
        for candidate in candidates.iter().filter(|c| matches!(c.excluded, None | Some(Exclusion::NotNamed))) {
            let (reach, fee, latency) = (reach(request, candidate), candidate.fee, candidate.latency_ns);
            let so_far = frame.get_or_insert(Self { best: reach, reference: 0, min_latency_ns: latency, min_fee: fee, max_fee: fee });
            so_far.best = so_far.best.min(reach);
            so_far.min_latency_ns = so_far.min_latency_ns.min(latency);
            so_far.min_fee = so_far.min_fee.min(fee);
            so_far.max_fee = so_far.max_fee.max(fee);
        }
        let mut frame = frame?;
        frame.reference = match frame.best {
            Reach::Takes(cost) => cost.unsigned_abs(),
            Reach::Rests(_) => request.limit().map_or(0, |limit| limit.raw().unsigned_abs()),
            Reach::Waits | Reach::Nothing => 0,
        };
        Some(frame)
    }

    /// Fills in the candidate's components and score.
    pub(crate) fn score(&self, request: &RouteRequest<'_>, candidate: &mut Candidate) {
        candidate.price_score = self.price(reach(request, candidate), request.policy.price_range_bps);
        candidate.latency_score = ratio_ppm(u128::from(self.min_latency_ns.max(1)), u128::from(candidate.latency_ns.max(1)));
        candidate.fill_score = candidate.fill_ppm;
        candidate.fee_score = self.fee(candidate.fee);
        let failures = eligibility::failures(request, candidate.venue);
        candidate.score = weighted(request.policy.weights, candidate).checked_shr(failures).unwrap_or(0);
    }

    fn price(&self, reach: Reach, range_bps: u32) -> u32 {
        match (reach, self.best) {
            (Reach::Takes(cost), Reach::Takes(best)) | (Reach::Rests(cost), Reach::Rests(best)) => {
                let worse = u128::from(cost.saturating_sub(best).max(0).unsigned_abs()) * 10_000;
                let range = u128::from(self.reference) * u128::from(range_bps);
                if worse == 0 { FULL_PPM } else { ratio_ppm(range.saturating_sub(worse), range) }
            }
            (Reach::Waits, _) => FULL_PPM,
            (Reach::Nothing, _) => 0,
            // Only an excluded venue can be in a better class than the best eligible one.
            (own, best) => {
                if own < best {
                    FULL_PPM
                } else {
                    0
                }
            }
        }
    }

    fn fee(&self, fee: Price) -> u32 {
        let dearest = i128::from(self.max_fee.raw());
        let span = dearest - i128::from(self.min_fee.raw());
        if span == 0 && i128::from(fee.raw()) <= dearest {
            return FULL_PPM;
        }
        ratio_ppm((dearest - i128::from(fee.raw())).max(0).unsigned_abs(), span.unsigned_abs())
    }
}

/// `part / whole` in parts per million, rounded down, at most one; nothing of nothing is 0.
fn ratio_ppm(part: u128, whole: u128) -> u32 {
    let full = u128::from(FULL_PPM);
    if whole == 0 {
        return 0;
    }
    if part >= whole {
        return FULL_PPM;
    }
    // Almost every ratio fits in 64 bits, where division is several times faster.
    let ppm = match (u64::try_from(part * full), u64::try_from(whole)) {
        (Ok(part), Ok(whole)) => u128::from(part / whole),
        _ => part * full / whole,
    };
    u32::try_from(ppm).unwrap_or(FULL_PPM)
}

fn weighted(weights: Weights, candidate: &Candidate) -> u32 {
    let parts = [
        (weights.price, candidate.price_score),
        (weights.latency, candidate.latency_score),
        (weights.fill, candidate.fill_score),
        (weights.fee, candidate.fee_score),
    ];
    let sum: u64 = parts.iter().map(|(weight, _)| u64::from(*weight)).sum();
    let score: u64 = parts.iter().map(|(weight, ppm)| u64::from(*weight) * u64::from(*ppm)).sum();
    score.checked_div(sum).and_then(|ppm| u32::try_from(ppm).ok()).unwrap_or(0)
}

/// Best first: the eligible by score, then better price, lower fee, venue id; then the excluded by venue id.
#[inline]
pub(crate) fn by_rank(request: &RouteRequest<'_>, a: &Candidate, b: &Candidate) -> Ordering {
    match (a.excluded, b.excluded) {
        (None, None) => b.score.cmp(&a.score).then_with(|| by_tie(request, a, b)),
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(_), Some(_)) => a.venue.cmp(&b.venue),
    }
}

/// Ties are rare; out of line they do not slow the comparison of scores.
#[inline(never)]
fn by_tie(request: &RouteRequest<'_>, a: &Candidate, b: &Candidate) -> Ordering {
    let price = reach(request, a).cmp(&reach(request, b));
    price.then_with(|| a.fee.cmp(&b.fee)).then_with(|| a.venue.cmp(&b.venue))
}

#[cfg(test)]
mod tests;
