//! Who is told what.

use super::*;
use crate::codec::{AllOpenOrders, AutoOpenOrders, OpenOrders, RequestTime};

#[test]
fn a_session_begins_with_accounts_next_id_and_farms() {
    let mut desk = Desk::new();
    let session = desk.gateway.connected(desk.now);
    desk.ask(session, Request::CurrentTime(RequestTime {}));
    assert!(desk.words(session, MS).is_empty(), "nothing is answered before the session has begun");
    desk.ask(session, Request::StartApi(StartApi { client_id: 4, capabilities: String::new() }));
    assert_eq!(desk.words(session, MS), ["accounts DU1000001", "next id 1", "notice -1 2104", "notice -1 2106", "notice -1 2158"]);
    desk.ask(session, Request::CurrentTime(RequestTime {}));
    assert_eq!(desk.words(session, MS), ["time"]);
}

#[test]
fn orders_are_told_to_their_client_and_to_whoever_asks_for_all() {
    let mut desk = Desk::new();
    let (one, two) = (desk.client(1), desk.client(2));
    desk.place(one, 1, limit("BUY", 10, "150"));
    assert!(desk.words(two, SECOND).is_empty());
    desk.ask(two, Request::OpenOrders(OpenOrders {}));
    assert_eq!(desk.words(two, MS), ["end of open orders"]);
    desk.ask(two, Request::AllOpenOrders(AllOpenOrders {}));
    assert_eq!(desk.words(two, MS), ["open 1 Submitted", "status 1 Submitted 0/10", "end of open orders"]);
    desk.cancel(two, 1);
    assert_eq!(desk.words(two, MS), ["notice 1 10147"], "an order is canceled by its client alone");
}

#[test]
fn a_persons_order_is_bound_to_client_0_that_asks_for_it() {
    let mut desk = Desk::new();
    let (zero, one) = (desk.client(0), desk.client(1));
    desk.order("manual BUY 10 IBM 150");
    assert_eq!(desk.words(zero, SECOND).first().unwrap(), "open 0 PreSubmitted");
    desk.ask(one, Request::AutoOpenOrders(AutoOpenOrders { auto_bind: true }));
    assert_eq!(desk.words(one, MS), ["notice -1 327"]);
    desk.ask(zero, Request::AutoOpenOrders(AutoOpenOrders { auto_bind: true }));
    assert_eq!(desk.words(zero, MS), ["bound -1", "open -1 Submitted", "status -1 Submitted 0/10"]);
    desk.cancel(zero, -1);
    follows(&desk.words(zero, SECOND), &["status -1 Cancelled 0/10", "notice -1 202"]);
}

#[test]
fn a_client_id_is_taken_once_and_may_linger() {
    let mut desk = Desk::new();
    let first = desk.client(1);
    let second = desk.gateway.connected(desk.now);
    desk.ask(second, Request::StartApi(StartApi { client_id: 1, capabilities: String::new() }));
    assert_eq!(desk.words(second, MS), ["notice -1 326", "closed"]);
    desk.order("linger 2000");
    desk.gateway.gone(desk.now, first);
    let third = desk.gateway.connected(desk.now);
    desk.ask(third, Request::StartApi(StartApi { client_id: 1, capabilities: String::new() }));
    assert_eq!(desk.words(third, SECOND), ["notice -1 326", "closed"]);
    desk.run(2 * SECOND);
    let fourth = desk.gateway.connected(desk.now);
    desk.ask(fourth, Request::StartApi(StartApi { client_id: 1, capabilities: String::new() }));
    assert_eq!(count(&desk.words(fourth, MS), "next id"), 1);
}

#[test]
fn market_data_is_told_in_beats_and_ends_when_asked() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    let data =
        |snapshot| Request::MarketData(crate::codec::MarketData { req_id: 3, contract: ibm(), generic_ticks: String::new(), snapshot });
    let kinds = |told: Vec<Told>| -> Vec<u32> {
        told.iter()
            .filter_map(|told| if let Told::Reply(_, reply) | Told::Answer(_, reply) = told { Some(reply.id()) } else { None })
            .collect()
    };
    desk.ask(session, data(true));
    let told = kinds(desk.run(10 * SECOND));
    assert_eq!(told[..2], [81, 58]);
    assert_eq!(told.last(), Some(&57));
    assert_eq!(told.iter().filter(|id| **id == 1).count(), 3, "bid, ask and last once each: {told:?}");
    desk.ask(session, data(false));
    let told = kinds(desk.run(10 * SECOND));
    let prices = told.iter().filter(|id| **id == 1).count();
    assert!((10..=60).contains(&prices), "one tick a second on each side: {prices}");
    desk.ask(session, Request::CancelMarketData(crate::codec::CancelMarketData { req_id: 3 }));
    assert!(kinds(desk.run(10 * SECOND)).is_empty());
}

#[test]
fn too_many_requests_are_refused_and_at_last_close_the_connection() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    for _ in 0..60 {
        desk.ask(session, Request::CurrentTime(RequestTime {}));
    }
    let said = desk.words(session, MS);
    assert!(count(&said, "time") <= 50);
    assert_eq!(count(&said, "notice -1 100"), 4);
    assert_eq!(said.last().unwrap(), "closed");
}
