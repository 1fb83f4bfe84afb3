//! Clients that place, cancel and modify orders, each request with an idempotency key, and remember every answer.

use crate::http::{Client, Reply};
use crate::prng::Prng;
use crate::server::Server;
use oms_model::Price;
use serde_json::{Map, Value, json};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// The instruments of the demo desk.
pub const SYMBOLS: [&str; 3] = ["AIG", "BAC", "IBM"];
/// A cent in units of [`Price`].
const CENT: i64 = 10_000_000;
/// Requests after which a client looks at the market again.
const LOOK_AGAIN: usize = 40;

/// A request that can be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Below `/api/v1`.
    pub path: String,
    /// Its idempotency key.
    pub key: String,
    /// Other headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Ask {
    /// A request without other headers.
    #[must_use]
    pub fn new(path: &str, key: &str, body: &Value) -> Self {
        Self { path: path.to_owned(), key: key.to_owned(), headers: Vec::new(), body: body.to_string() }
    }

    /// Sends it.
    ///
    /// # Errors
    /// There is no answer.
    pub fn send(&self, client: &mut Client) -> io::Result<Reply> {
        let mut headers = vec![("Idempotency-Key", self.key.as_str())];
        headers.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        client.call("POST", &format!("/api/v1{}", self.path), &headers, Some(&self.body))
    }
}

/// A request and what was answered.
#[derive(Clone, Debug)]
pub struct Ack {
    /// The request.
    pub ask: Ask,
    /// The answer.
    pub reply: Reply,
}

impl Ack {
    /// The client orders that the answer says exist: id and cl_ord_id.
    ///
    /// # Panics
    /// Where the answer is not what the interface promises.
    #[must_use]
    pub fn orders(&self) -> Vec<(String, String)> {
        let named = |order: &Value| Some((order["order_id"].as_str()?.to_owned(), order["cl_ord_id"].as_str()?.to_owned()));
        let body = self.reply.json();
        match (self.ask.path.as_str(), self.reply.status) {
            ("/orders", 201) => vec![named(&body).expect("an order")],
            ("/orders", 422) => named(&body["details"]).into_iter().collect(),
            ("/orders/batch", 200) => body["results"].as_array().unwrap().iter().filter_map(|result| named(&result["order"])).collect(),
            _ => Vec::new(),
        }
    }

    /// Repeats the request: the answer must be the first one, byte for byte, and say that it is.
    ///
    /// # Panics
    /// Where it is another one.
    pub fn repeat(&self, client: &mut Client) {
        let again = self.ask.send(client).unwrap_or_else(|error| panic!("{:?}: {error}", self.ask));
        assert_eq!((again.status, again.text()), (self.reply.status, self.reply.text()), "the repetition of {:?}", self.ask);
        assert_eq!(again.header("idempotent-replay"), Some("true"), "the repetition of {:?}", self.ask);
        for name in ["location", "etag", "x-sequence"] {
            assert_eq!(again.header(name), self.reply.header(name), "{name} of the repetition of {:?}", self.ask);
        }
    }
}

/// What one client saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Every answer.
    pub acks: Vec<Ack>,
    /// The request that was on its way when the desk went away.
    pub unanswered: Option<Ask>,
    /// Requests that were turned away because too much was going on.
    pub turned_away: usize,
}

/// Clients at work.
#[derive(Debug)]
pub struct Load {
    threads: Vec<JoinHandle<Seen>>,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
}

impl Load {
    /// Starts `clients` clients. `name` makes their keys and ids unique.
    #[must_use]
    pub fn start(server: &Server, clients: usize, name: &str, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        let begin = |number: usize| {
            let mut trader = Trader::new(server.client(), format!("{name}-{number}"), seed.wrapping_mul(31).wrapping_add(number as u64));
            let (stop, answered) = (stop.clone(), answered.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) && trader.turn().is_ok() {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                trader.seen
            })
        };
        Self { threads: (0..clients).map(begin).collect(), stop, answered }
    }

    /// How many requests were answered until now.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Whether every client has stopped.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits until this many requests were answered.
    pub fn until(&self, answers: usize) {
        crate::until("answers", || {
            let answered = self.answered();
            assert!(!self.is_over(), "the clients stopped after {answered} answers");
            if answered >= answers { Ok(()) } else { Err(format!("{answered} of {answers}")) }
        });
    }

    /// Ends the clients, each after the answer to its request.
    #[must_use]
    pub fn finish(self) -> Vec<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        self.join()
    }

    /// Waits until every client has met the end of the desk.
    ///
    /// # Panics
    /// Where a client saw something that must not be.
    #[must_use]
    pub fn join(self) -> Vec<Seen> {
        self.threads.into_iter().map(|thread| thread.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault))).collect()
    }
}

/// One client: places, cancels, modifies and repeats.
#[derive(Debug)]
pub struct Trader {
    client: Client,
    name: String,
    prng: Prng,
    number: usize,
    market: Vec<(i64, i64)>,
    working: Vec<String>,
    seen: Seen,
}

impl Trader {
    fn new(client: Client, name: String, seed: u64) -> Self {
        Self { client, name, prng: Prng::new(seed), number: 0, market: Vec::new(), working: Vec::new(), seen: Seen::default() }
    }

    /// Does one request. An error: the desk is gone.
    fn turn(&mut self) -> io::Result<()> {
        if self.number.is_multiple_of(LOOK_AGAIN) {
            self.market = SYMBOLS.iter().map(|symbol| cents(&mut self.client, symbol)).collect::<io::Result<_>>()?;
        }
        self.number += 1;
        if self.prng.chance(4) && !self.seen.acks.is_empty() {
            return self.repeat();
        }
        let ask = self.ask();
        match ask.send(&mut self.client) {
            Ok(reply) => self.take(ask, reply),
            Err(error) => {
                self.seen.unanswered = Some(ask);
                Err(error)
            }
        }
    }

