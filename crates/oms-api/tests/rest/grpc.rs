//! gRPC over real sockets: the same desk through another door.

use crate::client::PATIENCE;
use crate::desk::{Desk, RESTING, TRADING, order};
use crate::wire::{Open, Refused, Wire, bare, get, json, message};
use oms_api::Config;
use oms_api::grpc::schema::{SCHEMA, services};
use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};
use serde_json::{Value as Json, json};
use std::time::Duration;
use tokio::time::timeout;
use tonic::Code;

fn resting(more: &Json) -> DynamicMessage {
    let mut fields = json!({"symbol": "AAPL", "side": "SIDE_BUY", "type": "ORD_TYPE_LIMIT", "qty": "100", "price": "19.00"});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    message("NewOrderRequest", &fields)
}

#[track_caller]
fn refused(answer: Result<DynamicMessage, Refused>, code: Code, reason: &str) -> Refused {
    let refused = answer.expect_err("a refusal");
    assert_eq!((refused.code, refused.reason.as_str()), (code, reason), "{refused:?}");
    assert_eq!(refused.details["trace_id"].len(), 32);
    refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_the_same_at_both_doors() {
    let desk = Desk::open().await;
    let wire = Wire::of(&desk.client).await;
    let asked = resting(&json!({"order_id": "mine", "metadata": {"note": "a plan", "n": 3, "deep": {"list": ["x", true, null]}},
        "routing": {"mode": "SOR_MODE_SPLIT"}, "time_in_force": "TIME_IN_FORCE_GTC"}));
    let (placed, headers) =
        wire.ask("Ingest/NewOrder", &[("traceparent", "00-000000000000000000000000000000ff-00f067aa0ba902b7-01")], &asked).await.unwrap();
    assert_eq!(headers["x-trace-id"], "000000000000000000000000000000ff");
    assert!(headers.contains_key("ratelimit-remaining") && headers["x-sequence"].to_str().unwrap() == get(&placed, "sequence"));
    let id = get(&placed, "order.order_id");
    // The venue's words may come between two looks: they are compared where there was none.
    let look =
        async || json(&wire.call("Query/GetOrder", &message("GetOrderRequest", &json!({"order_id": "cl_ord_id:mine"}))).await.unwrap());
    let (by_grpc, by_rest) = loop {
        let before = look().await;
        let by_rest = desk.client.get(&format!("/api/v1/orders/{id}")).await.expect(200).json();
        if look().await == before {
            break (before, by_rest);
        }
    };
    assert_eq!(bare(&by_grpc), bare(&by_rest));
    assert_eq!((by_rest["source"].as_str(), by_rest["cl_ord_id"].as_str()), (Some("GRPC"), Some("mine")));
    assert_eq!(by_rest["metadata"], json!({"deep": {"list": ["x", true, null]}, "n": 3, "note": "a plan"}));
    for (name, path, method) in [
        ("Query/SearchOrders", "/api/v1/orders?symbol=AAPL&limit=3", json!({"filter": {"symbol": "AAPL"}, "limit": 3})),
        ("Query/SearchPositions", "/api/v1/queries/positions/search", json!({})),
        ("Query/SearchExecutions", "/api/v1/queries/executions/search?last_qty__gte=1", json!({"filter": {"last_qty__gte": "1"}})),
    ] {
        let by_grpc = wire.call(name, &message("SearchRequest", &method)).await.unwrap();
        assert_eq!(bare(&json(&by_grpc)), bare(&desk.client.get(path).await.expect(200).json()), "{name}");
    }
    let last = wire.call("Query/GetLast", &message("GetLastRequest", &json!({"symbol": "AAPL"}))).await.unwrap();
    assert_eq!(bare(&json(&last)), bare(&desk.client.get("/api/v1/marketdata/last/AAPL").await.expect(200).json()));
    let status = wire.call("Risk/GetStatus", &message("GetRiskStatusRequest", &json!({}))).await.unwrap();
    assert_eq!(bare(&json(&status)), bare(&desk.client.get("/api/v1/risk/status").await.expect(200).json()));
    for (name, path) in [("Risk/Check", "/api/v1/orders/preview"), ("Sor/Preview", "/api/v1/sor/preview")] {
        let preview = json(&wire.call(name, &resting(&json!({"qty": "5"}))).await.unwrap());
        let by_rest = desk.client.post(path, &[], &order(r#""ord_type":"LIMIT","order_qty":"5","price":"19.00""#)).await.expect(200).json();
        assert_eq!(
            (&preview["accepted"], preview["checks"].as_array().unwrap().len()),
            (&json!(true), by_rest["checks"].as_array().unwrap().len())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_makes_a_request_repeatable_through_whichever_door() {
    let desk = Desk::open().await;
    let wire = Wire::of(&desk.client).await;
    let keyed = resting(&json!({"idempotency_key": "k1"}));
    let first = wire.call("Ingest/NewOrder", &keyed).await.unwrap();
    let again = wire.call("Ingest/NewOrder", &keyed).await.unwrap();
    assert_eq!((get(&first, "replayed"), get(&again, "replayed")), ("false".to_owned(), "true".to_owned()));
    assert_eq!(get(&first, "order.order_id"), get(&again, "order.order_id"));
    let by_metadata = wire.ask("Ingest/NewOrder", &[("idempotency-key", "k1")], &resting(&json!({}))).await.unwrap().0;
    assert_eq!(get(&by_metadata, "replayed"), "true");
    let by_rest = desk.client.post("/api/v1/orders", &[("idempotency-key", "k1")], &order(RESTING)).await.expect(201);
    assert_eq!((by_rest.header("idempotent-replay"), by_rest.get("/order_id")), (Some("true"), get(&first, "order.order_id")));
    let other = resting(&json!({"idempotency_key": "k1", "qty": "101"}));
    refused(wire.call("Ingest/NewOrder", &other).await, Code::InvalidArgument, "IDEMPOTENCY_CONFLICT");
    let twice = wire.ask("Ingest/NewOrder", &[("idempotency-key", "another")], &keyed).await.map(|(answer, _)| answer);
    assert_eq!(refused(twice, Code::InvalidArgument, "VALIDATION_ERROR").details["field"], "idempotency_key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_canceled_replaced_and_commanded() {
    let desk = Desk::open().await;
    let wire = Wire::of(&desk.client).await;
    wire.call("Ingest/NewOrder", &resting(&json!({"order_id": "a", "wait_s": 10}))).await.unwrap();
    let order = wire.call("Query/GetOrder", &message("GetOrderRequest", &json!({"order_id": "cl_ord_id:a"}))).await.unwrap();
    let version: u64 = get(&order, "version").parse().unwrap();
    let stale = message("ReplaceRequest", &json!({"order_id": "cl_ord_id:a", "order_qty": "60", "if_version": version + 7}));
    let why = refused(wire.call("Ingest/Replace", &stale).await, Code::Aborted, "VERSION_MISMATCH");
    assert_eq!(why.details["version"], version.to_string());
    let replace = message("ReplaceRequest", &json!({"order_id": "cl_ord_id:a", "order_qty": "60", "if_version": version, "wait_s": 10}));
    assert_eq!(get(&wire.call("Ingest/Replace", &replace).await.unwrap(), "status"), "APPLIED");
    let cancel = message("CancelRequest", &json!({"order_id": get(&order, "order_id"), "wait_s": 10}));
    assert_eq!(get(&wire.call("Ingest/Cancel", &cancel).await.unwrap(), "status"), "APPLIED");
    refused(wire.call("Ingest/Cancel", &cancel).await, Code::FailedPrecondition, "STATE_CONFLICT");
    wire.call("Ingest/NewOrder", &resting(&json!({"order_id": "b"}))).await.unwrap();
    let mass = wire.call("Ingest/MassCancel", &message("MassCancelRequest", &json!({"scope": "TENANT"}))).await.unwrap();
    assert_eq!(get(&mass, "count"), "1");
    let command = json!({"command": {"type": "OrderCreateCmd", "symbol": "AAPL", "side": "BUY", "ord_type": "LIMIT", "order_qty": "5", "price": "19.00"}});
    let done = wire.call("Ingest/Execute", &message("ExecuteRequest", &command)).await.unwrap();
    assert_eq!(get(&done, "status"), "APPLIED");
    let float = json!({"command": {"type": "OrderCreateCmd", "symbol": "AAPL", "side": "BUY", "ord_type": "LIMIT", "order_qty": "5", "price": 19.05}});
    refused(wire.call("Ingest/Execute", &message("ExecuteRequest", &float)).await, Code::InvalidArgument, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_refused_with_the_code_that_every_interface_has() {
    let desk = Desk::open_with(Config { max_body: 4_096, ..Config::default() }).await;
    let wire = Wire::of(&desk.client).await;
    let place = async |fields: Json| wire.call("Ingest/NewOrder", &resting(&fields)).await;
    refused(place(json!({"symbol": "NONE"})).await, Code::InvalidArgument, "UNKNOWN_SYMBOL");
    refused(place(json!({"price": "19.001"})).await, Code::InvalidArgument, "INVALID_TICK");
    assert_eq!(refused(place(json!({"qty": "much"})).await, Code::InvalidArgument, "VALIDATION_ERROR").details["field"], "order_qty");
    // A term that this server does not have, and a field that it does not know: a newer client means something by it.
    assert_eq!(refused(place(json!({"side": 77})).await, Code::InvalidArgument, "VALIDATION_ERROR").details["field"], "side");
    let mut unknown = resting(&json!({})).encode_to_vec();
    unknown.extend_from_slice(&[0xb8, 0x3e, 1]);
    let mut call = wire.open("oms.v1.Ingest/NewOrder", &[]).await;
    call.ask(&unknown, true);
    assert_eq!(call.next().await.unwrap_err().details["field"], "999");
    let mut call = wire.open("oms.v1.Ingest/NewOrder", &[]).await;
    call.ask(b"\xff\xff\xff", true);
    assert_eq!(call.next().await.unwrap_err().reason, "VALIDATION_ERROR");
    let before = desk.handle.durable();
    refused(place(json!({"metadata": {"long": "x".repeat(5_000)}})).await, Code::ResourceExhausted, "PAYLOAD_TOO_LARGE");
    let nobody = message("GetOrderRequest", &json!({"order_id": "11111111-1111-1111-1111-111111111111"}));
    refused(wire.call("Query/GetOrder", &nobody).await, Code::NotFound, "NOT_FOUND");
    refused(wire.call("Query/GetOrder", &message("GetOrderRequest", &json!({}))).await, Code::InvalidArgument, "VALIDATION_ERROR");
    for (name, value) in [("", ""), ("x-api-key", "oms_test_short"), ("authorization", "Bearer nonsense")] {
        refused(wire.as_of(name, value).call("Query/GetOrder", &nobody).await, Code::Unauthenticated, "UNAUTHENTICATED");
    }
    for path in ["oms.v1.Ingest/Nothing", "oms.v2.Ingest/NewOrder"] {
        let mut call = wire.open(path, &[]).await;
        call.ask(b"", true);
        assert_eq!(call.bytes().await.unwrap_err().code, Code::Unimplemented, "{path}");
    }
    assert_eq!(desk.handle.durable(), before, "nothing was done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_begun_after_its_deadline() {
    let desk = Desk::open().await;
    let wire = Wire::of(&desk.client).await;
    let before = desk.handle.durable();
    let late = wire.ask("Ingest/NewOrder", &[("grpc-timeout", "1n")], &resting(&json!({}))).await.unwrap_err();
    assert_eq!(late.code, Code::DeadlineExceeded);
    assert_eq!(
        wire.ask("Ingest/NewOrder", &[("grpc-timeout", "soon")], &resting(&json!({}))).await.unwrap_err().reason,
        "VALIDATION_ERROR"
    );
    assert_eq!(desk.handle.durable(), before);
    let mut events = wire.open("oms.v1.Stream/StreamEvents", &[("grpc-timeout", "150m")]).await;
    events.ask(&message("StreamEventsRequest", &json!({"from": 1})).encode_to_vec(), true);
    let (told, end) = events.ended().await;
    assert!(!told.is_empty());
    assert_eq!(end.unwrap_err().code, Code::DeadlineExceeded);
}

fn sequence(message: &DynamicMessage) -> u64 {
    get(message, "sequence").parse().unwrap()
}

/// Reads a stream up to this sequence.
async fn up_to(stream: &mut Open, last: u64) -> Vec<DynamicMessage> {
    let mut told = Vec::new();
    while told.last().is_none_or(|message| sequence(message) < last) {
        told.push(stream.told().await);
    }
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_those_of_rest_and_resume_at_any_sequence() {
    let desk = Desk::open().await;
    let wire = Wire::of(&desk.client).await;
    desk.place_filled(TRADING).await;
    let last = desk.handle.durable().0;
    let mut by_rest = desk.client.stream("/api/v1/events/stream?from=1", &[]).await;
    let expected: Vec<Json> = by_rest.take(usize::try_from(last).unwrap()).await.into_iter().map(|sent| sent.data).collect();
    for from in [1, last / 2, last] {
        let mut stream = wire.stream("Stream/StreamEvents", &message("StreamEventsRequest", &json!({"from": from}))).await;
        let told = up_to(&mut stream, last).await;
        let expected = &expected[usize::try_from(from - 1).unwrap()..];
        assert_eq!(told.len(), expected.len(), "from {from}");
        for (told, expected) in told.iter().zip(expected) {
            assert_eq!(bare(&json(told)), bare(expected));
        }
    }
    let only = message("StreamEventsRequest", &json!({"from": 1, "types": ["OrderCreated", "OrderFilled"]}));
    let mut stream = wire.stream("Stream/StreamEvents", &only).await;
    assert_eq!(get(&stream.told().await, "type"), "OrderCreated");
    let beyond = message("StreamEventsRequest", &json!({"from": last + 1_000}));
    let mut stream = wire.stream("Stream/StreamEvents", &beyond).await;
    assert_eq!(stream.next().await.unwrap_err().reason, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_and_executions_are_told_from_a_snapshot_or_a_sequence_on() {
    let desk = Desk::open().await;
    let wire = Wire::of(&desk.client).await;
    let first = desk.place(RESTING).await.get("/order_id");
    let mut orders = wire.stream("Stream/StreamOrders", &message("StreamOrdersRequest", &json!({"symbol": "AAPL"}))).await;
    let snapshot = orders.told().await;
    assert_eq!((get(&snapshot, "type"), get(&snapshot, "last")), ("snapshot".to_owned(), "true".to_owned()));
    assert!(format!("{snapshot:?}").contains(&first));
    let mut executions = wire.stream("Stream/StreamExecutions", &message("StreamExecutionsRequest", &json!({}))).await;
    // It tells what comes after it began, which a round trip on its connection shows.
    wire.call("Risk/GetStatus", &message("GetRiskStatusRequest", &json!({}))).await.unwrap();
    let filled = desk.place_filled(TRADING).await.get("/order_id");
    let mut seen = sequence(&snapshot);
    let mut told = Vec::new();
    loop {
        let update = orders.told().await;
        assert!(sequence(&update) > seen, "they come in order");
        seen = sequence(&update);
        let text = json(&update).to_string();
        told.push(update);
        if text.contains(&filled) && text.contains("\"FILLED\"") {
            break;
        }
    }
    assert!(json(&executions.told().await).to_string().contains("ExecutionRecorded"));
    let resume = message("StreamOrdersRequest", &json!({"symbol": "AAPL", "after": sequence(&snapshot)}));
    let mut resumed = wire.stream("Stream/StreamOrders", &resume).await;
    for update in &told {
        assert_eq!(json(&resumed.told().await), json(update), "the same as without a gap");
    }
    let mut market = wire.stream("Stream/StreamMarketData", &message("StreamMarketDataRequest", &json!({"symbols": ["AAPL"]}))).await;
    assert_eq!(get(&market.told().await, "bid"), "20");
    desk.quote("20.03", "20.08");
    while get(&market.told().await, "bid") != "20.03" {}
}

/// Whoever takes nothing is cut off, told where to resume, and misses nothing by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_is_cut_off_with_its_cursor() {
    let desk = Desk::open_with(Config { slow_client: Duration::from_millis(100), ..Config::default() }).await;
    for _ in 0..150 {
        desk.place(TRADING).await;
    }
    let last = desk.handle.durable().0;
    let wire = Wire::with_window(&desk.client, 16 * 1024).await;
    let mut slow = wire.stream("Stream/StreamEvents", &message("StreamEventsRequest", &json!({"from": 1}))).await;
    let mut told = vec![slow.told().await];
    // Its place is free again once it is given up.
    let gone = async { while streams(&desk).await != "0" {} };
    timeout(PATIENCE, gone).await.unwrap();
    let (more, end) = slow.ended().await;
    told.extend(more);
    let refused = end.unwrap_err();
    assert_eq!((refused.code, refused.reason.as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    let cursor: u64 = refused.details["sequence"].parse().unwrap();
    assert_eq!(told.last().map(sequence), Some(cursor), "what was told goes up to the cursor");
    assert!(cursor < last, "it was cut off on the way");
    // Where this machine is too busy to take it in time, it is cut off again, and goes on from there.
    let mut cursor = cursor;
    while cursor < last {
        let mut resumed = wire.stream("Stream/StreamEvents", &message("StreamEventsRequest", &json!({"from": cursor + 1}))).await;
        while cursor < last {
            match resumed.next().await {
                Ok(more) => told.push(more.expect("the stream goes on")),
                Err(refused) => {
                    assert_eq!(refused.reason, "OVERLOADED");
                    break;
                }
            }
            cursor = told.last().map(sequence).unwrap();
        }
    }
    let sequences: Vec<u64> = told.iter().map(sequence).take(usize::try_from(last).unwrap()).collect();
    assert_eq!(sequences, (1..=last).collect::<Vec<_>>(), "without a gap");
}

async fn streams(desk: &Desk) -> String {
    let metrics = desk.client.get("/api/v1/metrics").await.expect(200).text();
    let line = metrics.lines().find(|line| line.starts_with("oms_streams "));
    line.unwrap_or_else(|| panic!("{metrics}")).rsplit(' ').next().unwrap().to_owned()
}

fn entry(id: &str, field: &str, inner: DynamicMessage) -> Vec<u8> {
    let mut entry = message("OrderEntryRequest", &json!({"request_id": id}));
    entry.set_field_by_name(field, Value::Message(inner));
    entry.encode_to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_entry_keeps_the_order_of_its_messages() {
    let desk = Desk::open().await;
    let wire = Wire::of(&desk.client).await;
    let mut stream = wire.open("oms.v1.Ingest/OrderEntry", &[]).await;
    for n in 0..30 {
        let name = format!("o{n}");
        stream.ask(&entry(&format!("{n}"), "new_order", resting(&json!({"order_id": name}))), false);
        let cancel = message("CancelRequest", &json!({"order_id": format!("cl_ord_id:{name}"), "wait_s": 10}));
        stream.ask(&entry(&format!("c{n}"), "cancel", cancel), false);
    }
    let replace = message("ReplaceRequest", &json!({"order_id": "cl_ord_id:nobody", "order_qty": "1"}));
    stream.ask(&entry("r", "replace", replace), false);
    stream.ask(&message("OrderEntryRequest", &json!({"request_id": "empty"})).encode_to_vec(), false);
    stream.ask(&message("OrderEntryRequest", &json!({})).encode_to_vec(), true);
    let (told, end) = stream.ended().await;
    end.unwrap();
    assert_eq!(told.len(), 63);
    let field = |message: &DynamicMessage| {
        ["new_order", "cancel", "replace", "error"].into_iter().find(|name| message.has_field_by_name(name)).unwrap()
    };
    for answer in &told {
        let id = get(answer, "request_id");
        let (expected, told) = match id.as_str() {
            "r" | "empty" | "" => ("error", String::new()),
            id if id.starts_with('c') => ("cancel", get(answer, "cancel.status")),
            _ => ("new_order", get(answer, "new_order.status")),
        };
        assert_eq!(field(answer), expected, "{id}: {answer:?}");
        assert!(expected != "cancel" || told == "APPLIED", "{id}: a cancel never overtakes its order: {told}");
    }
    let error = told.iter().find(|answer| get(answer, "request_id") == "r").unwrap();
    assert_eq!(json(error)["error"]["code"], "NOT_FOUND");
    // What belongs to one message belongs not to all of them.
    let mut stream = wire.open("oms.v1.Ingest/OrderEntry", &[("idempotency-key", "k")]).await;
    stream.end();
    assert_eq!(stream.next().await.unwrap_err().reason, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_are_those_of_rest() {
    let rates = oms_api::rate::Rates { write: 1, ..oms_api::rate::Rates::default() };
    let desk = Desk::open_with(Config { rates, ..Config::default() }).await;
    let wire = Wire::of(&desk.client).await;
    desk.place(RESTING).await;
    wire.call("Ingest/NewOrder", &resting(&json!({}))).await.unwrap();
    let refused = refused(wire.call("Ingest/NewOrder", &resting(&json!({}))).await, Code::ResourceExhausted, "RATE_LIMITED");
    assert!(refused.details.contains_key("retry_after_s"));
    wire.call("Ingest/MassCancel", &message("MassCancelRequest", &json!({"scope": "TENANT"}))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_says_that_it_is_well_and_what_it_serves() {
    let desk = Desk::open().await;
    let wire = Wire::of(&desk.client).await.as_of("", "");
    for (service, expected) in [("", Ok(1)), ("oms.v1.Ingest", Ok(1)), ("oms.v1.Nothing", Err(Code::NotFound))] {
        let mut call = wire.open("grpc.health.v1.Health/Check", &[]).await;
        call.ask(&tonic_health::pb::HealthCheckRequest { service: service.to_owned() }.encode_to_vec(), true);
        let status = call.bytes().await.map(|bytes| tonic_health::pb::HealthCheckResponse::decode(bytes.unwrap()).unwrap().status);
        assert_eq!(status.map_err(|refused| refused.code), expected, "{service}");
    }
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    let list = tonic_reflection::pb::v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut call = wire.open("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", &[]).await;
    call.ask(&list.encode_to_vec(), true);
    let listed = format!("{:?}", tonic_reflection::pb::v1::ServerReflectionResponse::decode(call.bytes().await.unwrap().unwrap()).unwrap());
    assert!(services().len() >= 5 && services().iter().all(|name| listed.contains(name)), "{listed}");
    assert!(listed.contains("grpc.health.v1.Health") && !SCHEMA.methods.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_end_streams_are_told_and_nothing_is_lost() {
    let mut desk = Desk::open().await;
    let wire = Wire::of(&desk.client).await;
    let mut events = wire.stream("Stream/StreamEvents", &message("StreamEventsRequest", &json!({"from": 1}))).await;
    let mut orders = wire.stream("Stream/StreamOrders", &message("StreamOrdersRequest", &json!({}))).await;
    let mut entry = wire.open("oms.v1.Ingest/OrderEntry", &[]).await;
    entry.ask(&self::entry("1", "new_order", resting(&json!({}))), false);
    entry.told().await;
    let last = desk.handle.durable().0;
    up_to(&mut events, last).await;
    orders.told().await;
    timeout(PATIENCE, desk.close()).await.unwrap();
    for mut stream in [events, orders, entry] {
        assert_eq!(stream.ended().await.1.unwrap_err().code, Code::Unavailable);
    }
}
