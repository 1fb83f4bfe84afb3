use crate::fixture::{Scene, Spot, legs, mic, price, qty, scene, spot};
use oms_model::policy::Weights;
use oms_model::{OrdType, Side, SorMode, TimeInForce};

/// Venues whose score is their fill prior alone, so that proportions can be read off.
fn scored(venues: &[(&str, u32, &str)]) -> Scene {
    let spot = |(code, ppm, ask): &(&str, u32, &str)| spot(code, "90x100", ask).fill(*ppm);
    scene(venues.iter().map(spot).collect()).with(|s| s.policy.weights = Weights { price: 0, latency: 0, fill: 1, fee: 0 })
}

fn split(venues: &[(&str, u32, &str)], units: &str) -> Scene {
    scored(venues).mode(SorMode::Split).sized(units)
}

fn sweep(venues: Vec<Spot>, units: &str) -> Scene {
    scene(venues).mode(SorMode::Sweep).sized(units)
}

/// The best offer has the worst score, the next two are equal in price.
fn levels() -> Vec<Spot> {
    vec![
        spot("AAAA", "99x100", "100.02x200").fill(500_000),
        spot("BBBB", "99x100", "100.01x300").fill(900_000),
        spot("CCCC", "99x100", "100.00x100").fill(0).latency(9_000_000),
        spot("DDDD", "99x100", "100.01x400").fill(100_000),
    ]
}

#[test]
fn single_best_takes_the_whole_order() {
    let scene = scored(&[("AAAA", 400_000, "100x10"), ("BBBB", 600_000, "100x10")]);
    assert_eq!(scene.legs(), "BBBB 100 MARKET - DAY");
    let limit = scene.limit(Side::Buy, "100.5").tif(TimeInForce::Gtc);
    assert_eq!(limit.legs(), "BBBB 100 LIMIT 100.5 GTC");
    assert_eq!(limit.sized("0.5").legs(), "BBBB 0.5 LIMIT 100.5 GTC");
}

#[test]
fn nothing_is_placed_without_a_venue_or_a_quantity() {
    assert_eq!(scene(vec![]).legs(), "unplaced 100");
    let scene = scored(&[("AAAA", 400_000, "100x10")]);
    assert_eq!(scene.clone().sized("0").legs(), "");
    assert_eq!(scene.clone().sized("-5").legs(), "unplaced -5");
    for mode in SorMode::ALL {
        assert_eq!(scene.clone().mode(*mode).with(|s| s.spots[0].killed = true).legs(), "unplaced 100");
    }
}

#[test]
fn named_goes_to_that_venue_alone() {
    let scene = scored(&[("AAAA", 900_000, "100x10"), ("BBBB", 100_000, "100x10")]).mode(SorMode::Named);
    assert_eq!(scene.clone().with(|s| s.named = Some(mic("BBBB"))).legs(), "BBBB 100 MARKET - DAY");
    assert_eq!(scene.with(|s| s.named = Some(mic("ZZZZ"))).legs(), "unplaced 100");
}

#[test]
fn a_name_without_the_mode_says_nothing() {
    let scene = scored(&[("AAAA", 900_000, "100x10"), ("BBBB", 100_000, "100x10")]);
    assert_eq!(scene.with(|s| s.named = Some(mic("BBBB"))).legs(), "AAAA 100 MARKET - DAY");
}

#[test]
fn a_stop_is_one_leg_in_every_mode() {
    for mode in [SorMode::SingleBest, SorMode::Split, SorMode::Sweep] {
        let scene = scored(&[("AAAA", 400_000, "100x10"), ("BBBB", 600_000, "100x10")]).mode(mode);
        assert_eq!(scene.clone().with(|s| s.ord_type = OrdType::Stop).legs(), "BBBB 100 STOP - DAY");
        let limit = scene.with(|s| (s.ord_type, s.price) = (OrdType::StopLimit, Some(price("105"))));
        assert_eq!(limit.legs(), "BBBB 100 STOP_LIMIT 105 DAY");
    }
}

