use oms_model::instrument::Currency;
use proptest::prelude::*;

use super::super::{Kind, Subject};
use super::*;

const ANN: UserId = UserId::from_u128(1);
const HOUR: i64 = 3_600_000_000_000;

fn at(hours: i64) -> Time {
    Time(hours * HOUR)
}

fn differs(what: &str, gap: &str) -> Difference {
    Difference {
        subject: Subject { kind: Kind::Position, what: what.to_owned() },
        contract: what.to_owned(),
        order_id: None,
        desk: Some("1".to_owned()),
        ledger: None,
        broker: Some(gap.to_owned()),
        gap: gap.to_owned(),
        value: "12.5".parse().ok(),
        currency: Currency::USD,
    }
}

fn run(book: &Book, hours: i64) -> Run {
    Run {
        number: book.next_run(),
        trigger: Trigger::Schedule,
        user_id: None,
        began: at(hours),
        ended: at(hours),
        outcome: Outcome::Complete,
        text: String::new(),
        looks: 1,
        compared: [1, 2, 3],
        opened: 0,
        closed: 0,
        open: 0,
        left_out: 0,
        key: None,
    }
}

/// A run whose last look shows these, and whose look before showed those.
fn ran(book: &mut Book, hours: i64, found: &[Difference], suspected: &[Difference]) -> Run {
    let run = run(book, hours);
    let compared = Compared { differences: found.to_vec(), ..Compared::default() };
    match book.conclude(run, &compared, suspected).pop() {
        Some(Entry::Run(run)) => *run,
        other => panic!("{other:?}"),
    }
}

fn asks(number: u64, owner: Option<UserId>) -> Asked {
    Asked { number, user_id: ANN, owner, note: "so".to_owned(), version: None, key: None }
}

#[test]
fn a_break_opens_where_two_looks_show_it_alike_and_closes_with_the_run_that_does_not_show_it() {
    let mut book = Book::default();
    let (one, other) = (differs("A", "5"), differs("A", "6"));
    assert_eq!(book.news(std::slice::from_ref(&one)), std::slice::from_ref(&one));
    assert_eq!(ran(&mut book, 1, std::slice::from_ref(&one), std::slice::from_ref(&other)).opened, 0, "two looks, two figures");
    assert_eq!(ran(&mut book, 2, std::slice::from_ref(&one), std::slice::from_ref(&one)).opened, 1);
    assert_eq!(book.news(std::slice::from_ref(&other)), [], "it is known, whatever its figures");
    let later = ran(&mut book, 3, std::slice::from_ref(&other), &[]);
    let open = book.get(1).unwrap();
    assert_eq!((later.open, open.version, open.difference.gap.as_str(), open.first_seen, open.last_seen), (1, 2, "6", at(2), at(3)));
    let over = ran(&mut book, 4, &[], &[]);
    let closed = book.get(1).unwrap();
    assert_eq!((over.closed, over.open, closed.standing), (1, 0, Standing::Closed));
    assert_eq!(closed.closed, Some((at(4), Closing::Look { run: 4 })));
    // Should it come back, it is another.
    assert_eq!(ran(&mut book, 5, std::slice::from_ref(&one), std::slice::from_ref(&one)).opened, 1);
    assert_eq!(book.breaks().count(), 2);
}

#[test]
fn a_run_that_did_not_end_changes_nothing_but_the_list_of_runs() {
    let mut book = Book::default();
    let one = differs("A", "5");
    ran(&mut book, 1, std::slice::from_ref(&one), std::slice::from_ref(&one));
    let before: Vec<Break> = book.breaks().cloned().collect();
    let failed = Run { outcome: Outcome::Incomplete, ..run(&book, 2) };
    assert!(matches!(book.gave_up(failed), Entry::Run(run) if run.open == 1));
    assert_eq!((book.breaks().cloned().collect::<Vec<_>>(), book.runs().count()), (before, 2));
}

#[test]
fn what_a_person_closed_stays_closed_with_these_figures_and_opens_again_with_others() {
    let mut book = Book::default();
    let (one, other) = (differs("A", "5"), differs("A", "6"));
    ran(&mut book, 1, std::slice::from_ref(&one), std::slice::from_ref(&one));
    let (deed, entry) = book.act(&asks(1, None), at(2)).unwrap();
    assert_eq!((deed.version, deed.owner, entry.is_some()), (2, None, true));
    assert_eq!(book.get(1).unwrap().closed, Some((at(2), Closing::Person { user_id: ANN, note: "so".to_owned() })));
    assert_eq!(book.news(std::slice::from_ref(&one)), []);
    assert_eq!(ran(&mut book, 3, std::slice::from_ref(&one), &[]).open, 0);
    assert_eq!(ran(&mut book, 4, std::slice::from_ref(&other), std::slice::from_ref(&other)).opened, 1);
    // Once a look did not show it, the word is spent.
    assert_eq!(book.act(&asks(2, None), at(5)).unwrap().0.version, 2);
    assert_eq!(ran(&mut book, 6, &[], &[]).closed, 0);
    assert_eq!(ran(&mut book, 7, std::slice::from_ref(&other), std::slice::from_ref(&other)).opened, 1);
}

