//! Kills, people at the workstation, market data, hours.

use oms_model::report::ReportBody;
use oms_model::{InstrumentId, Side};
use oms_runtime::port::{Answer, Handed, VenuePort as _, VenueState};

use super::super::config::{Config, Offer, SECOND, Window};
use super::super::record::Record;
use super::super::{Action, Subscribed};
use super::faults::{both, desk, known};
use super::play::{ACCOUNT, MS, Play, config, contract, px, shares, wire};

#[test]
fn a_killed_desk_knows_what_left_and_what_was_said() {
    both(|offer| {
        let mut play = desk(offer);
        for (order, price) in [(1, "20"), (2, "19.5"), (3, "19.4")] {
            assert_eq!(play.send(&play.limit(order, Side::Buy, 100, price)), Handed::Over);
        }
        play.run(SECOND);
        play.kill();
        // While it is down one is executed, and one is canceled by a person.
        play.show(Side::Sell, Some((px("19.5"), shares(500))));
        play.run(60 * SECOND);
        play.words();
        play.start();
        play.up();
        let words = play.words();
        assert!(words.contains(&"fill 100 at 19.5".to_owned()), "{words:?}");
        let states: Vec<VenueState> = (1..=3).map(|order| known(&mut play, order).state).collect();
        assert_eq!(states, [VenueState::Filled, VenueState::Filled, VenueState::Live]);
        // What the desk may have missed is told again after a start, and only then.
        assert_eq!(words.iter().filter(|word| word.starts_with("fill")).count(), 2);
        play.cut();
        play.up();
        assert_eq!(play.words(), ["down"]);
    });
}

#[test]
fn what_people_enter_is_shown_and_what_it_executes_is_told_once() {
    both(|offer| {
        let mut play = desk(offer);
        play.order_sim("manual BUY 50 IBM 19");
        play.cut();
        play.up();
        let status = play.connector().status();
        assert_eq!(status.foreign.len(), 1);
        let foreign = &status.foreign[0];
        assert_eq!((foreign.symbol.as_str(), foreign.quantity.as_str(), foreign.account.as_str()), ("IBM", "50", ACCOUNT));
        play.order_sim("manual SELL 30 IBM 19.9");
        play.words();
        // It is of another client, so nothing is pushed: the next look finds it.
        play.run(70 * SECOND);
        let told: Vec<_> = play.reports.iter().filter(|report| matches!(report.body, ReportBody::Fill { .. })).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].body.wire_id().unwrap().parts().is_none(), "it is nobody's here");
        play.words();
        play.kill();
        play.start();
        play.up();
        play.run(70 * SECOND);
        assert!(play.words().is_empty(), "it was told");
        // A person's order does not stand in the way of ours.
        assert_eq!(play.send(&play.limit(1, Side::Buy, 10, "20")), Handed::Over);
        play.run(SECOND);
        assert_eq!(known(&mut play, 1).state, VenueState::Filled);
    });
}

#[test]
fn what_others_executed_and_the_desk_may_have_missed_is_told_as_it_was_and_then_as_it_is() {
    both(|offer| {
        let mut play = desk(offer);
        play.order_sim("manual SELL 30 IBM 19.9");
        play.run(70 * SECOND);
        assert_eq!(play.words(), ["fill 30 at 19.9", "commission 1 USD"]);
        // Whether the desk has it is not in the log; while it is down the execution is corrected.
        play.kill();
        play.unlog(|record| matches!(record, Record::Told(_)));
        play.order_sim("correct 19.85");
        play.start();
        play.up();
        // The same id a second time, and the correction of that id: no desk books it twice.
        assert_eq!(play.words(), ["fill 30 at 19.9", "commission 1 USD", "corrected 30 at 19.85"]);
        play.kill();
        play.start();
        play.up();
        assert!(play.words().is_empty(), "it was told");
    });
}

#[test]
fn positions_and_values_are_those_of_the_broker() {
    both(|offer| {
        let mut play = desk(offer);
        assert_eq!(play.send(&play.limit(1, Side::Buy, 100, "20")), Handed::Over);
        play.run(SECOND);
        let status = play.connector().status();
        let (positions, is_whole) = status.positions;
        assert!(is_whole);
        assert_eq!(positions.len(), 1);
        assert_eq!((positions[0].contract.symbol.as_str(), positions[0].quantity.to_string()), ("IBM", "100".to_owned()));
        assert!(status.values.iter().any(|value| value.key == "NetLiquidation"), "{:?}", status.values);
        assert_eq!(status.accounts, [ACCOUNT]);
    });
}