#[test]
fn a_fok_order_goes_where_the_size_covers_it() {
    let venues = [("AAAA", 900_000, "100x50"), ("BBBB", 500_000, "100x100"), ("CCCC", 700_000, "101x999")];
    for mode in [SorMode::SingleBest, SorMode::Split, SorMode::Sweep] {
        let fok = scored(&venues).mode(mode).tif(TimeInForce::Fok).limit(Side::Buy, "100");
        assert_eq!(fok.legs(), "BBBB 100 LIMIT 100 FOK");
        assert_eq!(fok.clone().sized("101").legs(), "AAAA 101 LIMIT 100 FOK");
        assert_eq!(fok.limit(Side::Buy, "101").legs(), "CCCC 100 LIMIT 101 FOK");
    }
}

#[test]
fn split_is_in_proportion_to_the_scores() {
    let venues = [("AAAA", 500_000, "100x999"), ("BBBB", 300_000, "100x999"), ("CCCC", 200_000, "100x999")];
    assert_eq!(split(&venues, "100").legs(), "AAAA 50 MARKET - DAY, BBBB 30 MARKET - DAY, CCCC 20 MARKET - DAY");
    let limit = split(&venues, "10").limit(Side::Buy, "100").tif(TimeInForce::Ioc);
    assert_eq!(limit.legs(), "AAAA 5 LIMIT 100 IOC, BBBB 3 LIMIT 100 IOC, CCCC 2 LIMIT 100 IOC");
}

#[test]
fn split_rounds_to_lots_by_largest_remainder() {
    let venues = [("AAAA", 500_000, "100x9999"), ("BBBB", 300_000, "100x9999"), ("CCCC", 200_000, "100x9999")];
    // 13 lots: 6.5, 3.9, 2.6 have floors 6, 3, 2; the two left go to 0.9 and 0.6.
    let lots = split(&venues, "1300").with(|s| s.lot = qty("100"));
    assert_eq!(lots.legs(), "AAAA 600 MARKET - DAY, BBBB 400 MARKET - DAY, CCCC 300 MARKET - DAY");
    // Equal remainders: the better venue first; here equal scores, so the lower id.
    let equal = [("BBBB", 500_000, "100x999"), ("AAAA", 500_000, "100x999")];
    assert_eq!(split(&equal, "3").legs(), "AAAA 2 MARKET - DAY, BBBB 1 MARKET - DAY");
    // A part of no lot is no leg.
    assert_eq!(split(&equal, "1").legs(), "AAAA 1 MARKET - DAY");
}

#[test]
fn split_leaves_the_odd_remainder_whole_with_the_best() {
    let venues = [("AAAA", 600_000, "100x9999"), ("BBBB", 400_000, "100x9999")];
    let odd = split(&venues, "1037").with(|s| s.lot = qty("100"));
    assert_eq!(odd.legs(), "AAAA 637 MARKET - DAY, BBBB 400 MARKET - DAY");
    assert_eq!(odd.sized("37").legs(), "AAAA 37 MARKET - DAY");
    let any = split(&venues, "0.000000005").with(|s| s.lot = qty("0"));
    assert_eq!(any.legs(), "AAAA 0.000000003 MARKET - DAY, BBBB 0.000000002 MARKET - DAY");
}

#[test]
fn split_moves_what_a_cap_cuts_off_to_venues_with_room() {
    let venues = [("AAAA", 500_000, "100x20"), ("BBBB", 300_000, "100x50"), ("CCCC", 200_000, "100x999")];
    // AAAA is full at 20; 80 by 3 to 2 are 48 and 32.
    assert_eq!(split(&venues, "100").legs(), "AAAA 20 MARKET - DAY, BBBB 48 MARKET - DAY, CCCC 32 MARKET - DAY");
    // 90 by 3 to 2 are 54 and 36: BBBB is full too.
    assert_eq!(split(&venues, "110").legs(), "AAAA 20 MARKET - DAY, BBBB 50 MARKET - DAY, CCCC 40 MARKET - DAY");
    let free = split(&venues, "100").with(|s| s.policy.cap_to_displayed = false);
    assert_eq!(free.legs(), "AAAA 50 MARKET - DAY, BBBB 30 MARKET - DAY, CCCC 20 MARKET - DAY");
}

#[test]
fn split_gives_the_best_leg_what_no_venue_has_room_for() {
    let venues = [("AAAA", 500_000, "100x20"), ("BBBB", 300_000, "100x30")];
    assert_eq!(split(&venues, "100").legs(), "AAAA 70 MARKET - DAY, BBBB 30 MARKET - DAY");
    // AAAA displays less than a lot, so BBBB is the best leg.
    let lots = split(&venues, "100").with(|s| s.lot = qty("25"));
    assert_eq!(lots.legs(), "BBBB 100 MARKET - DAY");
    // None displays a lot: the whole to the best venue.
    assert_eq!(split(&venues, "100").with(|s| s.lot = qty("50")).legs(), "AAAA 100 MARKET - DAY");
}

