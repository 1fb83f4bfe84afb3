//! What an order would cost, asked without placing it.

use oms_model::Side;
use oms_runtime::port::{Answer, Handed, VenuePort as _, VenueState};

use super::super::config::SECOND;
use super::faults::{both, desk, known};
use super::play::Play;

fn open(play: &mut Play) -> usize {
    match play.open_orders() {
        Answer::Complete(open) => open.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_answer_is_of_no_order_and_its_id_is_nobodys_after() {
    both(|offer| {
        let mut play = desk(offer);
        let order = play.limit(1, Side::Buy, 100, "19.5");
        for _ in 0..2 {
            let number = play.ask_what_if(&order);
            let said = play.said(number).unwrap();
            assert_eq!(said.init_margin_change.unwrap().to_string(), "975");
        }
        assert_eq!((play.gateway.taken().len(), open(&mut play), play.words().len()), (0, 0, 0));
        // The process ends where a question has left: its id is in the log, and the next order has another.
        play.ask_what_if(&order);
        play.kill();
        play.start();
        play.up();
        assert_eq!(play.send(&order), Handed::Over);
        assert_eq!(known(&mut play, 1).state, VenueState::Live);
        assert_eq!(play.connector().status().foreign.len(), 0);
    });
}

#[test]
fn what_does_not_answer_is_waited_for_so_long_and_no_longer() {
    both(|offer| {
        let mut play = desk(offer);
        let order = play.limit(1, Side::Buy, 100, "19.5");
        // The line goes while it waits.
        play.order_sim("freeze on");
        let cut = play.ask_what_if(&order);
        play.cut();
        assert!(play.said(cut).unwrap_err().starts_with("the gateway is down: "));
        play.order_sim("freeze off");
        play.up();
        // The gateway is silent, and what it says afterwards is of nothing.
        play.order_sim("freeze on");
        let (began, late) = (play.now, play.ask_what_if(&order));
        let many: Vec<u64> = (0..32).map(|_| play.ask_what_if(&order)).collect();
        assert_eq!(play.said(late).unwrap_err(), "the gateway did not answer in time");
        assert!(play.now.since(began) <= 6 * SECOND);
        let refused = many.into_iter().filter_map(|number| play.said(number).err()).filter(|why| why.starts_with("too much waits"));
        assert_eq!(refused.count(), 1, "no more than so many wait");
        play.order_sim("freeze off");
        play.up();
        play.run(30 * SECOND);
        assert_eq!((open(&mut play), play.gateway.taken().len()), (0, 0));
        // One that is refused says why.
        let off_tick = play.limit(1, Side::Buy, 100, "19.505");
        let number = play.ask_what_if(&off_tick);
        assert!(play.said(number).unwrap_err().starts_with("110 "));
    });
}

#[test]
fn a_gateway_that_takes_the_question_for_an_order_is_told_to_cancel_it() {
    both(|offer| {
        let mut play = desk(offer);
        play.order_sim("what-if-placed 1");
        let order = play.limit(1, Side::Buy, 100, "19.5");
        let number = play.ask_what_if(&order);
        assert!(play.said(number).unwrap_err().contains("for an order"));
        play.until(10 * SECOND, "the cancel", |play| play.gateway.standing().all(|order| order.is_done && order.cum_qty.is_zero()));
        assert_eq!(play.gateway.taken(), [""], "it was no order of the desk's");
        play.run(30 * SECOND);
        assert_eq!((open(&mut play), play.connector().status().foreign.len()), (0, 0));
        assert!(play.words().is_empty(), "the desk hears of no order");
    });
}
