use crate::fixture::{NOW, Scene, Spot, at, mic, price, qty, scene, spot};
use oms_model::event::Exclusion;
use oms_model::market::Level;
use oms_model::{OrdType, Side, SorMode, TimeInForce};

fn good(code: &str) -> Spot {
    spot(code, "99.90x500", "100.00x500")
}

/// Why AAAA is left out of the scene, which has BBBB in good order beside it.
fn why(spot: Spot, change: impl FnOnce(&mut Scene)) -> Option<Exclusion> {
    let scene = scene(vec![spot, good("BBBB")]).with(change);
    at(&scene.plan(), "AAAA").excluded
}

/// The same for the fixture's market order to buy.
fn market(bid: &str, ask: &str) -> Option<Exclusion> {
    why(spot("AAAA", bid, ask), |_| ())
}

/// The same for a limit order to buy at 99.
fn resting(bid: &str, ask: &str) -> Option<Exclusion> {
    why(spot("AAAA", bid, ask), |s| (s.ord_type, s.price) = (OrdType::Limit, Some(price("99"))))
}

#[test]
fn a_venue_in_good_order_is_eligible() {
    assert_eq!(why(good("AAAA"), |_| ()), None);
}

#[test]
fn states_of_the_venue_exclude_it() {
    assert_eq!(why(good("AAAA").with(|s| s.venue.enabled = false), |_| ()), Some(Exclusion::Disabled));
    assert_eq!(why(good("AAAA").with(|s| s.killed = true), |_| ()), Some(Exclusion::KillSwitch));
    assert_eq!(why(good("AAAA").with(|s| s.connected = false), |_| ()), Some(Exclusion::Disconnected));
    assert_eq!(why(good("AAAA").with(|s| s.in_doubt = true), |_| ()), Some(Exclusion::InDoubt));
    assert_eq!(why(good("AAAA").with(|s| s.quote.halted = true), |_| ()), Some(Exclusion::Halted));
}

#[test]
fn policy_allows_and_denies() {
    assert_eq!(why(good("AAAA"), |s| s.policy.allow = vec![mic("BBBB")]), Some(Exclusion::NotAllowed));
    assert_eq!(why(good("AAAA"), |s| s.policy.allow = vec![mic("AAAA")]), None);
    assert_eq!(why(good("AAAA"), |s| s.policy.deny = vec![mic("AAAA")]), Some(Exclusion::NotAllowed));
    let both = |s: &mut Scene| (s.policy.allow, s.policy.deny) = (vec![mic("AAAA")], vec![mic("AAAA")]);
    assert_eq!(why(good("AAAA"), both), Some(Exclusion::NotAllowed));
}

#[test]
fn an_order_that_cannot_rest_needs_a_counterpart() {
    assert_eq!(market("99.90x500", ""), Some(Exclusion::NoQuote));
    assert_eq!(market("", "100.00x500"), None);
    assert_eq!(market("99.90x500", "100.00x0"), Some(Exclusion::NoQuote));
    for tif in [TimeInForce::Ioc, TimeInForce::Fok] {
        let change = |s: &mut Scene| {
            (s.ord_type, s.price, s.time_in_force) = (OrdType::Limit, Some(price("101")), tif);
        };
        assert_eq!(why(spot("AAAA", "99.90x500", ""), change), Some(Exclusion::NoQuote));
    }
    assert_eq!(why(spot("AAAA", "", "100.00x500"), |s| s.side = Side::SellShort), Some(Exclusion::NoQuote));
}

#[test]
fn an_order_that_can_rest_needs_any_quote() {
    assert_eq!(resting("99.90x500", ""), None);
    assert_eq!(resting("", "100.00x500"), None);
    assert_eq!(resting("", ""), Some(Exclusion::NoQuote));
    let stop = |s: &mut Scene| s.ord_type = OrdType::Stop;
    assert_eq!(why(spot("AAAA", "99.90x500", ""), stop), None);
    assert_eq!(why(spot("AAAA", "", ""), stop), Some(Exclusion::NoQuote));
}

