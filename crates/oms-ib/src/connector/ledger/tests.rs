use oms_model::Qty;

use super::*;
use crate::codec::{CompletedOrder, Execution, ExecutionReport, Notice, Number, OpenOrder, OrderState, OrderStatus, Size};

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

fn done(place: PlaceOrder, perm_id: i64, word: &str, words: &str) -> Reply {
    let order = Order { perm_id, ..place.order };
    let state = OrderState { status: word.to_owned(), completed_status: words.to_owned(), ..OrderState::default() };
    Reply::CompletedOrder(CompletedOrder { contract: place.contract, order, state, filled: None })
}

/// An order that works, and new terms of it that were not answered; and what the log says of it.
fn asked() -> [Ledger; 2] {
    [ledger(), ledger()].map(|mut ledger| {
        ledger.take(&open(terms(100, "20"), 9, "Submitted"), false);
        ledger.placed(&wire(1), terms(150, "21"));
        ledger
    })
}

/// Takes in what is said, in the process that hears it and from its log.
fn say(ledgers: &mut [Ledger; 2], reply: &Reply) -> Heard {
    let heard = ledgers[0].take(reply, false);
    ledgers[1].recall(Record::Heard(Box::new(reply.clone())));
    assert_eq!(ledgers[0].get(&wire(0)), ledgers[1].get(&wire(0)), "{reply:?}");
    heard
}

fn look(ledgers: &mut [Ledger; 2]) -> Heard {
    let heard = ledgers[0].looked_at(OrderId::from_u128(1));
    if heard.is_news {
        ledgers[1].recall(Record::LookedAt(OrderId::from_u128(1)));
    }
    assert_eq!(ledgers[0].get(&wire(0)), ledgers[1].get(&wire(0)));
    heard
}

#[test]
fn an_end_waits_until_a_look_has_shown_that_new_terms_made_no_second_order() {
    // Not answered, and told to be refused, which may be the refusal of other terms told twice.
    for answer in [None, Some(110)] {
        let mut ledgers = asked();
        answer.map(|code| say(&mut ledgers, &notice(code)));
        let heard = say(&mut ledgers, &status("Cancelled", 9, 0));
        assert!(heard.reports.is_empty() && heard.look, "{answer:?}");
        assert!(ledgers[0].get(&wire(0)).unwrap().is_ending());
        assert_eq!(kinds(&look(&mut ledgers)), ["canceled"], "{answer:?}");
        let order = ledgers[0].get(&wire(0)).unwrap();
        assert!(order.state == VenueState::Canceled && order.requests[0].answer == Some(RequestState::Rejected));
        assert!(!look(&mut ledgers).is_news, "once");
    }
}

#[test]
fn a_look_before_the_end_is_enough_where_the_new_terms_were_refused() {
    let mut ledgers = asked();
    say(&mut ledgers, &notice(110));
    assert!(look(&mut ledgers).reports.is_empty());
    assert_eq!(kinds(&say(&mut ledgers, &status("Cancelled", 9, 0))), ["canceled"]);
    // What was not answered may be on its way to the market: of that only a look after the end says.
    let mut ledgers = asked();
    assert!(!look(&mut ledgers).is_news);
    assert!(say(&mut ledgers, &status("Cancelled", 9, 0)).reports.is_empty());
}

#[test]
fn a_second_order_that_a_look_shows_goes_on_where_the_first_has_ended() {
    let mut ledgers = asked();
    say(&mut ledgers, &status("Cancelled", 9, 0));
    say(&mut ledgers, &done(terms(100, "20"), 9, "Cancelled", "Cancelled by Trader"));
    assert_eq!(kinds(&say(&mut ledgers, &open(terms(150, "21"), 8, "Submitted"))), ["replaced"]);
    assert!(look(&mut ledgers).reports.is_empty());
    assert_eq!(state(&ledgers[0]), VenueState::Live);
    assert_eq!(kinds(&say(&mut ledgers, &status("Cancelled", 8, 0))), ["canceled"]);
}

