use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::codec::encode::Writer;
use crate::codec::scan::{Span, View, scan};
use crate::dictionary::fix44;
use crate::venue::dialect::Dialect;
use oms_model::Price;

fn wire(order: u128, revision: u32) -> WireId {
    WireId::derive(OrderId::from_u128(order), revision)
}

fn terms(qty: i64) -> Terms {
    Terms { order_qty: Qty::from_units(qty).unwrap(), price: Some("20".parse::<Price>().unwrap()), ..Terms::unknown() }
}

/// A message of the venue, taken in.
fn take(ledger: &mut Ledger, text: &str) -> Heard {
    let mut bytes = Vec::new();
    let writer = Writer::begin(&mut bytes, b"FIX.4.4");
    bytes.extend_from_slice(text.replace('|', "\u{1}").as_bytes());
    writer.end(&mut bytes);
    let mut spans: Vec<Span> = Vec::new();
    scan(&bytes, fix44(), usize::MAX, &mut spans).unwrap();
    let dialect = Dialect::default();
    ledger.take(&Said::new(View::new(&bytes, &spans), &dialect))
}

fn fill(order: u128, exec: u32, qty: i64, again: bool) -> String {
    let again = if again { "97=Y|" } else { "" };
    format!(
        "35=8|{again}11={}|17=X{exec}|31=20|32={qty}|37=B{order}|38=100|39=1|54=1|55=BAC|60=20261127-12:00:00|150=F|",
        wire(order, 0).as_str()
    )
}

