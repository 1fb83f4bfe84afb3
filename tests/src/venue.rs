//! Venues that speak FIX to a desk: another process that goes on while the desk is killed, takes orders, executes some of them
//! in parts, and keeps its own books.

use oms_fix::codec::scan::View;
use oms_fix::session::config::{Config, Role, SessionId, WhenDown};
use oms_fix::session::outbox::{Event, Outgoing, Reason};
use oms_fix::session::{BusinessReason, Phase, business_reject};
use oms_fix::store::MemoryStore;
use oms_fix::transport::{Application, Engine, Listener, ListenerConfig, SessionHandle, SessionSpec};
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Runtime;

const TRANSACT_TIME: &str = "20261127-15:00:00.000";

/// An order in a venue's books.
#[derive(Clone, Debug, Default)]
pub struct Booked {
    /// Its terms by its last replace, as they were told.
    pub fields: BTreeMap<i32, String>,
    /// OrderQty(38).
    pub order_qty: i64,
    /// What was executed.
    pub cum_qty: i64,
    /// OrdStatus(39) where it is over.
    pub ended: Option<&'static str>,
}

impl Booked {
    fn leaves(&self) -> i64 {
        if self.ended.is_some() { 0 } else { self.order_qty - self.cum_qty }
    }
}

/// A venue's books.
#[derive(Debug, Default)]
pub struct Books {
    /// Orders by their first ClOrdID(11).
    pub orders: BTreeMap<String, Booked>,
    /// Every ClOrdID(11), with the first of its order.
    names: BTreeMap<String, String>,
    resting: VecDeque<String>,
    executions: u64,
    /// Orders and requests that came a second time. Above zero the desk has sent something twice.
    pub duplicates: u64,
    /// Trades that the desk does not know.
    pub not_known: u64,
    /// Questions about orders.
    pub asked: u64,
}

fn amount(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is not a quantity of whole shares"))
}

impl Books {
    fn report(&mut self, first: &str, exec_type: &str, more: &[(i32, &str)]) -> Outgoing {
        self.executions += 1;
        let order = &self.orders[first];
        let status = match order.ended {
            Some(status) => status,
            None if order.order_qty <= order.cum_qty => "2",
            None if 0 < order.cum_qty => "1",
            None => "0",
        };
        let (cum, leaves, qty) = (order.cum_qty.to_string(), order.leaves().to_string(), order.order_qty.to_string());
        let (exec, id) = (format!("X{}", self.executions), format!("V{first}"));
        let mut fields: BTreeMap<i32, &str> =
            [(6, "0"), (11, first), (14, &cum), (17, &exec), (37, &id), (38, &qty), (39, status), (60, TRANSACT_TIME)].into();
        fields.extend([(54, order.fields[&54].as_str()), (55, &order.fields[&55]), (150, exec_type), (151, &leaves)]);
        fields.extend(more.iter().copied());
        let mut message = Outgoing::new(b"8");
        for (tag, value) in fields {
            message.body.text(tag, value);
        }
        message
    }

    fn execute(&mut self, first: &str, qty: i64) -> Outgoing {
        let order = self.orders.get_mut(first).unwrap();
        order.cum_qty += qty;
        let price = order.fields.get(&44).cloned().unwrap_or_else(|| "20.00".to_owned());
        self.report(first, "F", &[(31, &price), (32, &qty.to_string())])
    }

    fn new_order(&mut self, fields: BTreeMap<i32, String>, replies: &mut Vec<Outgoing>) {
        let id = fields[&11].clone();
        if self.names.insert(id.clone(), id.clone()).is_some() {
            self.duplicates += 1;
            replies.push(self.report(&id, "8", &[(39, "8"), (103, "6")]));
            return;
        }
        let order_qty = amount(&fields[&38]);
        let now = matches!(fields.get(&59).map(String::as_str), Some("3" | "4")) || fields[&40] == "1";
        self.orders.insert(id.clone(), Booked { fields, order_qty, ..Booked::default() });
        let count = self.orders.len();
        if count.is_multiple_of(17) {
            self.orders.get_mut(&id).unwrap().ended = Some("8");
            replies.push(self.report(&id, "8", &[(58, "not this one")]));
            return;
        }
        replies.push(self.report(&id, "0", &[]));
        // Some are executed at once, some in parts, some rest.
        let part = if now || count.is_multiple_of(3) { order_qty } else { order_qty / 2 * i64::from(count % 3 == 1) };
        if 0 < part {
            replies.push(self.execute(&id, part));
        }
        if part < order_qty {
            self.resting.push_back(id);
        }
        self.trade(replies);
    }

    /// The market moves: the oldest that rests is executed.
    fn trade(&mut self, replies: &mut Vec<Outgoing>) {
        if self.resting.len() < 12 {
            return;
        }
        while let Some(first) = self.resting.pop_front() {
            let leaves = self.orders[&first].leaves();
            if 0 < leaves {
                replies.push(self.execute(&first, leaves));
                return;
            }
        }
    }

