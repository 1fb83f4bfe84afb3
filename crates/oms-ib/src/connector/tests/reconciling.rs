//! Runs and breaks, through the simulated gateway, in both dialects.

use std::sync::Arc;

use oms_model::{Side, UserId};
use oms_runtime::port::VenuePort as _;

use super::super::config::SECOND;
use super::super::{Demand, RunRefused};
use super::faults::{both, desk};
use super::play::{MS, Play, px, shares};
use crate::reconcile::book::{Asked, Book, Break, Closing, NotDone, Run};
use crate::reconcile::{Kind, Outcome, Standing, Trigger};

const ANN: UserId = UserId::from_u128(1);
const BOB: UserId = UserId::from_u128(2);

fn demand(key: Option<u128>) -> Demand {
    Demand { user_id: ANN, reason: "end of day".to_owned(), key: key.map(|key| (key, [7; 32])) }
}

fn book(play: &mut Play) -> Arc<Book> {
    play.connector().status().book
}

fn run(play: &mut Play) -> Run {
    let run = play.reconcile(demand(None)).unwrap();
    assert_eq!((run.outcome, run.trigger, run.user_id), (Outcome::Complete, Trigger::Demand, Some(ANN)));
    *run
}

fn breaks(play: &mut Play, standing: Standing) -> Vec<Break> {
    book(play).breaks().filter(|one| one.standing == standing).cloned().collect()
}

fn kinds(breaks: &[Break]) -> Vec<Kind> {
    breaks.iter().map(|one| one.difference.subject.kind).collect()
}

fn value(one: &Break) -> String {
    one.difference.value.map(|value| value.to_string()).unwrap_or_default()
}

#[test]
fn a_run_follows_every_recovery_and_a_quiet_day_has_no_breaks() {
    both(|offer| {
        let mut play = desk(offer);
        play.send(&play.limit(1, Side::Buy, 100, "20"));
        play.send(&play.limit(2, Side::Buy, 100, "19.5"));
        play.run(SECOND);
        for line in [None, Some("line restored kept"), Some("line restored lost")] {
            match line {
                None => play.cut(),
                Some(back) => {
                    play.order_sim("line lost");
                    play.order_sim(back);
                }
            }
            play.up();
            play.run(SECOND);
        }
        let triggers = |play: &mut Play| book(play).runs().map(|run| (run.trigger, run.outcome, run.open)).collect::<Vec<_>>();
        assert_eq!(triggers(&mut play), [(Trigger::Recovery, Outcome::Complete, 0); 4]);
        // From then on it is time every quarter of an hour.
        play.run(16 * 60 * SECOND);
        let all = triggers(&mut play);
        assert_eq!((all.len(), all[4]), (5, (Trigger::Schedule, Outcome::Complete, 0)));
        let last = run(&mut play);
        assert_eq!((last.compared, last.looks), ([2, 1, 1], 1));
    });
}

