//! How orders are filled, as days at a desk. Prices in cents.

use super::*;

#[test]
fn what_was_taken_is_gone_until_the_next_row() {
    let mut desk = Desk::new();
    desk.ask(2000, 300);
    assert_eq!(desk.send(order(1, Side::Buy, 200, 2001)), ["1-0 accepted", "1-0 took 200 @ 20"]);
    assert_eq!(desk.venue.take_published(), [(symbol(), Side::Sell, Some(Shown { price: price(2000), size: qty(100) }))]);
    assert_eq!(desk.send(order(2, Side::Buy, 200, 2001)), ["2-0 accepted", "2-0 took 100 @ 20"]);
    assert_eq!(desk.venue.take_published(), [(symbol(), Side::Sell, None)]);
    assert_eq!(desk.send(order(3, Side::Buy, 200, 2001)), ["3-0 accepted"]);
    // The next level comes into view: both trade on at its price, the first first.
    assert_eq!(desk.ask(2001, 250), ["2-0 took 100 @ 20.01", "3-0 took 150 @ 20.01"]);
}

#[test]
fn a_resting_order_waits_behind_the_displayed_size() {
    let mut desk = Desk::new();
    desk.bid(1999, 500);
    desk.ask(2000, 500);
    assert_eq!(desk.send(order(1, Side::Buy, 200, 1999)), ["1-0 accepted"]);
    assert_eq!(desk.trade(1999, 300), [""; 0], "200 are still ahead");
    assert_eq!(desk.trade(1999, 250), ["1-0 made 50 @ 19.99"]);
    assert_eq!(desk.trade(1999, 1000), ["1-0 made 150 @ 19.99"]);
}

#[test]
fn two_of_ours_share_one_print_and_count_the_others_once() {
    let mut desk = Desk::new();
    desk.ask(2000, 100);
    desk.bid(1999, 300);
    desk.send(order(1, Side::Buy, 100, 1999));
    desk.bid(1999, 400);
    desk.send(order(2, Side::Buy, 100, 1999));
    // 300 others, the first of ours, then the 100 others who came before the second.
    assert_eq!(desk.trade(1999, 500), ["1-0 made 100 @ 19.99"]);
    assert_eq!(desk.trade(1999, 60), ["2-0 made 60 @ 19.99"]);
    desk.bid(1999, 300);
    desk.send(order(3, Side::Buy, 100, 1999));
    desk.send(order(4, Side::Buy, 100, 1999));
    assert_eq!(desk.trade(1999, 490), ["2-0 made 40 @ 19.99", "3-0 made 100 @ 19.99", "4-0 made 50 @ 19.99"]);
}

#[test]
fn the_queue_shrinks_with_the_displayed_size_and_is_gone_when_the_quote_leaves() {
    let mut desk = Desk::new();
    desk.bid(1999, 500);
    desk.ask(2005, 500);
    desk.send(order(1, Side::Buy, 100, 1999));
    desk.bid(1999, 50);
    assert_eq!(desk.trade(1999, 60), ["1-0 made 10 @ 19.99"]);
    desk.send(order(2, Side::Buy, 100, 1998));
    assert_eq!(desk.trade(1998, 40), ["1-0 made 40 @ 19.99"], "a print through the first, not at the unseen second");
    desk.bid(1998, 70);
    assert_eq!(desk.trade(1998, 100), ["1-0 made 50 @ 19.99"], "50 of 70 that stood before the second went");
    desk.row(Side::Buy, None);
    assert_eq!(desk.trade(1998, 30), ["2-0 made 30 @ 19.98"]);
}

#[test]
fn an_order_inside_the_spread_is_first() {
    let mut desk = Desk::new();
    desk.bid(1990, 500);
    desk.ask(2010, 500);
    desk.send(order(1, Side::Sell, 100, 2000));
    assert_eq!(desk.trade(2000, 40), ["1-0 made 40 @ 20"]);
    assert_eq!(desk.trade(1999, 40), [""; 0]);
    assert_eq!(desk.trade(2001, 400), ["1-0 made 60 @ 20"]);
}

