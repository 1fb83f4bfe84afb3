//! The client of a load: sends when an order is due, and remembers in few bytes what it is told.

use crate::fix::{self, TRANSACT_TIME};
use crate::http::Client;
use crate::load::{SYMBOLS, side_of, text_of};
use crate::until;
use oms_fix::codec::scan::View;
use oms_fix::session::Phase;
use oms_fix::session::config::SessionId;
use oms_fix::session::outbox::{Event, Outgoing};
use oms_fix::transport::{Application, Engine, SessionHandle};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Of ten orders in a row so many buy at once.
const BUY_NOW: u64 = 5;
/// And those up to here sell at once. The next one is a day order that buys at once, and the last one rests.
const SELL_NOW: u64 = 8;
const RESTS: u64 = 9;
/// Above the numbers of orders: the names of cancels.
const CANCELS: u64 = 1 << 40;

/// An ExecutionReport(8).
#[derive(Clone, Debug)]
pub struct Told {
    /// When it came, since the beginning.
    pub at: Duration,
    /// MsgSeqNum(34).
    pub seq: u64,
    /// The number of the order in ClOrdID(11); `None` where it is that of a cancel.
    pub number: Option<u64>,
    /// OrderID(37), a UUID; `None` for `NONE`.
    pub order_id: Option<u128>,
    /// ExecType(150).
    pub exec_type: u8,
    /// CumQty(14).
    pub cum_qty: i64,
    /// LastQty(32); 0 where nothing was executed.
    pub last_qty: i64,
    /// ExecID(17).
    pub exec_id: Box<str>,
}

/// What the client was told, and what it sent.
#[derive(Debug)]
pub struct Heard {
    /// Every ExecutionReport, as they came.
    pub told: Vec<Told>,
    /// When each order was due that was sent, since the beginning.
    pub sent: HashMap<u64, Duration>,
    /// The beginning, on both clocks.
    pub began: (Instant, Duration),
    /// When each order that is under way was due.
    due: HashMap<u64, Duration>,
    /// The order that each MsgSeqNum(34) of ours carried.
    carried: HashMap<u64, u64>,
    refused: BTreeMap<String, usize>,
    not_sent: usize,
    cancels: usize,
    answered: BTreeSet<u64>,
    /// Orders that work.
    works: BTreeSet<u128>,
    /// What must not be.
    wrong: Vec<String>,
}

impl Heard {
    fn new() -> Self {
        Self {
            told: Vec::new(),
            sent: HashMap::new(),
            began: (Instant::now(), Duration::ZERO),
            due: HashMap::new(),
            carried: HashMap::new(),
            refused: BTreeMap::new(),
            not_sent: 0,
            cancels: 0,
            answered: BTreeSet::new(),
            works: BTreeSet::new(),
            wrong: Vec::new(),
        }
    }

    /// Orders that were sent, orders that were not, and cancels that were sent.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.sent.len(), self.not_sent, self.cancels)
    }

    /// Orders that were refused, by the first word of the reason.
    #[must_use]
    pub fn refused(&self) -> BTreeMap<String, usize> {
        self.refused.clone()
    }

    /// The desk takes no more for the moment, and says so: what it refused is no order anywhere.
    fn turned_away(&mut self, message: &View<'_>) {
        let seq = std::str::from_utf8(message.get(45).unwrap_or_default()).unwrap().parse().unwrap();
        if let Some(number) = self.carried.get(&seq)
            && self.sent.remove(number).is_some()
        {
            *self.refused.entry("TURNED_AWAY".to_owned()).or_default() += 1;
        }
    }

    fn report(&mut self, message: &View<'_>) {
        let text = |tag: i32| std::str::from_utf8(message.get(tag).unwrap_or_default()).unwrap();
        let amount = |tag: i32| text(tag).parse().unwrap_or(0);
        let told = Told {
            at: self.began.0.elapsed(),
            seq: text(34).parse().unwrap(),
            number: text(11).strip_prefix('L').map(|number| number.parse().unwrap()),
            order_id: u128::from_str_radix(&text(37).replace('-', ""), 16).ok(),
            exec_type: message.get(150).unwrap_or_default()[0],
            cum_qty: amount(14),
            last_qty: amount(32),
            exec_id: text(17).into(),
        };
        if let Some(order_id) = told.order_id {
            match message.get(39).unwrap_or_default() {
                b"2" | b"4" | b"8" | b"C" => self.works.remove(&order_id),
                _ => self.works.insert(order_id),
            };
        }
        if told.exec_type == b'8' {
            let code = text(58).split([' ', ':']).next().unwrap_or_default().to_owned();
            *self.refused.entry(code).or_default() += 1;
        }
        if let Some(number) = told.number {
            self.answered.insert(number);
        }
        self.told.push(told);
    }
}