#[test]
fn a_persons_order_is_a_break_until_a_look_does_not_show_it_any_more_and_its_execution_is_another() {
    both(|offer| {
        let mut play = desk(offer);
        play.order_sim("manual BUY 30 IBM 19.5");
        let first = run(&mut play);
        assert_eq!((first.opened, first.looks), (1, 2), "one look may show what is on its way");
        let open = breaks(&mut play, Standing::Open);
        assert_eq!((kinds(&open), value(&open[0])), (vec![Kind::UnknownAtDesk], "585".to_owned()));
        assert_eq!(open[0].difference.broker.as_deref(), Some("BUY WORKING 0/30"));
        // It is executed: the order is no break any more, what it did is.
        play.show(Side::Sell, Some((px("19.5"), shares(500))));
        play.run(SECOND);
        let second = run(&mut play);
        assert_eq!((second.closed, second.opened), (1, 2));
        let closed = breaks(&mut play, Standing::Closed);
        assert!(matches!(closed[0].closed, Some((_, Closing::Look { run })) if run == second.number));
        let open = breaks(&mut play, Standing::Open);
        assert_eq!(kinds(&open), [Kind::UnknownAtDesk, Kind::Position]);
        let position = &open[1].difference;
        assert_eq!((position.desk.as_deref(), position.ledger.as_deref(), position.broker.as_deref()), (Some("0"), Some("30"), Some("30")));
        // A person decides that it is not the desk's. What is held stays a difference, and its figures are accepted.
        let waiting = play.books.suspense.pop_first().unwrap();
        play.books.dismissed.insert(waiting);
        assert_eq!(run(&mut play).closed, 1);
        let number = breaks(&mut play, Standing::Open)[0].number;
        let close = Asked { number, user_id: BOB, owner: None, note: "held by hand".to_owned(), version: None, key: None };
        let now = play.clock();
        play.connector().act_on_break(now, &close).unwrap();
        assert_eq!((run(&mut play).opened, breaks(&mut play, Standing::Open).len()), (0, 0));
        // Trading goes on beside it; another person's order makes other figures, which are another break.
        play.send(&play.limit(1, Side::Buy, 100, "19.5"));
        play.run(SECOND);
        assert_eq!(run(&mut play).opened, 0);
        play.order_sim("manual BUY 5 IBM 19.5");
        play.run(SECOND);
        assert_eq!(run(&mut play).opened, 2);
        assert_eq!(kinds(&breaks(&mut play, Standing::Open)), [Kind::UnknownAtDesk, Kind::Position]);
    });
}

#[test]
fn an_execution_that_the_desk_lacks_is_a_break_with_its_value_and_closes_once_it_is_booked() {
    both(|offer| {
        let mut play = desk(offer);
        play.send(&play.limit(1, Side::Buy, 100, "20"));
        play.run(SECOND);
        let base = play.books.forget_execution();
        assert_eq!(run(&mut play).opened, 4);
        let open = breaks(&mut play, Standing::Open);
        assert_eq!(kinds(&open), [Kind::MissingAtBroker, Kind::Cumulative, Kind::Position, Kind::ExecutionMissing]);
        let missing = &open[3];
        assert_eq!((missing.difference.subject.what.as_str(), value(missing).as_str()), (base.as_str(), "2000"));
        assert_eq!((missing.difference.desk.as_deref(), missing.difference.broker.as_deref()), (None, Some("BUY 100 at 20")));
        // Breaks survive a kill. A connector that starts tells everything again: the desk books it, and the run that follows
        // the recovery has the evidence.
        play.kill();
        play.refuses = true;
        play.start();
        assert_eq!(breaks(&mut play, Standing::Open), open);
        play.refuses = false;
        play.up();
        play.run(SECOND);
        let last = book(&mut play).runs().next_back().cloned().unwrap();
        assert_eq!((last.trigger, last.closed, last.open), (Trigger::Recovery, 4, 0));
        assert!(breaks(&mut play, Standing::Closed).iter().all(|one| matches!(one.closed, Some((_, Closing::Look { .. })))));
    });
}

#[test]
fn what_was_executed_before_midnight_and_never_heard_is_a_break_where_the_dialect_cannot_ask_for_it() {
    both(|offer| {
        let mut play = desk(offer);
        play.send(&play.limit(1, Side::Buy, 100, "19.5"));
        play.run(SECOND);
        play.refuses = true;
        play.cut();
        play.run(11 * 3600 * SECOND);
        play.show(Side::Sell, Some((px("19.5"), shares(500))));
        // Over midnight, UTC.
        play.run(2 * 3600 * SECOND);
        play.refuses = false;
        play.up();
        play.run(2 * SECOND);
        let open = breaks(&mut play, Standing::Open);
        if offer == super::super::config::Offer::Proto {
            assert!(open.is_empty(), "{open:?}");
        } else {
            assert_eq!(kinds(&open).last(), Some(&Kind::Position), "{open:?}");
            assert!(kinds(&open).contains(&Kind::Cumulative) || kinds(&open).contains(&Kind::MissingAtBroker), "{open:?}");
            let position = &open.last().unwrap().difference;
            assert_eq!((position.desk.as_deref(), position.broker.as_deref()), (Some("0"), Some("100")));
        }
    });
}

