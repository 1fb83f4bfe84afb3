//! What is done again after a crash is not done twice.

use std::time::Duration as Wait;

use oms_model::Event as Fact;
use oms_model::command::Command as Asked;
use oms_runtime::history::{Bounds, History};
use oms_runtime::{Config as DeskConfig, MarketBook, Partition};
use oms_store::MemoryJournal;
use oms_testkit::fixture::{TENANT, actor, setup};

use super::*;
use crate::codec::encode::Writer;
use crate::desk::{Begin, begin, user_of};
use crate::session::config::{Config, Role, SessionId};
use crate::store::MemoryStore;
use crate::transport::{Engine, SessionSpec};

const WITHIN: Wait = Wait::from_secs(20);

/// A desk without venues, so that orders are recorded and then refused by the router.
async fn desk() -> (Partition, DeskParts) {
    let journal = Box::new(MemoryJournal::new(0));
    let history = History::of(journal.as_ref(), Bounds::default());
    let (clock, market) = (Arc::new(SystemClock), Arc::new(MarketBook::new()));
    let partition = oms_runtime::start(journal, DeskConfig::default(), clock, market, Box::new(|fault| panic!("{fault}"))).unwrap();
    let handle = partition.handle().clone();
    for command in setup().into_iter().filter(|command| !matches!(command, Asked::ConfigureVenue(_))) {
        let request = Request { actor: actor(), trace_id: TraceId::default(), idempotency: None, command };
        handle.execute(request).await.unwrap();
    }
    (partition, DeskParts { handle, history, tenant_id: TENANT })
}

fn order(id: &str, seq: u64) -> Inbound {
    let mut bytes = Vec::new();
    let writer = Writer::begin(&mut bytes, b"FIX.4.4");
    for field in ["35=D", &format!("34={seq}"), &format!("11={id}"), "38=100", "40=2", "44=20", "54=1", "55=XYZ"] {
        bytes.extend(format!("{field}\u{1}").bytes());
    }
    writer.end(&mut bytes);
    Inbound { kept: Kept { ordinal: seq, seq, numbering: 7, received_at: 0 }, bytes }
}

/// Runs a client from where the last one ended, until it has followed the log to its end and dealt with `waiting`.
/// Nobody is logged on, so what it would send is kept: its MsgTypes(35), ExecTypes(150) and ClOrdIDs(11).
async fn run(parts: &DeskParts, cursor: Seq, waiting: Vec<Inbound>) -> (Seq, Vec<String>) {
    let id = SessionId::fix44("OMS", "C1");
    let config = Config::new(id.clone(), Role::Acceptor);
    let profile = ClientProfile {
        config: config.clone(),
        user_id: user_of(&id),
        scopes: ClientProfile::SCOPES,
        copies: None,
        account: None,
        allowed: Vec::new(),
        client_certificate: None,
        cancel_after: None,
    };
    let Begin { follow_after, book, catalog, .. } = begin(parts, cursor, &profile).unwrap();
    let (_inbox, received) = mpsc::channel(1);
    let figures = Arc::new(ClientFigures::default());
    let door = Door::new(_inbox.clone(), figures.clone(), false);
    let session = Engine::new().add(SessionSpec::new(config, Box::<MemoryStore>::default(), Box::new(door))).unwrap();
    let last = waiting.last().map(|inbound| inbound.kept.ordinal);
    let start = Start { cursor, mark: Mark { handled: None, cursor: Some(cursor.0) }, waiting, received };
    let mut client =
        Client::new(profile, parts, session, parts.handle.feed().follow(follow_after), book, catalog, Quotes::default(), figures, start);
    let turns = async {
        while client.handled != last || client.position < parts.handle.durable() {
            assert!(client.turn().await);
            client.settle();
        }
    };
    tokio::time::timeout(WITHIN, turns).await.expect("in time");
    let field = |message: &Outgoing, tag: &str| {
        let body = String::from_utf8_lossy(message.body.as_bytes()).into_owned();
        body.split('\u{1}').find_map(|field| field.strip_prefix(tag).map(str::to_owned)).unwrap_or_default()
    };
    let told = client.out.iter().map(|message| format!("{} {}", field(message, "11="), field(message, "150="))).collect();
    (client.position, told)
}

fn orders(parts: &DeskParts) -> usize {
    let mut follower = parts.handle.feed().follow(Seq(0));
    let mut count = 0;
    while let Ok(Some(batch)) = follower.try_next() {
        count += batch.events.iter().filter(|event| matches!(event, Fact::OrderCreated(_))).count();
    }
    count
}

#[tokio::test]
async fn a_message_that_was_dealt_with_and_comes_again_is_neither_asked_nor_told_twice() {
    let (_partition, parts) = desk().await;
    let (began, nothing) = run(&parts, parts.handle.durable(), Vec::new()).await;
    assert!(nothing.is_empty());
    let (told_to, told) = run(&parts, began, vec![order("A1", 1), order("A2", 2)]).await;
    assert_eq!((told, orders(&parts)), (vec!["A1 8".to_owned(), "A2 8".to_owned()], 2));
    // A crash after the orders were recorded and before anything was sent: all of it is told, once.
    let (_, told) = run(&parts, began, vec![order("A1", 1), order("A2", 2)]).await;
    assert_eq!((told, orders(&parts)), (vec!["A1 8".to_owned(), "A2 8".to_owned()], 2));
    // A crash after it was sent, before it was known that the messages are dealt with: nothing is told again.
    let (_, told) = run(&parts, told_to, vec![order("A1", 1), order("A2", 2)]).await;
    assert_eq!((told, orders(&parts)), (Vec::<String>::new(), 2));
}

#[tokio::test]
async fn a_message_that_was_stored_and_not_asked_is_asked_at_the_next_start() {
    let (_partition, parts) = desk().await;
    let began = parts.handle.durable();
    let (_, told) = run(&parts, began, vec![order("A1", 1)]).await;
    assert_eq!(told, ["A1 8"]);
    let (_, told) = run(&parts, parts.handle.durable(), vec![order("A1", 1), order("A3", 2)]).await;
    assert_eq!((told, orders(&parts)), (vec!["A3 8".to_owned()], 2));
}

#[tokio::test]
async fn another_message_under_the_same_name_is_refused() {
    let (_partition, parts) = desk().await;
    let (told_to, _) = run(&parts, parts.handle.durable(), vec![order("A1", 1)]).await;
    let (_, told) = run(&parts, told_to, vec![order("A9", 1)]).await;
    assert_eq!((told, orders(&parts)), (vec!["A9 8".to_owned()], 1));
}