#[test]
fn an_order_that_is_wholly_executed_waits_for_the_look_too() {
    let mut ledgers = asked();
    say(&mut ledgers, &execution("a.b.01", 100));
    assert!(ledgers[0].get(&wire(0)).unwrap().is_ending() && state(&ledgers[0]) == VenueState::Live);
    say(&mut ledgers, &done(terms(100, "20"), 9, "Filled", "Filled Size: 100"));
    assert_eq!(state(&ledgers[0]), VenueState::Live);
    assert!(look(&mut ledgers).reports.is_empty());
    assert_eq!(state(&ledgers[0]), VenueState::Filled);
}

#[test]
fn the_refusal_of_a_second_order_is_not_the_end_of_the_first() {
    let mut ledgers = asked();
    assert!(
        say(&mut ledgers, &done(terms(150, "21"), 8, "Inactive", "Rejected: no quote"))
            .reports
            .iter()
            .all(|(_, body)| { !matches!(body, ReportBody::Rejected { .. } | ReportBody::Canceled { .. }) })
    );
    assert!(look(&mut ledgers).reports.is_empty());
    assert_eq!(state(&ledgers[0]), VenueState::Live);
    // That it was refused does not make the end of the first a refusal.
    let heard = say(&mut ledgers, &status("Cancelled", 9, 0));
    let told = [kinds(&heard), kinds(&look(&mut ledgers))].concat();
    assert_eq!(told, ["canceled"]);
}

#[test]
fn what_others_executed_is_told_until_the_log_says_that_the_desk_has_it() {
    let Reply::Execution(mut report) = execution("a.b.01", 30) else { return };
    (report.execution.client_id, report.execution.order_id, report.execution.perm_id) = (0, 0, 77);
    report.execution.order_ref.clear();
    let mut live = ledger();
    let heard = live.take(&Reply::Execution(report.clone()), false);
    assert_eq!((kinds(&heard), heard.foreign.as_deref()), (vec!["fill"], Some("a.b")));
    let mut again = ledger();
    again.recall(Record::Heard(Box::new(Reply::Execution(report))));
    assert_eq!(again.untold(), [("a.b".to_owned(), heard.reports)]);
    again.recall(Record::Told("a.b".to_owned()));
    assert!(again.untold().is_empty());
}

#[test]
fn what_others_paid_is_told_with_their_execution_whichever_came_first() {
    let Reply::Execution(mut report) = execution("a.b.01", 30) else { return };
    (report.execution.client_id, report.execution.order_id, report.execution.perm_id) = (0, 0, 77);
    report.execution.order_ref.clear();
    let executed = Reply::Execution(report);
    let charged = |amount: &str| {
        let (exec_id, amount, currency) = ("a.b.01".to_owned(), amount.parse().unwrap(), "USD".to_owned());
        Reply::Commission(Commission { exec_id, amount, currency, ..Commission::default() })
    };
    for said in [[&executed, &charged("1.05")], [&charged("1.05"), &executed]] {
        let mut live = ledger();
        let heard: Vec<Heard> = said.iter().map(|reply| live.take(reply, false)).collect();
        assert_eq!(heard.iter().flat_map(kinds).collect::<Vec<_>>(), ["fill", "commission"]);
        assert_eq!(heard.last().and_then(|last| last.foreign.as_deref()), Some("a.b"));
        let bodies = live.untold()[0].1.clone();
        assert!(
            matches!(&bodies[1].1, ReportBody::Commission { wire_id, exec_id, commission, currency }
                if wire_id.as_str() == "perm.77" && exec_id.as_str() == "a.b.01" && commission.to_string() == "1.05" && *currency == Currency::USD),
            "{bodies:?}"
        );
        // Told again it is no news; another amount is.
        assert!(live.take(&charged("1.05"), false).reports.is_empty());
        assert_eq!(kinds(&live.take(&charged("0.35"), false)), ["commission"]);
    }
}
