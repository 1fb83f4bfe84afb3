//! Each fault, as it is asked for at the admin port.

use super::*;
use crate::codec::{AllOpenOrders, CompletedOrders, ExecutionFilter, Executions, RequestTime};

fn executions() -> Request {
    Request::Executions(Executions { req_id: 9, filter: ExecutionFilter::default() })
}

#[test]
fn a_connection_is_cut_before_or_after_an_order_is_taken() {
    for (line, orders) in [("drop-before 1", 0), ("drop-after 1", 1)] {
        let mut desk = Desk::new();
        let session = desk.client(1);
        desk.order(line);
        desk.place(session, 1, limit("BUY", 10, "150"));
        assert_eq!(desk.words(session, SECOND), ["closed"], "{line}");
        assert_eq!(desk.gateway.orders.working().count(), orders, "{line}");
        // Once, and not again.
        let session = desk.client(1);
        desk.place(session, 2, limit("BUY", 10, "150"));
        assert_eq!(desk.words(session, SECOND).last().unwrap(), "status 2 Submitted 0/10");
    }
}

#[test]
fn a_frozen_gateway_says_nothing_until_it_thaws() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("freeze on");
    assert!(desk.gateway.is_frozen());
    desk.place(session, 1, limit("BUY", 10, "185"));
    assert!(desk.words(session, 5 * SECOND).is_empty());
    desk.order("freeze off");
    follows(&desk.words(session, SECOND), &["status 1 Filled 10/0"]);
}

#[test]
fn while_the_line_is_lost_orders_wait_and_data_may_have_to_be_asked_for_again() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    let data = crate::codec::MarketData { req_id: 3, contract: ibm(), generic_ticks: String::new(), snapshot: false };
    desk.ask(session, Request::MarketData(data));
    desk.order("line lost");
    desk.place(session, 1, limit("BUY", 10, "185"));
    let said = desk.words(session, 5 * SECOND);
    assert_eq!(said, ["notice -1 1100", "open 1 PreSubmitted", "status 1 PreSubmitted 0/10"]);
    desk.order("line restored kept");
    follows(&desk.words(session, SECOND), &["notice -1 1102", "status 1 Filled 10/0"]);
    assert_eq!(desk.gateway.subscriptions.len(), 1);
    desk.order("line lost");
    desk.order("line restored lost");
    follows(&desk.words(session, SECOND), &["notice -1 1100", "notice -1 1101"]);
    assert!(desk.gateway.subscriptions.is_empty());
}

#[test]
fn the_next_order_id_goes_back() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.place(session, 20, limit("BUY", 10, "150"));
    desk.order("rollback 4");
    desk.ask(session, Request::Ids(crate::codec::Ids { count: 1 }));
    desk.ask(session, Request::Ids(crate::codec::Ids { count: 1 }));
    follows(&desk.words(session, MS), &["next id 17", "next id 21"]);
}

#[test]
fn a_swallowed_order_leaves_no_trace() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("swallow 1");
    desk.place(session, 1, limit("BUY", 10, "185"));
    desk.ask(session, Request::AllOpenOrders(AllOpenOrders {}));
    desk.ask(session, Request::CompletedOrders(CompletedOrders { api_only: false }));
    desk.ask(session, executions());
    assert_eq!(desk.words(session, 5 * SECOND), ["end of open orders", "end of completed orders", "end of executions"]);
}

#[test]
fn the_first_that_is_heard_of_an_order_is_its_execution() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("execution-first on");
    desk.place(session, 1, limit("BUY", 10, "185"));
    assert_eq!(desk.words(session, SECOND), ["execution 1 BOT 10", "open 1 Filled", "status 1 Filled 10/0", "commission 1"]);
}

#[test]
fn statuses_come_twice_or_not_at_all() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("duplicate-status on");
    desk.place(session, 1, limit("BUY", 10, "150"));
    assert_eq!(count(&desk.words(session, SECOND), "status"), 4);
    desk.order("duplicate-status off");
    desk.order("no-status on");
    desk.place(session, 2, limit("BUY", 10, "185"));
    let said = desk.words(session, SECOND);
    assert_eq!((count(&said, "status"), count(&said, "execution")), (0, 1));
}

