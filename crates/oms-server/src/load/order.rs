//! The orders that are sent.

use oms_model::Price;
use std::io::Write as _;

/// Units of [`Price`] in a cent.
const CENT: i64 = 10_000_000;
/// Different quantities of orders that rest.
const QUANTITIES: u64 = 997;
/// And of orders that trade: few shares, so that they do not take the market away that the others are routed by.
const SMALL: u64 = 19;
/// Different prices, where the instrument is dear enough: so many orders on a side, quantities times prices, before two
/// are equal and look like a mistake to the desk.
const PRICES: i64 = 97;

/// A price in whole cents.
#[must_use]
pub fn cents(text: &str) -> Option<i64> {
    let price: Price = text.parse().ok()?;
    Some(price.raw() / CENT)
}

/// The best bid and offer of an instrument, cents.
#[derive(Clone, Debug)]
pub struct Quote {
    /// Its ticker.
    pub symbol: String,
    /// Best bid.
    pub bid: i64,
    /// Best offer.
    pub ask: i64,
}

/// Makes orders by their number: the same number and run, the same order.
pub struct Orders {
    quotes: Vec<Quote>,
    marketable_percent: u32,
    run: u64,
}

impl Orders {
    /// Orders in these instruments; so many percent of them trade at once.
    #[must_use]
    pub fn new(quotes: Vec<Quote>, marketable_percent: u32, run: u64) -> Self {
        Self { quotes, marketable_percent, run }
    }

    /// Writes the id of the `n`th order: its `cl_ord_id`, and its idempotency key.
    pub fn id(&self, n: u64, out: &mut Vec<u8>) {
        // Writing to memory does not fail.
        let _written = write!(out, "L{:016x}-{n}", self.run);
    }

    /// Writes the body of the `n`th order.
    pub fn body(&self, n: u64, out: &mut Vec<u8>) {
        let symbols = self.quotes.len().max(1) as u64;
        let Some(quote) = usize::try_from(n % symbols).ok().and_then(|at| self.quotes.get(at)) else { return };
        let (buy, nth) = ((n / symbols).is_multiple_of(2), n / symbols / 2);
        // Evenly spread: of any hundred orders in a row on a side of an instrument so many are marketable.
        let percent = u64::from(self.marketable_percent);
        let marketable = nth * percent / 100 != (nth + 1) * percent / 100;
        let (side, qty, price, tif) = if marketable { trading(quote, buy, nth) } else { resting(quote, buy, nth) };
        out.extend_from_slice(b"{\"cl_ord_id\":\"");
        self.id(n, out);
        let _written = write!(
            out,
            "\",\"symbol\":\"{}\",\"side\":\"{side}\",\"ord_type\":\"LIMIT\",\"order_qty\":\"{qty}\",\"price\":\"{}.{:02}\",\"time_in_force\":\"{tif}\"}}",
            quote.symbol,
            price / 100,
            price % 100
        );
    }
}

type Terms = (&'static str, u64, i64, &'static str);

/// A quantity, and a distance from the price in cents of one percent at most, that differ for orders near each other.
fn variant(quote: &Quote, nth: u64, quantities: u64) -> (u64, i64) {
    let prices = (quote.bid / 100).clamp(1, PRICES);
    (1 + nth % quantities, i64::try_from(nth / quantities).unwrap_or(0) % prices)
}

/// About five percent away from the market: far enough to rest, near enough for a price collar.
fn resting(quote: &Quote, buy: bool, nth: u64) -> Terms {
    let (qty, step) = variant(quote, nth, QUANTITIES);
    if buy { ("BUY", qty, (quote.bid * 95 / 100 - step).max(1), "DAY") } else { ("SELL", qty, quote.ask * 105 / 100 + 1 + step, "DAY") }
}

/// Through the market by about two percent; as many on one side as on the other, so that the position stays small.
fn trading(quote: &Quote, buy: bool, nth: u64) -> Terms {
    let (qty, step) = variant(quote, nth, SMALL);
    if buy { ("BUY", qty, quote.ask * 102 / 100 + 1 + step, "IOC") } else { ("SELL", qty, (quote.bid * 98 / 100 - 1 - step).max(1), "IOC") }
}