#[test]
fn market_data_comes_is_withdrawn_with_the_line_and_comes_again() {
    both(|offer| {
        let mut play = desk(offer);
        let now = play.clock();
        play.connector().subscribe(now, [Subscribed { instrument: InstrumentId(3), contract: contract() }]);
        play.run(SECOND);
        let bid = |at: &str, size: i64| Action::Quote(InstrumentId(3), true, Some((px(at), shares(size))));
        assert!(play.quotes.contains(&bid("19.9", 500)), "{:?}", play.quotes);
        play.show(Side::Buy, Some((px("19.91"), shares(300))));
        play.run(SECOND);
        assert_eq!(play.quotes.last(), Some(&bid("19.91", 300)));
        play.show(Side::Buy, Some((px("19.91"), shares(200))));
        play.run(SECOND);
        assert_eq!(play.quotes.last(), Some(&bid("19.91", 200)));
        play.quotes.clear();
        play.cut();
        assert!(play.quotes.contains(&Action::Quote(InstrumentId(3), true, None)));
        play.up();
        play.run(SECOND);
        assert!(play.quotes.contains(&bid("19.91", 200)), "{:?}", play.quotes);
        for back in ["line restored lost", "line restored kept"] {
            play.quotes.clear();
            play.order_sim("line lost");
            assert!(play.quotes.contains(&Action::Quote(InstrumentId(3), true, None)), "{back}");
            play.order_sim(back);
            play.up();
            play.run(SECOND);
            assert!(play.quotes.contains(&bid("19.91", 200)), "{back}: {:?}", play.quotes);
        }
    });
}

#[test]
fn what_left_in_the_moment_of_a_kill_is_never_sent_again() {
    both(|offer| {
        let mut play = desk(offer);
        // It is in the log, and the bytes do not get away.
        play.deaf_after = Some(0);
        assert_eq!(play.send(&play.limit(1, Side::Buy, 100, "20")), Handed::Over);
        play.kill();
        play.deaf_after = None;
        play.start();
        play.up();
        assert_eq!(play.query(&wire(1, 0)), Answer::Complete(None));
        play.run(120 * SECOND);
        assert!(play.gateway.taken().is_empty());
    });
}

#[test]
fn nothing_new_is_sent_while_the_gateway_restarts_by_its_timetable() {
    both(|offer| {
        // The test begins at noon.
        let window = Window { from_s: 12 * 3_600 + 60, to_s: 12 * 3_600 + 300 };
        let mut play = Play::with(Config { window: Some(window), ..config(offer) }, 1);
        play.up();
        assert_eq!(play.send(&play.limit(1, Side::Buy, 100, "19.5")), Handed::Over);
        play.run(90 * SECOND);
        assert!(matches!(play.send(&play.limit(2, Side::Buy, 100, "19.5")), Handed::NotSent(why) if why.contains("restarts")));
        assert!(matches!(play.replace(&play.replace_of(1, 1, 50, "19.5")), Handed::NotSent(_)));
        assert_eq!(play.cancel(&play.cancel_of(1, 1)), Handed::Over);
        play.run(300 * SECOND);
        assert_eq!(play.send(&play.limit(3, Side::Buy, 100, "19.5")), Handed::Over);
    });
}

#[test]
fn the_gate_is_open_again_in_five_seconds_in_nineteen_of_twenty_outages() {
    both(|offer| {
        let mut play = desk(offer);
        let mut waits = Vec::new();
        for round in 0..60_u32 {
            let order = u128::from(round) + 1;
            assert_eq!(play.send(&play.limit(order, Side::Buy, 1, "20")), Handed::Over);
            // From a blink to a minute; every other time the gateway's client id lingers for a moment.
            play.order_sim(if round % 2 == 0 { "linger 0" } else { "linger 500" });
            play.refuses = true;
            play.cut();
            play.run(i64::from(round) * 997 * MS);
            play.refuses = false;
            waits.push(play.up());
        }
        waits.sort_unstable();
        let p95 = waits[waits.len() * 95 / 100];
        assert!(p95 < 5 * SECOND, "p95 {} ms, worst {} ms", p95 / MS, waits[waits.len() - 1] / MS);
        for order in 1..=60 {
            let order = known(&mut play, order);
            assert_eq!((order.state, order.fills.len()), (VenueState::Filled, 1));
        }
        let fills = play.words().into_iter().filter(|word| word.starts_with("fill")).count();
        assert_eq!(fills, 60, "each execution was told once");
    });
}

#[test]
fn a_text_gateway_that_was_not_heard_over_midnight_may_lack_executions_and_says_so() {
    for (offer, whole) in [(Offer::Proto, true), (Offer::Text, false)] {
        let mut play = desk(offer);
        play.refuses = true;
        play.cut();
        play.run(26 * 3_600 * SECOND);
        play.refuses = false;
        play.up();
        let answer = play.executions_since(oms_model::Time(i64::MIN));
        assert_eq!(matches!(answer, Answer::Complete(_)), whole, "{offer:?}: {answer:?}");
        assert_eq!(play.connector().status().has_hole, !whole);
    }
}
