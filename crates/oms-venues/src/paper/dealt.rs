//! What is dealt without a book: funds at their net asset value, accepted quotes at their price.
//!
//! - A fund's orders wait. A valuation executes those that were taken up to its cut-off, at its value: units for
//!   units, and for money the whole lots that it buys.
//! - A dealer fills an order that accepts one of its quotes wholly and at once, at the quoted price, while the quote
//!   lives. Each quote is good for one order. What is not kept over a restart is offers: they live for moments.

use oms_model::{Liquidity, OrdType, Price, Qty, QuoteRef, Symbol, Time};
use oms_runtime::port::WireOrder;

use super::PaperVenue;

/// Offers that a dealer keeps at most; the ones that end first go first.
const MAX_OFFERS: usize = 100_000;

/// What a dealer's quote commits it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// In what.
    pub symbol: Symbol,
    /// At which price it buys from us, and how much.
    pub bid: Option<(Price, Qty)>,
    /// At which price it sells to us, and how much.
    pub offer: Option<(Price, Qty)>,
    /// Until when.
    pub until: Time,
}

impl PaperVenue {
    /// Lists a fund, whose orders wait for a valuation.
    pub fn list_fund(&mut self, symbol: &Symbol) {
        self.list(symbol);
        self.funds.insert(symbol.clone());
    }

    /// A fund was valued: orders taken up to `cut_off` are executed. `lot` is the smallest part of a unit.
    pub fn value(&mut self, now: Time, symbol: &Symbol, nav: Price, cut_off: Time, lot: Qty) {
        self.advance(now);
        self.pass(now);
        let due = |number: &u64| self.order(*number).is_some_and(|order| order.symbol == *symbol && order.taken_at <= cut_off);
        let orders: Vec<u64> = self.working.iter().copied().filter(due).collect();
        for number in orders {
            let Some(order) = self.order(number) else { continue };
            let units = match order.cash {
                None => order.leaves(),
                Some(cash) => units_for(cash, nav, lot),
            };
            if units.is_positive() {
                self.deal(number, nav, units);
            } else {
                self.cancel_unasked(number, "the money buys no unit");
            }
        }
        self.commit();
    }

    /// Executes an order in one piece.
    fn deal(&mut self, number: u64, price: Price, qty: Qty) {
        if let Some(order) = self.order_mut(number)
            && order.cash.is_some()
        {
            order.qty = order.cum.saturating_add(qty);
        }
        self.fill(number, price, qty, Liquidity::Removed);
    }

    /// A quote leaves for us. It must be known here before anybody can accept it.
    pub fn offer(&mut self, quote_ref: QuoteRef, offer: Offer) {
        let now = self.clock;
        if self.offers.len() >= MAX_OFFERS {
            self.offers.retain(|_, known| known.until > now);
        }
        if self.offers.len() >= MAX_OFFERS
            && let Some(first) = self.offers.iter().min_by_key(|(_, known)| known.until).map(|(id, _)| id.clone())
        {
            self.offers.remove(&first);
        }
        self.offers.insert(quote_ref, offer);
    }

    /// A quote is taken back; an order that accepts it is refused from here on.
    pub fn withdraw(&mut self, quote_ref: &QuoteRef) -> bool {
        self.offers.remove(quote_ref).is_some()
    }

    /// Why an order that accepts a quote is not dealt.
    pub(super) fn offer_objection(&self, order: &WireOrder) -> Option<&'static str> {
        if order.ord_type != OrdType::PreviouslyQuoted {
            return None;
        }
        let Some(offer) = order.quote_ref.as_ref().and_then(|id| self.offers.get(id)) else { return Some("unknown quote") };
        let side = if order.side.is_buy() { offer.offer } else { offer.bid };
        if offer.until <= self.clock {
            Some("the quote has expired")
        } else if offer.symbol != order.symbol {
            Some("the quote is for another instrument")
        } else if side.is_none_or(|(price, size)| order.price != Some(price) || order.order_qty > size) {
            Some("the quote is for another price or less quantity")
        } else {
            None
        }
    }

    /// Deals an order that accepts a quote; its offer is used up. False: it accepts none.
    pub(super) fn deal_quoted(&mut self, number: u64, quote_ref: Option<&QuoteRef>) -> bool {
        let Some(quote_ref) = quote_ref.filter(|id| self.offers.contains_key(*id)) else { return false };
        let Some((price, qty)) = self.order(number).and_then(|order| Some((order.price?, order.leaves()))) else { return false };
        self.offers.remove(quote_ref);
        self.deal(number, price, qty);
        true
    }

    /// Whether orders in this wait for a valuation.
    pub(super) fn is_fund(&self, symbol: &Symbol) -> bool {
        self.funds.contains(symbol)
    }
}

/// The whole lots that money buys.
fn units_for(cash: oms_model::Decimal, price: Price, lot: Qty) -> Qty {
    let money = cash.to_notional().map_or(0, oms_model::Notional::raw);
    Qty::from_raw(money.checked_div(i128::from(price.raw())).unwrap_or(0)).round_down_to(lot)
}