#[test]
fn the_opposite_quote_crosses_a_resting_order_at_its_own_price() {
    let mut desk = Desk::new();
    desk.ask(2005, 500);
    desk.send(order(1, Side::Buy, 300, 2000));
    assert_eq!(desk.ask(1999, 200), ["1-0 made 200 @ 20"]);
    assert_eq!(desk.venue.take_published(), [(symbol(), Side::Sell, None)]);
    assert_eq!(desk.ask(2000, 500), ["1-0 made 100 @ 20"]);
}

#[test]
fn without_a_quote_a_wide_limit_trades_at_the_market_that_comes() {
    let mut desk = Desk::new();
    desk.send(order(1, Side::Buy, 300, 9900));
    assert_eq!(desk.ask(2000, 100), ["1-0 took 100 @ 20"]);
    assert_eq!(desk.trade(2001, 50), ["1-0 took 50 @ 20.01"]);
    assert_eq!(desk.ask(2002, 900), ["1-0 took 150 @ 20.02"]);
}

#[test]
fn our_own_orders_meet_in_the_book() {
    let mut desk = Desk::new();
    desk.bid(1990, 100);
    desk.ask(2010, 100);
    desk.send(order(1, Side::Sell, 100, 2005));
    desk.send(order(2, Side::SellShort, 100, 2005));
    desk.send(order(3, Side::Sell, 100, 2010));
    assert_eq!(
        desk.send(order(4, Side::Buy, 350, 2010)),
        [
            "4-0 accepted",
            "1-0 made 100 @ 20.05",
            "4-0 took 100 @ 20.05",
            "2-0 made 100 @ 20.05",
            "4-0 took 100 @ 20.05",
            // At the same price the displayed size was there first.
            "4-0 took 100 @ 20.1",
            "3-0 made 50 @ 20.1",
            "4-0 took 50 @ 20.1",
        ]
    );
}

#[test]
fn a_market_order_takes_and_goes_on_with_the_next_quotes() {
    let mut desk = Desk::new();
    assert_eq!(desk.send(market(1, Side::Buy, 100)), ["1-0 rejected: no quote to trade against"]);
    desk.ask(2000, 100);
    assert_eq!(desk.send(market(2, Side::Buy, 300)), ["2-0 accepted", "2-0 took 100 @ 20"]);
    assert_eq!(desk.ask(2100, 150), ["2-0 took 150 @ 21"]);
    assert_eq!(desk.ask(2200, 150), ["2-0 took 50 @ 22"]);
}

#[test]
fn replacing_keeps_the_place_only_for_less_at_the_same_price() {
    let mut desk = Desk::new();
    desk.bid(1999, 100);
    desk.ask(2010, 100);
    for id in 1..=3 {
        desk.send(order(id, Side::Buy, 100, 2000));
    }
    assert_eq!(desk.replace(1, 1, 50, 2000), ["1-1 replaced"]);
    assert_eq!(desk.replace(2, 1, 150, 2000), ["2-1 replaced"]);
    assert_eq!(desk.trade(2000, 175), ["1-1 made 50 @ 20", "3-0 made 100 @ 20", "2-1 made 25 @ 20"]);
    assert_eq!(desk.replace(2, 2, 25, 2000), ["2-2 replace rejected: quantity is not above what is executed"]);
    // A cancel may name any id that the order has gone by.
    assert_eq!(desk.cancel(2, 3), ["2-3 canceled"]);
}

#[test]
fn a_replace_to_a_crossing_price_trades_at_once() {
    let mut desk = Desk::new();
    desk.ask(2010, 100);
    desk.send(order(1, Side::Buy, 100, 2000));
    assert_eq!(desk.replace(1, 1, 100, 2010), ["1-1 replaced", "1-1 took 100 @ 20.1"]);
}

