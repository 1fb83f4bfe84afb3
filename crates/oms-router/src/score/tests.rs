use super::*;
use crate::fixture::{Scene, Spot, at, mic, price, scene, spot};
use oms_model::policy::LatencyStat;
use oms_model::{SorMode, TimeInForce};

/// Components in the order of venue ids.
fn each(scene: &Scene, value: impl Fn(&Candidate) -> u32) -> Vec<u32> {
    let mut all = scene.each(value);
    all.sort();
    all.into_iter().map(|(_, value)| value).collect()
}

fn weights(price: u32, latency: u32, fill: u32, fee: u32) -> Weights {
    Weights { price, latency, fill, fee }
}

fn asks(prices: &[&str]) -> Vec<Spot> {
    let spot = |(at, ask): (usize, &&str)| spot(&format!("VN{at:02}"), "90x100", &format!("{ask}x500"));
    prices.iter().enumerate().map(spot).collect()
}

fn bids(prices: &[&str]) -> Vec<Spot> {
    let spot = |(at, bid): (usize, &&str)| spot(&format!("VN{at:02}"), &format!("{bid}x500"), "110x100");
    prices.iter().enumerate().map(spot).collect()
}

#[test]
fn price_falls_linearly_over_the_range() {
    // 10 bps of 100.00 are 0.10.
    let buy = scene(asks(&["100", "100.05", "100.10", "100.20", "100.001"]));
    assert_eq!(each(&buy, |c| c.price_score), [1_000_000, 500_000, 0, 0, 990_000]);
    let sell = scene(bids(&["100", "99.95", "99.90", "99.80", "99.999"]));
    for side in [Side::Sell, Side::SellShort] {
        let sell = sell.clone().with(|s| s.side = side);
        assert_eq!(each(&sell, |c| c.price_score), [1_000_000, 500_000, 0, 0, 990_000]);
    }
}

#[test]
fn price_range_comes_from_the_policy_and_ratios_round_down() {
    let buy = scene(asks(&["100", "100.01"]));
    // 1 bp worse of 3: two thirds.
    assert_eq!(each(&buy.clone().with(|s| s.policy.price_range_bps = 3), |c| c.price_score), [1_000_000, 666_666]);
    // Without a range only the best scores.
    assert_eq!(each(&buy.with(|s| s.policy.price_range_bps = 0), |c| c.price_score), [1_000_000, 0]);
}

#[test]
fn price_may_be_net_of_fees() {
    let venues = |quotes: Vec<Spot>| {
        let fees = ["0.003", "-0.002"];
        quotes.into_iter().zip(fees).map(|(spot, fee)| spot.fees("0", fee)).collect()
    };
    let buy = scene(venues(asks(&["100", "100"])));
    assert_eq!(each(&buy, |c| c.price_score), [1_000_000, 1_000_000]);
    // Net 100.003 against 99.998: worse by 0.005 of a range of 0.099998.
    let net = |s: &mut Scene| s.policy.fee_adjusted = true;
    assert_eq!(each(&buy.with(net), |c| c.price_score), [949_998, 1_000_000]);
    // A seller gets 99.997 against 100.002: worse by 0.005 of 0.100002.
    let sell = scene(venues(bids(&["100", "100"]))).with(|s| s.side = Side::Sell);
    assert_eq!(each(&sell.with(net), |c| c.price_score), [950_000, 1_000_000]);
}

#[test]
fn a_venue_where_the_order_could_only_wait_scores_no_price_when_it_can_trade_elsewhere() {
    let venues =
        vec![spot("AAAA", "99x100", "100.01x100").fees("-0.001", "0.003"), spot("BBBB", "99x100", "100.05x100").fees("-0.001", "0.003")];
    let plan = scene(venues).limit(Side::Buy, "100.02").plan();
    assert_eq!((at(&plan, "AAAA").price_score, at(&plan, "AAAA").fee), (1_000_000, price("0.003")));
    assert_eq!((at(&plan, "BBBB").price_score, at(&plan, "BBBB").fee), (0, price("-0.001")));
}