    fn request(&mut self, kind: &[u8], fields: &BTreeMap<i32, String>, replies: &mut Vec<Outgoing>) {
        let (id, orig) = (fields[&11].as_str(), fields[&41].as_str());
        let Some(first) = self.names.get(orig).cloned() else {
            return replies.push(refuse(id, orig, kind, "8", "1"));
        };
        if self.names.insert(id.to_owned(), first.clone()).is_some() {
            self.duplicates += 1;
        }
        let order = self.orders.get_mut(&first).unwrap();
        if order.leaves() == 0 {
            return replies.push(refuse(id, orig, kind, order.ended.unwrap_or("2"), "0"));
        }
        if kind == b"F" {
            order.ended = Some("4");
            return replies.push(self.report(&first, "4", &[(11, id), (41, orig)]));
        }
        let order_qty = amount(&fields[&38]);
        if order_qty <= order.cum_qty {
            return replies.push(refuse(id, orig, kind, "1", "2"));
        }
        (order.order_qty, order.fields) = (order_qty, fields.clone());
        replies.push(self.report(&first, "5", &[(11, id), (41, orig)]));
    }

    fn status(&mut self, fields: &BTreeMap<i32, String>, replies: &mut Vec<Outgoing>) {
        self.asked += 1;
        let question = fields.get(&790).map_or("", String::as_str);
        match self.names.get(&fields[&11]).cloned() {
            Some(first) => replies.push(self.report(&first, "I", &[(11, &fields[&11]), (790, question)])),
            None => {
                let mut message = Outgoing::new(b"8");
                for (tag, value) in [(6, "0"), (11, &fields[&11]), (14, "0"), (17, "0"), (37, "NONE"), (39, "8"), (54, "1"), (55, "X")] {
                    message.body.text(tag, value);
                }
                message.body.text(103, "5").text(150, "I").text(151, "0").text(790, question);
                replies.push(message);
            }
        }
    }
}

fn refuse(id: &str, orig: &str, kind: &[u8], status: &str, reason: &str) -> Outgoing {
    let mut message = Outgoing::new(b"9");
    let to = if kind == b"F" { "1" } else { "2" };
    message.body.text(11, id).text(37, "NONE").text(39, status).text(41, orig).text(102, reason).text(434, to);
    message
}

#[derive(Clone)]
struct Taking(Arc<Mutex<Books>>);

impl Application for Taking {
    fn deliver(&mut self, _: &SessionId, message: &View<'_>, replies: &mut Vec<Outgoing>) {
        let text = |span| String::from_utf8_lossy(message.value(span)).into_owned();
        let fields: BTreeMap<i32, String> = message.spans().iter().map(|span| (span.tag, text(span))).collect();
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match message.msg_type() {
            b"D" => books.new_order(fields, replies),
            kind @ (b"F" | b"G") => books.request(kind, &fields, replies),
            b"H" => books.status(&fields, replies),
            b"Q" => books.not_known += 1,
            _ => replies.push(business_reject(message, BusinessReason::UnsupportedMessageType, None)),
        }
    }

    fn event(&mut self, _: &SessionId, event: &Event) {
        // Every message of the desk is one that FIX 4.4 knows, and no number comes twice.
        let too_low = matches!(event, Event::LoggedOut { reason: Reason::TooLow } | Event::Dropped { reason: Reason::TooLow, .. });
        assert!(!too_low && !matches!(event, Event::Rejected { .. } | Event::PeerRejected { .. } | Event::Garbled(_)), "{event:?}");
    }
}

/// Venues behind one port.
pub struct Venues {
    _runtime: Runtime,
    _engine: Engine,
    listener: Listener,
    venues: BTreeMap<String, (SessionHandle, Arc<Mutex<Books>>)>,
}

impl Venues {
    /// Opens venues of these names for a desk that is called OMS.
    ///
    /// # Panics
    /// Where they cannot be opened.
    #[must_use]
    pub fn open(names: &[&str]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let engine = Engine::new();
        let (listener, venues) = runtime.block_on(async {
            let mut venues = BTreeMap::new();
            for name in names {
                let books = Arc::new(Mutex::new(Books::default()));
                let mut config = Config::new(SessionId::fix44(&format!("V-{name}"), "OMS"), Role::Acceptor);
                config.when_down = WhenDown::Store;
                let spec = SessionSpec::new(config, Box::<MemoryStore>::default(), Box::new(Taking(books.clone())));
                venues.insert((*name).to_owned(), (engine.add(spec).unwrap(), books));
            }
            (engine.listen(ListenerConfig::new((Ipv4Addr::LOCALHOST, 0).into())).await.unwrap(), venues)
        });
        Self { _runtime: runtime, _engine: engine, listener, venues }
    }

    /// The settings of a desk that trades there.
    #[must_use]
    pub fn settings(&self) -> String {
        let address = self.listener.address();
        let venue = |name: &String| {
            format!("[[fix.venues]]\nvenue = \"{name}\"\nendpoints = [\"{address}\"]\ncomp_id = \"V-{name}\"\nheartbeat_s = 5\n")
        };
        self.venues.keys().map(venue).collect()
    }

    /// A venue's books.
    ///
    /// # Panics
    /// Where there is no such venue.
    pub fn books(&self, name: &str) -> MutexGuard<'_, Books> {
        self.venues[name].1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the desk is logged on everywhere.
    #[must_use]
    pub fn all_up(&self) -> bool {
        self.venues.values().all(|(session, _)| *session.phase().borrow() == Phase::Up)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.venues.keys().map(String::as_str)
    }
}
