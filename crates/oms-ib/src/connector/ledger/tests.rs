use oms_model::Qty;

use super::*;
use crate::codec::{Execution, ExecutionReport, Notice, Number, OpenOrder, OrderState, OrderStatus, Size};

const OURS: i32 = 7;

fn wire(revision: u32) -> WireId {
    WireId::derive(OrderId::from_u128(1), revision)
}

fn terms(qty: i64, price: &str) -> PlaceOrder {
    let order = Order {
        client_id: OURS,
        order_id: 5,
        action: "BUY".to_owned(),
        quantity: Size(Number::whole(qty)),
        order_type: "LMT".to_owned(),
        limit: Some(price.parse().unwrap()),
        order_ref: wire(0).to_string(),
        ..Order::default()
    };
    let contract = Contract { symbol: "IBM".to_owned(), ..Contract::default() };
    PlaceOrder { order_id: 5, contract, order }
}

/// A ledger with one order that left.
fn ledger() -> Ledger {
    let mut ledger = Ledger::new(OURS, "DU1");
    ledger.placed(&wire(0), terms(100, "20"));
    ledger
}

fn notice(code: i32) -> Reply {
    Reply::Notice(Notice { id: 5, code, text: "words".to_owned(), ..Notice::default() })
}

fn status(word: &str, perm_id: i64, filled: i64) -> Reply {
    let (filled, remaining) = (Size(Number::whole(filled)), Size(Number::whole(100 - filled)));
    Reply::OrderStatus(OrderStatus {
        order_id: 5,
        status: word.to_owned(),
        filled,
        remaining,
        perm_id,
        client_id: OURS,
        ..OrderStatus::default()
    })
}

fn open(place: PlaceOrder, perm_id: i64, word: &str) -> Reply {
    let order = Order { perm_id, ..place.order };
    Reply::OpenOrder(OpenOrder {
        order_id: 5,
        contract: place.contract,
        order,
        state: OrderState { status: word.to_owned(), ..OrderState::default() },
    })
}

fn execution(exec_id: &str, shares: i64) -> Reply {
    let execution = Execution {
        order_id: 5,
        exec_id: exec_id.to_owned(),
        time: "20261113 14:30:00 UTC".to_owned(),
        account: "DU1".to_owned(),
        shares: Size(Number::whole(shares)),
        price: Number::whole(20),
        perm_id: 9,
        client_id: OURS,
        order_ref: wire(0).to_string(),
        ..Execution::default()
    };
    Reply::Execution(ExecutionReport { req_id: -1, execution, ..ExecutionReport::default() })
}

fn kinds(heard: &Heard) -> Vec<&'static str> {
    let kind = |body: &ReportBody| match body {
        ReportBody::Accepted { .. } => "accepted",
        ReportBody::Rejected { .. } => "rejected",
        ReportBody::Fill { .. } => "fill",
        ReportBody::Corrected { .. } => "corrected",
        ReportBody::Canceled { .. } => "canceled",
        ReportBody::CancelRejected { .. } => "cancel rejected",
        ReportBody::Replaced { .. } => "replaced",
        ReportBody::ReplaceRejected { .. } => "replace rejected",
        ReportBody::Commission { .. } => "commission",
        _ => "other",
    };
    heard.reports.iter().map(|(_, body)| kind(body)).collect()
}

fn state(ledger: &Ledger) -> VenueState {
    ledger.get(&wire(0)).unwrap().state
}

#[test]
fn only_what_the_table_calls_a_refusal_ends_an_order_that_was_not_taken() {
    for code in [110, 200, 201, 203, 321, 387, 434] {
        let mut ledger = ledger();
        assert_eq!(kinds(&ledger.take(&notice(code), false)), ["rejected"], "{code}");
    }
    for code in [399, 404, 10349, 2109, 666, -3] {
        let mut ledger = ledger();
        let heard = ledger.take(&notice(code), false);
        assert!(heard.reports.is_empty() && state(&ledger) == VenueState::Live, "{code}");
        // One that is not known is asked about.
        assert_eq!(heard.look, [666, -3].contains(&code), "{code}");
    }
}

#[test]
fn a_warning_about_an_order_that_works_ends_nothing() {
    let mut ledger = ledger();
    assert_eq!(kinds(&ledger.take(&status("Submitted", 9, 0), false)), ["accepted"]);
    for code in [110, 201, 399, 666] {
        assert!(ledger.take(&notice(code), false).reports.is_empty(), "{code}");
    }
    assert_eq!(state(&ledger), VenueState::Live);
    // A refusal is one where the status says so too.
    assert_eq!(kinds(&ledger.take(&status("Inactive", 9, 0), false)), ["rejected"]);
}