#[test]
fn stops_are_elected_by_any_last_sale_nearest_first() {
    let mut desk = Desk::new();
    desk.bid(1990, 1000);
    desk.ask(2000, 1000);
    assert_eq!(desk.send(stop(1, Side::Buy, 100, 2010)), ["1-0 accepted"]);
    assert_eq!(desk.send(stop(2, Side::Buy, 100, 2005)), ["2-0 accepted"]);
    assert_eq!(desk.send(stop(3, Side::Sell, 100, 1980)), ["3-0 accepted"]);
    assert_eq!(desk.elsewhere(2004), [""; 0]);
    assert_eq!(desk.elsewhere(2012), ["2-0 took 100 @ 20", "1-0 took 100 @ 20"]);
    assert_eq!(desk.elsewhere(1980), ["3-0 took 100 @ 19.9"]);
    // Already beyond its price on entry.
    assert_eq!(desk.send(stop(4, Side::Sell, 100, 1985)), ["4-0 accepted", "4-0 took 100 @ 19.9"]);
    assert_eq!(desk.send(stop(5, Side::Sell, 100, 1970)), ["5-0 accepted"]);
    assert_eq!(desk.replace(5, 1, 100, 1981), ["5-1 replaced", "5-1 took 100 @ 19.9"]);
}

#[test]
fn a_stop_limit_rests_at_its_limit_when_elected() {
    let mut desk = Desk::new();
    desk.bid(2000, 1000);
    desk.ask(2020, 1000);
    let mut wanted = stop(1, Side::Buy, 100, 2005);
    (wanted.ord_type, wanted.price) = (OrdType::StopLimit, Some(price(2007)));
    desk.send(wanted);
    assert_eq!(desk.trade(2006, 10), [""; 0]);
    assert_eq!(desk.trade(2007, 100), ["1-0 made 100 @ 20.07"]);
}

#[test]
fn orders_expire_at_their_time_and_at_the_end_of_the_session() {
    let mut desk = Desk::new();
    let until = |at| WireOrder { time_in_force: TimeInForce::Gtd, expire_at: Some(at), ..order(1, Side::Buy, 100, 1990) };
    assert_eq!(desk.send(until(Time(0))), ["1-0 rejected: expiry is missing or passed"]);
    desk.send(WireOrder { wire_id: wire(2, 0), ..until(Time(50_000)) });
    desk.send(WireOrder { time_in_force: TimeInForce::Gtc, ..order(3, Side::Buy, 100, 1990) });
    desk.send(order(4, Side::Buy, 100, 1990));
    assert_eq!(desk.venue.next_due(), Some(Time(50_000)));
    desk.now = Time(50_000);
    assert_eq!(desk.told(), ["2-0 expired"]);
    desk.venue.end_session(desk.now);
    assert_eq!(desk.told(), ["4-0 expired"]);
    assert_eq!(desk.cancel(4, 1), ["4-1 cancel rejected: too late: expired"]);
    assert_eq!(desk.venue.working_orders(), 1);
}

#[test]
fn nonsense_is_refused_by_name() {
    let mut desk = Desk::new();
    let other = WireOrder { symbol: Symbol::new("XYZ").unwrap(), ..order(1, Side::Buy, 100, 2000) };
    assert_eq!(desk.send(other), ["1-0 rejected: unknown symbol"]);
    assert_eq!(desk.send(order(2, Side::Buy, 0, 2000)), ["2-0 rejected: quantity is not above zero"]);
    assert_eq!(desk.send(order(3, Side::Buy, 1, 0)), ["3-0 rejected: price is missing or not above zero"]);
    assert_eq!(desk.send(stop(4, Side::Buy, 1, 0)), ["4-0 rejected: stop price is missing or not above zero"]);
    assert_eq!(desk.send(order(1, Side::Buy, 100, 2000)), ["1-0 rejected: duplicate ClOrdID"]);
    assert_eq!(desk.venue.stats(), VenueStats { rejected: 4, duplicates_seen: 1, ..VenueStats::default() });
}

#[test]
fn fees_follow_liquidity_and_requests_are_bounded() {
    let mut desk = Desk::new();
    desk.ask(2000, 100);
    desk.send(order(1, Side::Buy, 100, 2000));
    let Answer::Complete(done) = desk.venue.executions_since(desk.now, Time(0)) else { panic!() };
    assert_eq!(done[0].2.fee_per_unit, profile().taker_fee);
    for id in 0..courier::MAX_IN_FLIGHT as u128 {
        let request = Request::New(order(100 + id, Side::Buy, 1, 1));
        assert_eq!(desk.venue.submit(desk.now, request), Handed::Over);
    }
    let handed = desk.venue.submit(desk.now, Request::New(order(2, Side::Buy, 1, 1)));
    assert_eq!(handed, Handed::NotSent("too many requests under way".to_owned()));
}
