//! QuickFIX as the other side, both ways.
//!
//! Needs its library and headers (Debian: `libquickfix-dev`) and g++. Where they are missing the test
//! installs them, and fails with what to do if it cannot.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "quickfix/cut.rs"]
mod cut;
#[path = "quickfix/peer.rs"]
mod peer;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cut::Cuttable;
use oms_fix::codec::scan::View;
use oms_fix::session::Phase;
use oms_fix::session::config::{Config, Role, SessionId};
use oms_fix::session::outbox::Outgoing;
use oms_fix::session::schedule::Schedule;
use oms_fix::store::{JournalStore, MemoryStore};
use oms_fix::tags;
use oms_fix::transport::{Application, Endpoint, Engine, ListenerConfig, Reconnect, SessionHandle, SessionSpec};
use oms_store::MemoryJournal;
use peer::Peer;
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(20);

/// Tells what comes, and answers orders with a report if it is to.
struct Desk {
    seen: mpsc::UnboundedSender<(String, String)>,
    answers: bool,
    count: Arc<Mutex<u32>>,
}

impl Application for Desk {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, replies: &mut Vec<Outgoing>) {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let id = message.get(tags::CL_ORD_ID).map(text).unwrap_or_default();
        if self.answers && message.msg_type() == b"D" {
            let mut count = self.count.lock().unwrap();
            *count += 1;
            let mut report = Outgoing::new(b"8");
            let body = report.body.text(6, "0").text(11, &id).text(14, "0").text(17, &format!("E{count}")).text(37, &format!("O{count}"));
            body.text(38, "100").text(39, "0").text(54, "1").text(55, "IBM").text(150, "0").text(151, "100");
            replies.push(report);
        }
        // The test may have ended.
        let _ = self.seen.send((text(message.msg_type()), id));
    }
}

fn order(id: &str) -> Outgoing {
    let mut order = Outgoing::new(b"D");
    let body = order.body.text(11, id).text(21, "1").text(38, "100").text(40, "2").text(44, "10.25").text(54, "1").text(55, "IBM");
    body.text(60, "20261127-10:00:00.000");
    order
}

fn spec(role: Role, answers: bool) -> (SessionSpec, mpsc::UnboundedReceiver<(String, String)>, JournalStore) {
    let id = match role {
        Role::Initiator => SessionId::fix44("OMS", "QF"),
        Role::Acceptor => SessionId::fix44("OMS", "QF"),
    };
    let (seen, received) = mpsc::unbounded_channel();
    let journal = JournalStore::open(Box::new(MemoryJournal::new(1))).unwrap();
    let desk = Desk { seen, answers, count: Arc::default() };
    let mut spec = SessionSpec::new(Config::new(id.clone(), role), Box::new(journal.session(&id)), Box::new(desk));
    spec.reconnect = Reconnect { first: Duration::from_millis(100), longest: Duration::from_millis(400), ..Reconnect::default() };
    (spec, received, journal)
}

async fn phase(handle: &SessionHandle, wanted: Phase) {
    let mut phase = handle.phase();
    tokio::time::timeout(PATIENCE, phase.wait_for(|phase| *phase == wanted)).await.expect("in time").expect("the session runs");
}

async fn take(seen: &mut mpsc::UnboundedReceiver<(String, String)>, count: usize) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while found.len() < count {
        found.push(
            tokio::time::timeout(PATIENCE, seen.recv())
                .await
                .unwrap_or_else(|_| panic!("{count} expected, {found:?}"))
                .expect("the session runs"),
        );
    }
    found
}

