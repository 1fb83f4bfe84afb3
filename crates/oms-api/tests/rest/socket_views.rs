//! Views of orders over a WebSocket: what they show, how they are grouped, and their bounds.

use crate::client::PATIENCE;
use crate::desk::{Desk, RESTING, TRADING};
use crate::socket::Socket;
use crate::sockets::settled;
use oms_api::Config;
use oms_model::event::Event;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a client of a view knows: its rows by number, and their order.
#[derive(Default)]
struct Seen {
    rows: BTreeMap<u64, Vec<Value>>,
    order: Vec<u64>,
    total: u64,
}

impl Seen {
    fn take(&mut self, frame: &Value) {
        for row in frame["rows"].as_array().into_iter().flatten().map(|row| row.as_array().unwrap()) {
            self.rows.insert(row[0].as_u64().unwrap(), row[1..].to_vec());
        }
        for cells in frame["cells"].as_array().into_iter().flatten().map(|cells| cells.as_array().unwrap()) {
            let row = self.rows.get_mut(&cells[0].as_u64().unwrap()).unwrap();
            for pair in cells[1..].chunks(2) {
                row[usize::try_from(pair[0].as_u64().unwrap()).unwrap()] = pair[1].clone();
            }
        }
        if let Some(order) = frame["order"].as_array() {
            self.order = order.iter().map(|line| line.as_u64().unwrap()).collect();
        }
        self.total = frame["total"].as_u64().unwrap();
    }

    fn shown(&self) -> Vec<Vec<Value>> {
        self.order.iter().map(|row| self.rows[row].clone()).collect()
    }
}

/// Takes frames of a view until it is as of `sequence`.
async fn frames(socket: &mut Socket, seen: &mut Seen, sequence: u64) {
    loop {
        let frame = socket.told().await;
        seen.take(&frame);
        if frame["sequence"].as_u64().unwrap() >= sequence {
            return;
        }
    }
}