#[test]
fn commissions_come_late_or_never_and_are_found_when_asked_for() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("commission late 3000");
    desk.place(session, 1, limit("BUY", 10, "185"));
    assert_eq!(count(&desk.words(session, 2 * SECOND), "commission"), 0);
    assert_eq!(desk.words(session, 2 * SECOND), ["commission 1"]);
    desk.order("commission missing");
    desk.place(session, 2, limit("BUY", 10, "185"));
    let said = desk.words(session, 9 * SECOND);
    assert_eq!((count(&said, "execution"), count(&said, "commission")), (1, 0));
    desk.ask(session, executions());
    assert_eq!(count(&desk.words(session, MS), "commission"), 2);
}

#[test]
fn a_correction_has_the_id_of_what_it_corrects_but_for_its_end() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.ask(session, Request::Positions(crate::codec::Positions {}));
    desk.place(session, 1, limit("BUY", 10, "185"));
    desk.run(SECOND);
    let (id, cash) = (desk.gateway.executions[0].report.execution.exec_id.clone(), desk.gateway.accounts[0].cash);
    assert!(id.ends_with(".01"));
    desk.order("correct 180 8");
    assert_eq!(desk.words(session, SECOND), ["execution 1 BOT 8", "position 8"]);
    let corrected = &desk.gateway.executions[0].report.execution;
    assert_eq!(corrected.exec_id, format!("{}.02", id.strip_suffix(".01").unwrap()));
    assert_eq!((corrected.price.to_string(), desk.gateway.executions.len()), ("180".to_owned(), 1));
    // Ten at 184.01 or so became eight at 180.
    assert!(desk.gateway.accounts[0].cash > cash);
}

#[test]
fn an_order_that_was_canceled_is_executed_nevertheless() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("fill-after-cancel on");
    desk.place(session, 1, limit("BUY", 10, "150"));
    desk.run(SECOND);
    desk.cancel(session, 1);
    let said = desk.words(session, SECOND);
    assert_eq!(said, ["open 1 Cancelled", "status 1 Cancelled 0/10", "notice 1 202", "execution 1 BOT 10", "commission 1"]);
}

#[test]
fn a_modification_is_refused_and_the_order_lives() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.place(session, 1, limit("BUY", 10, "150"));
    desk.run(SECOND);
    desk.order("refuse-modify 1");
    desk.place(session, 1, limit("BUY", 10, "151"));
    assert_eq!(desk.words(session, SECOND), ["notice 1 110"]);
    desk.place(session, 1, limit("BUY", 10, "152"));
    assert_eq!(desk.words(session, SECOND), ["open 1 Submitted", "status 1 Submitted 0/10"]);
}

#[test]
fn an_order_is_inactive_with_or_without_a_reason_until_it_is_worked() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("inactive locate 1");
    desk.place(session, 1, limit("BUY", 10, "185"));
    assert_eq!(desk.words(session, SECOND), ["open 1 Inactive", "status 1 Inactive 0/10 (locate)", "notice 1 404"]);
    desk.order("inactive plain 1");
    desk.place(session, 2, limit("BUY", 10, "185"));
    assert_eq!(desk.words(session, SECOND), ["open 2 Inactive", "status 2 Inactive 0/10"]);
    desk.order("activate");
    let said = desk.words(session, 2 * SECOND);
    follows(&said, &["status 1 PreSubmitted 0/10", "status 1 Filled 10/0"]);
    follows(&said, &["status 2 Filled 10/0"]);
}

#[test]
fn ends_of_lists_come_late_or_never() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("end late 3000");
    desk.ask(session, executions());
    assert!(desk.words(session, 2 * SECOND).is_empty());
    assert_eq!(desk.words(session, 2 * SECOND), ["end of executions"]);
    desk.order("end missing");
    desk.ask(session, executions());
    assert!(desk.words(session, 60 * SECOND).is_empty());
}

