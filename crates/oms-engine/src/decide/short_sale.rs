//! The short-sale price test that begins by itself: a price a tenth below the prior close, in the session of the market
//! where the share is listed. It holds until the end of the next trading day (Regulation SHO rule 201(b)(1)).

use crate::step::Step;
use oms_model::event::{Event, ShortSaleTriggered};
use oms_model::{AssetClass, InstrumentId, Mic, Price};

/// The exchanges that list NMS stocks, by their operating codes (ISO 10383). The rule is theirs alone.
const LISTING_MARKETS: [Mic; 6] =
    [Mic::of(b"ARCX"), Mic::of(b"BATS"), Mic::of(b"IEXG"), Mic::of(b"XASE"), Mic::of(b"XNAS"), Mic::of(b"XNYS")];
/// So many instruments are looked at by one input; the next ones follow at once.
const LOOKS_AT_ONCE: usize = 64;

/// Whether `price` is a tenth below `prior_close`, or more.
fn has_fallen(price: Price, prior_close: Price) -> bool {
    i128::from(price.raw()) * 10 <= i128::from(prior_close.raw()) * 9
}

/// Looks at the instruments behind `after` whose prior close is known, a bounded number at a time. How far it came; `None`
/// once all were looked at.
pub(crate) fn look(step: &mut Step<'_>, after: Option<InstrumentId>) -> Option<InstrumentId> {
    let known = step.state().risk().prior_closes_after(after).take(LOOKS_AT_ONCE);
    let instruments: Vec<InstrumentId> = known.map(|known| known.instrument_id).collect();
    for &instrument_id in &instruments {
        look_at(step, instrument_id);
    }
    instruments.last().copied().filter(|_| instruments.len() == LOOKS_AT_ONCE)
}

/// Begins the price test of an instrument, where its price says so and it is not in force.
pub(crate) fn look_at(step: &mut Step<'_>, instrument_id: InstrumentId) {
    let now = step.now();
    let risk = step.state().risk();
    let Some(prior_close) = risk.prior_close(instrument_id).filter(|_| !risk.is_short_sale_restricted(instrument_id, now)) else { return };
    let Some(instrument) = step.state().instrument(instrument_id) else { return };
    let concerned = instrument.asset_class == AssetClass::Equity && LISTING_MARKETS.contains(&instrument.listing);
    if !concerned || !step.config.in_session(instrument, now) {
        return;
    }
    let opened = step.config.day_open(Some(instrument), now);
    let close = step.config.day_end(Some(instrument), now);
    let until = step.config.day_end(Some(instrument), close);
    let price = step.with_market(instrument_id, |_, market, _| {
        // What is from before the session says nothing about this day.
        let traded = market.last.filter(|last| last.at >= opened).map(|last| last.price);
        let quoted = [market.bid, market.ask].iter().all(|side| side.is_some_and(|level| level.at >= opened));
        traded.or_else(|| market.mid().filter(|_| quoted))
    });
    if let Some(price) = price.filter(|price| price.is_positive() && has_fallen(*price, prior_close)) {
        step.emit(Event::ShortSaleTriggered(ShortSaleTriggered { instrument_id, prior_close, price, until }));
    }
}