#[test]
fn what_the_broker_does_not_list_any_more_closes_nothing() {
    let mut book = Book::default();
    let lacks = Difference { broker: None, ..differs("e", "x/x/-") };
    ran(&mut book, 1, std::slice::from_ref(&lacks), std::slice::from_ref(&lacks));
    let unseen = Compared { unseen: BTreeSet::from(["e".to_owned()]), ..Compared::default() };
    let next = run(&book, 200);
    assert!(matches!(book.conclude(next, &unseen, &[]).as_slice(), [Entry::Run(run)] if run.open == 1));
}

#[test]
fn owners_versions_and_keys_are_held_to() {
    let mut book = Book::default();
    let one = differs("A", "5");
    ran(&mut book, 1, std::slice::from_ref(&one), std::slice::from_ref(&one));
    let assign = Asked { key: Some((7, [1; 32])), version: Some(1), ..asks(1, Some(ANN)) };
    let first = book.act(&assign, at(2)).unwrap();
    assert_eq!(book.act(&assign, at(3)), Ok((first.0, None)), "the same request has the same answer");
    assert_eq!(book.act(&Asked { key: Some((7, [2; 32])), ..assign.clone() }, at(3)), Err(NotDone::Key));
    assert_eq!(book.act(&assign, at(30)), Err(NotDone::Version(2)), "a key is known for a day");
    assert_eq!((book.get(1).unwrap().standing, book.get(1).unwrap().owner), (Standing::Acknowledged, Some(ANN)));
    assert_eq!(book.act(&asks(9, None), at(3)), Err(NotDone::Unknown));
    for _ in 1..MAX_DEEDS {
        book.act(&asks(1, Some(ANN)), at(4)).unwrap();
    }
    assert_eq!(book.act(&asks(1, Some(ANN)), at(4)), Err(NotDone::Full));
    ran(&mut book, 5, &[], &[]);
    assert_eq!(book.act(&asks(1, None), at(6)), Err(NotDone::Closed));
}

#[test]
fn what_is_kept_has_bounds() {
    let mut book = Book::default();
    for hour in 0..i64::try_from(MAX_CLOSED + 10).unwrap() {
        let one = differs(&format!("A{hour}"), "5");
        ran(&mut book, hour, std::slice::from_ref(&one), std::slice::from_ref(&one));
    }
    ran(&mut book, 9_999, &[], &[]);
    assert_eq!((book.runs().count(), book.breaks().count()), (MAX_RUNS, MAX_CLOSED));
    let many: Vec<Difference> = (0..MAX_OPEN + 5).map(|n| differs(&format!("B{n:05}"), "5")).collect();
    let run = ran(&mut book, 10_000, &many, &many);
    assert_eq!((run.opened, run.left_out, book.open()), (MAX_OPEN as u64, 5, MAX_OPEN));
}

proptest! {
    /// Whatever happens, the book that is read from the log is the book that wrote it.
    #[test]
    fn the_log_makes_the_same_book(steps in proptest::collection::vec((0u8..4, 0u8..3, 0u8..3, 1u64..6), 1..40)) {
        let (mut book, mut log) = (Book::default(), Vec::new());
        for (hour, (what, one, gap, number)) in (1..).zip(steps) {
            let shown = [differs(&one.to_string(), &gap.to_string())];
            let next = run(&book, hour);
            match what {
                0 => log.extend(book.conclude(next, &Compared { differences: shown.to_vec(), ..Compared::default() }, &shown)),
                1 => log.extend(book.conclude(next, &Compared::default(), &[])),
                2 => log.push(book.gave_up(Run { outcome: Outcome::Incomplete, user_id: Some(ANN), key: Some((1, [2; 32])), ..next })),
                _ => log.extend(book.act(&Asked { key: Some((hour.unsigned_abs().into(), [3; 32])), ..asks(number, (gap == 0).then_some(ANN)) }, at(hour)).ok().and_then(|(_, entry)| entry)),
            }
        }
        let mut again = Book::default();
        for entry in &log {
            let bytes = entry.bytes();
            let read = Entry::read(&bytes);
            prop_assert_eq!(read.as_ref(), Some(entry));
            prop_assert_eq!(Entry::read(&bytes[..bytes.len() - 1]), None);
            again.take(Entry::read(&bytes).unwrap());
        }
        prop_assert_eq!(again.breaks().collect::<Vec<_>>(), book.breaks().collect::<Vec<_>>());
        prop_assert_eq!(again.runs().collect::<Vec<_>>(), book.runs().collect::<Vec<_>>());
        let probe: Vec<Difference> = (0..3).flat_map(|one: u8| (0..3).map(move |gap: u8| differs(&one.to_string(), &gap.to_string()))).collect();
        prop_assert_eq!(again.news(&probe), book.news(&probe));
    }
}
