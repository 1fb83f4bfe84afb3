use super::*;
use oms_model::market::Level;
use oms_model::work::{Instructions, Work};
use oms_model::{Qty, Time};

fn px(text: &str) -> Price {
    text.parse().unwrap()
}

fn market(bid: &str, ask: &str, last: &str) -> Market {
    let level = |text: &str| text.parse().ok().map(|price| Level { price, size: Qty::ZERO, at: Time(0) });
    Market { bid: level(bid), ask: level(ask), last: level(last), ..Market::default() }
}

fn cents() -> Instrument {
    let ticks = vec![oms_model::instrument::TickStep { from: Price::ZERO, tick: px("0.01") }];
    Instrument { ticks, ..Instrument::default() }
}

fn stop(side: Side, at: &str, source: TriggerSource) -> Order {
    let mut order = Order { side, ord_type: OrdType::Stop, ..Order::default() };
    order.extras.stop_px = Some(px(at));
    let instructions = Instructions { trigger_source: Some(source), ..Instructions::default() };
    order.extras.work = Some(Box::new(Work { instructions, ..Work::default() }));
    order
}

fn trailing(side: Side, at: &str, trail: Trail) -> Order {
    let mut order = stop(side, at, TriggerSource::Last);
    order.ord_type = OrdType::TrailingStop;
    order.extras.work.as_mut().unwrap().instructions.trail = Some(trail);
    order
}

#[test]
fn each_source_looks_at_its_own_price() {
    let market = market("99", "101", "98");
    let sell = |at, source| look(&stop(Side::Sell, at, source), &market, &cents());
    assert_eq!(sell("98", TriggerSource::Last), Reached::Yes { stop_px: px("98"), seen_px: px("98") });
    assert_eq!(sell("98", TriggerSource::BidAsk), Reached::No);
    assert_eq!(sell("99", TriggerSource::BidAsk), Reached::Yes { stop_px: px("99"), seen_px: px("99") });
    assert_eq!(sell("99.5", TriggerSource::Mid), Reached::No);
    assert_eq!(sell("100", TriggerSource::Mid), Reached::Yes { stop_px: px("100"), seen_px: px("100") });
    let buy = look(&stop(Side::Buy, "101", TriggerSource::BidAsk), &market, &cents());
    assert_eq!(buy, Reached::Yes { stop_px: px("101"), seen_px: px("101") });
}

#[test]
fn a_gap_triggers_at_the_first_price_beyond_the_stop() {
    let gapped = market("94", "96", "95");
    let reached = look(&stop(Side::Sell, "98", TriggerSource::Last), &gapped, &cents());
    assert_eq!(reached, Reached::Yes { stop_px: px("98"), seen_px: px("95") });
}

#[test]
fn a_missing_price_triggers_nothing() {
    let empty = market("-", "101", "-");
    for &source in TriggerSource::ALL {
        assert_eq!(look(&stop(Side::Sell, "98", source), &empty, &cents()), Reached::No);
    }
}

#[test]
fn a_trailing_stop_follows_and_never_goes_back() {
    let amount = Trail { amount: px("2"), ..Trail::default() };
    let sell = |last| look(&trailing(Side::Sell, "98", amount), &market("-", "-", last), &cents());
    assert_eq!(sell("103"), Reached::Moved { stop_px: px("101"), seen_px: px("103") });
    assert_eq!(sell("99"), Reached::No);
    assert_eq!(sell("97"), Reached::Yes { stop_px: px("98"), seen_px: px("97") });
    let percent = Trail { ppm: 10_000, ..Trail::default() };
    let buy = |last| look(&trailing(Side::Buy, "102", percent), &market("-", "-", last), &cents());
    assert_eq!(buy("100"), Reached::Moved { stop_px: px("101"), seen_px: px("100") });
    assert_eq!(buy("101.5"), Reached::No);
}

#[test]
fn a_trailing_stop_limit_has_its_limit_at_the_offset_from_the_stop() {
    let offset = Trail { amount: px("2"), limit_offset: px("0.505"), ..Trail::default() };
    let mut order = trailing(Side::Sell, "98", offset);
    order.ord_type = OrdType::TrailingStopLimit;
    assert_eq!(released_as(&order, Some(px("98")), &cents()), (OrdType::Limit, Some(px("97.5"))));
}

#[test]
fn no_price_that_a_trail_follows_is_missed_by_the_index() {
    let instrument = cents();
    let trails = [(0, "0.50"), (0, "0.005"), (1, "0"), (33, "0"), (10_000, "0"), (333_333, "0"), (990_000, "0")];
    let mut followed = 0;
    for (ppm, amount) in trails {
        let trail = Trail { ppm, amount: px(amount), ..Trail::default() };
        for side in [Side::Buy, Side::Sell] {
            for stop in (1..400_u32).map(|at| px(&format!("{}.{:02}", at / 3, at % 100))) {
                let beyond = trail.follows_beyond(stop, side.is_buy());
                for seen in (0..60).map(|step| Price::from_raw(beyond.raw() - 300_000_000 + step * 10_000_000)) {
                    let on_tick = if seen.is_positive() { oms_router::algo::on_tick(seen, true, &instrument) } else { None };
                    let Some(seen) = on_tick.filter(|seen| seen.is_positive()) else { continue };
                    let order = trailing(side, &stop.to_string(), trail);
                    let moved = matches!(look(&order, &market("-", "-", &seen.to_string()), &instrument), Reached::Moved { .. });
                    let passes = if side.is_buy() { seen <= beyond } else { seen >= beyond };
                    assert!(passes || !moved, "{side} {trail:?} stop {stop} beyond {beyond} seen {seen}");
                    followed += u32::from(moved);
                }
            }
        }
    }
    assert!(followed > 10_000, "most of them follow somewhere: {followed}");
}
