//! Orders that no venue's book prices: a fund's, at its next net asset value.

use crate::state::State;
use crate::step::Step;
use oms_model::asset_class::{CalendarKind, rules_of};
use oms_model::command::{CommandOutcome, NewOrder};
use oms_model::event::{Event, NavSet, OrderSized};
use oms_model::instrument::Instrument;
use oms_model::market::{Level, Market};
use oms_model::{AssetClass, Code, Decimal, Mic, Order, OrderId, Price, Qty, Refusal, Symbol, Time};

/// An order's own market, where no venue shows one, and where it goes.
pub(crate) struct OwnMarket {
    pub(crate) market: Market,
    pub(crate) venue: Mic,
}

/// The market that `order` meets without any venue's book; `None` where venues show it.
///
/// A fund's is its last net asset value, on both sides: the next one is not known, so the collar bounds what may be
/// reserved for it.
pub(crate) fn own_market(state: &State, order: &Order, now: Time) -> Option<OwnMarket> {
    let instrument = state.instrument(order.instrument_id)?;
    if instrument.asset_class != AssetClass::Fund {
        return None;
    }
    let mut market = Market::default();
    if let Some(nav) = instrument.nav {
        let level = Some(Level { price: nav, size: order.order_qty, at: now });
        market.set_quote(instrument.listing, !order.side.is_buy(), level);
        market.set_last(nav, order.order_qty, now);
    }
    Some(OwnMarket { market, venue: instrument.listing })
}

/// How much a new order is for: its quantity, or what its money buys at the last known price, rounded up to a lot.
/// Zero where there is no such price.
pub(crate) fn order_qty(instrument: &Instrument, new: &NewOrder) -> Qty {
    let Some(cash) = new.cash_order_qty else { return new.order_qty };
    let Some(nav) = instrument.nav else { return Qty::ZERO };
    let lots = bought(cash, nav, instrument.lot);
    if value(nav, lots) < cash.to_notional().map_or(i128::MAX, oms_model::Notional::raw) {
        lots.saturating_add(instrument.lot)
    } else {
        lots
    }
}

fn value(price: Price, qty: Qty) -> i128 {
    price.notional(qty).map_or(i128::MAX, oms_model::Notional::raw)
}

/// What `cash` buys at `price`, rounded down to whole lots; nothing where a figure leaves its range.
fn bought(cash: Decimal, price: Price, lot: Qty) -> Qty {
    let money = cash.to_notional().filter(|money| money.is_positive()).map_or(0, oms_model::Notional::raw);
    Qty::from_raw(money.checked_div(i128::from(price.raw())).unwrap_or(0)).round_down_to(lot)
}

/// The rules of an order for money.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn validate_cash(instrument: &Instrument, new: &NewOrder) -> Result<(), Refusal> {
    let Some(cash) = new.cash_order_qty else { return Ok(()) };
    if !new.order_qty.is_zero() {
        return Err(Refusal::new(Code::ValidationError, "order_qty and cash_order_qty exclude each other"));
    }
    if !cash.is_positive() || cash.to_notional().is_none() {
        return Err(Refusal::new(Code::ValidationError, "cash_order_qty must be above zero and within range"));
    }
    if instrument.nav.is_none() {
        return Err(Refusal::new(Code::NoReferencePrice, "the fund was never valued, so its money cannot be measured in units"));
    }
    Ok(())
}

/// An execution tells what the money of an order buys: its quantity becomes exact before the execution is counted.
pub(crate) fn size(step: &mut Step<'_>, order_id: OrderId, last_px: Price) {
    let Some(order) = step.state().order(order_id) else { return };
    let (Some(cash), false) = (order.cash_order_qty(), order.state.is_done()) else { return };
    let lot = step.state().instrument(order.instrument_id).map_or(Qty::ZERO, |instrument| instrument.lot);
    let spent = order.cum_notional.to_decimal();
    let left = cash.checked_sub(spent).unwrap_or(Decimal::ZERO);
    let order_qty = order.cum_qty.saturating_add(bought(left, last_px, lot));
    if order_qty != order.order_qty && order_qty.is_positive() {
        step.emit(Event::OrderSized(OrderSized { order_id, order_qty }));
    }
}

pub(crate) fn set_nav(step: &mut Step<'_>, symbol: &Symbol, nav: Price, as_of: Time) -> CommandOutcome {
    let refuse = |code, text: String| super::refused(Refusal::new(code, text));
    let Some(fund) = step.state().by_symbol(symbol) else {
        return refuse(Code::UnknownSymbol, format!("there is no instrument {symbol}"));
    };
    let rules = rules_of(fund.asset_class);
    if rules.calendar != CalendarKind::CutOff {
        return refuse(Code::AssetClassRule, format!("rule {}.calendar: only a class with a cut-off is valued", fund.asset_class));
    }
    if !nav.is_positive() {
        return refuse(Code::ValidationError, "a net asset value is above zero".to_owned());
    }
    if as_of > step.now() {
        return refuse(Code::ValidationError, "a fund is not valued ahead of time".to_owned());
    }
    if fund.nav_at.is_some_and(|known| as_of <= known) {
        return refuse(Code::StateConflict, "the fund has a valuation of that time or later".to_owned());
    }
    let (instrument_id, cut_off) = (fund.instrument_id, fund.cut_off_before(as_of));
    step.emit(Event::NavSet(NavSet { instrument_id, nav, as_of, cut_off }));
    CommandOutcome::Done
}
