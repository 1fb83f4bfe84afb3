//! Counterparties that mean no good: what they cost in memory is bounded.
//!
//! The tests measure this process, so they take turns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../examples/echo/server.rs"]
mod server;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use oms_fix::codec::encode::Writer;
use oms_fix::codec::frame::{Cut, Framer};
use oms_fix::codec::value::{Precision, put_timestamp};
use oms_fix::session::config::SessionId;
use oms_fix::store::{JournalStore, MemoryStore, MessageStore};
use oms_fix::transport::{Engine, Listener, ListenerConfig};
use oms_store::{Config as LogConfig, EmbeddedJournal};

const MIB: usize = 1 << 20;

fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of memory in use.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().split(' ').next().unwrap().parse::<usize>().unwrap() * 1024
}

struct Acceptor {
    runtime: tokio::runtime::Runtime,
    listener: Listener,
}

fn start(store: Box<dyn MessageStore>) -> Acceptor {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(async {
        let engine = Engine::new();
        engine.add(server::spec(server::config(SessionId::fix44("ISLD", "TW44")), store)).unwrap();
        engine.listen(ListenerConfig::new((Ipv4Addr::LOCALHOST, 0).into())).await.unwrap()
    });
    Acceptor { runtime, listener }
}

fn message(out: &mut Vec<u8>, msg_type: &str, seq: u64, header: &str, body: &str) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let writer = Writer::begin(out, b"FIX.4.4");
    out.extend(format!("35={msg_type}\u{1}34={seq}\u{1}49=TW44\u{1}52=").into_bytes());
    put_timestamp(out, i64::try_from(since).unwrap(), Precision::Millis);
    out.extend(format!("\u{1}56=ISLD\u{1}{header}{body}").replace('|', "\u{1}").into_bytes());
    writer.end(out);
}

fn order(out: &mut Vec<u8>, seq: u64, header: &str) {
    let body = format!("11=id{seq}|21=1|38=100|40=2|44=10.25|54=1|55=IBM|60=20261127-10:00:00.000|");
    message(out, "D", seq, header, &body);
}

struct Client {
    stream: TcpStream,
    framer: Framer,
}

impl Client {
    fn logon(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut client = Self { stream, framer: Framer::new(MIB) };
        let mut out = Vec::new();
        message(&mut out, "A", 1, "", "98=0|108=0|");
        client.stream.write_all(&out).unwrap();
        assert!(client.next().contains("35=A|"));
        client
    }

    fn next(&mut self) -> String {
        loop {
            if let Cut::Message(place) = self.framer.cut() {
                return String::from_utf8_lossy(self.framer.bytes(&place)).replace('\u{1}', "|");
            }
            let count = self.stream.read(self.framer.space()).unwrap();
            assert!(0 < count, "closed");
            self.framer.filled(count);
        }
    }
}

/// Writes until the other side takes nothing for a while, or closes; how much it took.
fn flood(stream: &mut TcpStream, most: usize, mut fill: impl FnMut(&mut Vec<u8>)) -> usize {
    stream.set_write_timeout(Some(Duration::from_millis(1500))).unwrap();
    let (mut taken, mut out) = (0, Vec::new());
    while taken < most {
        out.clear();
        fill(&mut out);
        match stream.write_all(&out) {
            Ok(()) => taken += out.len(),
            Err(_) => break,
        }
    }
    taken
}

#[test]
fn junk_before_logon_costs_next_to_nothing() {
    let _turn = turn();
    let acceptor = start(Box::<MemoryStore>::default());
    // Everything is warm: one good session was there.
    drop(Client::logon(acceptor.listener.address()));
    let junk = vec![b'x'; 64 << 10];
    for start in [&b"8=FIX.4.4\x019=900000000\x0135=A\x01"[..], b"", b"8=FIX.4.4\x019=100\x0135=A\x01", b"8=FIX.4.4\x019=00000000000"] {
        let before = memory();
        let mut stream = TcpStream::connect(acceptor.listener.address()).unwrap();
        stream.write_all(start).unwrap();
        let taken = flood(&mut stream, 300 * MIB, |out| out.extend_from_slice(&junk));
        let cost = memory().saturating_sub(before);
        assert!(cost < MIB, "{taken} bytes of junk cost {cost} bytes");
        assert!(taken < 20 * MIB, "the connection was still open after {taken} bytes");
    }
    let mut client = Client::logon(acceptor.listener.address());
    let mut out = Vec::new();
    order(&mut out, 2, "");
    client.stream.write_all(&out).unwrap();
    assert!(client.next().contains("35=D|"), "and others are served");
}

