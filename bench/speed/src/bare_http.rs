//! What HTTP and the disk cost without an order management system between them: parse, journal, answer.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use oms_store::{EmbeddedJournal, EntryRef, Journal};
use serde::Deserialize;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::sync::oneshot;

/// Bytes journaled for each order: what `oms` writes for one.
const BYTES_EACH: usize = 1_600;
/// Bytes of the answer: about what `oms` answers.
const ANSWER: &str = r#"{"order_id":"01928000-0000-7000-8000-000000000000","root_order_id":"01928000-0000-7000-8000-000000000000","cl_ord_id":"C000000000000001","symbol":"IBM","side":"BUY","ord_type":"LIMIT","order_qty":"100","price":"177.25","time_in_force":"DAY","ord_status":"UNACK","state":"UNACK","pending":"NONE","cum_qty":"0","leaves_qty":"100","place_qty":"100","version":4,"created_at":"2026-11-20T14:30:00.000000000Z"}"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "parsed, as an order would be")]
struct Order {
    symbol: String,
    side: String,
    ord_type: String,
    order_qty: String,
    price: Option<String>,
    time_in_force: Option<String>,
    cl_ord_id: Option<String>,
}

type Waiting = oneshot::Sender<()>;

pub fn run(dir: &Path, listen: &str) {
    let journal = EmbeddedJournal::open_dir(dir, oms_store::Config::default()).unwrap();
    let (queue, orders) = sync_channel(8_192);
    std::thread::spawn(move || commit(journal, &orders));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ready = || async { "ready" };
        let app = axum::Router::new().route("/api/v1/orders", post(place)).route("/api/v1/health/ready", get(ready)).with_state(queue);
        let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
        println!("bare handler on {}", listener.local_addr().unwrap());
        axum::serve(listener, app).await.unwrap();
    });
}

async fn place(State(queue): State<SyncSender<Waiting>>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let known = headers.contains_key("x-api-key");
    let Ok(order) = serde_json::from_slice::<Order>(&body) else { return (StatusCode::BAD_REQUEST, "") };
    assert!(known && !order.symbol.is_empty());
    let (reply, durable) = oneshot::channel();
    if queue.try_send(reply).is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "");
    }
    durable.await.unwrap();
    (StatusCode::CREATED, ANSWER)
}

fn commit(mut journal: EmbeddedJournal, orders: &Receiver<Waiting>) {
    let epoch = journal.claim().unwrap();
    let body = vec![0x5A; BYTES_EACH];
    let mut last_seq = 0;
    while let Ok(first) = orders.recv() {
        let mut waiting = vec![first];
        waiting.extend(orders.try_iter().take(511));
        let entries: Vec<EntryRef<'_>> =
            (0..waiting.len() as u64).map(|at| EntryRef { first_seq: last_seq + 1 + at, count: 1, time_ns: 0, body: &body }).collect();
        last_seq = journal.append(epoch, &entries).unwrap().last_seq;
        for reply in waiting {
            // The client may have gone.
            let _ = reply.send(());
        }
    }
}
