//! gRPC of the real desk: the generated client through a day and a kill, over TLS with certificates of clients, and a client of
//! another people's making that knows nothing but reflection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use oms_e2e::grpc::v1::{
    self, CancelRequest, Event, GetLastRequest, GetOrderRequest, NewOrderRequest, OrdStatus, OrdType, Side, StreamEventsRequest,
    StreamExecutionsRequest, StreamOrdersRequest, TimeInForce,
};
use oms_e2e::grpc::{Client, address};
use oms_e2e::server::{Home, Launch, Server};
use oms_e2e::{PATIENCE, until};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::path::Path;
use std::process::Command;
use tokio::time::timeout;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use tonic::{Code, Streaming};
use tonic_types::StatusExt as _;

fn launch() -> Launch {
    Launch::default().with("OMS_GRPC_LISTEN", "127.0.0.1:0")
}

/// A desk that serves, with a market in BAC.
async fn start(home: &Home, launch: &Launch) -> Server {
    let (path, launch) = (home.path().to_owned(), launch.clone());
    let started = move || {
        let server = Server::start(&path, &launch);
        until("a market", || {
            let market = server.client().read("/marketdata/last/BAC");
            if market["bid"].is_string() && market["ask"].is_string() { Ok(()) } else { Err(market.to_string()) }
        });
        server
    };
    tokio::task::spawn_blocking(started).await.unwrap()
}

fn order(name: &str, kind: OrdType, qty: &str, price: &str) -> NewOrderRequest {
    NewOrderRequest {
        order_id: name.to_owned(),
        symbol: "BAC".to_owned(),
        side: Side::Buy.into(),
        r#type: kind.into(),
        qty: qty.to_owned(),
        price: price.to_owned(),
        idempotency_key: format!("key of {name}"),
        time_in_force: TimeInForce::Day.into(),
        ..NewOrderRequest::default()
    }
}

/// A price at which an order to buy rests: what is bid without its cents, which is within the collar of a demo desk.
async fn resting(client: &mut Client) -> String {
    let market = client.query.get_last(GetLastRequest { symbol: "BAC".to_owned() }).await.unwrap().into_inner();
    let bid = market.bid.unwrap();
    bid.split('.').next().unwrap().to_owned()
}

async fn next<T>(stream: &mut Streaming<T>) -> T {
    timeout(PATIENCE, stream.message()).await.expect("something comes in time").unwrap().expect("the stream goes on")
}