#[test]
fn split_sends_no_part_below_the_least_leg() {
    let venues = [("AAAA", 500_000, "100x999"), ("BBBB", 300_000, "100x999"), ("CCCC", 200_000, "100x999")];
    let least = |units: &str, lot: &str| split(&venues, "100").with(|s| (s.policy.min_leg_qty, s.lot) = (qty(units), qty(lot)));
    assert_eq!(least("20", "1").legs(), "AAAA 50 MARKET - DAY, BBBB 30 MARKET - DAY, CCCC 20 MARKET - DAY");
    // 20 is below 21: CCCC drops out; 100 by 5 to 3 are 62.5 and 37.5, equal remainders.
    assert_eq!(least("21", "1").legs(), "AAAA 63 MARKET - DAY, BBBB 37 MARKET - DAY");
    assert_eq!(least("38", "1").legs(), "AAAA 100 MARKET - DAY");
    assert_eq!(least("51", "1").legs(), "AAAA 100 MARKET - DAY");
    assert_eq!(least("101", "1").legs(), "AAAA 100 MARKET - DAY");
    // The least leg counts in whole lots: 21 is three lots of 10.
    assert_eq!(least("21", "10").legs(), "AAAA 60 MARKET - DAY, BBBB 40 MARKET - DAY");
}

#[test]
fn split_drops_the_worst_venue_first() {
    // 22 and 18 are both below 25; without CCCC, 100 by 60 to 22 are 73.2 and 26.8.
    let venues = [("AAAA", 600_000, "100x999"), ("BBBB", 220_000, "100x999"), ("CCCC", 180_000, "100x999")];
    let scene = split(&venues, "100").with(|s| s.policy.min_leg_qty = qty("25"));
    assert_eq!(scene.legs(), "AAAA 73 MARKET - DAY, BBBB 27 MARKET - DAY");
}

#[test]
fn split_leaves_out_a_venue_with_less_room_than_the_least_leg() {
    let venues = [("AAAA", 500_000, "100x10"), ("BBBB", 300_000, "100x999"), ("CCCC", 200_000, "100x999")];
    let scene = split(&venues, "100").with(|s| s.policy.min_leg_qty = qty("20"));
    assert_eq!(scene.legs(), "BBBB 60 MARKET - DAY, CCCC 40 MARKET - DAY");
    // It is out before the parts are found: beside its 10, CCCC would get 18 and drop out.
    assert_eq!(scene.sized("55").legs(), "BBBB 33 MARKET - DAY, CCCC 22 MARKET - DAY");
}

#[test]
fn split_of_an_order_that_can_trade_at_once_uses_the_venues_where_it_can() {
    let venues = [("AAAA", 500_000, "100x999"), ("BBBB", 900_000, "101x999"), ("CCCC", 500_000, "100x999")];
    let limit = split(&venues, "100").limit(Side::Buy, "100");
    assert_eq!(limit.legs(), "AAAA 50 LIMIT 100 DAY, CCCC 50 LIMIT 100 DAY");
    // Where it can only rest, all take part and displayed sizes do not matter.
    let venues = [("AAAA", 500_000, "100x1"), ("BBBB", 500_000, "101x1")];
    assert_eq!(split(&venues, "100").limit(Side::Buy, "99").legs(), "AAAA 50 LIMIT 99 DAY, BBBB 50 LIMIT 99 DAY");
}

#[test]
fn split_without_any_score_is_one_leg() {
    let venues = [("AAAA", 0, "100x999"), ("BBBB", 0, "100x999")];
    assert_eq!(split(&venues, "100").legs(), "AAAA 100 MARKET - DAY");
}

#[test]
fn split_of_the_largest_quantity_adds_up() {
    let venues = [("AAAA", 333_333, "100x1"), ("BBBB", 333_334, "100x1"), ("CCCC", 999_999, "100x1")];
    for cap in [true, false] {
        let largest = split(&venues, "1").with(|s| {
            (s.qty, s.lot, s.policy.cap_to_displayed) = (oms_model::Qty::from_raw(i128::MAX), qty("0"), cap);
        });
        assert!(largest.plan().unplaced.is_zero());
    }
}

