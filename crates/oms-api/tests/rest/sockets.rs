//! The WebSocket.

use crate::client::PATIENCE;
use crate::desk::{Desk, RESTING, TRADING, order};
use crate::socket::{BINARY, Got, Socket, TEXT};
use oms_api::Config;
use oms_api::ws::{Bounds, CLOSE_SILENT, CLOSE_SLOW, CLOSE_UNAUTHENTICATED};
use oms_model::event::Event;
use oms_model::{OrdState, OrderId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

fn body(fields: &str) -> Value {
    serde_json::from_str(&order(fields)).unwrap()
}

/// Takes what a subscription tells until everything up to `last` was told: orders by their ids. No sequence comes twice.
async fn follow(socket: &mut Socket, mut after: u64, last: u64, orders: &mut BTreeMap<String, Value>) -> u64 {
    while after < last {
        let told = socket.told().await;
        let sequence = told["sequence"].as_u64().unwrap();
        assert!(sequence > after, "{told} comes after {after}");
        after = sequence;
        for order in told["data"].as_array().unwrap() {
            let before = orders.insert(order["order_id"].as_str().unwrap().to_owned(), order.clone());
            let version = |order: &Value| order["version"].as_u64().unwrap();
            assert!(before.is_none_or(|before| version(&before) <= version(order)), "no older state");
        }
    }
    after
}

/// The last sequence of the log that is about one of these orders, once nothing more happens to them.
pub async fn settled(desk: &Desk, orders: &[OrderId]) -> u64 {
    let mut follower = desk.handle.feed().follow(oms_model::Seq(0));
    let (mut open, mut last): (Vec<OrderId>, u64) = (orders.to_vec(), 0);
    loop {
        let batch = match follower.try_next().unwrap() {
            Some(batch) => batch,
            None if open.is_empty() => return last,
            None => tokio::time::timeout(PATIENCE, follower.next()).await.expect("it settles in time").unwrap(),
        };
        for event in &batch.events {
            let Some(id) = event.order_id().filter(|id| orders.contains(id)) else { continue };
            last = batch.last_seq().0;
            let rests = matches!(event, Event::OrderStateSynced(e) if e.state == OrdState::Live);
            if rests || matches!(event, Event::OrderFilled(_) | Event::OrderCanceled(_) | Event::OrderRejected(_)) {
                open.retain(|one| *one != id);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshot_and_deltas_are_what_rest_shows_also_over_a_reconnect() {
    let desk = Desk::open().await;
    desk.place(RESTING).await;
    for seed in [1_u64, 2, 3] {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut next = move || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            random >> 33
        };
        let mut socket = Socket::of(&desk.client).await;
        let (opened, snapshot) = socket.subscribe(json!({"topic": "orders"})).await;
        assert!(!snapshot.is_empty(), "what rests is in it");
        let mut known: BTreeMap<String, Value> =
            snapshot.into_iter().map(|order| (order["order_id"].as_str().unwrap().to_owned(), order)).collect();
        let mut after = opened["sequence"].as_u64().unwrap();
        let mut ids: Vec<OrderId> = Vec::new();
        for round in 0..3 {
            for _ in 0..8 {
                match next() % 4 {
                    0 => ids.push(desk.place(TRADING).await.get("/order_id").parse().unwrap()),
                    1 | 2 => ids.push(desk.place(RESTING).await.get("/order_id").parse().unwrap()),
                    _ => {
                        let Some(id) = ids.get(usize::try_from(next()).unwrap() % ids.len().max(1)) else { continue };
                        // One that is done already is refused, which is as good here.
                        desk.client.post(&format!("/api/v1/orders/{id}/cancel"), &[], "").await;
                    }
                }
            }
            let last = settled(&desk, &ids).await;
            if round == 1 {
                // The connection goes in the middle; what was missed comes by sequence.
                socket = Socket::of(&desk.client).await;
                let (resumed, items) = socket.subscribe(json!({"topic": "orders", "from": after})).await;
                assert_eq!((resumed["sequence"].as_u64().unwrap(), items.len()), (after, 0));
            }
            after = follow(&mut socket, after, last, &mut known).await;
        }
        // Cancels that were on their way are through once everything that is durable now was told.
        for id in &ids {
            let mut shown = desk.client.get(&format!("/api/v1/orders/{id}")).await.expect(200).json();
            while known[&id.to_string()] != shown {
                let version = known[&id.to_string()]["version"].as_u64().unwrap();
                if version < shown["version"].as_u64().unwrap() {
                    let told = socket.told().await;
                    let sequence = told["sequence"].as_u64().unwrap();
                    assert!(sequence > after);
                    after = sequence;
                    for order in told["data"].as_array().unwrap() {
                        known.insert(order["order_id"].as_str().unwrap().to_owned(), order.clone());
                    }
                } else {
                    assert!(version > shown["version"].as_u64().unwrap(), "{} is not {shown}", known[&id.to_string()]);
                    shown = desk.client.get(&format!("/api/v1/orders/{id}")).await.expect(200).json();
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_entry_answers_what_rest_answers_and_repeats_it() {
    let desk = Desk::open().await;
    let mut socket = Socket::of(&desk.client).await;
    let request = json!({"op": "place", "idempotency_key": "k", "body": body(RESTING)});
    let first = Socket::expect(socket.ask(request.clone()).await, 201);
    assert_eq!((&first["op"], &first["replayed"], &first["version"]), (&json!("place"), &json!(false), &first["body"]["version"]));
    let again = Socket::expect(socket.ask(request).await, 201);
    assert_eq!((&again["replayed"], &again["body"]), (&json!(true), &first["body"]));
    let rest = desk.client.post("/api/v1/orders", &[("idempotency-key", "k")], &order(RESTING)).await.expect(201);
    assert_eq!((rest.header("idempotent-replay"), rest.json()), (Some("true"), first["body"].clone()));
    let other = socket.ask(json!({"op": "place", "idempotency_key": "k", "body": body(TRADING)})).await;
    assert_eq!(Socket::expect(other, 422)["body"]["code"], "IDEMPOTENCY_CONFLICT");
    assert_eq!(first["body"]["source"], "WS", "it is recorded through which door it came");
    let id = first["body"]["order_id"].as_str().unwrap().to_owned();
    let of: OrderId = id.parse().unwrap();
    desk.until(|event| matches!(event, Event::OrderStateSynced(e) if e.order_id == of && e.state == OrdState::Live)).await;
    let stale = socket.ask(json!({"op": "modify", "order": id, "if_match": 99, "body": {"price": "18.90"}})).await;
    assert_eq!(Socket::expect(stale, 412)["body"]["code"], "VERSION_MISMATCH");
    let modified = socket.ask(json!({"op": "modify", "order": id, "wait": 30, "body": {"price": "18.90"}})).await;
    assert_eq!(Socket::expect(modified, 200)["body"]["status"], "APPLIED");
    let canceled = socket.ask(json!({"op": "cancel", "order": id, "wait": 30})).await;
    assert_eq!(Socket::expect(canceled, 200)["body"]["status"], "APPLIED");
    assert_eq!(desk.client.get(&format!("/api/v1/orders/{id}")).await.expect(200).get("/ord_status"), "CANCELED");
    let limit = json!({"type": "RiskLimitSetCmd", "limit_type": "MAX_ORDER_QTY", "scope": "TENANT", "value": "50"});
    Socket::expect(socket.ask(json!({"op": "execute", "body": limit})).await, 200);
    let refused = Socket::expect(socket.ask(json!({"op": "place", "body": body(TRADING)})).await, 422);
    let fields: Vec<&str> = refused["body"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["code", "details", "hint", "message", "trace_id"]);
    assert_eq!(refused["body"]["code"], "RISK_LIMIT_BREACH");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_behind_a_placement_finds_its_order() {
    let desk = Desk::open().await;
    let mut socket = Socket::of(&desk.client).await;
    let mut cancels = Vec::new();
    for at in 0..30 {
        let named = format!("A-{at}");
        let mut placed = body(RESTING);
        placed["cl_ord_id"] = json!(named);
        socket.send(json!({"op": "place", "body": placed})).await;
        cancels.push(socket.send(json!({"op": "cancel", "order": format!("cl_ord_id:{named}")})).await);
    }
    // Answers come as they are ready; each has its request's id.
    let mut seen = BTreeMap::new();
    while seen.len() < 60 {
        let answer = socket.told().await;
        seen.insert(answer["id"].as_str().unwrap().to_owned(), answer);
    }
    for id in cancels {
        assert_eq!(seen[&id]["status"], 202, "{}", seen[&id]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_topics_begin_with_what_is_and_go_on() {
    let desk = Desk::open().await;
    desk.place_filled(TRADING).await;
    let mut socket = Socket::of(&desk.client).await;
    let (executions, booked) = socket.subscribe(json!({"topic": "executions", "filter": {"symbol": "AAPL"}})).await;
    let shown = desk.client.get("/api/v1/executions?sort=-seq").await.expect(200).json();
    assert_eq!(json!(booked), shown["data"]);
    desk.place_filled(TRADING).await;
    let told = socket.told().await;
    assert_eq!((&told["subscription"], &told["data"][0]["type"]), (&executions["subscription"], &json!("ExecutionRecorded")));
    Socket::expect(socket.ask(json!({"op": "unsubscribe", "subscription": executions["subscription"]})).await, 200);
    Socket::expect(socket.ask(json!({"op": "unsubscribe", "subscription": executions["subscription"]})).await, 404);

    let (_, held) = socket.subscribe(json!({"topic": "positions"})).await;
    assert_eq!(held[0]["qty"], "200");
    desk.place_filled(TRADING).await;
    while socket.told().await["data"][0]["qty"] != "300" {}
    let mut socket = Socket::of(&desk.client).await;

    let (risk, page) = socket.subscribe(json!({"topic": "risk"})).await;
    assert_eq!(page[0]["kill_switches"], json!([]));
    desk.client.post("/api/v1/risk/kill-switch/engage", &[], r#"{"scope":"TENANT","reason":"drill"}"#).await.expect(200);
    let told = socket.told().await;
    assert_eq!(told["data"][0]["type"], "KillSwitchEngaged");
    let mut second = Socket::of(&desk.client).await;
    second.subscribe(json!({"topic": "risk", "from": risk["sequence"]})).await;
    assert_eq!(second.told().await["data"], told["data"]);

    let mut market = Socket::of(&desk.client).await;
    market.subscribe(json!({"topic": "marketdata", "filter": {"symbols": ["AAPL"]}})).await;
    let mut version = market.told().await["data"]["version"].as_u64().unwrap();
    desk.quote("20.00", "20.15");
    loop {
        let told = market.told().await;
        assert!(told["data"]["version"].as_u64().unwrap() > version, "never an older price");
        version = told["data"]["version"].as_u64().unwrap();
        if told["data"]["ask"] == "20.15" {
            break;
        }
    }
    let bad = [
        json!({"topic": "nonsense"}),
        json!({"topic": "positions", "from": 1}),
        json!({"topic": "orders", "from": 999_999}),
        json!({"topic": "orders", "filter": {"colour": "red"}}),
        json!({"topic": "orders", "max_hz": 1}),
        json!({"topic": "positions", "max_hz": 1}),
        json!({"topic": "risk", "max_hz": 0}),
        json!({"topic": "executions", "max_hz": 26}),
        json!({}),
    ];
    for mut request in bad {
        request["op"] = json!("subscribe");
        assert_eq!(Socket::expect(market.ask(request).await, 400)["body"]["code"], "VALIDATION_ERROR");
    }
    let unknown = market.ask(json!({"op": "subscribe", "topic": "orders", "filter": {"symbol": "NONE"}})).await;
    Socket::expect(unknown, 422);
}

/// Takes the events that a subscription tells until there are so many; their sequences, and the messages that they came in.
async fn sequences(socket: &mut Socket, many: usize) -> (Vec<u64>, usize) {
    let (mut told, mut messages) = (Vec::new(), 0);
    while told.len() < many {
        let message = socket.told().await;
        messages += 1;
        told.extend(message["data"].as_array().unwrap().iter().map(|event| event["sequence"].as_u64().unwrap()));
        assert!(told.last() <= message["sequence"].as_u64().as_ref(), "it reaches what it tells: {message}");
    }
    (told, messages)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_wants_to_be_told_seldom_is_told_all_of_it_together() {
    let desk = Desk::open().await;
    let mut eager = Socket::of(&desk.client).await;
    let mut seldom = Socket::of(&desk.client).await;
    eager.subscribe(json!({"topic": "executions"})).await;
    seldom.subscribe(json!({"topic": "executions", "max_hz": 1})).await;
    let began = std::time::Instant::now();
    let mut alone = 0;
    for _ in 0..8 {
        desk.place_filled(TRADING).await;
        alone += sequences(&mut eager, 1).await.1;
    }
    let (told, messages) = sequences(&mut seldom, 8).await;
    assert_eq!(alone, 8, "without it each is told as it comes");
    assert!(messages as u64 <= began.elapsed().as_secs() + 2, "{messages} messages in {:?}", began.elapsed());
    eager.subscribe(json!({"topic": "executions", "from": told[0] - 1})).await;
    assert_eq!(sequences(&mut eager, 8).await.0, told, "nothing is left out, nothing told twice");

    let mut market = Socket::of(&desk.client).await;
    market.subscribe(json!({"topic": "marketdata", "filter": {"symbols": ["AAPL"]}, "max_hz": 1})).await;
    let (began, mut messages) = (std::time::Instant::now(), 0);
    for cent in 10..40 {
        desk.quote("20.00", &format!("20.{cent}"));
        // The answer comes behind what the connection had to tell by then.
        Socket::expect(market.ask(json!({"op": "ping"})).await, 200);
    }
    loop {
        let told = market.told().await;
        messages += 1;
        if told["data"]["ask"] == "20.39" {
            break;
        }
    }
    assert!(messages <= began.elapsed().as_secs() + 2, "{messages} messages in {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_comes_in_a_header_or_in_the_first_message_and_never_in_the_address() {
    let sockets = Bounds { auth_time: Duration::from_millis(300), max_sockets: 1, max_subscriptions: 1, ..Bounds::default() };
    let desk = Desk::open_with(Config { sockets, ..Config::default() }).await;
    let key = desk.client.key.clone();
    assert_eq!(Socket::open(&desk.client, "/api/v1/ws", "x-api-key: oms_test_wrong\r\n").await.err(), Some(401));
    assert_eq!(Socket::open(&desk.client, &format!("/api/v1/ws?key={key}"), "").await.err(), Some(400));
    desk.client.get("/api/v1/ws").await.refused(400, "VALIDATION_ERROR");
    let open = async || loop {
        // The place of the one before is given back when it has ended.
        match Socket::open(&desk.client, "/api/v1/ws", "").await {
            Ok(socket) => return socket,
            Err(status) => assert_eq!(status, 503),
        }
    };
    let mut silent = open().await;
    assert!(matches!(silent.end().await, Got::Closed(CLOSE_UNAUTHENTICATED, _)));
    drop(silent);
    let mut hasty = open().await;
    Socket::expect(hasty.ask(json!({"op": "ping"})).await, 401);
    assert!(matches!(hasty.end().await, Got::Closed(CLOSE_UNAUTHENTICATED, _)));
    drop(hasty);
    let mut wrong = open().await;
    Socket::expect(wrong.ask(json!({"op": "auth", "key": "oms_test_wrong"})).await, 401);
    drop(wrong);
    let mut right = open().await;
    Socket::expect(right.ask(json!({"op": "auth", "key": key})).await, 200);
    assert!(Socket::expect(right.ask(json!({"op": "ping"})).await, 200)["body"]["sequence"].as_u64() > Some(0));
    right.subscribe(json!({"topic": "orders"})).await;
    let more = right.ask(json!({"op": "subscribe", "topic": "orders"})).await;
    assert_eq!(Socket::expect(more, 503)["body"]["code"], "OVERLOADED");
    assert_eq!(Socket::open(&desk.client, "/api/v1/ws", "").await.err(), Some(503), "there is one place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_frames_end_their_connection_and_nothing_else() {
    let desk = Desk::open_with(Config { max_body: 4_096, ..Config::default() }).await;
    let mut good = Socket::of(&desk.client).await;
    good.subscribe(json!({"topic": "orders"})).await;
    let large = vec![b' '; 5_000];
    let frames: [(u8, &[u8], bool, u16); 5] = [
        (0x80 | TEXT, &large, true, 1009),
        (0x80 | TEXT, &[0xff, 0xfe], true, 1002),
        (0x80 | TEXT, b"{}", false, 1002),
        (0xf0 | TEXT, b"{}", true, 1002),
        (0x80 | BINARY, b"{}", true, 1003),
    ];
    for (first, payload, masked, code) in frames {
        let mut socket = Socket::of(&desk.client).await;
        socket.frame(first, payload, masked).await;
        match socket.end().await {
            Got::Closed(found, why) => assert_eq!(found, code, "{why}"),
            other => panic!("{other:?}"),
        }
    }
    // What is no good message is refused, and the connection goes on.
    let mut socket = Socket::of(&desk.client).await;
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    for text in [
        deep.as_str(),
        "{",
        "[]",
        "{\"id\":\"a\",\"id\":\"b\"}",
        r#"{"id":"a"}"#,
        r#"{"id":"a","op":"dance"}"#,
        r#"{"id":"a","op":"ping","x":1}"#,
    ] {
        socket.text(text).await;
        let Got::Message(refused) = socket.next().await else { panic!("{text} is answered") };
        assert_eq!((&refused["status"], &refused["body"]["code"]), (&json!(400), &json!("VALIDATION_ERROR")), "{refused}");
    }
    // A message in fragments is one.
    let text = br#"{"id":"f","op":"ping"}"#;
    socket.frame(TEXT, &text[..5], true).await;
    socket.frame(0x80, &text[5..], true).await;
    let Got::Message(answer) = socket.next().await else { panic!("it is answered") };
    assert_eq!((&answer["id"], &answer["status"]), (&json!("f"), &json!(200)));
    // Too much of it in fragments is too much.
    for _ in 0..3 {
        socket.frame(0, &large[..2_000], true).await;
    }
    assert!(matches!(socket.end().await, Got::Closed(1002 | 1009, _)));
    desk.place(RESTING).await;
    assert_eq!(good.told().await["type"], "delta");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_is_dropped_and_delays_nobody() {
    let desk = Desk::open_with(Config { slow_client: Duration::from_secs(1), ..Config::default() }).await;
    let mut deaf = Socket::of(&desk.client).await;
    deaf.send(json!({"op": "subscribe", "topic": "orders"})).await;
    let mut good = Socket::of(&desk.client).await;
    let (opened, _) = good.subscribe(json!({"topic": "orders"})).await;
    let mut after = opened["sequence"].as_u64().unwrap();
    let mut known = BTreeMap::new();
    let slow = async || desk.client.get("/api/v1/metrics").await.expect(200).text().contains("oms_ws_slow_total 1");
    let metadata = format!(r#""metadata":{{"note":"{}"}},{RESTING}"#, "x".repeat(900));
    let begun = std::time::Instant::now();
    let mut placed = 0;
    while !slow().await {
        assert!(begun.elapsed() < PATIENCE * 4, "it is dropped in time, after {placed} orders");
        let orders: Vec<String> = (0..100).map(|_| order(&metadata)).collect();
        let batch = format!(r#"{{"atomic":true,"orders":[{}]}}"#, orders.join(","));
        desk.client.post("/api/v1/orders/batch", &[], &batch).await.expect(200);
        placed += 100;
        let last = desk.handle.durable().0;
        // The other one is told everything meanwhile: what is durable now comes, or what lies behind it.
        while after < last {
            let told = tokio::time::timeout(PATIENCE, good.told());
            let told = told.await.expect("the other goes on");
            after = told["sequence"].as_u64().unwrap();
            for order in told["data"].as_array().unwrap() {
                known.insert(order["order_id"].as_str().unwrap().to_owned(), ());
            }
            if known.len() >= placed {
                break;
            }
        }
    }
    // It may still read what the system holds for it, and its goodbye says where to go on.
    match deaf.end().await {
        Got::Closed(code, reason) => assert!(code == CLOSE_SLOW && reason.starts_with("resume from "), "{code} {reason}"),
        Got::Gone => (),
        other => panic!("{other:?}"),
    }
    assert_eq!(known.len(), placed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_go_with_the_connection_that_placed_them() {
    let mut desk = Desk::open().await;
    let mut stays = Socket::of(&desk.client).await;
    let kept = Socket::expect(stays.ask(json!({"op": "place", "body": body(RESTING)})).await, 201)["body"]["order_id"].clone();
    for close in [true, false] {
        let mut goes = Socket::of(&desk.client).await;
        Socket::expect(goes.ask(json!({"op": "auth", "cancel_on_disconnect": true})).await, 200);
        let placed = Socket::expect(goes.ask(json!({"op": "place", "body": body(RESTING)})).await, 201);
        let command: Value = serde_json::from_str(&format!(r#"{{"type":"OrderCreateCmd",{}"#, &order(RESTING)[1..])).unwrap();
        let executed = Socket::expect(goes.ask(json!({"op": "execute", "body": command})).await, 200);
        if close {
            goes.frame(0x88, &1000_u16.to_be_bytes(), true).await;
            assert!(matches!(goes.end().await, Got::Closed(1000, _)));
        }
        drop(goes);
        for id in [&placed["body"]["order_id"], &executed["body"]["ids"][0]] {
            let id: OrderId = id.as_str().unwrap().parse().unwrap();
            desk.until(|event| matches!(event, Event::OrderCanceled(e) if e.order_id == id)).await;
        }
    }
    let shown = desk.client.get(&format!("/api/v1/orders/{}", kept.as_str().unwrap())).await.expect(200);
    assert_eq!(shown.get("/state"), "LIVE", "another connection's stays");
    // The end of the server is the end of its connections.
    let mut last = Socket::of(&desk.client).await;
    last.subscribe(json!({"topic": "risk", "cancel_on_disconnect": true})).await;
    let placed = Socket::expect(last.ask(json!({"op": "place", "body": body(RESTING)})).await, 201);
    let id: OrderId = placed["body"]["order_id"].as_str().unwrap().parse().unwrap();
    let (_, end) = tokio::join!(desk.close(), last.end());
    assert!(matches!(&end, Got::Closed(1001, reason) if reason.starts_with("resume from ")), "{end:?}");
    desk.until(|event| matches!(event, Event::OrderCanceled(e) if e.order_id == id)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_ends_a_connection_and_a_dead_man_switch_is_armed_over_it() {
    let desk = Desk::open_with(Config { heartbeat: Duration::from_millis(200), ..Config::default() }).await;
    let account = desk.client.get("/api/v1/accounts").await.expect(200).get("/data/0/account_id");
    let scope = format!("ACCOUNT:{account}");
    let mut socket = Socket::of(&desk.client).await;
    let beat = json!({"op": "dead_man.beat", "body": {"scope": scope}});
    Socket::expect(socket.ask(beat.clone()).await, 404);
    Socket::expect(socket.ask(json!({"op": "dead_man.arm", "body": {"scope": scope, "timeout_s": 3600, "action": "CANCEL"}})).await, 200);
    Socket::expect(socket.ask(beat).await, 200);
    assert_eq!(desk.client.get("/api/v1/risk/dead-man").await.expect(200).get("/data/0/state"), "ARMED");
    // It is asked whether it is there, answers for a while, and is heard of no more.
    let (mut pings, mut beats) = (0, 0);
    while pings < 3 || beats < 3 {
        match socket.next().await {
            Got::Ping => pings += 1,
            Got::Message(message) => beats += u32::from(message["type"] == "heartbeat"),
            other => panic!("it answers, so it stays: {other:?}"),
        }
    }
    let mut dumb = Socket::of(&desk.client).await;
    assert!(matches!(dumb.deaf_end().await, Got::Closed(CLOSE_SILENT, _)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_of_messages_is_bounded_and_cancels_have_their_own() {
    let sockets = Bounds { max_rate: 5, ..Bounds::default() };
    let desk = Desk::open_with(Config { sockets, ..Config::default() }).await;
    let mut socket = Socket::of(&desk.client).await;
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(socket.send(json!({"op": "ping"})).await);
    }
    let cancel = socket.send(json!({"op": "cancel", "order": "cl_ord_id:none"})).await;
    let mut statuses = Vec::new();
    for id in ids {
        statuses.push(socket.answer(&id).await["status"].as_u64().unwrap());
    }
    assert!(statuses.starts_with(&[200; 5]) && statuses.contains(&429), "{statuses:?}");
    Socket::expect(socket.answer(&cancel).await, 404);
}