/// Reads events until the order with this id is filled.
async fn until_filled(stream: &mut Streaming<Event>, order_id: &str, seen: &mut Vec<Event>) {
    loop {
        let event = next(stream).await;
        let done = event.r#type == "OrderFilled" && event.order_id.as_deref() == Some(order_id);
        seen.push(event);
        if done {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generated_client_trades_and_misses_nothing_over_a_kill() {
    let home = Home::new("grpc");
    let server = start(&home, &launch()).await;
    let mut client = Client::of(&server).await;
    let mut events = client.stream.stream_events(StreamEventsRequest { from: Some(1), types: Vec::new() }).await.unwrap().into_inner();
    let mut orders = client.stream.stream_orders(StreamOrdersRequest::default()).await.unwrap().into_inner();
    let mut executions = client.stream.stream_executions(StreamExecutionsRequest::default()).await.unwrap().into_inner();
    assert_eq!(next(&mut orders).await.r#type, "snapshot");

    let bought = order("G-1", OrdType::Market, "300", "");
    let placed = client.ingest.new_order(bought.clone()).await.unwrap();
    assert_eq!(placed.metadata().get("x-trace-id").unwrap().len(), 32);
    let placed = placed.into_inner();
    let id = placed.order.as_ref().unwrap().order_id.clone();
    assert!(!placed.replayed && placed.sequence > 0 && !placed.status.is_empty());
    let mut seen = Vec::new();
    until_filled(&mut events, &id, &mut seen).await;
    loop {
        let update = next(&mut orders).await;
        if update.data.iter().any(|order| order.order_id == id && order.ord_status() == OrdStatus::Filled && order.cum_qty == "300") {
            break;
        }
    }
    assert_eq!(next(&mut executions).await.data[0].r#type, "ExecutionRecorded");
    let again = client.ingest.new_order(bought.clone()).await.unwrap().into_inner();
    assert!(again.replayed && again.order == placed.order, "{again:?}");

    let price = resting(&mut client).await;
    client.ingest.new_order(order("G-2", OrdType::Limit, "100", &price)).await.unwrap();
    let cancel = CancelRequest { order_id: "cl_ord_id:G-2".to_owned(), wait_s: Some(10), ..CancelRequest::default() };
    assert_eq!(client.ingest.cancel(cancel.clone()).await.unwrap().into_inner().status, "APPLIED");
    let refused = client.ingest.cancel(cancel).await.unwrap_err();
    let info = refused.get_details_error_info().unwrap();
    assert_eq!((refused.code(), info.reason.as_str(), info.domain.as_str()), (Code::FailedPrecondition, "STATE_CONFLICT", "oms"));

    server.kill();
    assert!(
        timeout(PATIENCE, async {
            while let Ok(Some(event)) = events.message().await {
                seen.push(event)
            }
        })
        .await
        .is_ok()
    );
    let last = seen.last().unwrap().sequence;
    let server = start(&home, &launch()).await;
    let mut client = Client::of(&server).await;
    let replayed = client.ingest.new_order(bought).await.unwrap().into_inner();
    assert!(replayed.replayed && replayed.order == placed.order, "the first answer, after a kill too");
    let from = StreamEventsRequest { from: Some(last + 1), types: Vec::new() };
    let mut events = client.stream.stream_events(from).await.unwrap().into_inner();
    let third = client.ingest.new_order(order("G-3", OrdType::Market, "100", "")).await.unwrap().into_inner();
    until_filled(&mut events, &third.order.unwrap().order_id, &mut seen).await;
    let sequences: Vec<u64> = seen.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=seen.len() as u64).collect::<Vec<_>>(), "without a gap and without a double");
    let order = client.query.get_order(GetOrderRequest { order_id: id, as_of: None }).await.unwrap().into_inner();
    assert_eq!((order.ord_status(), order.source()), (OrdStatus::Filled, v1::Source::Grpc));
    drop((events, orders, executions, client));
    tokio::task::spawn_blocking(|| server.stop()).await.unwrap();
}

struct Issued {
    certificate: String,
    key: String,
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn issue(by: &CertifiedIssuer<'static, KeyPair>) -> Issued {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    Issued { certificate: params.signed_by(&key, by).unwrap().pem(), key: key.serialize_pem() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_clients_show_who_vouches_for_them() {
    let home = Home::new("grpc-tls");
    let (desks, clients) = (authority("the desk's"), authority("the clients'"));
    let own = issue(&desks);
    let path = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let launch = launch()
        .with("OMS_TLS_CERTIFICATE", &path("tls.crt", &own.certificate))
        .with("OMS_TLS_KEY", &path("tls.key", &own.key))
        .with("OMS_GRPC_CLIENTS", &path("clients.pem", &clients.pem()));
    let (dir, launched) = (home.path().to_owned(), launch.clone());
    let mut process = tokio::task::spawn_blocking(move || oms_e2e::server::Process::start(&dir, &launched)).await.unwrap();
    process.greeted(PATIENCE).expect("it starts");
    let grpc = address(&process);
    let key = std::fs::read_to_string(home.path().join("demo-api-key")).unwrap().trim().to_owned();
    let connect = async |identity: Option<Identity>| {
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(desks.pem())).domain_name("localhost");
        let tls = identity.map_or(tls.clone(), |identity| tls.identity(identity));
        let channel = Channel::from_shared(format!("https://{grpc}")).unwrap().tls_config(tls).unwrap().connect().await?;
        let mut client = Client::over(&channel, &key);
        client.risk.get_status(v1::GetRiskStatusRequest {}).await?;
        Ok::<(), Box<dyn std::error::Error>>(())
    };
    let (good, stranger) = (issue(&clients), issue(&desks));
    connect(Some(Identity::from_pem(&good.certificate, &good.key))).await.unwrap();
    assert!(connect(None).await.is_err(), "without a certificate nobody gets in");
    assert!(connect(Some(Identity::from_pem(&stranger.certificate, &stranger.key))).await.is_err(), "nor with one of somebody else");
    tokio::task::spawn_blocking(|| process.terminate()).await.unwrap();
}

/// The environment of the foreign client: made once, beside what is built.
fn python() -> std::path::PathBuf {
    let wanted = concat!(env!("CARGO_MANIFEST_DIR"), "/foreign/requirements-grpc.txt");
    let requirements = std::fs::read_to_string(wanted).unwrap();
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).ancestors().nth(1).unwrap().join("tools/grpc");
    let (python, mark) = (home.join("bin/python"), home.join("installed.txt"));
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == requirements) {
        return python;
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home).status().expect("python3 with venv is needed");
    assert!(made.success(), "no environment for the client");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", wanted];
    assert!(Command::new(&python).args(pip).status().unwrap().success(), "the client cannot be installed");
    std::fs::write(mark, requirements).unwrap();
    python
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_another_make_learns_everything_by_reflection() {
    let home = Home::new("grpc-foreign");
    let server = start(&home, &launch()).await;
    let (listens, key) = (address(server.process()).to_string(), server.key().to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/foreign/grpc_client.py");
    let told = tokio::task::spawn_blocking(move || Command::new(python()).args([script, &listens, &key]).output().unwrap()).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success() && out.trim_end().ends_with("PASSED"), "{out}\n{err}");
    tokio::task::spawn_blocking(|| server.stop()).await.unwrap();
}