#[test]
fn the_permanent_id_is_0_at_first() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("perm-zero on");
    desk.place(session, 1, limit("BUY", 10, "150"));
    let perms: Vec<i64> = desk
        .run(SECOND)
        .into_iter()
        .filter_map(|told| match told {
            Told::Reply(_, reply) | Told::Answer(_, reply) => match *reply {
                Reply::OrderStatus(status) => Some(status.perm_id),
                _ => None,
            },
            Told::Close(_) => None,
        })
        .collect();
    assert_eq!(perms.first(), Some(&0));
    assert!(perms.last().is_some_and(|perm| *perm > 0));
}

#[test]
fn a_modification_leaves_two_orders_under_one_id_and_a_cancel_means_both() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.place(session, 1, limit("BUY", 10, "150"));
    desk.run(SECOND);
    desk.order("second-perm 1");
    desk.place(session, 1, limit("BUY", 10, "151"));
    desk.run(SECOND);
    let perms: Vec<(i64, i32)> = desk.gateway.orders.working().map(|order| (order.perm, order.order_id)).collect();
    assert_eq!(perms.len(), 2);
    assert!(perms[0].0 != perms[1].0 && perms.iter().all(|(_, order_id)| *order_id == 1));
    desk.cancel(session, 1);
    assert_eq!(count(&desk.words(session, SECOND), "status 1 Cancelled"), 2);
}

#[test]
fn the_daily_restart_ends_sessions_and_orders_for_the_day_and_keeps_the_others() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.place(session, 1, limit("BUY", 10, "150"));
    desk.place(session, 2, Order { tif: "GTC".to_owned(), ..limit("BUY", 10, "150") });
    desk.run(SECOND);
    desk.order("restart");
    assert_eq!(desk.words(session, SECOND), ["closed"]);
    let session = desk.client(1);
    desk.ask(session, Request::AllOpenOrders(AllOpenOrders {}));
    assert_eq!(desk.words(session, MS), ["open 2 Submitted", "status 2 Submitted 0/10", "end of open orders"]);
}

#[test]
fn everything_is_told_later_and_a_reset_ends_all_of_it() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("latency 3000");
    desk.ask(session, Request::CurrentTime(RequestTime {}));
    assert!(desk.words(session, 2 * SECOND).is_empty());
    assert_eq!(desk.words(session, 2 * SECOND), ["time"]);
    desk.order("line lost");
    desk.order("reset");
    assert_eq!(desk.gateway.faults, Faults::default());
    // What is on its way arrives first; then nothing is late any more.
    desk.ask(session, Request::CurrentTime(RequestTime {}));
    assert_eq!(count(&desk.words(session, 4 * SECOND), "time"), 1);
    desk.ask(session, Request::CurrentTime(RequestTime {}));
    assert_eq!(desk.words(session, 0), ["time"]);
}

#[test]
fn what_was_written_first_arrives_first_though_the_latency_has_become_less() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("latency 300");
    desk.order("line lost");
    desk.order("latency 0");
    desk.order("line restored kept");
    desk.ask(session, Request::CurrentTime(RequestTime {}));
    let words = desk.words(session, SECOND);
    let place = |what: &str| words.iter().position(|word| word.contains(what));
    assert!(place("1100").is_some() && place("1100") < place("1102") && place("1102") < place("time"), "{words:?}");
}

#[test]
fn what_was_asked_for_can_be_told_from_what_is_pushed_however_late_it_comes() {
    let mut desk = Desk::new();
    let session = desk.client(1);
    desk.order("latency 300");
    desk.place(session, 1, limit("BUY", 10, "150"));
    desk.ask(session, Request::AllOpenOrders(AllOpenOrders {}));
    let told = desk.run(SECOND);
    let is_row = |reply: &Reply| matches!(reply, Reply::OpenOrder(_));
    assert!(told.iter().any(|told| matches!(told, Told::Answer(_, reply) if is_row(reply))));
    assert!(told.iter().any(|told| matches!(told, Told::Reply(_, reply) if is_row(reply))));
}