struct Listening(Arc<Mutex<Heard>>);

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Application for Listening {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, _: &mut Vec<Outgoing>) {
        let mut heard = lock(&self.0);
        match message.msg_type() {
            b"8" => heard.report(message),
            // A cancel that came too late, or whose order the desk refused; and how many the mass cancel is about.
            b"9" | b"r" => (),
            b"j" if matches!(message.get(372), Some(b"D" | b"F")) && message.get(380) == Some(b"4") => heard.turned_away(message),
            _ => heard.wrong.push(String::from_utf8_lossy(message.bytes()).into_owned()),
        }
    }

    fn event(&mut self, _: &SessionId, event: &Event) {
        let mut heard = lock(&self.0);
        match event {
            Event::Numbered { token, .. } if *token > CANCELS => heard.cancels += 1,
            Event::Numbered { token, seq } => {
                if let Some(due) = heard.due.remove(token) {
                    heard.sent.insert(*token, due);
                    heard.carried.insert(*seq, *token);
                }
            }
            Event::NotSent { token } if *token <= CANCELS => {
                heard.due.remove(token);
                heard.not_sent += 1;
            }
            Event::Rejected { .. } | Event::PeerRejected { .. } | Event::Garbled(_) => heard.wrong.push(format!("{event:?}")),
            _ => (),
        }
    }
}

/// The client. It connects again by itself, whatever becomes of the desk.
pub struct LoadClient {
    runtime: Runtime,
    engine: Engine,
    session: SessionHandle,
    phase: watch::Receiver<Phase>,
    heard: Arc<Mutex<Heard>>,
    /// The best bid and offer of each instrument, in cents.
    quotes: Vec<(i64, i64)>,
}

impl LoadClient {
    /// Connects to a desk, and looks at its market once.
    pub fn connect(address: &str, rest: &mut Client) -> Self {
        let quotes = SYMBOLS
            .iter()
            .map(|symbol| {
                until("a quote", || {
                    let page = rest.read(&format!("/marketdata/last/{symbol}"));
                    side_of(&page, "bid").zip(side_of(&page, "ask")).ok_or_else(|| page.to_string())
                })
            })
            .collect();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let heard = Arc::new(Mutex::new(Heard::new()));
        let (engine, session) = runtime.block_on(fix::session("CLIENT", address, Box::new(Listening(heard.clone()))));
        let phase = session.phase();
        let client = Self { runtime, engine, session, phase, heard, quotes };
        client.until_up();
        client
    }

    /// Whether it is logged on.
    pub fn is_up(&self) -> bool {
        *self.phase.borrow() == Phase::Up
    }

    /// Waits until it is logged on.
    pub fn until_up(&self) {
        until("a client that is logged on", || if self.is_up() { Ok(()) } else { Err("it is not".to_owned()) });
    }

    /// Time begins.
    pub fn begin(&self) -> Instant {
        let mut heard = lock(&self.heard);
        heard.began = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
        heard.began.0
    }

    fn send(&self, message: Outgoing) {
        // Where the desk takes no more the order waits for room; its latency counts from when it was due.
        self.runtime.block_on(self.session.hand(message)).unwrap();
    }

    /// Sends the order of this number, which is due now.
    pub fn order(&self, number: u64, due: Duration) {
        let (kind, nth) = (number % 10, number / 10);
        let at = usize::try_from(nth % 3).unwrap();
        let (bid, ask) = self.quotes[at];
        let (side, price, tif) = match kind {
            buys if buys < BUY_NOW => ("1", ask * 102 / 100 + 1, "3"),
            sells if sells < SELL_NOW => ("2", bid * 98 / 100, "3"),
            RESTS => ("1", bid * 96 / 100, "0"),
            _ => ("1", ask * 101 / 100 + 1, "0"),
        };
        let mut message = Outgoing::new(b"D");
        let body = &mut message.body;
        body.text(11, &format!("L{number}")).text(38, &(1 + nth % 19).to_string()).text(40, "2").text(44, &text_of(price));
        body.text(54, side).text(55, SYMBOLS[at]).text(59, tif).text(60, TRANSACT_TIME);
        message.token = number;
        lock(&self.heard).due.insert(number, due);
        self.send(message);
    }

