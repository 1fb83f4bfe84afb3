//! What holds for every plan, whatever the order, the venues and the policy.

use crate::fixture::{NOW, Scene, Spot, at, mic, scene, spot};
use oms_model::event::Exclusion;
use oms_model::market::Level;
use oms_model::policy::{LatencyStat, Weights};
use oms_model::{OrdType, Price, Qty, Side, SorMode, TimeInForce};
use proptest::prelude::*;

fn units(units: i64) -> Qty {
    Qty::from_raw(i128::from(units) * 1_000_000_000)
}

fn cents(cents: i64) -> Price {
    Price::from_raw(cents * 10_000_000)
}

/// Prices from a few ticks, so that levels meet; sizes of odd units; now and then none, or an old one.
fn level(low: i64) -> impl Strategy<Value = Option<Level>> {
    let level = (low..low + 12, 0_i64..600, prop_oneof![9 => Just(0_i64), 1 => Just(20_000_000_000)])
        .prop_map(|(price, size, age)| Level { price: cents(price), size: units(size), at: NOW.plus(-age) });
    prop_oneof![1 => Just(None), 7 => level.prop_map(Some)]
}

fn any_spot() -> impl Strategy<Value = Spot> {
    let rarely = || proptest::bool::weighted(0.06);
    let flags = (rarely(), rarely(), rarely(), rarely(), rarely());
    let measured = proptest::collection::vec((any::<bool>(), any::<bool>(), 0_u64..2_000_000), 0..12);
    let fees = (-30_i64..30, -10_i64..40);
    (level(9_992), level(10_000), flags, fees, 0_u64..900_000, 0_u32..=1_000_000, measured).prop_map(
        |(bid, ask, (off, down, killed, in_doubt, halted), (maker, taker), latency, fill, measured)| {
            spot("VN00", "", "").latency(latency).fill(fill).with(|s| {
                (s.quote.bid, s.quote.ask, s.quote.halted) = (bid, ask, halted);
                (s.venue.enabled, s.connected, s.killed, s.in_doubt) = (!off, !down, killed, in_doubt);
                (s.venue.maker_fee, s.venue.taker_fee) = (Price::from_raw(maker * 100_000), Price::from_raw(taker * 100_000));
                for (aggressive, filled, latency) in measured {
                    s.stats.submitted(aggressive);
                    s.stats.acknowledged(latency);
                    if filled {
                        s.stats.filled(aggressive);
                    }
                }
            })
        },
    )
}

fn any_order() -> impl Strategy<Value = Scene> {
    let terms = (
        proptest::sample::select(Side::ALL),
        proptest::sample::select(OrdType::ALL),
        proptest::sample::select(TimeInForce::ALL),
        proptest::sample::select(SorMode::ALL),
        9_990_i64..10_014,
    );
    let sizes = (1_i64..4_000, 0_i128..3, proptest::sample::select(vec![0_i64, 1, 10, 100]), 0_i64..300);
    (terms, sizes).prop_map(|((side, ord_type, tif, mode, limit), (whole, odd, lot, least))| {
        scene(Vec::new()).mode(mode).tif(tif).with(|s| {
            (s.side, s.ord_type, s.price) = (side, ord_type, ord_type.has_price().then(|| cents(limit)));
            s.qty = Qty::from_raw(units(whole).raw() + odd);
            (s.lot, s.policy.min_leg_qty) = (units(lot), units(least));
        })
    })
}

fn any_scene() -> impl Strategy<Value = Scene> {
    let policy = (any::<bool>(), any::<bool>(), 0_u32..20, [0_u32..9, 0_u32..9, 0_u32..9, 1_u32..9], any::<bool>());
    let history = (proptest::collection::vec((0_usize..12, 0_u32..4), 0..3), 0_usize..12, 0_usize..12);
    (any_order(), proptest::collection::vec(any_spot(), 0..12), policy, history).prop_map(
        |(mut scene, spots, (cap, net, range, [price, latency, fill, fee], p95), (failed, named, denied))| {
            let code = |at: usize| mic(&format!("VN{at:02}"));
            scene.spots = spots;
            for (at, spot) in scene.spots.iter_mut().enumerate() {
                (spot.venue.venue, spot.quote.venue) = (code(at), code(at));
            }
            scene.failed = failed.into_iter().map(|(at, times)| (code(at), times)).collect();
            (scene.named, scene.policy.deny) = (Some(code(named)), vec![code(denied)]);
            (scene.policy.cap_to_displayed, scene.policy.fee_adjusted) = (cap, net);
            scene.policy.price_range_bps = range;
            scene.policy.weights = Weights { price, latency, fill, fee };
            scene.policy.latency_stat = if p95 { LatencyStat::P95 } else { LatencyStat::Ewma };
            scene
        },
    )
}