fn expected(msg_type: &str, ids: std::ops::Range<u32>) -> Vec<(String, String)> {
    ids.map(|id| (msg_type.to_owned(), format!("id{id}"))).collect()
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_initiator_orders_are_answered_over_cuts_and_resets() {
    let port = free_port();
    let mut quickfix = Peer::start("acceptor", port, "QF", "OMS");
    quickfix.until("ready");
    let line = Cuttable::start(port).await;
    let (mut spec, mut seen, _journal) = spec(Role::Initiator, false);
    spec.endpoints = vec![Endpoint::plain(&line.address())];
    let engine = Engine::new();
    let handle = engine.add(spec).unwrap();
    phase(&handle, Phase::Up).await;
    for id in 0..20 {
        handle.send(order(&format!("id{id}"))).await.unwrap();
    }
    assert_eq!(take(&mut seen, 20).await, expected("8", 0..20));

    // Reports are lost on the way, then the line is cut: they are asked for, each comes once.
    line.lose_from_server(true);
    for id in 20..40 {
        handle.send(order(&format!("id{id}"))).await.unwrap();
    }
    quickfix.until("received D id39");
    line.cut();
    line.lose_from_server(false);
    phase(&handle, Phase::Up).await;
    assert_eq!(take(&mut seen, 20).await, expected("8", 20..40));

    // Orders are lost on the way: the other side asks for them.
    line.lose_from_client(true);
    for id in 40..60 {
        handle.send(order(&format!("id{id}"))).await.unwrap();
    }
    line.lost_from_client(20).await;
    line.cut();
    line.lose_from_client(false);
    assert_eq!(take(&mut seen, 20).await, expected("8", 40..60));
    let told = quickfix.until("received D id59");
    assert_eq!(told.iter().filter(|line| line.contains("received D id45")).count(), 1, "{told:?}");

    // Both sides start at 1 again, by agreement, and go on.
    phase(&handle, Phase::Up).await;
    handle.reset().await.unwrap();
    handle.send(order("id60")).await.unwrap();
    assert_eq!(take(&mut seen, 1).await, expected("8", 60..61));
    let (next_in, next_out) = handle.numbers();
    assert!(next_in <= 4 && next_out <= 4, "{next_in} {next_out}");

    // A number is set by hand, told by SequenceReset.
    handle.set_next_out(100).await.unwrap();
    handle.send(order("id61")).await.unwrap();
    assert_eq!(take(&mut seen, 1).await, expected("8", 61..62));
    assert_eq!(handle.numbers().1, 101);

    handle.logout("done").await.unwrap();
    quickfix.until("admin 5 done");
    assert!(engine.remove(handle.id()).await);
    quickfix.quit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_acceptor_orders_are_taken_over_cuts_and_resets() {
    let (spec, mut seen, _journal) = spec(Role::Acceptor, true);
    let engine = Engine::new();
    let handle = engine.add(spec).unwrap();
    let listener = engine.listen(ListenerConfig::new((Ipv4Addr::LOCALHOST, 0).into())).await.unwrap();
    let line = Cuttable::start(listener.address().port()).await;
    let mut quickfix = Peer::start("initiator", line.port(), "QF", "OMS");
    quickfix.until("logon");
    phase(&handle, Phase::Up).await;
    for id in 0..20 {
        quickfix.say(&format!("order id{id}"));
    }
    assert_eq!(take(&mut seen, 20).await, expected("D", 0..20));
    quickfix.until("received 8 id19");

    // Orders are lost, the line is cut: this side asks, each order is processed once.
    line.lose_from_client(true);
    for id in 20..40 {
        quickfix.say(&format!("order id{id}"));
    }
    line.lost_from_client(20).await;
    line.cut();
    line.lose_from_client(false);
    assert_eq!(take(&mut seen, 20).await, expected("D", 20..40));
    quickfix.until("received 8 id39");

    // Reports are lost: the other side asks, and gets them as possible duplicates.
    phase(&handle, Phase::Up).await;
    line.lose_from_server(true);
    for id in 40..45 {
        quickfix.say(&format!("order id{id}"));
    }
    assert_eq!(take(&mut seen, 5).await, expected("D", 40..45));
    line.lost_from_server(5).await;
    line.cut();
    line.lose_from_server(false);
    quickfix.until("received 8 id44 Y");

    // Its numbers jump: what never was is filled by gap fills.
    phase(&handle, Phase::Up).await;
    quickfix.say("nextout 500");
    quickfix.say("order id45");
    assert_eq!(take(&mut seen, 1).await, expected("D", 45..46));
    quickfix.until("received 8 id45");
    assert!(500 < handle.numbers().0);

    quickfix.say("logout");
    quickfix.until("logout");
    phase(&handle, Phase::Down).await;
    quickfix.quit();
    assert!(engine.remove(handle.id()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_sides_reset_is_taken_as_acceptor() {
    let (mut spec, mut seen, _journal) = spec(Role::Acceptor, true);
    spec.store = Box::<MemoryStore>::default();
    let engine = Engine::new();
    let handle = engine.add(spec).unwrap();
    let listener = engine.listen(ListenerConfig::new((Ipv4Addr::LOCALHOST, 0).into())).await.unwrap();
    let mut quickfix = Peer::start("initiator", listener.address().port(), "QF", "OMS");
    quickfix.until("logon");
    quickfix.say("order id0");
    assert_eq!(take(&mut seen, 1).await, expected("D", 0..1));
    handle.set_next_out(50).await.unwrap();
    quickfix.say("order id1");
    assert_eq!(take(&mut seen, 1).await, expected("D", 1..2));
    quickfix.until("received 8 id1");
    assert_eq!(handle.numbers().1, 51);
    quickfix.quit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_begin_anew_with_the_day() {
    // The day ends in a moment, and the next begins a second later.
    let in_seconds = |seconds| {
        let at = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        at.strftime("%H:%M:%S").to_string()
    };
    let (closes, opens) = (in_seconds(5), in_seconds(6));
    let (mut spec, mut seen, _journal) = spec(Role::Acceptor, true);
    spec.config.schedule = Some(Schedule::read("UTC", &opens, &closes, &[], &[]).unwrap());
    let engine = Engine::new();
    let handle = engine.add(spec).unwrap();
    let listener = engine.listen(ListenerConfig::new((Ipv4Addr::LOCALHOST, 0).into())).await.unwrap();
    let mut quickfix = Peer::with_hours("initiator", listener.address().port(), "QF", "OMS", &format!("{opens}-{closes}"));
    quickfix.until("logon");
    for id in 0..10 {
        quickfix.say(&format!("order id{id}"));
    }
    assert_eq!(take(&mut seen, 10).await, expected("D", 0..10));
    quickfix.until("received 8 id9");
    assert!(10 < handle.numbers().0);
    quickfix.until("logout");
    quickfix.until("logon");
    quickfix.say("order id10");
    assert_eq!(take(&mut seen, 1).await, expected("D", 10..11));
    quickfix.until("received 8 id10");
    let (next_in, next_out) = handle.numbers();
    assert!(next_in <= 5 && next_out <= 5, "{next_in} {next_out}");
    quickfix.quit();
}
