//! PEG: the whole order at a price that follows the market.
//!
//! - PRIMARY follows the best price of the order's own side, MARKET that of the other side, MID the middle. The offset
//!   is added for a buyer and subtracted for a seller. A price between two ticks goes to the less aggressive one.
//! - Neither the cap nor the order's limit is passed. Where the followed price is missing, the order stays where it is.
//! - It is repriced at most once an interval.

use super::{Action, AlgoRequest, Decision, MAX_FAILED};
use oms_model::algo::{Peg, PegPrice};
use oms_model::instrument::Instrument;
use oms_model::market::Market;
use oms_model::{Price, Side};

pub(super) fn next(request: &AlgoRequest<'_>) -> Decision {
    let progress = request.progress;
    let reason = "the market has no price to follow";
    let Some(price) = request.params.peg.as_ref().and_then(|peg| peg_price(peg, request.side, request.market, request.instrument)) else {
        return Decision { on_market: true, ..Decision::wait(None, reason) };
    };
    let price = request.within_limit(price);
    let due = progress.acted_at.map(|at| at.plus(request.params.interval_ns)).filter(|&at| at > request.now);
    if progress.open_qty.is_positive() && progress.slice_px != Some(price) {
        return match due {
            Some(at) => Decision { on_market: true, ..Decision::wait(Some(at), "it was repriced in this interval") },
            None => Decision { action: Action::Reprice(price), wake: None, on_market: true, reason: "the followed price moved" },
        };
    }
    if progress.failed >= MAX_FAILED {
        return Decision::act(Action::Cancel, "three slices in a row were not executed");
    }
    let mut decision = request.toward(progress.order_qty, Some(price), None);
    decision.on_market = true;
    decision
}

/// The price that a peg stands at; `None` where the market lacks the price it follows, or none above zero is left.
#[must_use]
pub fn peg_price(peg: &Peg, side: Side, market: &Market, instrument: &Instrument) -> Option<Price> {
    let buy = side.is_buy();
    let (near, far) = if buy { (market.bid, market.ask) } else { (market.ask, market.bid) };
    let followed = match peg.reference {
        PegPrice::Primary => near?.price,
        PegPrice::Market => far?.price,
        PegPrice::Mid => market.mid()?,
    };
    let moved = if buy { followed.checked_add(peg.offset) } else { followed.checked_sub(peg.offset) }?;
    let capped = match peg.cap {
        Some(cap) if buy => moved.min(cap),
        Some(cap) => moved.max(cap),
        None => moved,
    };
    on_tick(capped, buy, instrument).filter(|price| price.is_positive())
}

/// The next price on the tick table that is not more aggressive.
#[must_use]
pub fn on_tick(price: Price, buy: bool, instrument: &Instrument) -> Option<Price> {
    let tick = instrument.tick_at(price)?.raw();
    if tick <= 0 {
        return Some(price);
    }
    let down = price.raw() - price.raw().rem_euclid(tick);
    let raw = if buy || down == price.raw() { down } else { down.checked_add(tick)? };
    Some(Price::from_raw(raw))
}

#[cfg(test)]
mod tests {
    use super::{Peg, PegPrice};
    use crate::algo::fixture::{case, minutes, run};
    use oms_model::Side;
    use oms_model::algo::Algo;

    fn pegged(reference: PegPrice, offset: &str, cap: Option<&str>) -> crate::algo::fixture::Case {
        let peg = Peg { reference, offset: offset.parse().unwrap(), cap: cap.map(|cap| cap.parse().unwrap()) };
        case(Algo::Peg).with(|p| (p.peg, p.interval_ns) = (Some(peg), 1_000_000_000)).never_filled()
    }

    #[test]
    fn each_reference_with_its_offset_and_cap() {
        let first = |case: &crate::algo::fixture::Case| run(case, minutes(1)).priced_slices();
        assert_eq!(first(&pegged(PegPrice::Primary, "0", None)), "0s 100 @ 99");
        assert_eq!(first(&pegged(PegPrice::Market, "0", None)), "0s 100 @ 101");
        assert_eq!(first(&pegged(PegPrice::Mid, "0", None)), "0s 100 @ 100");
        assert_eq!(first(&pegged(PegPrice::Mid, "0.013", None)), "0s 100 @ 100.01");
        assert_eq!(first(&pegged(PegPrice::Market, "-0.5", None)), "0s 100 @ 100.5");
        assert_eq!(first(&pegged(PegPrice::Market, "0", Some("100.2"))), "0s 100 @ 100.2");
        assert_eq!(first(&pegged(PegPrice::Market, "0", None).limit("99.9")), "0s 100 @ 99.9");
    }

    #[test]
    fn a_seller_is_mirrored() {
        let first = |case: crate::algo::fixture::Case| run(&case.side(Side::Sell), minutes(1)).priced_slices();
        assert_eq!(first(pegged(PegPrice::Primary, "0.5", None)), "0s 100 @ 100.5");
        assert_eq!(first(pegged(PegPrice::Mid, "0.013", None)), "0s 100 @ 99.99");
        assert_eq!(first(pegged(PegPrice::Market, "0", Some("99.5"))), "0s 100 @ 99.5");
    }

    #[test]
    fn it_moves_with_the_market_at_most_once_an_interval() {
        let drifting = pegged(PegPrice::Primary, "0", None).drifting("0.01", 500_000_000);
        assert_eq!(run(&drifting, 2_400_000_000).actions(), "0s 100 @ 99, 1s reprice 99.02, 2s reprice 99.04");
    }
}