/// A scene, and the same with its venues listed in another order.
fn shuffled() -> impl Strategy<Value = (Scene, Scene)> {
    any_scene().prop_flat_map(|scene| {
        let spots = Just(scene.spots.clone()).prop_shuffle();
        (Just(scene), spots).prop_map(|(scene, spots)| (scene.clone(), scene.with(|s| s.spots = spots)))
    })
}

/// What the candidate displays on the side that the order trades against.
fn displayed(scene: &Scene, plan: &crate::RoutePlan, venue: oms_model::Mic) -> Qty {
    let candidate = at(plan, venue.as_str());
    if scene.side.is_buy() { candidate.ask_size } else { candidate.bid_size }
}

/// Whether the candidate's quote is within the order's limit.
fn in_reach(scene: &Scene, candidate: &oms_model::event::Candidate) -> bool {
    let limit = scene.price.filter(|_| scene.ord_type.has_price());
    match (scene.side.is_buy(), candidate.bid, candidate.ask) {
        (true, _, Some(ask)) => limit.is_none_or(|limit| ask <= limit),
        (false, Some(bid), _) => limit.is_none_or(|limit| bid >= limit),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_listing_changes_nothing((scene, other) in shuffled()) {
        prop_assert_eq!(scene.plan(), other.plan());
        prop_assert_eq!(scene.plan(), scene.plan());
    }

    #[test]
    fn parts_add_up_and_each_is_something(scene in any_scene()) {
        let plan = scene.plan();
        let placed: i128 = plan.legs.iter().map(|leg| leg.qty.raw()).sum();
        prop_assert_eq!(placed + plan.unplaced.raw(), scene.qty.raw());
        prop_assert!(!plan.unplaced.is_negative());
        prop_assert!(plan.legs.iter().all(|leg| leg.qty.is_positive()));
        let odd = plan.legs.iter().filter(|leg| !leg.qty.is_multiple_of(scene.lot)).count();
        prop_assert!(odd <= usize::from(!scene.qty.is_multiple_of(scene.lot)));
    }

    #[test]
    fn only_a_sweep_that_may_not_rest_leaves_something_while_a_venue_is_eligible(scene in any_scene()) {
        let plan = scene.plan();
        let eligible = plan.candidates.iter().any(|c| c.excluded.is_none());
        let at_once = matches!(scene.time_in_force, TimeInForce::Ioc | TimeInForce::Opg);
        let may_leave = scene.mode == SorMode::Sweep && at_once;
        prop_assert!(plan.unplaced.is_zero() || !eligible || may_leave);
        prop_assert!(eligible || plan.legs.is_empty());
    }

    #[test]
    fn every_venue_is_recorded_once_and_no_excluded_one_has_a_leg(scene in any_scene()) {
        let plan = scene.plan();
        let mut seen: Vec<_> = plan.candidates.iter().map(|c| c.venue).collect();
        seen.sort();
        prop_assert_eq!(seen, scene.spots.iter().map(|s| s.venue.venue).collect::<Vec<_>>());
        prop_assert!(plan.candidates.is_sorted_by_key(|c| c.excluded.is_some()));
        let scores = plan.candidates.iter().filter(|c| c.excluded.is_none()).map(|c| std::cmp::Reverse(c.score));
        prop_assert!(scores.is_sorted());
        for leg in &plan.legs {
            prop_assert_eq!(at(&plan, leg.venue.as_str()).excluded, None);
            let spot = scene.spots.iter().find(|s| s.venue.venue == leg.venue).unwrap();
            prop_assert!(spot.venue.enabled && spot.connected && !spot.killed && !spot.in_doubt && !spot.quote.halted);
            prop_assert!(!scene.policy.deny.contains(&leg.venue));
            prop_assert!(scene.mode != SorMode::Named || scene.named == Some(leg.venue));
        }
    }

    #[test]
    fn no_leg_is_outside_the_limit(scene in any_scene()) {
        for leg in scene.plan().legs {
            match (scene.price, leg.price) {
                (Some(limit), Some(price)) if scene.side.is_buy() => prop_assert!(price <= limit),
                (Some(limit), Some(price)) => prop_assert!(price >= limit),
                (limit, _) => prop_assert_eq!(limit, None),
            }
            prop_assert_eq!(leg.ord_type.has_price(), leg.price.is_some());
        }
    }

    #[test]
    fn scores_are_within_bounds_and_somebody_is_best(scene in any_scene()) {
        let plan = scene.plan();
        for c in &plan.candidates {
            for ppm in [c.price_score, c.latency_score, c.fill_score, c.fee_score, c.score] {
                prop_assert!(ppm <= 1_000_000);
            }
        }
        let eligible: Vec<_> = plan.candidates.iter().filter(|c| c.excluded.is_none()).collect();
        let unnamed = plan.candidates.iter().all(|c| c.excluded != Some(Exclusion::NotNamed));
        if !eligible.is_empty() && unnamed {
            prop_assert!(eligible.iter().any(|c| c.latency_score == 1_000_000));
            prop_assert!(eligible.iter().any(|c| c.fee_score == 1_000_000));
        }
    }

    #[test]
    fn a_sweep_takes_no_more_than_is_displayed_and_nothing_worse_before_better(scene in any_scene()) {
        let plan = scene.clone().mode(SorMode::Sweep).with(|s| s.policy.fee_adjusted = false).plan();
        let levels: Vec<_> = match scene.time_in_force {
            TimeInForce::Fok => vec![],
            _ => plan.legs.iter().filter(|leg| leg.time_in_force == TimeInForce::Ioc && !scene.ord_type.has_stop()).collect(),
        };
        for leg in &levels {
            prop_assert!(leg.qty <= displayed(&scene, &plan, leg.venue));
        }
        let prices: Vec<i64> = levels
            .iter()
            .filter_map(|leg| leg.price)
            .map(|price| if scene.side.is_buy() { price.raw() } else { -price.raw() })
            .collect();
        prop_assert!(prices.is_sorted());
    }

    #[test]
    fn a_split_keeps_to_displayed_sizes_and_least_legs(scene in any_scene()) {
        let scene = scene.mode(SorMode::Split);
        let plan = scene.plan();
        for leg in plan.legs.iter().skip(1) {
            prop_assert!(leg.qty >= scene.policy.min_leg_qty);
            if scene.policy.cap_to_displayed && in_reach(&scene, at(&plan, leg.venue.as_str())) {
                prop_assert!(leg.qty <= displayed(&scene, &plan, leg.venue));
            }
        }
        if plan.legs.len() > 1 {
            prop_assert!(plan.legs[0].qty >= scene.policy.min_leg_qty);
            prop_assert!(plan.legs.is_sorted_by_key(|leg| plan.candidates.iter().position(|c| c.venue == leg.venue)));
        }
    }

    #[test]
    fn a_free_split_is_within_a_lot_of_proportion(scene in any_scene()) {
        let scene = scene.mode(SorMode::Split).tif(TimeInForce::Day).with(|s| {
            // A stop is not divided.
            s.ord_type = if s.ord_type.has_price() { OrdType::Limit } else { OrdType::Market };
            (s.policy.cap_to_displayed, s.policy.min_leg_qty, s.lot) = (false, Qty::ZERO, units(1));
        });
        let plan = scene.plan();
        let eligible = || plan.candidates.iter().filter(|c| c.excluded.is_none());
        let aggressive = eligible().any(|c| in_reach(&scene, c));
        let sharing: Vec<_> = eligible().filter(|c| in_reach(&scene, c) == aggressive).collect();
        let sum: i128 = sharing.iter().map(|c| i128::from(c.score)).sum();
        if sum == 0 {
            return Ok(()); // no venue, or none with a score: the whole order is one leg or none
        }
        let (total, odd) = (scene.qty.raw() / 1_000_000_000, scene.qty.raw() % 1_000_000_000);
        for candidate in sharing {
            let leg = plan.legs.iter().find(|leg| leg.venue == candidate.venue);
            let got = leg.map_or(0, |leg| leg.qty.raw() - if *leg == plan.legs[0] { odd } else { 0 });
            let exact = total * i128::from(candidate.score) * 1_000_000_000;
            prop_assert!((got * sum - exact).abs() < sum * 1_000_000_000);
        }
    }
}