fn view(more: Value) -> Value {
    let mut request =
        json!({"op": "view.open", "table": "orders", "columns": ["order_id", "order_qty", "ord_status", "version"], "size": 3});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_shows_what_a_sorted_list_shows_and_follows_it() {
    let desk = Desk::open().await;
    for qty in [300, 100, 200] {
        desk.place(&RESTING.replace("100", &qty.to_string())).await;
    }
    let mut socket = Socket::of(&desk.client).await;
    let asked = json!({"filter": {"ord_status__in": "LIVE,UNACK,NEW"}, "sort": "-order_qty"});
    let opened = Socket::expect(socket.ask(view(asked)).await, 200);
    assert_eq!(opened["body"], json!({"subscription": 1, "topic": "view", "sequence": null}));
    let first = socket.told().await;
    assert_eq!((&first["type"], &first["whole"], &first["offset"]), (&json!("snapshot"), &json!(true), &json!(0)));
    let mut seen = Seen::default();
    seen.take(&first);
    // More orders than it shows, one that is done, and one that is no more shown.
    let placed: Vec<String> = [
        desk.place(&RESTING.replace("100", "250")).await.get("/order_id"),
        desk.place(&RESTING.replace("100", "400")).await.get("/order_id"),
        desk.place_filled(TRADING).await.get("/order_id"),
    ]
    .into();
    desk.client.post(&format!("/api/v1/orders/{}/cancel", placed[1]), &[], "").await.expect(202);
    desk.until(|event| matches!(event, Event::OrderCanceled(e) if e.order_id.to_string() == placed[1])).await;
    // Everything that is durable by then is shown.
    let last = settled(&desk, &placed.iter().map(|id| id.parse().unwrap()).collect::<Vec<_>>()).await;
    frames(&mut socket, &mut seen, last).await;
    let rest = |offset: usize, seen: &Seen| {
        let (desk, total, shown) = (&desk, seen.total, seen.shown());
        async move {
            let listed = desk.client.get("/api/v1/orders?ord_status__in=LIVE,UNACK,NEW&sort=-order_qty").await.expect(200).json();
            let fields = ["order_id", "order_qty", "ord_status", "version"];
            let row = |order: &Value| fields.map(|field| order[field].clone()).to_vec();
            let listed: Vec<Vec<Value>> = listed["data"].as_array().unwrap().iter().map(row).collect();
            assert_eq!(total, listed.len() as u64);
            assert_eq!(shown, listed.into_iter().skip(offset).take(3).collect::<Vec<_>>());
        }
    };
    rest(0, &seen).await;
    // Another part of it, without another subscription.
    Socket::expect(socket.ask(json!({"op": "view.window", "subscription": 1, "offset": 2, "size": 3})).await, 200);
    loop {
        let frame = socket.told().await;
        seen.take(&frame);
        if frame["offset"] == 2 {
            break;
        }
    }
    rest(2, &seen).await;
    let metrics = desk.client.get("/api/v1/metrics").await.text();
    assert!(metrics.contains("oms_order_views 1") && metrics.contains("oms_order_view_indexes 1"), "{metrics}");
    Socket::expect(socket.ask(json!({"op": "unsubscribe", "subscription": 1})).await, 200);
    Socket::expect(socket.ask(json!({"op": "view.window", "subscription": 1, "size": 3})).await, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_are_counted_and_closed_here() {
    let desk = Desk::open().await;
    desk.place(RESTING).await;
    desk.place(RESTING).await;
    desk.place_filled(TRADING).await;
    let mut socket = Socket::of(&desk.client).await;
    let grouped = json!({"group_by": "ord_status", "columns": ["order_qty"], "collapse": ["FILLED"], "size": 10, "search": ["aapl"]});
    Socket::expect(socket.ask(view(grouped)).await, 200);
    let heads = |frame: &Value| -> Vec<Value> {
        frame["order"].as_array().into_iter().flatten().filter(|line| line.is_object()).cloned().collect()
    };
    let wanted = [json!({"group": "LIVE", "count": 2, "open": true}), json!({"group": "FILLED", "count": 1, "open": false})];
    loop {
        // The last of them may still be on its way to the venue when the view opens.
        let frame = socket.told().await;
        if heads(&frame) == wanted {
            assert_eq!((&frame["total"], &frame["lines"]), (&json!(3), &json!(4)));
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_are_bounded_and_refuse_what_they_do_not_know() {
    let mut config = Config::default();
    config.blotter.max_indexes = 2;
    let desk = Desk::open_with(config).await;
    let mut socket = Socket::of(&desk.client).await;
    for (bad, word) in [
        (json!({"table": "secrets"}), "table"),
        (json!({"columns": ["nope"]}), "nope"),
        (json!({"columns": []}), "columns"),
        (json!({"filter": {"nope": "1"}}), "nope"),
        (json!({"filter": {"price__gt": 1}}), "filter"),
        (json!({"sort": "nope"}), "nope"),
        (json!({"size": 501}), "size"),
        (json!({"max_hz": 0}), "max_hz"),
        (json!({"group_by": "updated_at"}), "group_by"),
        (json!({"topic": "orders"}), "topic"),
    ] {
        let answer = Socket::expect(socket.ask(view(bad)).await, 400);
        assert!(answer["body"]["message"].as_str().unwrap().contains(word), "{answer}");
    }
    // Views that ask for the same share an index; a third one has no place until one is given back.
    for (more, status) in [("BUY", 200), ("SELL", 200), ("BUY", 200), ("SELL_SHORT", 503)] {
        Socket::expect(socket.ask(view(json!({"filter": {"side": more}}))).await, status);
    }
    Socket::expect(socket.ask(json!({"op": "unsubscribe", "subscription": 2})).await, 200);
    tokio::time::timeout(PATIENCE, async {
        // The thread of the views gives it back at its next turn.
        while socket.ask(view(json!({"filter": {"side": "SELL_SHORT"}}))).await["status"] != 200 {}
    })
    .await
    .unwrap();
}