#[test]
fn a_limit_at_the_offer_trades_at_once() {
    let buy = scene(asks(&["100.01", "100.02"])).limit(Side::Buy, "100.01");
    assert_eq!(each(&buy, |c| c.price_score), [1_000_000, 0]);
    let sell = scene(bids(&["99.99", "99.98"])).limit(Side::Sell, "99.99");
    assert_eq!(each(&sell, |c| c.price_score), [1_000_000, 0]);
}

#[test]
fn a_resting_order_scores_its_place_behind_the_venues_own_best() {
    // At 99.90, ten bps are 0.0999; 0.05 behind leaves 0.0499 of it.
    let venues = vec![
        spot("AAAA", "99.80x100", "100x100"),
        spot("BBBB", "99.90x100", "100x100"),
        spot("CCCC", "99.95x100", "100x100"),
        spot("DDDD", "", "100x100"),
        spot("EEEE", "99.9999x100", "100x100"),
    ];
    let buy = scene(venues).limit(Side::Buy, "99.90");
    assert_eq!(each(&buy, |c| c.price_score), [1_000_000, 1_000_000, 499_499, 1_000_000, 0]);
    let venues = vec![spot("AAAA", "99x100", "100.10x100"), spot("BBBB", "99x100", "100.05x100")];
    // At 100.10, behind by 0.05 of 0.1001.
    let sell = scene(venues).limit(Side::Sell, "100.10");
    assert_eq!(each(&sell, |c| c.price_score), [1_000_000, 500_499]);
}

#[test]
fn a_resting_orders_price_may_be_net_of_fees() {
    let venues = vec![spot("AAAA", "99x100", "101x100").fees("-0.01", "0"), spot("BBBB", "99x100", "101x100").fees("0.04", "0")];
    // Worse by 0.05 of 0.1.
    let buy = scene(venues).limit(Side::Buy, "100").with(|s| s.policy.fee_adjusted = true);
    assert_eq!(each(&buy, |c| c.price_score), [1_000_000, 500_000]);
}

#[test]
fn an_ioc_order_scores_no_price_where_it_cannot_trade() {
    let buy = scene(asks(&["100", "100.10"])).limit(Side::Buy, "99").tif(TimeInForce::Ioc);
    assert_eq!(each(&buy, |c| c.price_score), [0, 0]);
    assert_eq!(each(&buy, |c| u32::from(c.excluded.is_some())), [0, 0]);
}

#[test]
fn a_stop_scores_full_price_and_pays_as_a_taker() {
    let venues = vec![spot("AAAA", "99x100", "100x100").fees("-0.001", "0.003"), spot("BBBB", "99x100", "105x100").fees("-0.001", "0.002")];
    let plan = scene(venues).with(|s| s.ord_type = OrdType::Stop).plan();
    assert_eq!((at(&plan, "AAAA").price_score, at(&plan, "AAAA").fee), (1_000_000, price("0.003")));
    assert_eq!((at(&plan, "BBBB").price_score, at(&plan, "BBBB").fee), (1_000_000, price("0.002")));
}

#[test]
fn latency_is_the_fastest_over_the_own() {
    let venues = vec![
        spot("AAAA", "", "100x100").latency(100_000),
        spot("BBBB", "", "100x100").latency(200_000),
        spot("CCCC", "", "100x100").latency(300_000),
        spot("DDDD", "", "100x100").latency(0).with(|s| s.connected = false),
    ];
    // A venue that is out is no measure for the others; its own component is held at one.
    assert_eq!(each(&scene(venues), |c| c.latency_score), [1_000_000, 500_000, 333_333, 1_000_000]);
}

#[test]
fn measured_latency_replaces_the_prior_and_the_policy_says_which() {
    let measured = spot("AAAA", "", "100x100").latency(1).with(|s| {
        (0..9).for_each(|_| s.stats.acknowledged(100_000));
        s.stats.acknowledged(900_000);
    });
    // Mean: 100000 + (900000 - 100000) / 8. 95 % of ten samples is the slowest, in 786432..917504.
    let both = [(LatencyStat::Ewma, 200_000), (LatencyStat::P95, 917_504)];
    for (stat, expected) in both {
        let plan = scene(vec![measured.clone()]).with(|s| s.policy.latency_stat = stat).plan();
        assert_eq!(at(&plan, "AAAA").latency_ns, expected);
    }
}