#[test]
fn a_look_without_its_end_and_books_that_cannot_be_read_open_nothing_and_close_nothing() {
    both(|offer| {
        let mut play = desk(offer);
        play.order_sim("manual BUY 30 IBM 19.5");
        run(&mut play);
        let before = breaks(&mut play, Standing::Open);
        assert_eq!(before.len(), 1);
        play.order_sim("manual BUY 40 IBM 19.4");
        play.books_fail = true;
        let failed = play.reconcile(demand(None)).unwrap();
        assert_eq!((failed.outcome, failed.text.as_str()), (Outcome::Incomplete, "the desk's books could not be read: no books"));
        play.books_fail = false;
        play.order_sim("end missing");
        let failed = play.reconcile(demand(None)).unwrap();
        assert_eq!((failed.outcome, failed.open), (Outcome::Incomplete, 1));
        let after = breaks(&mut play, Standing::Open);
        assert_eq!(after, before);
        // While the gate is shut nobody can ask for one.
        play.until(60 * SECOND, "a shut gate", |play| !play.is_up());
        assert!(matches!(play.reconcile(demand(None)), Err(RunRefused::Down(_))));
        play.order_sim("end prompt");
        play.up();
        play.until(60 * SECOND, "the run after it", |play| breaks(play, Standing::Open).len() == 2);
    });
}

#[test]
fn a_second_order_under_the_id_of_one_is_a_break() {
    both(|offer| {
        let mut play = desk(offer);
        play.send(&play.limit(1, Side::Buy, 100, "19.5"));
        play.run(SECOND);
        play.order_sim("second-perm 1");
        let asked = play.replace_of(1, 1, 50, "19.4");
        play.replace(&asked);
        play.run(2 * SECOND);
        run(&mut play);
        let open = breaks(&mut play, Standing::Open);
        assert_eq!(kinds(&open), [Kind::Duplicate], "{open:?}");
        // Both are canceled: nothing is left to differ.
        play.cancel(&play.cancel_of(1, 2));
        play.run(2 * SECOND);
        assert_eq!(run(&mut play).open, 0);
    });
}

#[test]
fn a_request_for_a_run_and_a_persons_word_are_repeatable_and_survive_a_kill() {
    let mut play = desk(super::super::config::Offer::Proto);
    play.order_sim("manual BUY 30 IBM 19.5");
    let first = play.reconcile(demand(Some(9))).unwrap();
    assert_eq!(play.reconcile(demand(Some(9))).unwrap(), first);
    let other = Demand { key: Some((9, [8; 32])), ..demand(None) };
    assert_eq!(play.reconcile(other), Err(RunRefused::Key));
    let number = breaks(&mut play, Standing::Open)[0].number;
    let assign =
        Asked { number, user_id: ANN, owner: Some(BOB), note: "look into it".to_owned(), version: Some(1), key: Some((5, [1; 32])) };
    let now = play.clock();
    let (deed, repeated) = play.connector().act_on_break(now, &assign).unwrap();
    assert_eq!((deed.version, deed.owner, repeated), (2, Some(BOB), false));
    play.run(MS);
    play.kill();
    play.start();
    play.up();
    let now = play.clock();
    assert_eq!(play.connector().act_on_break(now, &assign), Ok((deed, true)));
    let stale = Asked { key: None, ..assign.clone() };
    assert_eq!(play.connector().act_on_break(now, &stale), Err(NotDone::Version(2)));
    assert_eq!(breaks(&mut play, Standing::Acknowledged)[0].owner, Some(BOB));
    assert_eq!(play.reconcile(demand(Some(9))).unwrap(), first, "the log has it");
}