#[test]
fn a_cancel_is_confirmed_with_a_status_or_without_one() {
    for reply in [notice(202), status("Cancelled", 9, 0), status("ApiCancelled", 0, 0)] {
        let mut ledger = ledger();
        ledger.take(&status("Submitted", 9, 0), false);
        ledger.cancel_left(&wire(1), 5);
        let heard = ledger.take(&reply, false);
        assert!(matches!(&heard.reports[..], [(_, ReportBody::Canceled { wire_id, .. })] if *wire_id == wire(1)), "{heard:?}");
        assert!(ledger.take(&notice(202), false).reports.is_empty(), "once");
        assert!(ledger.take(&status("Submitted", 9, 0), false).reports.is_empty(), "a late word does not bring it back");
        assert_eq!(state(&ledger), VenueState::Canceled);
    }
}

#[test]
fn statuses_never_move_quantities_and_executions_always_do() {
    let mut ledger = ledger();
    ledger.take(&status("Filled", 9, 100), false);
    let order = ledger.get(&wire(0)).unwrap();
    assert!(!order.agrees() && order.state == VenueState::Live, "an execution is missing");
    assert_eq!(kinds(&ledger.take(&execution("a.b.01", 100), false)), ["accepted", "fill"]);
    let order = ledger.get(&wire(0)).unwrap();
    assert!(order.agrees() && order.state == VenueState::Filled);
    assert_eq!(order.traded(), Qty::from_units(100).unwrap());
}

#[test]
fn corrections_count_up_and_older_ones_are_passed_over() {
    let mut ledger = ledger();
    assert_eq!(kinds(&ledger.take(&execution("a.b.01", 100), false)), ["accepted", "fill"]);
    assert_eq!(kinds(&ledger.take(&execution("a.b.03", 80), false)), ["corrected"]);
    assert!(ledger.take(&execution("a.b.02", 90), true).reports.is_empty());
    assert!(ledger.take(&execution("a.b.01", 100), true).reports.is_empty());
    assert_eq!(ledger.get(&wire(0)).unwrap().traded(), Qty::from_units(80).unwrap());
    // Told again, it is told as what it is.
    assert_eq!(kinds(&ledger.take(&execution("a.b.03", 80), true)), ["corrected"]);
}

#[test]
fn a_commission_that_is_early_waits_for_its_execution() {
    let mut ledger = ledger();
    let commission =
        Commission { exec_id: "a.b.01".to_owned(), amount: "1.5".parse().unwrap(), currency: "USD".to_owned(), ..Commission::default() };
    assert!(ledger.take(&Reply::Commission(commission.clone()), false).reports.is_empty());
    assert_eq!(kinds(&ledger.take(&execution("a.b.01", 100), false)), ["accepted", "fill", "commission"]);
    assert!(ledger.take(&Reply::Commission(commission), false).reports.is_empty());
}

#[test]
fn an_order_is_known_by_reference_then_permanent_id_then_numbers_that_agree() {
    let mut ledger = ledger();
    let heard = ledger.take(&open(terms(100, "20"), 9, "Submitted"), false);
    assert_eq!(heard.about, Some(OrderId::from_u128(1)));
    let mut nameless = terms(100, "20");
    nameless.order.order_ref.clear();
    assert!(ledger.take(&open(nameless.clone(), 9, "Submitted"), false).about.is_some());
    // The same numbers on something else are somebody else's: ids were given out again.
    nameless.contract.symbol = "BAC".to_owned();
    let heard = ledger.take(&open(nameless, 77, "Submitted"), false);
    assert_eq!((heard.about, ledger.foreign().count()), (None, 1));
}

#[test]
fn what_the_log_says_makes_the_same_ledger() {
    let mut live = ledger();
    let replies = [open(terms(100, "20"), 9, "Submitted"), execution("a.b.01", 40), status("Submitted", 9, 40), notice(10_148)];
    let mut again = ledger();
    live.cancel_left(&wire(1), 5);
    again.recall(Record::Cancel(wire(1), 5));
    for reply in replies {
        live.take(&reply, false);
        again.recall(Record::read(&Record::Heard(Box::new(reply)).bytes()).unwrap());
    }
    assert_eq!(live.get(&wire(0)), again.get(&wire(0)));
    assert_eq!(live.highest_id, 5);
}

#[test]
fn new_terms_without_a_permanent_id_are_not_taken_for_those_of_the_order() {
    let mut ledger = ledger();
    ledger.take(&open(terms(100, "20"), 7, "Inactive"), false);
    ledger.placed(&wire(1), terms(150, "21"));
    // A second order under the id, whose permanent id is not given yet, and its end.
    for word in ["Submitted", "Cancelled"] {
        let heard = ledger.take(&open(terms(150, "21"), 0, word), false);
        let claims = |(_, body): &(Option<Time>, ReportBody)| matches!(body, ReportBody::Replaced { .. } | ReportBody::Canceled { .. });
        assert!(!heard.reports.iter().any(claims), "{word}: {:?}", heard.reports);
    }
    assert_eq!(ledger.get(&wire(0)).unwrap().state, VenueState::Live);
    // With it, they are.
    let heard = ledger.take(&open(terms(150, "21"), 7, "Submitted"), false);
    assert!(heard.reports.iter().any(|(_, body)| matches!(body, ReportBody::Replaced { .. })), "{:?}", heard.reports);
}