/// What may happen to one order.
#[derive(Clone, Debug)]
enum Happening {
    Accept,
    /// An execution, perhaps said before.
    Fill(u32, bool),
    Bust(u32),
    Cancel,
    Lost,
    Anew,
    /// The venue asks for everything from a number on.
    Ask(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        2 => Just(Happening::Accept),
        6 => (0_u32..6, any::<bool>()).prop_map(|(exec, again)| Happening::Fill(exec, again)),
        2 => (0_u32..6).prop_map(Happening::Bust),
        1 => Just(Happening::Cancel),
        1 => Just(Happening::Lost),
        1 => Just(Happening::Anew),
        1 => (1_u64..4).prop_map(Happening::Ask),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever the order and however often things are said: each execution counts once, one that was taken back counts not
    /// at all, what the venue spoke of was there, and an order is filled exactly when it is wholly executed.
    #[test]
    fn what_is_known_follows_from_what_was_said(happenings in prop::collection::vec(happening(), 0..40)) {
        let mut ledger = Ledger::new();
        ledger.hand_order(&wire(1, 0), terms(100));
        ledger.number(2, Subject::Intent(wire(1, 0)));
        let (mut executed, mut busted) = (BTreeMap::new(), std::collections::BTreeSet::new());
        let (mut spoken, mut skipped, mut canceled, mut numbered) = (false, false, false, true);
        for happening in &happenings {
            match happening {
                Happening::Accept => {
                    take(&mut ledger, &format!("35=8|11={}|17=N|37=B1|39=0|150=0|60=20261127-12:00:00|", wire(1, 0).as_str()));
                    spoken = true;
                }
                Happening::Fill(exec, again) => {
                    let heard = take(&mut ledger, &fill(1, *exec, 25, *again));
                    let news = !busted.contains(exec) && executed.insert(*exec, 25).is_none();
                    if busted.contains(exec) { executed.remove(exec); }
                    prop_assert_eq!(heard.is_news || !news, true);
                    prop_assert_eq!(heard.reports.len(), 1);
                    spoken = true;
                }
                Happening::Bust(exec) => {
                    let text = format!("35=8|11={}|17=Y{exec}|19=X{exec}|37=B1|39=1|54=1|55=BAC|60=20261127-12:00:00|150=H|", wire(1, 0).as_str());
                    take(&mut ledger, &text);
                    executed.remove(exec);
                    busted.insert(*exec);
                }
                Happening::Cancel => {
                    let text = format!("35=8|11={}|17=N|37=B1|39=4|150=4|60=20261127-12:00:00|", wire(1, 0).as_str());
                    let before = executed.values().sum::<i64>();
                    take(&mut ledger, &text);
                    canceled |= before < 100;
                    spoken = true;
                }
                Happening::Lost => ledger.lost(),
                Happening::Anew => { ledger.begin_anew(); numbered = false; }
                Happening::Ask(from) => {
                    let asked = ledger.skipped(*from, 9);
                    let proof = numbered && *from <= 2 && !spoken && !skipped;
                    prop_assert_eq!(asked.len(), usize::from(proof));
                    skipped |= proof;
                }
            }
        }
        let order = ledger.get(&wire(1, 0)).unwrap();
        let own: BTreeMap<String, Qty> = order.fills.iter().map(|(_, fill)| (fill.exec_id.as_str().to_owned(), fill.last_qty)).collect();
        let expected: BTreeMap<String, Qty> = executed.iter().map(|(exec, qty)| (format!("X{exec}"), Qty::from_units(*qty).unwrap())).collect();
        prop_assert_eq!(own, expected);
        let whole = Qty::from_units(100).unwrap() <= order.traded();
        if !canceled {
            prop_assert_eq!(order.state == VenueState::Filled, whole);
        }
        prop_assert_eq!(spoken, order.heard);
        prop_assert_eq!(order.sending == Sending::Skipped, skipped);
        let open = ledger.open().count();
        prop_assert_eq!(open == 1, order.heard && order.state == VenueState::Live);
    }
}

#[test]
fn an_order_is_found_by_the_venues_own_id() {
    let mut ledger = Ledger::new();
    ledger.hand_order(&wire(1, 0), terms(100));
    take(&mut ledger, &fill(1, 1, 25, false));
    let heard = take(&mut ledger, "35=8|17=N|37=B1|39=4|150=4|58=over|60=20261127-12:00:00|");
    assert!(matches!(&heard.reports[0].1, ReportBody::Canceled { wire_id, .. } if *wire_id == wire(1, 0)));
    assert_eq!(ledger.get(&wire(1, 0)).unwrap().state, VenueState::Canceled);
}

/// What was asked for is no word of the venue, which may have made more of it.
#[test]
fn a_quantity_that_the_venue_does_not_say_is_not_told() {
    let mut ledger = Ledger::new();
    ledger.hand_order(&wire(1, 0), terms(100));
    for (said, told) in [("", None), ("38=80|", Some(Qty::from_units(80).unwrap()))] {
        let (new, old) = (wire(1, 1), wire(1, 0));
        let text = format!("35=8|11={}|41={}|17=R|37=B1|{said}39=5|150=5|60=20261127-12:00:00|", new.as_str(), old.as_str());
        let heard = take(&mut ledger, &text);
        assert!(matches!(&heard.reports[0].1, ReportBody::Replaced { order_qty, .. } if *order_qty == told), "{heard:?}");
    }
}

#[test]
fn the_oldest_that_ended_are_forgotten_and_it_is_said() {
    let mut ledger = Ledger::new();
    assert!(ledger.executions_since(Time(i64::MIN)).1);
    for order in 0..MAX_ENDED as u128 + 2 {
        ledger.hand_order(&wire(order + 1, 0), terms(100));
        let standing = ledger.orders.get_mut(&OrderId::from_u128(order + 1)).unwrap();
        (standing.heard, standing.state) = (true, VenueState::Canceled);
        ledger.track(OrderId::from_u128(order + 1));
        if order == 0 {
            let standing = ledger.orders.get_mut(&OrderId::from_u128(1)).unwrap();
            standing.fills.push((Time(5), oms_model::report::VenueFill::default()));
        }
    }
    assert_eq!((ledger.orders.len(), ledger.may_work()), (MAX_ENDED, 0));
    assert!(ledger.has_forgotten() && ledger.get(&wire(1, 0)).is_none());
    assert!(!ledger.executions_since(Time(5)).1 && ledger.executions_since(Time(6)).1);
}

#[test]
fn a_charge_for_the_whole_execution_is_told_beside_it() {
    let mut ledger = Ledger::new();
    ledger.hand_order(&wire(1, 0), terms(100));
    let text = format!("{}12=1.25|13=3|15=USD|", fill(1, 1, 25, false));
    let heard = take(&mut ledger, &text);
    let [(_, ReportBody::Fill { fill, .. }), (_, ReportBody::Commission { commission, currency, .. })] = heard.reports.as_slice() else {
        panic!("{heard:?}")
    };
    assert_eq!((fill.fee_per_unit, currency.as_str(), commission.to_string()), (Price::ZERO, "USD", "1.25".to_owned()));
}

/// What may happen to some orders, in whatever order.
fn turn(ledger: &mut Ledger, what: u8, order: u128, number: u32) {
    let id = |revision| wire(order, revision);
    match what {
        0 => {
            let cash_order_qty = Some("12.5".parse().unwrap()).filter(|_| number.is_multiple_of(2));
            let (expire_at, quote_ref) = (Some(Time(7)), oms_model::QuoteRef::new("Q1").ok());
            ledger.hand_order(&id(0), Terms { cash_order_qty, expire_at, quote_ref, ..terms(100) });
        }
        1 => ledger.hand_request(&id(number), IntentKind::Cancel, None),
        2 => ledger.hand_request(&id(number), IntentKind::Replace, Some(terms(150))),
        3 => ledger.number(number.into(), Subject::Intent(id(number % 2))),
        4 => ledger.number(number.into(), Subject::Question(format!("ASK-{number}"))),
        5 => drop(ledger.skipped(number.into(), u64::MAX)),
        6 => drop(take(ledger, &fill(order, number, 25, false))),
        7 => {
            let text = format!("35=9|11={}|41={}|37=B{order}|39=0|434=1|60=20261127-12:00:00|", id(number).as_str(), id(0).as_str());
            drop(take(ledger, &text));
        }
        8 => drop(take(ledger, &format!("35=8|11={}|17=N|37=B{order}|39=4|150=4|60=20261127-12:00:00|", id(0).as_str()))),
        9 => drop(ledger.refused_message(&id(number), "no".to_owned())),
        10 => ledger.lost(),
        11 => ledger.begin_anew(),
        _ => ledger.hole(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Wherever it is saved: what is read again is the same, and goes on as it would have gone on.
    #[test]
    fn what_was_saved_goes_on_as_if_nothing_had_been(
        turns in prop::collection::vec((0_u8..13, 1_u128..4, 0_u32..6), 0..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(turns.len() + 1);
        let mut ledger = Ledger::new();
        turns[..cut].iter().for_each(|(what, order, number)| turn(&mut ledger, *what, *order, *number));
        let mut saved = Vec::new();
        ledger.save(&mut saved);
        let mut again = Ledger::load(&saved).expect("what was saved is read");
        prop_assert_eq!(&again, &ledger);
        prop_assert!(saved.is_empty() || Ledger::load(&saved[..saved.len() - 1]).is_none(), "what is cut off is not");
        for (what, order, number) in &turns[cut..] {
            turn(&mut ledger, *what, *order, *number);
            turn(&mut again, *what, *order, *number);
        }
        prop_assert_eq!(again, ledger);
    }
}