#[test]
fn a_quote_is_stale_beyond_the_policys_age() {
    let aged = |bid: i64, ask: i64| {
        good("AAAA").with(|s| {
            s.quote.bid = Some(Level { price: price("99.90"), size: qty("1"), at: NOW.plus(-bid) });
            s.quote.ask = Some(Level { price: price("100"), size: qty("1"), at: NOW.plus(-ask) });
        })
    };
    let max = |s: &mut Scene| s.policy.max_quote_age_ns = 1_000;
    assert_eq!(why(aged(0, 1_000), max), None);
    assert_eq!(why(aged(0, 1_001), max), Some(Exclusion::StaleQuote));
    // The side that the order would not trade against does not matter, except where it is all there is.
    assert_eq!(why(aged(9_999, 0), max), None);
    let only_bid = aged(1_001, 0).with(|s| s.quote.ask = None);
    let rest = |s: &mut Scene| (s.ord_type, s.price) = (OrdType::Limit, Some(price("99")));
    assert_eq!(why(only_bid, |s| (max(s), rest(s)).1), Some(Exclusion::StaleQuote));
    // A quote from after the decision's time is of no age.
    assert_eq!(why(aged(0, -5), max), None);
}

#[test]
fn the_age_is_recorded() {
    let aged = good("AAAA").with(|s| s.quote.ask = s.quote.ask.map(|ask| Level { at: NOW.plus(-700), ..ask }));
    assert_eq!(at(&scene(vec![aged]).plan(), "AAAA").quote_age_ns, 700);
}

#[test]
fn a_locked_or_crossed_quote_is_not_believed() {
    assert_eq!(market("100.01x500", "100.00x500"), Some(Exclusion::CrossedQuote));
    assert_eq!(market("100.00x500", "100.00x500"), Some(Exclusion::CrossedQuote));
    assert_eq!(resting("100.00x500", "100.00x500"), Some(Exclusion::CrossedQuote));
    assert_eq!(market("100.00x0", "100.00x500"), None);
}

/// Takes one fault away.
type Repair = fn(&mut Spot);

#[test]
fn the_first_reason_in_order_is_recorded() {
    let mut spot = spot("AAAA", "", "");
    spot.venue.enabled = false;
    (spot.killed, spot.connected, spot.in_doubt, spot.quote.halted) = (true, false, true, true);
    let repairs: [(Repair, Exclusion); 6] = [
        (|s| s.venue.enabled = true, Exclusion::Disabled),
        (|s| s.killed = false, Exclusion::KillSwitch),
        (|s| s.connected = true, Exclusion::Disconnected),
        (|s| s.in_doubt = false, Exclusion::InDoubt),
        (|s| s.quote.halted = false, Exclusion::Halted),
        (|s| s.quote = good("AAAA").quote, Exclusion::NoQuote),
    ];
    let named = |s: &mut Scene| (s.mode, s.named) = (SorMode::Named, Some(mic("BBBB")));
    for (repair, reason) in repairs {
        assert_eq!(why(spot.clone(), named), Some(reason));
        repair(&mut spot);
    }
    assert_eq!(why(spot.clone(), named), Some(Exclusion::NotNamed));
    assert_eq!(why(spot, |_| ()), None);
}

#[test]
fn a_mode_that_names_no_venue_places_nothing() {
    let scene = scene(vec![good("AAAA"), good("BBBB")]).mode(SorMode::Named);
    assert_eq!(scene.each(|c| c.excluded.is_some()), [("AAAA".into(), true), ("BBBB".into(), true)]);
    assert_eq!(scene.legs(), "unplaced 100");
}

#[test]
fn venues_that_failed_are_left_out_while_others_are_eligible() {
    let failed = |times: &[(&str, u32)]| {
        let list = times.iter().map(|(code, times)| (mic(code), *times)).collect();
        scene(vec![good("AAAA"), good("BBBB")]).with(|s| s.failed = list)
    };
    let excluded = |scene: &Scene| scene.each(|c| c.excluded);
    let one = failed(&[("AAAA", 1)]);
    assert_eq!(excluded(&one), [("BBBB".into(), None), ("AAAA".into(), Some(Exclusion::FailedBefore))]);
    assert_eq!(one.legs(), "BBBB 100 MARKET - DAY");
    // Where all failed, the one that failed less often is the better.
    let all = failed(&[("AAAA", 2), ("BBBB", 1)]);
    assert_eq!(excluded(&all), [("BBBB".into(), None), ("AAAA".into(), None)]);
    // A venue that is out for another reason is no alternative.
    let down = failed(&[("AAAA", 1)]).with(|s| s.spots[1].connected = false);
    assert_eq!(down.legs(), "AAAA 100 MARKET - DAY");
    assert_eq!(excluded(&down)[1], ("BBBB".into(), Some(Exclusion::Disconnected)));
    // A venue that did not fail this order is not concerned.
    assert_eq!(failed(&[("ZZZZ", 3)]).legs(), "AAAA 100 MARKET - DAY");
    assert_eq!(failed(&[("AAAA", 0)]).legs(), "AAAA 100 MARKET - DAY");
}
