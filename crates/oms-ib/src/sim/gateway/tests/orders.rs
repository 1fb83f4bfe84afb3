//! What becomes of orders.

use super::*;

#[test]
fn a_market_order_is_told_in_the_order_of_the_recorded_sessions() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.place(session, 1, Order { order_type: "MKT".to_owned(), limit: None, ..limit("BUY", 10, "1") });
    let said = desk.words(session, SECOND);
    let wanted = [
        "open 1 PreSubmitted",
        "status 1 PreSubmitted 0/10",
        "execution 1 BOT 10",
        "open 1 Filled",
        "status 1 Filled 10/0",
        "commission 1",
    ];
    assert_eq!(said, wanted);
}

#[test]
fn a_large_order_is_filled_in_parts_and_its_minimum_is_charged_once() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.place(session, 1, limit("BUY", 120, "185"));
    let said = desk.words(session, 5 * SECOND);
    follows(
        &said,
        &[
            "status 1 Submitted 0/120",
            "execution 1 BOT 50",
            "status 1 Submitted 50/70",
            "commission 1",
            "execution 1 BOT 50",
            "status 1 Submitted 100/20",
            "commission 0",
            "execution 1 BOT 20",
            "status 1 Filled 120/0",
            "commission 0",
        ],
    );
    desk.ask(session, Request::Positions(crate::codec::Positions {}));
    assert_eq!(desk.words(session, MS), ["position 120", "end of positions"]);
    // Selling all of it realises what was paid and received.
    desk.place(session, 2, limit("SELL", 120, "183"));
    let said = desk.words(session, 5 * SECOND);
    follows(&said, &["status 2 Filled 120/0", "commission 0", "position 0"]);
}

#[test]
fn terms_are_checked_before_anything_else() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    let order = |change: fn(&mut Order)| {
        let mut order = limit("BUY", 10, "180");
        change(&mut order);
        order
    };
    type Change = fn(&mut Order);
    let cases: [(Change, i32); 11] = [
        (|o| o.limit = Some("180.001".parse().unwrap()), 110),
        (|o| o.limit = None, 321),
        (|o| o.quantity = Size(Number::ZERO), 434),
        (|o| o.quantity = "1.5".parse().unwrap(), 10318),
        (|o| o.action = "HOLD".to_owned(), 321),
        (|o| o.order_type = "PEG BEST".to_owned(), 387),
        (|o| o.tif = "SOON".to_owned(), 391),
        (|o| (o.tif, o.good_till) = ("GTD".to_owned(), "20200101 00:00:00 UTC".to_owned()), 391),
        (|o| (o.order_type, o.tif) = ("LOC".to_owned(), "GTC".to_owned()), 113),
        (|o| o.account = "DU9".to_owned(), 321),
        (|o| (o.order_type, o.limit) = ("TRAIL".to_owned(), None), 321),
    ];
    for ((change, code), order_id) in cases.into_iter().zip(1..) {
        desk.place(session, order_id, order(change));
        assert_eq!(desk.words(session, MS), [format!("notice {order_id} {code}")]);
    }
    let strange = PlaceOrder { order_id: 50, contract: Contract { symbol: "NOSUCH".to_owned(), ..ibm() }, order: limit("BUY", 1, "1") };
    desk.ask(session, Request::PlaceOrder(strange));
    assert_eq!(desk.words(session, MS), ["notice 50 200"]);
    assert!(desk.gateway.orders.by_perm.is_empty());
}

#[test]
fn an_order_is_modified_and_canceled_by_its_id() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.place(session, 1, limit("BUY", 10, "180"));
    assert_eq!(desk.words(session, SECOND).last().unwrap(), "status 1 Submitted 0/10");
    desk.place(session, 1, limit("BUY", 12, "180.5"));
    assert_eq!(desk.words(session, SECOND), ["open 1 Submitted", "status 1 Submitted 0/12"]);
    desk.place(session, 1, limit("SELL", 12, "180.5"));
    assert_eq!(desk.words(session, SECOND), ["notice 1 105"]);
    desk.place(session, 1, limit("BUY", 12, "180.505"));
    assert_eq!(desk.words(session, SECOND), ["notice 1 110"]);
    desk.cancel(session, 1);
    assert_eq!(desk.words(session, SECOND), ["open 1 Cancelled", "status 1 Cancelled 0/12", "notice 1 202"]);
    desk.cancel(session, 1);
    desk.cancel(session, 9);
    desk.place(session, 1, limit("BUY", 12, "180.5"));
    assert_eq!(desk.words(session, SECOND), ["notice 1 10148", "notice 9 10147", "notice 1 103"]);
}

