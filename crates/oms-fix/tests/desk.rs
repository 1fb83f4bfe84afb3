//! What clients ask of the desk by FIX, and what they are told: the pairs of execution type and order status.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "desk/client.rs"]
mod client;
#[path = "desk/stage.rs"]
mod stage;

use std::ops::ControlFlow;
use std::time::Duration;

use client::{Client, NOW};
use oms_fix::desk::{CopyFilter, user_of};
use oms_fix::session::Phase;
use oms_fix::session::config::{Credentials, Secret, SessionId};
use oms_fix::session::outbox::Acted;
use oms_fix::session::schedule::Schedule;
use oms_fix::store::{Direction, Past, past};
use oms_identity::Scopes;
use oms_model::command::{Change, Command, CommandOutcome, NewOrder, NewQuote, OrderRef};
use oms_model::limit::Scope;
use oms_model::report::{ReportBody, VenueFill};
use oms_model::{IntentKind, OrdType, WireId};
use oms_store::Journal as _;
use oms_testkit::fixture::dec;
use stage::{Desk, XNAS};

/// An order that its venue works.
async fn working(desk: &mut Desk, client: &mut Client, id: &str, qty: &str) -> WireId {
    client.order(id, qty, &[]).await;
    let new = client.report("0", "0").await;
    assert_eq!((new.get(11), new.get(14), new.get(151), new.get(38)), (id, "0", qty, qty));
    let wire_id = desk.taken(IntentKind::New).await;
    desk.ack(&wire_id);
    wire_id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_filled_in_parts() {
    let mut desk = Desk::open().await;
    let mut client = desk.client("C1", |_| ()).await;
    let wire_id = working(&mut desk, &mut client, "A1", "100").await;
    desk.fill(&wire_id, "X1", "40", "20.00");
    let part = client.report("F", "1").await;
    assert_eq!((part.get(32), part.get(31), part.get(14), part.get(151), part.get(6)), ("40", "20", "40", "60", "20"));
    assert_eq!((part.get(17), part.get(30), part.get(1), part.get(55), part.get(54)), ("XNAS-X1", "XNAS", "main", "XYZ", "1"));
    // The venue says it twice; the client is told once.
    desk.fill(&wire_id, "X1", "40", "20.00");
    desk.fill(&wire_id, "X2", "60", "19.95");
    let whole = client.report("F", "2").await;
    assert_eq!((whole.get(17), whole.get(14), whole.get(151), whole.get(6)), ("XNAS-X2", "100", "0", "19.97"));
    assert_eq!((whole.get(37), whole.get(11)), (part.get(37), "A1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancels_and_replaces_go_by_their_own_ids() {
    let mut desk = Desk::open().await;
    let mut client = desk.client("C1", |_| ()).await;
    let wire_id = working(&mut desk, &mut client, "A1", "100").await;
    client.replace("R1", "A1", "80", "19.99").await;
    let pending = client.report("E", "E").await;
    assert_eq!((pending.get(11), pending.get(41), pending.get(38)), ("R1", "A1", "100"));
    let asked = desk.taken(IntentKind::Replace).await;
    desk.report(ReportBody::Replaced { wire_id: asked.clone(), order_qty: None });
    let replaced = client.report("5", "0").await;
    assert_eq!((replaced.get(11), replaced.get(41), replaced.get(38), replaced.get(44)), ("R1", "A1", "80", "19.99"));
    desk.fill(&asked, "X1", "30", "19.99");
    assert_eq!(client.report("F", "1").await.get(11), "R1");
    // A replace that the venue refuses leaves the order as it was.
    client.replace("R2", "R1", "90", "19.99").await;
    client.report("E", "E").await;
    let asked = desk.taken(IntentKind::Replace).await;
    desk.report(ReportBody::ReplaceRejected { wire_id: asked, text: "no".to_owned() });
    let refused = client.next().await;
    assert_eq!((refused.get(35), refused.get(434), refused.get(39), refused.get(11), refused.get(41)), ("9", "2", "1", "R2", "R1"));
    client.cancel("K1", "R1").await;
    let pending = client.report("6", "6").await;
    assert_eq!((pending.get(11), pending.get(41)), ("K1", "R1"));
    let asked = desk.taken(IntentKind::Cancel).await;
    desk.report(ReportBody::CancelRejected { wire_id: asked, text: "too busy".to_owned() });
    let refused = client.next().await;
    assert_eq!((refused.get(35), refused.get(434), refused.get(39), refused.get(11), refused.get(41)), ("9", "1", "1", "K1", "R1"));
    client.cancel("K2", "R1").await;
    client.report("6", "6").await;
    // An execution crosses the cancel.
    desk.fill(&wire_id, "X2", "10", "19.99");
    let crossed = client.report("F", "6").await;
    assert_eq!((crossed.get(14), crossed.get(151)), ("40", "40"));
    let asked = desk.taken(IntentKind::Cancel).await;
    desk.report(ReportBody::Canceled { wire_id: asked, text: String::new() });
    let canceled = client.report("4", "4").await;
    assert_eq!((canceled.get(11), canceled.get(41), canceled.get(14), canceled.get(151)), ("K2", "R1", "40", "0"));
    client.cancel("K3", "R1").await;
    let late = client.next().await;
    assert_eq!((late.get(35), late.get(434), late.get(102), late.get(39), late.get(11)), ("9", "1", "0", "4", "K3"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_refused_with_its_reason() {
    let mut desk = Desk::open().await;
    let mut client = desk.client("C1", |_| ()).await;
    for (id, more, reason, code) in [
        ("N1", [(55, "NOSUCH")].as_slice(), "1", "UNKNOWN_SYMBOL"),
        ("N2", &[(44, "20.001")], "99", "INVALID_TICK"),
        ("N3", &[(1, "nobody")], "15", "NOT_FOUND"),
        ("N4", &[(110, "10")], "11", "ORDER_TYPE_UNSUPPORTED"),
        ("N5", &[(40, "E")], "11", "ORDER_TYPE_UNSUPPORTED"),
        ("N6", &[(15, "EUR")], "99", "CURRENCY_MISMATCH"),
        ("N7", &[(44, "")], "99", "VALIDATION_ERROR"),
        ("N8", &[(54, "8")], "11", "ORDER_TYPE_UNSUPPORTED"),
    ] {
        client.order(id, "100", more).await;
        let refused = client.report("8", "8").await;
        assert_eq!((refused.get(11), refused.get(103), refused.get(151)), (id, reason, "0"), "{refused:?}");
        assert!(refused.get(58).starts_with(code), "{refused:?}");
    }
    working(&mut desk, &mut client, "A1", "100").await;
    client.order("A1", "100", &[]).await;
    assert_eq!(client.report("8", "8").await.get(103), "6");
    // Sent again in case it had not come: the order stands, and nothing is refused.
    let mut again = oms_fix::session::outbox::Outgoing::new(b"D");
    again.header.text(97, "Y");
    again.body.text(11, "A1").text(38, "100").text(40, "2").text(44, "20.00").text(54, "1").text(55, "XYZ").text(60, NOW);
    client.session.send(again).await.unwrap();
    assert_eq!(client.report("I", "0").await.get(11), "A1");
    for (orig, text) in [("A9", "NOT_FOUND"), ("N2", "STATE_CONFLICT")] {
        client.cancel("K1", orig).await;
        let refused = client.next().await;
        assert_eq!((refused.get(35), refused.get(11), refused.get(41)), ("9", "K1", orig));
        assert!(refused.get(58).starts_with(text), "{refused:?}");
    }
    client.send("F", &[(11, "K2"), (38, "100"), (41, "A1"), (54, "2"), (55, "XYZ"), (60, NOW)]).await;
    assert_eq!((client.next().await.get(102)), "99", "another side");
    client.replace("A1", "A1", "50", "20.00").await;
    assert_eq!((client.next().await.get(102)), "6", "a name that was used");
    client.send("Q", &[(17, "X1"), (37, "O1"), (54, "1"), (55, "XYZ"), (127, "A")]).await;
    let refused = client.next().await;
    assert_eq!((refused.get(35), refused.get(372), refused.get(380)), ("j", "Q", "3"), "{refused:?}");
    // Of another session there are no orders.
    let mut other = desk.client("C2", |_| ()).await;
    other.cancel("K9", "A1").await;
    assert_eq!((other.next().await.get(102)), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trades_are_taken_back_and_corrected() {
    let mut desk = Desk::open().await;
    let mut client = desk.client("C1", |_| ()).await;
    let wire_id = working(&mut desk, &mut client, "A1", "100").await;
    desk.fill(&wire_id, "X1", "100", "20.00");
    client.report("F", "2").await;
    let fill = VenueFill { exec_id: "Y1".parse().unwrap(), last_qty: dec("90"), last_px: dec("19.99"), ..VenueFill::default() };
    desk.report(ReportBody::Corrected { wire_id: wire_id.clone(), exec_ref: "X1".parse().unwrap(), fill, text: "wrong".to_owned() });
    let corrected = client.report("G", "1").await;
    assert_eq!((corrected.get(19), corrected.get(32), corrected.get(31)), ("XNAS-X1", "90", "19.99"));
    assert_eq!((corrected.get(14), corrected.get(151), corrected.get(6)), ("90", "10", "19.99"));
    let (exec_ref, exec_id) = ("X1".parse().unwrap(), "Y2".parse().unwrap());
    desk.report(ReportBody::Busted { wire_id, exec_ref, exec_id, text: "erroneous".to_owned() });
    let busted = client.report("H", "0").await;
    assert_eq!((busted.get(19), busted.get(14), busted.get(151), busted.get(6)), ("XNAS-X1", "0", "100", "0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_asked_about_and_canceled_together() {
    let mut desk = Desk::open().await;
    let mut client = desk.client("C1", |_| ()).await;
    let first = working(&mut desk, &mut client, "A1", "100").await;
    working(&mut desk, &mut client, "A2", "50").await;
    desk.fill(&first, "X1", "40", "20.00");
    client.report("F", "1").await;
    client.send("H", &[(11, "A1"), (54, "1"), (55, "XYZ"), (790, "Q1")]).await;
    let status = client.report("I", "1").await;
    assert_eq!((status.get(11), status.get(790), status.get(14), status.get(151)), ("A1", "Q1", "40", "60"));
    client.send("H", &[(11, "A9"), (54, "1"), (55, "XYZ")]).await;
    assert_eq!(client.report("I", "8").await.get(103), "5");
    client.send("AF", &[(584, "M1"), (585, "7")]).await;
    let (one, two) = (client.report("I", "1").await, client.report("I", "0").await);
    assert_eq!((one.get(911), one.get(912), one.get(584)), ("2", "N", "M1"));
    assert_eq!((two.get(911), two.get(912), two.get(11)), ("2", "Y", "A2"));
    client.send("q", &[(11, "Q9"), (530, "1"), (55, "ABC"), (60, NOW)]).await;
    let none = client.next().await;
    assert_eq!((none.get(35), none.get(531), none.get(533)), ("r", "1", "0"));
    client.send("q", &[(11, "Q8"), (530, "1"), (55, "NOSUCH"), (60, NOW)]).await;
    assert_eq!((client.next().await.get(532)), "1");
    client.send("q", &[(11, "Q7"), (530, "7"), (60, NOW)]).await;
    // An order behind it is not meant by it.
    client.order("A3", "70", &[]).await;
    // What the log says of it and the answer to the request come in either order.
    let mut both = [client.next().await, client.next().await];
    both.sort_by_key(|told| told.get(35) != "r");
    let [taken, new] = &both;
    assert_eq!((taken.get(35), taken.get(531), taken.get(533), taken.get(534)), ("r", "7", "2", "2"));
    assert_eq!((new.pair(), new.get(11)), (("0", "0"), "A3"));
    for _ in 0..2 {
        let asked = desk.taken(IntentKind::Cancel).await;
        desk.report(ReportBody::Canceled { wire_id: asked, text: String::new() });
    }
    let ended = [client.report("4", "4").await, client.report("4", "4").await];
    let mut names: Vec<&str> = ended.iter().map(|report| report.get(11)).collect();
    names.sort_unstable();
    assert_eq!(names, ["A1", "A2"]);
    desk.taken(IntentKind::New).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_while_the_client_is_away_is_told_when_it_is_back() {
    let mut desk = Desk::open().await;
    let mut client = desk.client("C1", |_| ()).await;
    let wire_id = working(&mut desk, &mut client, "A1", "100").await;
    client.session.logout("").await.unwrap();
    client.phase(Phase::Down).await;
    desk.fill(&wire_id, "X1", "40", "20.00");
    let order = OrderRef::ClOrdId("A1".parse().unwrap());
    let change = Change { order_qty: Some(dec("90")), ..Change::default() };
    let outcome = desk.run(Command::ReplaceOrder { order: order.clone(), change, if_version: None }).await;
    assert!(matches!(outcome, CommandOutcome::Pending { .. }), "{outcome:?}");
    let asked = desk.taken(IntentKind::Replace).await;
    desk.report(ReportBody::Replaced { wire_id: asked, order_qty: None });
    desk.run(Command::CancelOrder { order, if_version: None }).await;
    let asked = desk.taken(IntentKind::Cancel).await;
    desk.report(ReportBody::Canceled { wire_id: asked, text: String::new() });
    // The client comes back by itself.
    assert_eq!(client.report("F", "1").await.get(14), "40");
    let restated = client.report("D", "1").await;
    assert_eq!((restated.get(378), restated.get(38), restated.get(11)), ("2", "90", "A1"));
    let canceled = client.report("4", "4").await;
    assert_eq!((canceled.get(11), canceled.get(41), canceled.get(14)), ("A1", "", "40"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_stays_away_has_its_orders_canceled() {
    let mut desk = Desk::open().await;
    let mut client = desk.client("C1", |profile| profile.cancel_after = Some(Duration::from_millis(1))).await;
    working(&mut desk, &mut client, "A1", "100").await;
    client.session.logout("").await.unwrap();
    let asked = desk.taken(IntentKind::Cancel).await;
    desk.report(ReportBody::Canceled { wire_id: asked, text: String::new() });
    assert_eq!(client.report("4", "4").await.get(11), "A1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_copy_is_told_of_everybodys_orders_and_sends_none() {
    let mut desk = Desk::open().await;
    let mut client = desk.client("C1", |_| ()).await;
    let mut copy = desk.client("COMPLIANCE", |profile| profile.copies = Some(CopyFilter::default())).await;
    let mut other = desk
        .client("OTHER", |profile| profile.copies = Some(CopyFilter { accounts: vec!["elsewhere".to_owned()], users: Vec::new() }))
        .await;
    let wire_id = working(&mut desk, &mut client, "A1", "100").await;
    let new = copy.report("0", "0").await;
    assert_eq!((new.get(11), new.get(797), new.get(453), new.get(452)), ("A1", "Y", "1", "11"));
    assert_eq!((new.get(1), new.get(448)), ("main", user_of(&SessionId::fix44("OMS", "C1")).to_string().as_str()));
    desk.fill(&wire_id, "X1", "40", "20.00");
    let (told, copied) = (client.report("F", "1").await, copy.report("F", "1").await);
    assert_eq!((told.get(17), told.get(14), told.get(37)), (copied.get(17), copied.get(14), copied.get(37)));
    client.cancel("K1", "A1").await;
    copy.report("6", "6").await;
    desk.taken(IntentKind::Cancel).await;
    // An order from another door.
    let order = NewOrder {
        symbol: "XYZ".parse().unwrap(),
        ord_type: OrdType::Limit,
        order_qty: dec("10"),
        price: Some(dec("19.00")),
        ..NewOrder::default()
    };
    desk.run(Command::CreateOrder(Box::new(order))).await;
    let new = copy.report("0", "0").await;
    assert_eq!(new.get(38), "10");
    for (msg_type, fields) in [
        ("D", vec![(11, "N1"), (38, "1"), (40, "1"), (54, "1"), (55, "XYZ"), (60, NOW)]),
        ("F", vec![(11, "N2"), (38, "100"), (41, "A1"), (54, "1"), (55, "XYZ"), (60, NOW)]),
        ("q", vec![(11, "N3"), (530, "7"), (60, NOW)]),
    ] {
        for copy in [&mut copy, &mut other] {
            copy.send(msg_type, &fields).await;
            // Nothing of the orders came to the one before this.
            let refused = copy.next().await;
            assert_eq!((refused.get(35), refused.get(372), refused.get(380)), ("j", msg_type, "6"));
        }
    }
    // What happens while it is away it is told when it is back.
    copy.session.logout("later").await.unwrap();
    copy.phase(Phase::Down).await;
    desk.fill(&wire_id, "X2", "10", "20.00");
    client.report("6", "6").await;
    client.report("F", "6").await;
    let told = copy.report("F", "6").await;
    assert_eq!((told.get(32), told.get(14), told.get(797)), ("10", "50", "Y"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_worked_by_the_strategy_that_it_names() {
    let mut desk = Desk::open().await;
    let mut client = desk.client("C1", |_| ()).await;
    let order = |id| [(11, id), (38, "100"), (40, "2"), (44, "20.00"), (54, "1"), (55, "XYZ"), (60, NOW)];
    let slices = [(847, "1006"), (957, "2"), (958, "slice_qty"), (960, "40"), (958, "interval_ms"), (960, "20")];
    client.send("D", &[order("A1").as_slice(), &slices].concat()).await;
    client.report("0", "0").await;
    // A slice at a time: each is an order at the venue, and what is executed of it is the client's.
    for (exec_id, cum, status) in [("X1", "40", "1"), ("X2", "80", "1"), ("X3", "100", "2")] {
        let wire_id = desk.taken(IntentKind::New).await;
        desk.ack(&wire_id);
        desk.fill(&wire_id, exec_id, if cum == "100" { "20" } else { "40" }, "20.00");
        let told = client.report("F", status).await;
        assert_eq!((told.get(11), told.get(14), told.get(38)), ("A1", cum, "100"));
    }
    // What is not a strategy, what it does not take, and a change of it.
    for (id, fields, reason, code) in [
        ("B1", vec![(847, "4")], "11", "ORDER_TYPE_UNSUPPORTED"),
        ("B2", vec![(847, "1001"), (957, "1"), (958, "speed"), (960, "9")], "99", "VALIDATION_ERROR"),
        ("B3", vec![(847, "1001"), (957, "1"), (958, "slice_qty"), (960, "9")], "99", "VALIDATION_ERROR"),
    ] {
        client.send("D", &[order(id).as_slice(), &fields].concat()).await;
        let refused = client.report("8", "8").await;
        assert_eq!((refused.get(11), refused.get(103)), (id, reason));
        assert!(refused.get(58).starts_with(code), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_does_what_its_scopes_allow() {
    let mut desk = Desk::open().await;
    let scopes = |names: &str| Scopes::parse(names).unwrap();
    let mut all = desk.client("C1", |_| ()).await;
    let mut places = desk.client("C2", |profile| profile.scopes = scopes("orders:place")).await;
    let mut looks = desk.client("C3", |profile| profile.scopes = scopes("orders:view")).await;
    for (client, id) in [(&mut all, "A1"), (&mut places, "A2")] {
        working(&mut desk, client, id, "100").await;
    }
    places.replace("R2", "A2", "80", "20.00").await;
    places.cancel("K2", "A2").await;
    for (id, scope) in [("R2", "orders:modify"), ("K2", "orders:cancel")] {
        let refused = places.next().await;
        assert_eq!((refused.get(35), refused.get(11), refused.get(39)), ("9", id, "0"), "{refused:?}");
        assert_eq!(refused.get(58), format!("FORBIDDEN: the session is not allowed {scope}"));
    }
    places.send("q", &[(11, "M2"), (530, "7"), (60, NOW)]).await;
    let refused = places.next().await;
    assert_eq!((refused.get(35), refused.get(531), refused.get(532)), ("r", "0", "0"), "{refused:?}");
    places.send("H", &[(11, "A2"), (54, "1"), (55, "XYZ")]).await;
    let refused = places.next().await;
    assert_eq!((refused.get(35), refused.get(372), refused.get(380)), ("j", "H", "6"), "{refused:?}");
    looks.send("AF", &[(584, "S3"), (585, "7")]).await;
    assert_eq!(looks.report("I", "8").await.get(584), "S3");
    looks.order("A3", "100", &[]).await;
    let refused = looks.report("8", "8").await;
    assert_eq!((refused.get(103), refused.get(11)), ("15", "A3"));
    // Nothing of it came to the venue: what comes next is the cancel that was allowed.
    all.cancel("K1", "A1").await;
    all.report("6", "6").await;
    desk.taken(IntentKind::Cancel).await;
}

const QUOTE: [(i32, &str); 5] = [(131, "Q1"), (146, "1"), (55, "XYZ"), (54, "1"), (38, "100")];

/// A dealer answers the request that the client was told of.
async fn quoted(desk: &Desk, quote_req_id: &str, price: &str) {
    let quote = NewQuote {
        quote_req_id: quote_req_id.parse().unwrap(),
        dealer: XNAS,
        quote_ref: format!("ref-{price}").parse().unwrap(),
        offer_px: Some(dec(price)),
        offer_size: dec("100"),
        life_ms: 30_000,
        ..NewQuote::default()
    };
    let outcome = desk.run(Command::SubmitQuote(Box::new(quote))).await;
    assert!(matches!(outcome, CommandOutcome::QuoteReceived { .. }), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotes_are_asked_for_and_taken() {
    let mut desk = Desk::open().await;
    let mut client = desk.client("C1", |_| ()).await;
    client.send("R", &QUOTE).await;
    let pending = client.next().await;
    assert_eq!((pending.get(35), pending.get(131), pending.get(297)), ("AI", "Q1", "10"));
    // The same name for another one while it is open.
    client.send("R", &QUOTE).await;
    let refused = client.next().await;
    assert_eq!((refused.get(35), refused.get(131), refused.get(658)), ("AG", "Q1", "99"));
    // The desk's side starts anew: what the client calls the request is still known.
    desk.again("C1").await;
    quoted(&desk, pending.get(117), "20.01").await;
    let quote = client.next().await;
    assert_eq!((quote.get(35), quote.get(131), quote.get(55), quote.get(54)), ("S", "Q1", "XYZ", "1"));
    assert_eq!((quote.get(133), quote.get(135), quote.get(132), quote.get(448)), ("20.01", "100", "", "XNAS"));
    let take =
        |id, resp, quote_id| vec![(693, resp), (117, quote_id), (694, "1"), (11, id), (55, "XYZ"), (54, "1"), (38, "100"), (60, NOW)];
    client.send_when_up("AJ", &take("T0", "P0", "00000000-0000-7000-8000-000000000000")).await;
    let refused = client.next().await;
    assert_eq!((refused.get(35), refused.get(693), refused.get(297)), ("AI", "P0", "5"));
    client.send("AJ", &[(693, "P1"), (117, quote.get(117)), (694, "6"), (55, "XYZ")]).await;
    let passed = client.next().await;
    assert_eq!((passed.get(35), passed.get(693), passed.get(297)), ("AI", "P1", "11"));
    client.send("AJ", &take("T1", "P2", quote.get(117))).await;
    let (mut accepted, mut new) = (client.next().await, client.next().await);
    if accepted.get(35) == "8" {
        std::mem::swap(&mut accepted, &mut new);
    }
    assert_eq!((accepted.get(35), accepted.get(117), accepted.get(297)), ("AI", quote.get(117), "0"));
    assert_eq!((new.get(35), new.pair(), new.get(11), new.get(40), new.get(44)), ("8", ("0", "0"), "T1", "D", "20.01"));
    let wire_id = desk.taken(IntentKind::New).await;
    desk.fill(&wire_id, "X1", "100", "20.01");
    client.report("F", "2").await;
    client.send("AJ", &take("T2", "P3", quote.get(117))).await;
    assert_eq!(client.next().await.get(297), "5", "a quote is good for one order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotes_are_taken_back_by_either_side() {
    let desk = Desk::open().await;
    let mut client = desk.client("C1", |_| ()).await;
    client.send("R", &QUOTE).await;
    let pending = client.next().await;
    quoted(&desk, pending.get(117), "20.01").await;
    let quote = client.next().await;
    let withdraw = Command::WithdrawQuote { quote_id: quote.get(117).parse().unwrap(), dealer: XNAS, text: "the market moved".to_owned() };
    assert_eq!(desk.run(withdraw).await, CommandOutcome::Done);
    let gone = client.next().await;
    assert_eq!((gone.get(35), gone.get(117), gone.get(297), gone.get(58)), ("AI", quote.get(117), "6", "the market moved"));
    client.send("Z", &[(131, "Q1"), (117, "0"), (298, "4")]).await;
    let canceled = client.next().await;
    assert_eq!((canceled.get(35), canceled.get(131), canceled.get(297)), ("AI", "Q1", "4"));
    client.send("Z", &[(131, "Q1"), (117, "0"), (298, "4")]).await;
    assert_eq!(client.next().await.get(297), "5", "it is over");
    // The name is free again. What is not offered is refused with its reason.
    for (fields, reason) in [
        (vec![(131, "Q1"), (146, "1"), (55, "NOPE"), (38, "100")], "1"),
        (vec![(131, "Q1"), (146, "1"), (55, "XYZ"), (38, "100"), (44, "20")], "99"),
        (vec![(131, "Q1"), (146, "1"), (55, "XYZ"), (38, "100"), (126, "20200101-00:00:00")], "99"),
    ] {
        client.send("R", &fields).await;
        let refused = client.next().await;
        assert_eq!((refused.get(35), refused.get(131), refused.get(658)), ("AG", "Q1", reason), "{refused:?}");
    }
    client.send("R", &QUOTE).await;
    assert_eq!(client.next().await.get(297), "10");
}

/// The next whole second but so many, as a time of day in UTC.
fn in_seconds(seconds: i64) -> String {
    let at = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
    at.strftime("%H:%M:%S").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_numbers_begin_anew_with_the_day_and_orders_go_on() {
    let mut desk = Desk::open().await;
    // Around the clock; the day begins in a moment.
    let roll = in_seconds(3);
    let schedule = Schedule::read("UTC", &roll, &roll, &[], &[]).unwrap();
    let (ours, theirs) = (Some(schedule.clone()), Some(schedule));
    let mut client = desk.client_as("C1", |profile| profile.config.schedule = ours, |config| config.schedule = theirs).await;
    let mut wires = Vec::new();
    for id in ["A1", "A2", "A3"] {
        wires.push(working(&mut desk, &mut client, id, "100").await);
    }
    assert!(3 < client.session.numbers().0);
    let figures = desk.clients.get("C1").unwrap().figures;
    let logons = || figures.logons.load(std::sync::atomic::Ordering::Relaxed);
    tokio::time::timeout(client::WITHIN, async {
        while logons() < 2 {
            // It happens at any moment of the roll.
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("a new day");
    desk.fill(&wires[0], "X1", "100", "20.00");
    assert_eq!(client.report("F", "2").await.get(11), "A1");
    let (next_in, next_out) = client.session.numbers();
    assert!(next_in <= 4 && next_out <= 4, "{next_in} {next_out}");
    client.send_when_up("F", &[(11, "K1"), (38, "100"), (41, "A2"), (54, "1"), (55, "XYZ"), (60, NOW)]).await;
    assert_eq!(client.report("6", "6").await.get(41), "A2");
    client.send("AF", &[(584, "M1"), (585, "7")]).await;
    assert_eq!(client.next().await.get(911), "2", "no order was lost over the boundary");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_has_the_sessions_own_messages_and_what_was_done() {
    let desk = Desk::open().await;
    let credentials = || Some(Credentials { username: "u".to_owned(), password: Secret::new("hunter2") });
    let client =
        desk.client_as("C1", |profile| profile.config.credentials = credentials(), |config| config.credentials = credentials()).await;
    client.session.logout("enough").await.unwrap();
    client.phase(Phase::Down).await;
    let session = desk.clients.get("C1").unwrap().handle;
    let deed =
        |action: &str, reason: &str| Acted { at: 7, actor: "somebody".to_owned(), action: action.to_owned(), reason: reason.to_owned() };
    session.note(deed("Logout", "a test")).await.unwrap();
    session.note(deed("Reset", "")).await.unwrap();
    assert_eq!(session.acted(), [deed("Logout", "a test"), deed("Reset", "")]);
    let (mut told, mut done) = (Vec::new(), Vec::new());
    past(desk.log().reader().as_mut(), 1, &mut |past| {
        match past {
            Past::Message(message) => {
                let text = String::from_utf8_lossy(message.bytes).replace('\u{1}', "|");
                assert_eq!(message.received_at.is_some(), message.direction == Direction::In);
                told.push((message.direction, text));
            }
            Past::Acted { session, acted, .. } => {
                assert_eq!(session, "FIX.4.4:OMS->C1");
                done.push(acted.clone());
            }
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(done, session.acted());
    let kinds: Vec<(Direction, &str)> =
        told.iter().map(|(way, text)| (*way, text.split("|35=").nth(1).unwrap().split('|').next().unwrap())).collect();
    assert!(kinds.starts_with(&[(Direction::In, "A"), (Direction::Out, "A"), (Direction::In, "5"), (Direction::Out, "5")]), "{told:?}");
    assert!(told[0].1.contains("|553=u|554=***|") && told.iter().all(|(_, text)| !text.contains("hunter2")), "{told:?}");
    // It is still known when the desk begins again.
    desk.again_with("C1", |profile| profile.config.credentials = credentials()).await;
    assert_eq!(desk.clients.get("C1").unwrap().handle.acted().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_switch_says_why() {
    let mut desk = Desk::open().await;
    let mut client = desk.client("C1", |_| ()).await;
    let wire_id = working(&mut desk, &mut client, "A1", "100").await;
    let engage = Command::EngageKillSwitch { scope: Scope::Tenant, reason: "a runaway strategy".to_owned() };
    desk.run(engage).await;
    let asked = desk.taken(IntentKind::Cancel).await;
    assert_ne!(asked, wire_id);
    desk.report(ReportBody::Canceled { wire_id: asked, text: String::new() });
    let asked = client.report("6", "6").await;
    assert_eq!((asked.get(11), asked.get(58)), ("A1", "KILL_SWITCH"));
    assert_eq!(client.report("4", "4").await.get(11), "A1");
}
