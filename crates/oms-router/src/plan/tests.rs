use crate::fixture::{Scene, Spot, mic, price, scene, spot, text};
use oms_model::market::Level;
use oms_model::{OrdType, Side, SorMode};

mod properties;

/// A morning with everything in it: a rebate, a measured venue, one venue down, one without an offer.
fn morning() -> Scene {
    let measured = |spot: Spot| {
        spot.with(|s| {
            for sample in 0..20 {
                s.stats.submitted(true);
                s.stats.acknowledged(120_000 + sample * 1_000);
                if sample % 4 != 0 {
                    s.stats.filled(true);
                }
            }
        })
    };
    let aged = |spot: Spot| spot.with(|s| s.quote.ask = s.quote.ask.map(|l| Level { at: l.at.plus(-2_500_000), ..l }));
    scene(vec![
        spot("XNYS", "99.98x700", "100.01x400").fees("-0.0015", "0.0028"),
        measured(spot("ARCX", "99.99x300", "100.00x200").fees("-0.0020", "0.0030")),
        aged(spot("XNAS", "99.99x500", "100.01x600").fees("-0.0020", "0.0030").latency(150_000)),
        spot("BATS", "99.97x100", "100.03x900").fees("-0.0025", "0.0030"),
        spot("EDGX", "99.98x100", "100.00x800").fees("-0.0020", "0.0030").with(|s| s.connected = false),
        spot("IEXG", "99.99x100", "").fees("0", "0.0009").latency(900_000),
    ])
    .limit(Side::Buy, "100.02")
    .mode(SorMode::Sweep)
    .sized("1500")
    .with(|s| s.failed = vec![(mic("BATS"), 1)])
}

#[test]
fn a_plan_is_what_it_was() {
    assert_eq!(text(&morning().plan()), include_str!("tests/golden.txt"));
}

#[test]
fn candidates_are_best_first_and_then_the_excluded_by_venue_id() {
    let codes = |scene: &Scene| scene.each(|_| ()).into_iter().map(|(code, ())| code).collect::<Vec<_>>();
    assert_eq!(codes(&morning()), ["ARCX", "XNAS", "XNYS", "IEXG", "BATS", "EDGX"]);
}

#[test]
fn the_best_of_all_venues_is_recorded() {
    let plan = morning().plan();
    assert_eq!((plan.bid, plan.ask), (Some(price("99.99")), Some(price("100"))));
    let empty = scene(vec![]).plan();
    assert_eq!((empty.bid, empty.ask, empty.candidates.len()), (None, None, 0));
}

#[test]
#[should_panic(expected = "has a limit")]
fn a_limit_order_without_a_limit_is_not_planned() {
    let _ = morning().with(|s| s.price = None).plan();
}

#[test]
fn a_limit_that_the_type_does_not_carry_is_not_used() {
    let plan = morning().with(|s| (s.ord_type, s.price) = (OrdType::Market, Some(price("1")))).plan();
    assert!(plan.unplaced.is_zero());
}

#[test]
#[should_panic(expected = "listed once")]
fn a_venue_listed_twice_is_not_planned() {
    let twice = spot("XNYS", "99x1", "100x1");
    let _ = scene(vec![twice.clone(), spot("ARCX", "99x1", "100x1"), twice]).plan();
}