    fn repeat(&mut self) -> io::Result<()> {
        let ack = self.prng.pick(&self.seen.acks).clone();
        let again = ack.ask.send(&mut self.client)?;
        if again.status != 503 {
            assert_eq!((again.status, again.text()), (ack.reply.status, ack.reply.text()), "the repetition of {:?}", ack.ask);
        }
        Ok(())
    }

    fn take(&mut self, ask: Ask, reply: Reply) -> io::Result<()> {
        if reply.status == 503 {
            assert!(reply.text().contains("OVERLOADED"), "{}", reply.text());
            self.seen.turned_away += 1;
            return Ok(());
        }
        let expected: &[u16] = match ask.path.rsplit('/').next() {
            Some("orders") => &[201, 422],
            Some("batch") => &[200, 422],
            Some("cancel") => &[202, 409],
            Some("modify") => &[202, 400, 409, 412, 422],
            other => panic!("{other:?}"),
        };
        assert!(expected.contains(&reply.status), "{ask:?} was answered with {}: {}", reply.status, reply.text());
        let ack = Ack { ask, reply };
        if ack.reply.status < 300 {
            self.working.extend(ack.orders().into_iter().map(|(id, _)| id));
        }
        self.seen.acks.push(ack);
        Ok(())
    }

    fn ask(&mut self) -> Ask {
        let key = format!("{}-{}", self.name, self.number);
        let kind = self.prng.below(100);
        if kind < 18 && !self.working.is_empty() {
            let at = self.prng.below(self.working.len());
            let order = self.working.swap_remove(at);
            return Ask::new(&format!("/orders/{order}/cancel"), &key, &json!({}));
        }
        if kind < 26 && !self.working.is_empty() {
            let order = self.prng.pick(&self.working).clone();
            let qty = (100 + self.prng.below(900)).to_string();
            let mut ask = Ask::new(&format!("/orders/{order}/modify"), &key, &json!({"order_qty": qty}));
            if self.prng.chance(20) {
                ask.headers.push(("If-Match".to_owned(), format!("\"{}\"", 1 + self.prng.below(6))));
            }
            return ask;
        }
        if kind < 30 {
            let count = 2 + self.prng.below(4);
            let orders: Vec<Value> = (0..count).map(|nth| self.order(&format!("{key}.{nth}"))).collect();
            return Ask::new("/orders/batch", &key, &json!({"atomic": self.prng.chance(50), "orders": orders}));
        }
        let order = self.order(&key);
        Ask::new("/orders", &key, &order)
    }

    fn order(&mut self, cl_ord_id: &str) -> Value {
        let at = self.prng.below(SYMBOLS.len());
        let (bid, ask) = self.market[at];
        let side = *self.prng.pick(&["BUY", "BUY", "SELL", "SELL_SHORT"]);
        let buy = side == "BUY";
        let mut order = Map::new();
        let mut set = |name: &str, value: Value| drop(order.insert(name.to_owned(), value));
        set("symbol", SYMBOLS[at].into());
        set("side", side.into());
        set("cl_ord_id", cl_ord_id.into());
        set("order_qty", (1 + self.prng.below(600)).to_string().into());
        let percent = |of: i64, percent: i64| of * percent / 100;
        let (kind, price, tif) = match self.prng.below(10) {
            0 => ("MARKET", None, "IOC"),
            // Marketable.
            1..=4 => {
                ("LIMIT", Some(if buy { percent(ask, 101) } else { percent(bid, 99) }), *self.prng.pick(&["DAY", "IOC", "FOK", "GTC"]))
            }
            // Rests.
            5..=7 => ("LIMIT", Some(if buy { percent(bid, 96) } else { percent(ask, 104) }), *self.prng.pick(&["DAY", "GTC"])),
            // At the market.
            8 => ("LIMIT", Some(if buy { bid } else { ask }), "DAY"),
            // Refused: too far away.
            _ => ("LIMIT", Some(if buy { percent(bid, 50) } else { percent(ask, 200) }), "DAY"),
        };
        set("ord_type", kind.into());
        set("time_in_force", tif.into());
        if let Some(price) = price {
            set("price", text_of(price).into());
        }
        match self.prng.below(6) {
            0 => set("routing", json!({"policy": "sweep"})),
            1 => set("routing", json!({"policy": "split"})),
            2 => set("routing", json!({"mode": "NAMED", "venue": *self.prng.pick(&["XNYS", "XNAS", "BATS", "EDGX"])})),
            _ => (),
        }
        order.into()
    }
}

/// The best bid and offer in cents; the last known market is enough.
fn cents(client: &mut Client, symbol: &str) -> io::Result<(i64, i64)> {
    let market = client.call("GET", &format!("/api/v1/marketdata/last/{symbol}"), &[], None)?.json();
    let side = |name: &str| side_of(&market, name);
    let any = side("bid").or(side("ask")).or(side("last")).unwrap_or(2_000);
    Ok((side("bid").unwrap_or(any), side("ask").unwrap_or(any)))
}

/// A price of a market, such as its `bid`, in cents; `None` where it has none.
///
/// # Panics
/// Where it is no price.
#[must_use]
pub fn side_of(market: &Value, name: &str) -> Option<i64> {
    market[name].as_str().map(|text| text.parse::<Price>().unwrap().raw() / CENT)
}

/// Cents as a price.
#[must_use]
pub fn text_of(cents: i64) -> String {
    Price::from_raw(cents * CENT).to_string()
}