#[test]
fn stops_wait_here_until_the_market_elects_them() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    let kind = |kind: &str, aux: &str| Order { order_type: kind.to_owned(), aux: Some(number(aux)), limit: None, ..limit("SELL", 10, "1") };
    desk.place(session, 1, kind("STP", "150"));
    desk.place(session, 2, kind("TRAIL", "0.03"));
    assert_eq!(count(&desk.words(session, MS), "status"), 2);
    let said = desk.words(session, 60 * SECOND);
    follows(&said, &["execution 2 SLD 10", "status 2 Filled 10/0"]);
    assert_eq!(count(&said, "execution 1"), 0);
    // Where the market is already beyond it, a stop is elected at once.
    desk.place(session, 3, kind("STP", "190"));
    follows(&desk.words(session, 5 * SECOND), &["status 3 Filled 10/0"]);
    desk.cancel(session, 1);
    assert_eq!(desk.words(session, MS).last().unwrap(), "notice 1 202");
}

#[test]
fn a_bracket_is_transmitted_as_one_and_its_exits_cancel_each_other() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.place(session, 1, Order { transmit: false, ..limit("BUY", 10, "185") });
    desk.place(session, 2, Order { transmit: false, parent_id: 1, oca_group: "exit".to_owned(), oca_type: 1, ..limit("SELL", 10, "183") });
    let said = desk.words(session, 5 * SECOND);
    assert_eq!(said, ["open 1 Inactive", "status 1 Inactive 0/10", "open 2 Inactive", "status 2 Inactive 0/10"]);
    let stop = Order { order_type: "STP".to_owned(), aux: Some(number("150")), limit: None, ..limit("SELL", 10, "1") };
    desk.place(session, 3, Order { parent_id: 1, oca_group: "exit".to_owned(), oca_type: 1, ..stop });
    let said = desk.words(session, 5 * SECOND);
    follows(&said, &["status 3 PreSubmitted 0/10", "execution 1 BOT 10", "execution 2 SLD 10", "status 3 Cancelled 0/10"]);
    follows(&said, &["status 1 Filled 10/0", "status 2 Filled 10/0"]);
}

#[test]
fn what_is_for_the_close_waits_for_it_and_what_is_for_the_day_ends() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.place(session, 1, Order { order_type: "MOC".to_owned(), limit: None, ..limit("BUY", 10, "1") });
    desk.place(session, 2, limit("BUY", 10, "150"));
    desk.place(session, 3, Order { tif: "GTC".to_owned(), ..limit("BUY", 10, "150") });
    let said = desk.words(session, 5 * SECOND);
    assert_eq!(count(&said, "execution"), 0);
    desk.order("close");
    let said = desk.words(session, SECOND);
    follows(&said, &["status 1 Filled 10/0"]);
    follows(&said, &["status 2 Cancelled 0/10"]);
    desk.ask(session, Request::AllOpenOrders(crate::codec::AllOpenOrders {}));
    assert_eq!(desk.words(session, MS), ["open 3 Submitted", "status 3 Submitted 0/10", "end of open orders"]);
}

#[test]
fn a_killed_gateway_comes_back_with_orders_executions_and_positions() {
    let folder = std::env::temp_dir().join(format!("oms-ib-gateway-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let mut desk = Desk::on(Some(folder.clone()), NOON);
    let session = desk.client(1);
    desk.place(session, 5, limit("BUY", 120, "185"));
    desk.place(session, 6, limit("BUY", 10, "150"));
    desk.place(session, 7, Order { order_type: "STP".to_owned(), aux: Some(number("150")), limit: None, ..limit("SELL", 10, "1") });
    desk.run(5 * SECOND);
    desk.place(session, 6, limit("BUY", 12, "151"));
    desk.run(SECOND);
    let perms = |desk: &Desk| desk.gateway.orders.working().map(|order| (order.perm, order.order_id, order.qty())).collect::<Vec<_>>();
    let executions =
        |desk: &Desk| desk.gateway.executions.iter().map(|done| (done.report.clone(), done.commission.clone())).collect::<Vec<_>>();
    let accounts = |desk: &Desk| (desk.gateway.accounts[0].cash, desk.gateway.accounts[0].holdings.clone());
    let (orders, done, money) = (perms(&desk), executions(&desk), accounts(&desk));
    assert_eq!((orders.len(), done.len()), (2, 3));
    // A line that was being written when the process was killed.
    let later = desk.now.plus(SECOND);
    drop(desk);
    let journal = folder.join("gateway.journal");
    let mut text = std::fs::read_to_string(&journal).unwrap();
    text.push_str("order XNYS 0 0 1 0 00");
    std::fs::write(&journal, text).unwrap();

    let mut desk = Desk::on(Some(folder.clone()), later);
    assert_eq!((perms(&desk), executions(&desk), accounts(&desk)), (orders, done, money));
    let session = desk.gateway.connected(desk.now);
    desk.ask(session, Request::StartApi(StartApi { client_id: 1, capabilities: String::new() }));
    follows(&desk.words(session, MS), &["next id 8"]);
    desk.place(session, 6, limit("BUY", 12, "185"));
    follows(&desk.words(session, 2 * SECOND), &["status 6 Filled 12/0"]);
    desk.cancel(session, 7);
    follows(&desk.words(session, SECOND), &["status 7 Cancelled 0/10"]);
    drop(desk);
    std::fs::remove_dir_all(folder).unwrap();
}
