//! NewOrderSingle to ExecutionReport over loopback, beside QuickFIX doing the same in the same run.
//!
//! One blocking client sends orders so that 1, 64 or 256 are outstanding. Each server is a process of
//! its own. This engine's journal is durable (`O_DSYNC`) before an answer leaves; QuickFIX's file store
//! is not synced, and its dictionary is off, as Debian's package has none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a benchmark fails by panicking")]

#[path = "../tests/quickfix/peer.rs"]
mod peer;
#[path = "../examples/echo/server.rs"]
mod server;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use oms_fix::codec::encode::Writer;
use oms_fix::codec::frame::{Cut, Framer};
use oms_fix::codec::value::{Precision, put_timestamp, put_uint};
use oms_fix::session::config::{Config, Role, SessionId};
use oms_fix::store::{MemoryStore, MessageStore};
use oms_fix::transport::{Engine, ListenerConfig, SessionSpec};

/// Outstanding orders, and orders in all.
const RUNS: [(usize, usize); 4] = [(1, 20_000), (64, 150_000), (128, 150_000), (256, 150_000)];
const WARM_UP: usize = 3_000;

/// The server, in a process of its own: prints its port and serves until its input ends.
fn serve(journal: Option<&str>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let id = SessionId::fix44("ISLD", "TW44");
        let journal = journal.map(|dir| server::open_journal(dir).unwrap());
        let store: Box<dyn MessageStore> = match &journal {
            Some(journal) => Box::new(journal.session(&id)),
            None => Box::<MemoryStore>::default(),
        };
        let engine = Engine::new();
        let config = Config { reset_on: server::config(id.clone()).reset_on, ..Config::new(id, Role::Acceptor) };
        engine.add(SessionSpec::new(config, store, Box::<server::Reports>::default())).unwrap();
        let listener = engine.listen(ListenerConfig::new((Ipv4Addr::LOCALHOST, 0).into())).await.unwrap();
        println!("{}", listener.address().port());
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    });
}

enum Server {
    Own(Child),
    QuickFix(peer::Peer),
}

impl Server {
    fn own(journal: Option<&Path>) -> (Self, u16) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("serve").args(journal);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        (Self::Own(child), line.trim().parse().unwrap())
    }

    fn quickfix(memory: bool) -> (Self, u16) {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut peer = peer::Peer::launch("acceptor", port, "ISLD", "TW44", memory, true);
        peer.until("ready");
        (Self::QuickFix(peer), port)
    }

    fn stop(self) {
        match self {
            Self::Own(mut child) => {
                drop(child.stdin.take());
                assert!(child.wait().unwrap().success());
            }
            Self::QuickFix(peer) => peer.quit(),
        }
    }
}

struct Client {
    stream: TcpStream,
    framer: Framer,
    seq: u64,
    out: Vec<u8>,
}

impl Client {
    fn logon(port: u16, seq: u64) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Self { stream, framer: Framer::new(1 << 16), seq, out: Vec::new() };
        client.put(b"A", b"98=0\x01108=0\x01141=Y\x01");
        client.flush();
        assert_eq!(client.read(|_| ()), 1, "the Logon is answered");
        client
    }

    fn put(&mut self, msg_type: &[u8], body: &[u8]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let out = &mut self.out;
        let writer = Writer::begin(out, b"FIX.4.4");
        out.extend_from_slice(b"35=");
        out.extend_from_slice(msg_type);
        out.extend_from_slice(b"\x0134=");
        put_uint(out, self.seq);
        out.extend_from_slice(b"\x0149=TW44\x0152=");
        put_timestamp(out, i64::try_from(now).unwrap(), Precision::Millis);
        out.extend_from_slice(b"\x0156=ISLD\x01");
        out.extend_from_slice(body);
        writer.end(out);
        self.seq += 1;
    }

    fn order(&mut self, id: usize) {
        let mut body = b"11=".to_vec();
        put_uint(&mut body, id as u64);
        body.extend_from_slice(b"\x0121=1\x0138=100\x0140=2\x0144=10.25\x0154=1\x0155=IBM\x0160=20261127-10:00:00.000\x01");
        self.put(b"D", &body);
    }

    fn flush(&mut self) {
        self.stream.write_all(&self.out).unwrap();
        self.out.clear();
    }

    /// Reads until at least one message came; gives the id of each report.
    fn read(&mut self, mut report: impl FnMut(usize)) -> usize {
        let mut count = 0;
        while count == 0 {
            let read = self.stream.read(self.framer.space()).unwrap();
            assert!(0 < read, "closed");
            self.framer.filled(read);
            while let Cut::Message(place) = self.framer.cut() {
                count += 1;
                let message = self.framer.bytes(&place);
                if let Some(at) = message.windows(4).position(|bytes| bytes == b"\x0111=") {
                    let digits = message[at + 4..].iter().take_while(|byte| byte.is_ascii_digit());
                    report(digits.fold(0, |id, digit| id * 10 + usize::from(digit - b'0')));
                }
            }
        }
        count
    }

    /// Times from order to report, in nanoseconds, and how long all took.
    fn run(&mut self, outstanding: usize, orders: usize) -> (Vec<u64>, f64) {
        let (mut sent, mut times): (Vec<Instant>, Vec<u64>) = (Vec::with_capacity(orders), Vec::with_capacity(orders));
        let began = Instant::now();
        for id in 0..outstanding.min(orders) {
            self.order(id);
        }
        sent.resize(outstanding.min(orders), Instant::now());
        self.flush();
        while times.len() < orders {
            let mut came = 0;
            let starts = &sent;
            self.read(|id| {
                came += 1;
                times.push(u64::try_from(starts[id].elapsed().as_nanos()).unwrap());
            });
            let first = sent.len();
            let more = came.min(orders - first);
            for id in first..first + more {
                self.order(id);
            }
            sent.resize(first + more, Instant::now());
            self.flush();
        }
        let took = began.elapsed().as_secs_f64();
        times.sort_unstable();
        (times, took)
    }
}

fn measure(name: &str, start: impl Fn() -> (Server, u16)) {
    for (outstanding, orders) in RUNS {
        let (server, port) = start();
        let mut client = Client::logon(port, 1);
        client.run(outstanding, WARM_UP);
        let (times, took) = client.run(outstanding, orders);
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize] as f64 / 1000.0;
        println!("{name:<26}{outstanding:>12}{:>12.1}{:>12.1}{:>12.1}{:>14.0}", at(0.5), at(0.99), at(0.999), orders as f64 / took);
        drop(client);
        server.stop();
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "serve") {
        return serve(words.get(1).map(String::as_str));
    }
    println!("{:<26}{:>12}{:>12}{:>12}{:>12}{:>14}", "server, store", "outstanding", "p50 us", "p99 us", "p99.9 us", "orders/s");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("roundtrip-{}", std::process::id()));
    measure("oms-fix, memory", || Server::own(None));
    measure("QuickFIX, memory", || Server::quickfix(true));
    measure("oms-fix, durable journal", || {
        let _ = std::fs::remove_dir_all(&dir);
        Server::own(Some(&dir))
    });
    measure("QuickFIX, file not synced", || Server::quickfix(false));
    let _ = std::fs::remove_dir_all(&dir);
}
