//! Market hours, maintenance and price bands.

use super::*;
use oms_model::TimeInForce;
use oms_model::compliance::PriceBand;
use oms_model::event::ShortSaleTriggered;

fn later(seconds: i64) -> Time {
    NOW.plus(seconds * SECOND)
}

#[test]
fn a_closed_market_is_waited_for_by_what_can_wait() {
    let opens = later(60);
    let day = buy("10", "100");
    let ends = |seconds| Proposed { time_in_force: TimeInForce::Gtd, expire_at: Some(later(seconds)), ..day };
    let at_once = |tif| Proposed { time_in_force: tif, ..day };
    for (check, code, hours) in [
        (Check::MarketHours, Code::MarketClosed, Hours { market: Opening::At(opens), ..Hours::default() }),
        (Check::BrokerMaintenance, Code::BrokerMaintenance, Hours { maintenance: Some(opens), ..Hours::default() }),
    ] {
        let desk = Desk { hours, ..Desk::new() };
        for (order, verdict) in [
            (day, Verdict::Hold),
            (ends(61), Verdict::Hold),
            (ends(60), Verdict::Fail),
            (at_once(TimeInForce::Ioc), Verdict::Fail),
            (at_once(TimeInForce::Fok), Verdict::Fail),
            // A person sees that it is closed.
            (Proposed { is_care: true, ..day }, Verdict::Pass),
        ] {
            let gate = desk.check(&order);
            let found = result(&gate, check);
            assert_eq!((found.verdict, found.until), (verdict, Some(opens)), "{check} {order:?}");
            assert_eq!(found.code, (verdict == Verdict::Fail).then_some(code));
            assert_eq!(gate.verdict.err().map(|refused| refused.code), found.code);
            assert_eq!(gate.hold, None, "it waits for its time, not for a person");
        }
        assert_eq!(result(&Desk::new().check(&day), check).verdict, Verdict::Pass);
    }
}

#[test]
fn a_market_that_does_not_open_and_a_close_that_is_near_refuse() {
    let never = Desk { hours: Hours { market: Opening::Never, ..Hours::default() }, ..Desk::new() };
    assert_eq!(never.code(&buy("10", "100")), Some(Code::MarketClosed));
    for (cut_off, code) in [(later(1), None), (NOW, Some(Code::MarketClosed))] {
        let desk = Desk { hours: Hours { on_close: Some(cut_off), ..Hours::default() }, ..Desk::new() };
        let order = Proposed { ord_type: OrdType::LimitOnClose, ..buy("10", "100") };
        assert_eq!(desk.code(&order), code);
    }
}

#[test]
fn what_works_is_not_asked_for_the_hours_again() {
    let mut desk = Desk::new();
    let (order, reserved) = desk.place(&buy("10", "100")).unwrap();
    desk.hours = Hours { market: Opening::Never, maintenance: Some(later(9)), ..Hours::default() };
    let terms = Terms { order_qty: qty("9"), price: order.price, stop_px: None };
    let gate = desk.book.check_replace(&order, &reserved, &terms, &desk.ctx());
    assert!(gate.verdict.is_ok());
    assert_eq!(result(&gate, Check::MarketHours).verdict, Verdict::NotApplicable);
    assert_eq!(result(&gate, Check::BrokerMaintenance).verdict, Verdict::NotApplicable);
}

#[test]
fn nothing_is_bought_above_its_band_nor_sold_below_it() {
    let mut desk = Desk::new();
    let band = PriceBand { instrument_id: INSTRUMENT, lower: px("98"), upper: px("102"), until: Some(later(60)) };
    desk.book.set_price_band(&band);
    let beyond = Some(Code::PriceBand);
    for (order, code) in [
        (buy("10", "101.99"), None),
        (buy("10", "102"), None),
        (buy("10", "102.01"), beyond),
        (buy("10", "50"), None),
        (sell("10", "98.01"), None),
        (sell("10", "98"), None),
        (sell("10", "97.99"), beyond),
        (sell("10", "150"), None),
        (limit(Side::SellShort, "10", "97.99"), beyond),
        (base(Side::Buy, OrdType::Market, "10"), None),
        (base(Side::Sell, OrdType::Market, "10"), None),
    ] {
        assert_eq!(desk.code(&order), code, "{order:?}");
    }
    let found = result(&desk.check(&buy("10", "102.01")), Check::PriceBand);
    assert_eq!((found.value, found.limit, found.until), (Some(dec("102.01")), Some(dec("102")), band.until));
    // The quote that it would meet lies beyond.
    desk.book.set_price_band(&PriceBand { upper: px("100.99"), lower: px("99.01"), ..band });
    assert_eq!(desk.code(&base(Side::Buy, OrdType::Market, "10")), beyond);
    assert_eq!(desk.code(&base(Side::Sell, OrdType::Market, "10")), beyond);
    // A band that has ended does not hold.
    for (now, code) in [(later(59), beyond), (later(60), None)] {
        desk.now = now;
        assert_eq!(desk.code(&buy("10", "102.01")), code);
    }
    desk.now = NOW;
    desk.book.remove_price_band(INSTRUMENT);
    assert_eq!(desk.code(&buy("10", "102.01")), None);
}

#[test]
fn a_market_order_is_reserved_within_its_band() {
    let mut desk = Desk::with(LimitType::PriceCollarPct, Scope::Tenant, "10");
    let order = base(Side::Buy, OrdType::Market, "10");
    assert_eq!(desk.check(&order).worst_price, Some(px("111.1")));
    desk.book.set_price_band(&PriceBand { instrument_id: INSTRUMENT, lower: px("98"), upper: px("102"), until: None });
    assert_eq!(desk.check(&order).worst_price, Some(px("102")));
    // What waits for its trigger, or for the opening, meets another band.
    let stop = Proposed { stop_px: Some(px("105")), ..base(Side::Buy, OrdType::Stop, "10") };
    assert_eq!(desk.check(&stop).worst_price, Some(px("115.5")));
    desk.hours.market = Opening::At(later(60));
    assert_eq!(desk.check(&order).worst_price, Some(px("111.1")));
}

#[test]
fn a_price_test_that_began_by_itself_ends_by_itself() {
    let mut desk = Desk::new();
    let until = later(60);
    desk.book.trigger_short_sale(&ShortSaleTriggered { instrument_id: INSTRUMENT, prior_close: px("120"), price: px("99"), until });
    let order = limit(Side::SellShort, "10", "99");
    desk.market.bid = Some(level("99", later(60)));
    for (now, code) in [(later(59), Some(Code::ShortSaleRestricted)), (later(60), None)] {
        desk.now = now;
        assert_eq!(desk.code(&order), code);
    }
    desk.now = later(1);
    desk.book.set_short_sale_state(INSTRUMENT, false);
    assert_eq!(desk.code(&order), None, "a person ended it");
}
