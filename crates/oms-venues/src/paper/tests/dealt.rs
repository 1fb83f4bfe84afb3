//! Funds and accepted quotes: what is dealt without a book.

use super::*;
use oms_model::{Decimal, OrdType, QuoteRef};

fn fund(id: u128, side: Side, units: i64) -> WireOrder {
    WireOrder { ord_type: OrdType::Market, price: None, ..order(id, side, units, 1) }
}

fn money(id: u128, side: Side, amount: u64) -> WireOrder {
    WireOrder { cash_order_qty: Some(Decimal::from_count(amount)), ..fund(id, side, 1) }
}

fn thousandth() -> Qty {
    Qty::from_raw(1_000_000)
}

fn fund_desk() -> Desk {
    let mut desk = Desk::new();
    desk.venue.list_fund(&symbol());
    desk
}

impl Desk {
    fn value(&mut self, cents: i64, cut_off: Time) -> Vec<String> {
        self.venue.value(self.now, &symbol(), price(cents), cut_off, thousandth());
        self.told()
    }

    fn quoted(&mut self, id: u128, side: Side, shares: i64, cents: i64, quote: &str) -> Vec<String> {
        let quote_ref = Some(QuoteRef::new(quote).unwrap());
        let (ord_type, time_in_force) = (OrdType::PreviouslyQuoted, TimeInForce::Fok);
        self.send(WireOrder { ord_type, time_in_force, quote_ref, ..order(id, side, shares, cents) })
    }

    fn offer(&mut self, quote: &str, until: Time) {
        let (bid, offer) = (Some((price(9900), qty(100))), Some((price(10_100), qty(50))));
        self.venue.offer(QuoteRef::new(quote).unwrap(), Offer { symbol: symbol(), bid, offer, until });
    }
}

#[test]
fn a_fund_order_waits_for_the_valuation_after_its_cut_off() {
    let mut desk = fund_desk();
    assert_eq!(desk.send(fund(1, Side::Subscribe, 10)), ["1-0 accepted"]);
    let cut_off = desk.now;
    desk.now = desk.now.plus(1);
    assert_eq!(desk.send(fund(2, Side::Redeem, 4)), ["2-0 accepted"]);
    assert_eq!(desk.value(1275, cut_off), ["1-0 took 10 @ 12.75"]);
    let next = desk.now;
    assert_eq!(desk.value(1280, next), ["2-0 took 4 @ 12.8"]);
}

#[test]
fn money_buys_whole_lots_at_the_value() {
    let mut desk = fund_desk();
    desk.send(money(1, Side::Subscribe, 1000));
    desk.send(money(2, Side::Redeem, 500));
    let cut_off = desk.now;
    assert_eq!(desk.value(1275, cut_off), ["1-0 took 78.431 @ 12.75", "2-0 took 39.215 @ 12.75"]);
    assert_eq!(desk.venue.working_orders(), 0);
}

#[test]
fn money_that_buys_no_unit_comes_back() {
    let mut desk = fund_desk();
    desk.send(money(1, Side::Subscribe, 1));
    let cut_off = desk.now;
    assert_eq!(desk.value(100_000_000, cut_off), ["1-0 canceled"]);
}

#[test]
fn a_restarted_fund_venue_remembers_what_money_bought_and_what_waits() {
    let mut desk = fund_desk();
    desk.send(money(1, Side::Subscribe, 1000));
    let cut_off = desk.now;
    desk.value(1275, cut_off);
    desk.send(money(2, Side::Subscribe, 2000));
    let records = desk.ledger.records().unwrap();
    let mut again = PaperVenue::open(profile(), 1, Box::new(desk.ledger.clone()), &records).unwrap();
    again.list_fund(&symbol());
    assert_eq!(again.working_orders(), 1);
    let Answer::Complete(Some(filled)) = again.query(desk.now, &wire(1, 0)) else { panic!("it is known") };
    assert_eq!((filled.state, filled.order_qty.to_string()), (VenueState::Filled, "78.431".to_owned()));
    again.value(desk.now, &symbol(), price(1000), desk.now, thousandth());
    let Answer::Complete(Some(filled)) = again.query(desk.now, &wire(2, 0)) else { panic!("it is known") };
    assert_eq!((filled.state, filled.order_qty.to_string()), (VenueState::Filled, "200".to_owned()));
}

#[test]
fn an_accepted_quote_is_dealt_once_at_its_price() {
    let mut desk = Desk::new();
    desk.offer("Q1", Time(1_000_000));
    assert_eq!(desk.quoted(1, Side::Buy, 50, 10_100, "Q1"), ["1-0 accepted", "1-0 took 50 @ 101"]);
    assert_eq!(desk.quoted(2, Side::Buy, 50, 10_100, "Q1"), ["2-0 rejected: unknown quote"]);
    desk.offer("Q2", Time(1_000_000));
    assert_eq!(desk.quoted(3, Side::Sell, 100, 9_900, "Q2"), ["3-0 accepted", "3-0 took 100 @ 99"]);
}

#[test]
fn an_order_that_is_not_what_was_quoted_is_refused() {
    let mut desk = Desk::new();
    desk.offer("Q1", Time(1_000_000));
    let text = "rejected: the quote is for another price or less quantity";
    assert_eq!(desk.quoted(1, Side::Buy, 51, 10_100, "Q1"), [format!("1-0 {text}")]);
    assert_eq!(desk.quoted(2, Side::Buy, 50, 10_000, "Q1"), [format!("2-0 {text}")]);
    assert!(desk.venue.withdraw(&QuoteRef::new("Q1").unwrap()));
    assert_eq!(desk.quoted(3, Side::Buy, 50, 10_100, "Q1"), ["3-0 rejected: unknown quote"]);
    desk.offer("Q2", Time(1));
    desk.now = Time(2_000_000);
    assert_eq!(desk.quoted(4, Side::Buy, 50, 10_100, "Q2"), ["4-0 rejected: the quote has expired"]);
}