#[test]
fn connections_before_logon_are_counted() {
    let _turn = turn();
    let acceptor = start(Box::<MemoryStore>::default());
    let before = memory();
    let idle: Vec<TcpStream> = (0..600).map(|_| TcpStream::connect(acceptor.listener.address()).unwrap()).collect();
    let closed = idle.iter().filter(|stream| {
        let mut byte = [0];
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        matches!((&**stream).read(&mut byte), Ok(0))
    });
    let closed = closed.count();
    let cost = memory().saturating_sub(before);
    assert!((300..=344).contains(&closed), "{closed} of 600 were closed at once");
    assert!(cost < 8 * MIB, "{cost} bytes");
}

#[test]
fn a_client_that_never_reads_costs_bounded_memory() {
    let _turn = turn();
    let acceptor = start(Box::new(MemoryStore::with_room(MIB)));
    let before = memory();
    let mut client = Client::logon(acceptor.listener.address());
    let mut seq = 1;
    let taken = flood(&mut client.stream, 400 * MIB, |out| {
        for _ in 0..100 {
            seq += 1;
            order(out, seq, "");
        }
    });
    let cost = memory().saturating_sub(before);
    assert!(MIB < taken && taken < 100 * MIB, "{taken} bytes were taken");
    // Its write buffer of 4 MiB, as much while it grows, the store, and the ids that the echo remembers.
    assert!(cost < 32 * MIB, "{cost} bytes");
}

#[test]
fn twenty_full_resends_back_to_back_cost_bounded_memory() {
    let _turn = turn();
    const ORDERS: u64 = 20_000;
    const RESENDS: u64 = 20;
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("resends-{}", std::process::id()));
    let log = EmbeddedJournal::open_dir(&dir, LogConfig::default()).unwrap();
    let journal = JournalStore::open(Box::new(log)).unwrap();
    let acceptor = start(Box::new(journal.session(&SessionId::fix44("ISLD", "TW44"))));
    let mut client = Client::logon(acceptor.listener.address());
    let (mut out, mut seq) = (Vec::new(), 1);
    while seq < ORDERS + 1 {
        out.clear();
        for _ in 0..100 {
            seq += 1;
            order(&mut out, seq, "");
        }
        client.stream.write_all(&out).unwrap();
        for _ in 0..100 {
            assert!(client.next().contains("35=D|"));
        }
    }
    let before = memory();
    out.clear();
    for _ in 0..RESENDS {
        seq += 1;
        message(&mut out, "2", seq, "", "7=1|16=0|");
    }
    client.stream.write_all(&out).unwrap();
    let (mut again, mut most, until) = (0, 0, Instant::now() + Duration::from_secs(120));
    while again < RESENDS * ORDERS {
        let message = client.next();
        again += u64::from(message.contains("|43=Y|") && message.contains("35=D|"));
        if again % 5_000 == 0 {
            most = most.max(memory().saturating_sub(before));
        }
        assert!(Instant::now() < until, "{again} were sent again");
    }
    assert!(most < 16 * MIB, "{most} bytes for {again} messages sent again");
    drop((client, acceptor.runtime, journal));
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn an_order_that_was_processed_is_never_processed_again() {
    let _turn = turn();
    let acceptor = start(Box::<MemoryStore>::default());
    let mut client = Client::logon(acceptor.listener.address());
    let mut out = Vec::new();
    order(&mut out, 2, "");
    for _ in 0..1000 {
        order(&mut out, 2, "43=Y|122=20260101-00:00:00|");
    }
    message(&mut out, "1", 3, "", "112=END|");
    client.stream.write_all(&out).unwrap();
    assert!(client.next().contains("11=id2|"));
    let next = client.next();
    assert!(next.contains("35=0|") && next.contains("112=END|"), "{next}");
}