#[test]
fn fills_are_those_of_the_orders_aggressiveness() {
    let counted = spot("AAAA", "99x100", "100x100").with(|s| {
        (0..10).for_each(|_| s.stats.submitted(true));
        (0..10).for_each(|_| s.stats.filled(true));
    });
    // Prior: a half, as ten submissions. (10 + 5) / 20 for takers, 5 / 10 for the rest.
    let scene = scene(vec![counted]);
    assert_eq!(each(&scene, |c| c.fill_score), [750_000]);
    assert_eq!(each(&scene.clone().limit(Side::Buy, "99.5"), |c| c.fill_score), [500_000]);
    assert_eq!(each(&scene.clone().limit(Side::Buy, "100"), |c| c.fill_score), [750_000]);
    assert_eq!(each(&scene.with(|s| s.ord_type = OrdType::Stop), |c| c.fill_score), [750_000]);
}

#[test]
fn an_order_is_aggressive_where_it_trades_at_once_or_when_it_triggers() {
    let plan = scene(vec![spot("AAAA", "99x100", "100x100")]).plan();
    let aggressive =
        |side, ord_type, limit: &str| is_aggressive(side, ord_type, (!limit.is_empty()).then(|| price(limit)), at(&plan, "AAAA"));
    assert!(aggressive(Side::Buy, OrdType::Market, ""));
    assert!(aggressive(Side::Buy, OrdType::Limit, "100"));
    assert!(!aggressive(Side::Buy, OrdType::Limit, "99.99"));
    assert!(aggressive(Side::SellShort, OrdType::Limit, "99"));
    assert!(!aggressive(Side::Sell, OrdType::Limit, "99.01"));
    assert!(aggressive(Side::Buy, OrdType::StopLimit, "98"));
    let nothing_shown = Candidate::default();
    assert!(!is_aggressive(Side::Buy, OrdType::Market, None, &nothing_shown));
}

#[test]
fn fees_fall_linearly_from_the_cheapest_to_the_dearest() {
    let fees = ["0.003", "0.001", "-0.002"];
    let venues: Vec<Spot> = asks(&["100"; 3]).into_iter().zip(fees).map(|(s, fee)| s.fees("0", fee)).collect();
    assert_eq!(each(&scene(venues.clone()), |c| c.fee_score), [0, 400_000, 1_000_000]);
    // A venue that is out is no measure; dearer than the dearest is still 0, cheaper than the cheapest 1.
    let out = scene(venues.clone()).with(|s| s.spots[2].killed = true);
    assert_eq!(each(&out, |c| c.fee_score), [0, 1_000_000, 1_000_000]);
    let out = scene(venues).with(|s| (s.spots[0].killed, s.spots[2].killed) = (true, true));
    assert_eq!(each(&out, |c| c.fee_score), [0, 1_000_000, 1_000_000]);
}

#[test]
fn resting_orders_pay_the_makers_fee() {
    let venues = vec![spot("AAAA", "99x1", "101x1").fees("0.002", "0"), spot("BBBB", "99x1", "101x1").fees("0.001", "9")];
    assert_eq!(each(&scene(venues).limit(Side::Buy, "100"), |c| c.fee_score), [0, 1_000_000]);
}

/// Components of BBBB: price 0.5, latency 0.5, fill 0.6, fee 0.4.
fn weighed() -> Scene {
    scene(vec![
        spot("AAAA", "", "100x100").latency(100_000).fees("0", "-0.002").fill(600_000),
        spot("BBBB", "", "100.05x100").latency(200_000).fees("0", "0.001").fill(600_000),
        spot("CCCC", "", "100x100").latency(100_000).fees("0", "0.003").fill(600_000),
    ])
}

#[test]
fn the_score_is_the_weighted_sum() {
    // 0.5 * 0.5 + 0.2 * 0.5 + 0.2 * 0.6 + 0.1 * 0.4 = 0.51; 0.5 + 0.2 + 0.12 + 0.1 = 0.92; less the fee 0.82.
    assert_eq!(each(&weighed(), |c| c.score), [920_000, 510_000, 820_000]);
}