    /// Takes an order back, if it is one that rests and was sent.
    pub fn cancel(&self, number: u64) {
        if number % 10 != RESTS || !lock(&self.heard).sent.contains_key(&number) {
            return;
        }
        let mut message = Outgoing::new(b"F");
        let body = &mut message.body;
        body.text(11, &format!("C{number}")).text(38, &(1 + number / 10 % 19).to_string()).text(41, &format!("L{number}"));
        body.text(54, "1").text(55, SYMBOLS[usize::try_from(number / 10 % 3).unwrap()]).text(60, TRANSACT_TIME);
        message.token = CANCELS + 1 + number;
        self.send(message);
    }

    /// Waits until every order that was sent is answered, takes back what works, and waits until nothing does.
    pub fn until_over(&self, within: Duration) {
        let waits = |what: &str, done: &dyn Fn(&Heard) -> Result<(), String>| {
            let deadline = Instant::now() + within;
            loop {
                let seen = match done(&lock(&self.heard)) {
                    Ok(()) => return,
                    Err(seen) => seen,
                };
                assert!(Instant::now() < deadline, "{what}: not within {within:?}; last seen: {seen}");
                std::thread::park_timeout(Duration::from_millis(20));
            }
        };
        waits("every order is answered", &|heard| {
            let (sent, answered) = (heard.sent.len(), heard.answered.len());
            if heard.due.is_empty() && sent <= answered { Ok(()) } else { Err(format!("{answered} of {sent}")) }
        });
        let mut message = Outgoing::new(b"q");
        message.body.text(11, "ALL").text(60, TRANSACT_TIME).text(530, "7");
        message.token = CANCELS;
        self.send(message);
        waits("nothing works", &|heard| if heard.works.is_empty() { Ok(()) } else { Err(format!("{} orders", heard.works.len())) });
    }

    /// Ends; what it heard.
    pub fn close(self) -> Heard {
        let Self { runtime, engine, session, heard, .. } = self;
        runtime.block_on(engine.remove(session.id()));
        drop((engine, session));
        runtime.shutdown_timeout(Duration::from_secs(2));
        std::mem::replace(&mut *lock(&heard), Heard::new())
    }
}

impl Heard {
    /// What holds whatever happened on the way: no number and no execution was told twice, the quantities of each order add
    /// up, and each order that was sent is one order. Answers what was executed of each OrderID(37), and the order's number.
    ///
    /// # Panics
    /// Where it does not hold.
    #[must_use]
    pub fn audit(&self) -> HashMap<u128, (i64, u64)> {
        assert!(self.wrong.is_empty(), "{} messages or events that must not be, first {:?}", self.wrong.len(), self.wrong.first());
        let (mut numbers, mut executions) = (BTreeSet::new(), BTreeSet::new());
        let mut orders: HashMap<u128, (i64, u64)> = HashMap::new();
        let mut ids: HashMap<u64, u128> = HashMap::new();
        for told in &self.told {
            assert!(numbers.insert(told.seq), "the number {} was told twice: {told:?}", told.seq);
            assert!(executions.insert(&told.exec_id), "the execution {} was told twice: {told:?}", told.exec_id);
            let Some(order_id) = told.order_id else { continue };
            if let Some(number) = told.number {
                let one = *ids.entry(number).or_insert(order_id);
                assert_eq!(one, order_id, "L{number} is two orders");
                orders.entry(order_id).or_insert((0, number));
            }
            let (sum, _) = orders.get_mut(&order_id).unwrap_or_else(|| panic!("an order that was not sent: {told:?}"));
            *sum += if told.exec_type == b'F' { told.last_qty } else { 0 };
            assert_eq!(told.cum_qty, *sum, "{told:?}");
        }
        let unknown: Vec<&u64> = ids.keys().filter(|number| !self.sent.contains_key(number)).collect();
        assert!(unknown.is_empty(), "orders are told of that were not sent: {unknown:?}");
        orders
    }
}