#[test]
fn sweep_takes_levels_by_price_then_score() {
    let limit = sweep(levels(), "800").limit(Side::Buy, "100.05");
    assert_eq!(limit.legs(), "CCCC 100 LIMIT 100 IOC, BBBB 300 LIMIT 100.01 IOC, DDDD 400 LIMIT 100.01 IOC");
    assert_eq!(limit.clone().sized("250").legs(), "CCCC 100 LIMIT 100 IOC, BBBB 150 LIMIT 100.01 IOC");
    assert_eq!(limit.sized("60").legs(), "CCCC 60 LIMIT 100 IOC");
}

#[test]
fn sweep_rests_what_is_left_at_the_best_venue() {
    let limit = sweep(levels(), "1000").limit(Side::Buy, "100.01").tif(TimeInForce::Gtc);
    assert_eq!(limit.legs(), "CCCC 100 LIMIT 100 IOC, BBBB 300 LIMIT 100.01 IOC, DDDD 400 LIMIT 100.01 IOC, BBBB 200 LIMIT 100.01 GTC");
    assert_eq!(
        limit.clone().tif(TimeInForce::Ioc).legs(),
        "CCCC 100 LIMIT 100 IOC, BBBB 300 LIMIT 100.01 IOC, DDDD 400 LIMIT 100.01 IOC, unplaced 200"
    );
    // Nothing within the limit: all of it rests, or is not placed.
    assert_eq!(limit.clone().limit(Side::Buy, "99.99").legs(), "BBBB 1000 LIMIT 99.99 GTC");
    assert_eq!(limit.limit(Side::Buy, "99.99").tif(TimeInForce::Ioc).legs(), "unplaced 1000");
}

#[test]
fn sweep_of_a_market_order_sends_the_rest_to_market() {
    let market = sweep(levels(), "1100");
    assert_eq!(
        market.legs(),
        "CCCC 100 LIMIT 100 IOC, BBBB 300 LIMIT 100.01 IOC, DDDD 400 LIMIT 100.01 IOC, AAAA 200 LIMIT 100.02 IOC, \
         BBBB 100 MARKET - DAY"
    );
}

#[test]
fn sweep_sells_into_the_highest_bids() {
    let bids = vec![spot("AAAA", "99.98x100", "101x1"), spot("BBBB", "99.99x100", "101x1"), spot("CCCC", "99x9", "101x1")];
    let sell = sweep(bids, "150").limit(Side::SellShort, "99.5");
    assert_eq!(sell.legs(), "BBBB 100 LIMIT 99.99 IOC, AAAA 50 LIMIT 99.98 IOC");
}

#[test]
fn sweep_orders_levels_net_of_fees_if_the_policy_says_so() {
    let venues = vec![spot("AAAA", "99x1", "100x100").fees("0", "0.02"), spot("BBBB", "99x1", "100.01x100")];
    let scene = sweep(venues, "150");
    assert_eq!(scene.legs(), "AAAA 100 LIMIT 100 IOC, BBBB 50 LIMIT 100.01 IOC");
    let net = scene.with(|s| s.policy.fee_adjusted = true);
    assert_eq!(net.legs(), "BBBB 100 LIMIT 100.01 IOC, AAAA 50 LIMIT 100 IOC");
}

#[test]
fn sweep_takes_whole_lots_and_leaves_the_odd_remainder_whole() {
    let venues = vec![spot("AAAA", "99x1", "100x250"), spot("BBBB", "99x1", "100.01x80"), spot("CCCC", "99x1", "100.02x300")];
    let scene = sweep(venues, "437").with(|s| s.lot = qty("100"));
    // BBBB displays less than a lot; the last level holds all that is left.
    assert_eq!(scene.legs(), "AAAA 200 LIMIT 100 IOC, CCCC 237 LIMIT 100.02 IOC");
    assert_eq!(scene.sized("250").legs(), "AAAA 250 LIMIT 100 IOC");
}

#[test]
fn sweep_leaves_out_excluded_levels() {
    let plan = sweep(levels(), "300").with(|s| s.spots[2].connected = false).plan();
    assert_eq!(legs(&plan), "BBBB 300 LIMIT 100.01 IOC");
}