#[test]
fn weights_are_normalised_by_their_sum() {
    let scaled = weighed().with(|s| s.policy.weights = weights(5, 2, 2, 1));
    assert_eq!(each(&scaled, |c| c.score), [920_000, 510_000, 820_000]);
    let only_fee = weighed().with(|s| s.policy.weights = weights(0, 0, 0, 7));
    assert_eq!(each(&only_fee, |c| c.score), [1_000_000, 400_000, 0]);
    let largest = weighed().with(|s| s.policy.weights = weights(u32::MAX, u32::MAX, u32::MAX, u32::MAX));
    assert_eq!(each(&largest, |c| c.score), [900_000, 500_000, 650_000]);
    let none = weighed().with(|s| s.policy.weights = weights(0, 0, 0, 0));
    assert_eq!(each(&none, |c| c.score), [0, 0, 0]);
}

#[test]
fn each_failure_halves_the_score() {
    let failed = weighed().with(|s| s.failed = vec![(mic("AAAA"), 1), (mic("BBBB"), 2), (mic("CCCC"), 1)]);
    assert_eq!(each(&failed, |c| c.score), [460_000, 127_500, 410_000]);
    let often = weighed().with(|s| s.failed = vec![(mic("AAAA"), u32::MAX), (mic("AAAA"), 1)]);
    assert_eq!(each(&often, |c| c.score)[0], 0);
}

#[test]
fn ties_go_to_the_better_price_then_the_lower_fee_then_the_venue_id() {
    let first = |scene: &Scene| scene.plan().candidates[0].venue.to_string();
    let pair = |a: Spot, b: Spot| scene(vec![a, b]).with(|s| s.policy.weights = weights(0, 0, 1, 0));
    let quote = |code: &str, ask: &str, fee: &str| spot(code, "90x100", ask).fees("0", fee);
    assert_eq!(first(&pair(quote("AAAA", "100.01x1", "0"), quote("BBBB", "100x1", "9"))), "BBBB");
    assert_eq!(first(&pair(quote("AAAA", "100x1", "0.002"), quote("BBBB", "100x1", "0.001"))), "BBBB");
    assert_eq!(first(&pair(quote("BBBB", "100x1", "0"), quote("AAAA", "100x9", "0"))), "AAAA");
    // A seller's better price is the higher; net of fees if the policy says so.
    let sell = |a: &str, b: &str| {
        let (a, b) = (spot("AAAA", a, "110x1").fees("0", "0.5"), spot("BBBB", b, "110x1"));
        pair(a, b).with(|s| s.side = Side::Sell)
    };
    assert_eq!(first(&sell("99x1", "100x1")), "BBBB");
    assert_eq!(first(&sell("100x1", "99.9x1")), "AAAA");
    assert_eq!(first(&sell("100x1", "99.9x1").with(|s| s.policy.fee_adjusted = true)), "BBBB");
}

#[test]
fn a_named_venue_is_scored_against_the_others() {
    let named = weighed().mode(SorMode::Named).with(|s| s.named = Some(mic("BBBB")));
    assert_eq!(each(&named, |c| c.score), [920_000, 510_000, 820_000]);
}

#[test]
fn extreme_amounts_do_not_overflow() {
    let edge = |code: &str, raw: i64, fee: i64| {
        spot(code, "", "1x100").with(|s| {
            s.quote.ask = s.quote.ask.map(|ask| oms_model::market::Level { price: Price::from_raw(raw), ..ask });
            s.venue.taker_fee = Price::from_raw(fee);
            s.venue.latency_prior_ns = u64::MAX;
        })
    };
    let venues = vec![edge("AAAA", i64::MAX, i64::MAX), edge("BBBB", i64::MIN, i64::MIN), edge("CCCC", 0, 0)];
    for side in [Side::Buy, Side::Sell] {
        let scene = scene(venues.clone()).with(|s| {
            (s.side, s.policy.fee_adjusted, s.policy.price_range_bps) = (side, true, u32::MAX);
        });
        assert!(each(&scene, |c| c.score).iter().all(|score| *score <= FULL_PPM));
    }
}
