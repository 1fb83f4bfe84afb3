//! What must hold of a desk whatever happened to it, looked at from outside.

use crate::http::Client;
use crate::ledger::{Sums, Venues};
use crate::load::{Ack, Ask};
use crate::prng::Prng;
use crate::server::{Server, run, succeed};
use crate::sse::Stream;
use oms_model::{Notional, Qty};
use serde_json::Value;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::thread::JoinHandle;

/// A short stand-in for an event's text.
fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Whoever follows the events while the desk is killed: what it saw must be in the log afterwards.
#[derive(Debug)]
pub struct Witness(JoinHandle<Vec<(u64, u64)>>);

impl Witness {
    /// Begins to follow.
    ///
    /// # Panics
    /// Where the stream does not open.
    #[must_use]
    pub fn follow(server: &Server) -> Self {
        let mut stream = Stream::open(server.address(), server.key(), "/events/stream", None).expect("an event stream");
        Self(std::thread::spawn(move || {
            let mut seen = Vec::new();
            while let Ok(Some(event)) = stream.read() {
                if let Some(id) = event.id {
                    seen.push((id, digest(&event.data)));
                }
            }
            seen
        }))
    }

    /// What it saw until the desk went away.
    ///
    /// # Panics
    /// Where it failed.
    #[must_use]
    pub fn saw(self) -> Vec<(u64, u64)> {
        self.0.join().unwrap()
    }
}

/// Everything that was acknowledged, and everything that the log says, since the desk's first day.
#[derive(Debug, Default)]
pub struct Audit {
    /// The last sequence that was read.
    pub after: u64,
    /// Every answer.
    pub acks: Vec<Ack>,
    /// Answers before this one were checked after at least one restart.
    checked: usize,
    /// What witnesses saw and the log has not confirmed yet.
    witnessed: BTreeMap<u64, u64>,
    /// Client orders in the log: id to cl_ord_id.
    roots: HashMap<String, String>,
    cl_ord_ids: HashSet<String>,
    /// Intents in the log: order and revision.
    sent: HashSet<(String, u64)>,
    executions: BTreeSet<(String, String)>,
    /// By symbol, as the log's executions at venues say.
    sums: BTreeMap<String, Sums>,
    /// What people booked as traded on no venue, and what stands of it: by id, the last facts about it.
    by_hand: BTreeMap<String, Value>,
    /// How many events of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// Anomalies that were raised, by name.
    pub anomalies: BTreeMap<String, u64>,
}

/// Where trades are made that are made on no venue.
const OFF_EXCHANGE: &str = "XOFF";

fn add(sums: &mut BTreeMap<String, Sums>, execution: &Value) {
    let text = |name: &str| execution[name].as_str().unwrap_or_else(|| panic!("{name} of {execution}"));
    let (qty, px): (Qty, oms_model::Price) = (text("last_qty").parse().unwrap(), text("last_px").parse().unwrap());
    let fee: Notional = text("fee").parse().unwrap();
    sums.entry(text("symbol").to_owned()).or_default().add(execution["side"] == "BUY", qty, px.notional(qty).unwrap(), fee);
}

impl Audit {
    /// Takes in what a witness saw.
    pub fn witness(&mut self, seen: Vec<(u64, u64)>) {
        self.witnessed.extend(seen.into_iter().filter(|(seq, _)| *seq > self.after));
    }

    /// Client orders in the log.
    #[must_use]
    pub fn orders(&self) -> usize {
        self.roots.len()
    }

    /// Reads the log on, from where it was left before the last crash to its end: without a gap, nothing twice, and
    /// with everything that anybody was ever shown.
    ///
    /// # Panics
    /// Where something does not hold.
    pub fn read_log(&mut self, server: &Server) {
        let upto = server.client().durable();
        assert!(upto >= self.after, "the log ends at {upto}; {} was shown before", self.after);
        if upto == self.after {
            return;
        }
        let mut stream = Stream::open(server.address(), server.key(), "/events/stream", Some(self.after)).expect("an event stream");
        while self.after < upto {
            let event = stream.expect();
            let seq = event.id.unwrap_or_else(|| panic!("an event without an id: {event:?}"));
            assert_eq!(seq, self.after + 1, "the events follow each other without a gap");
            if let Some(seen) = self.witnessed.remove(&seq) {
                assert_eq!(seen, digest(&event.data), "what was shown before the crash: {}", event.data);
            }
            self.event(&event.kind, &event.json());
            self.after = seq;
        }
        if let Some((seq, _)) = self.witnessed.first_key_value() {
            assert!(*seq > upto, "sequence {seq} was shown before the crash and is not in the log");
            panic!("sequence {seq} was shown before the crash; the log ends at {upto}");
        }
    }

    fn event(&mut self, kind: &str, event: &Value) {
        *self.kinds.entry(kind.to_owned()).or_default() += 1;
        let data = &event["data"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let order_id = text(&event["order_id"]);
        match kind {
            "OrderCreated" if data["parent_order_id"].is_null() => {
                let (order_id, cl_ord_id) = (order_id.unwrap(), text(&data["cl_ord_id"]).unwrap());
                assert!(self.cl_ord_ids.insert(cl_ord_id.clone()), "two orders have the cl_ord_id {cl_ord_id}");
                assert!(self.roots.insert(order_id.clone(), cl_ord_id).is_none(), "two orders have the id {order_id}");
            }
            "OrderSent" => {
                let intent = (order_id.unwrap(), data["revision"].as_u64().unwrap());
                assert!(self.sent.insert(intent.clone()), "the intent {intent:?} stands in the log twice");
            }
            "ExecutionRecorded" | "ExecutionCorrected" if data["venue"] == OFF_EXCHANGE => {
                let known = self.by_hand.insert(text(&data["exec_id"]).unwrap(), data.clone());
                assert_eq!(known.is_some(), kind == "ExecutionCorrected", "{event}");
            }
            "ExecutionWhacked" | "ExecutionBusted" if data["venue"] == OFF_EXCHANGE => {
                assert!(self.by_hand.remove(data["exec_id"].as_str().unwrap()).is_some(), "{event}");
            }
            "ExecutionRecorded" => {
                let id = (text(&data["venue"]).unwrap(), text(&data["exec_id"]).unwrap());
                assert!(self.executions.insert(id.clone()), "the execution {id:?} was booked twice");
                add(&mut self.sums, data);
            }
            "ExecutionUnmatched" => panic!("an execution that matches no order: {event}"),
            "OrderAnomaly" => {
                let anomaly = text(&data["anomaly"]).unwrap();
                assert!(!matches!(anomaly.as_str(), "OVERFILL" | "NOT_SENT_APPEARED"), "{event}");
                *self.anomalies.entry(anomaly).or_default() += 1;
            }
            _ => (),
        }
    }

    /// Sends again what was never answered. Whether it was done before the crash or is done now, it is done once; an
    /// answer that says that somebody else has the cl_ord_id would mean that it was half done.
    ///
    /// # Panics
    /// Where it was half done.
    pub fn ask_again(&mut self, client: &mut Client, unanswered: impl IntoIterator<Item = Ask>) {
        for ask in unanswered {
            let reply = ask.send(client).unwrap_or_else(|error| panic!("{ask:?}: {error}"));
            assert!(reply.status < 500, "{ask:?}: {}", reply.text());
            assert!(!reply.text().contains("DUPLICATE_CL_ORD_ID"), "{ask:?} was half done: {}", reply.text());
            self.acks.push(Ack { ask, reply });
        }
    }

    /// Every answer since the last restart, and `sample` older ones, must be repeated byte for byte, and every order
    /// that they name must be there.
    ///
    /// # Panics
    /// Where something acknowledged is lost or changed.
    pub fn check_acks(&mut self, client: &mut Client, sample: usize, prng: &mut Prng) {
        let older: Vec<usize> = (0..sample.min(self.checked)).map(|_| prng.below(self.checked)).collect();
        for at in older.into_iter().chain(self.checked..self.acks.len()) {
            self.check(client, at);
        }
        self.checked = self.acks.len();
    }

    /// Every answer there ever was.
    ///
    /// # Panics
    /// As [`Audit::check_acks`].
    pub fn check_all_acks(&self, client: &mut Client) {
        (0..self.acks.len()).for_each(|at| self.check(client, at));
    }

    fn check(&self, client: &mut Client, at: usize) {
        let ack = &self.acks[at];
        ack.repeat(client);
        for (order_id, cl_ord_id) in ack.orders() {
            assert_eq!(self.roots.get(&order_id), Some(&cl_ord_id), "an acknowledged order is not in the log: {:?}", ack.ask);
            let order = client.read(&format!("/orders/{order_id}"));
            assert_eq!(order["cl_ord_id"], cl_ord_id.as_str(), "{order}");
            let by_name = client.read(&format!("/orders/cl_ord_id:{cl_ord_id}?fields=order_id"));
            assert_eq!(by_name["order_id"], order_id.as_str());
        }
    }

    /// Waits until nothing is in doubt and the three accounts agree: positions, executions in the log, fills at the
    /// venues. Nothing may ever have reached a venue twice.
    ///
    /// # Panics
    /// Where they do not come to agree.
    pub fn balance(&mut self, server: &Server, dir: &Path) {
        let mut client = server.client();
        crate::until("positions, executions and fills that agree", || {
            let doubts = client.read("/risk/status")["in_doubt"].as_u64().unwrap();
            if doubts > 0 {
                return Err(format!("{doubts} orders in doubt"));
            }
            // The venues first: what they did before is on its way to the log, and then to the positions.
            let venues = Venues::read(dir);
            assert!(venues.twice.is_empty(), "reached a venue twice: {:?}", venues.twice);
            self.read_log(server);
            let positions = positions(&mut client);
            if venues.sums != self.sums {
                return Err(format!("the venues say {:?}\nthe log says {:?}", venues.sums, self.sums));
            }
            let mut all = self.sums.clone();
            self.by_hand.values().for_each(|execution| add(&mut all, execution));
            // What was booked and taken back leaves a position in which nothing was ever traded.
            let traded: BTreeMap<_, _> = positions.into_iter().filter(|(_, sums)| *sums != Sums::default()).collect();
            if traded != all {
                return Err(format!("the positions say {traded:?}\nthe log says {all:?}"));
            }
            assert_eq!(venues.fills, self.executions, "each fill is booked once");
            Ok(())
        });
        let venues = Venues::read(dir);
        for wire_id in &venues.orders {
            let (order_id, revision) = wire_id.parts().unwrap_or_else(|| panic!("{wire_id} is none of ours"));
            let intent = (order_id.to_string(), u64::from(revision));
            assert!(self.sent.contains(&intent), "{intent:?} is at a venue and not in the log");
        }
    }

    /// Ends everything that works, and waits until it has ended.
    ///
    /// # Panics
    /// Where it does not.
    pub fn quiesce(&self, server: &Server) {
        let mut client = server.client();
        crate::until("no open orders", || {
            let status = client.read("/risk/status");
            let open: u64 = status["open"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|open| open["scope"] == "TENANT")
                .filter_map(|open| open["orders"].as_u64())
                .sum();
            if open == 0 {
                return Ok(());
            }
            let reply = client.post("/orders/mass-cancel", &[], &serde_json::json!({"scope": "TENANT"}));
            assert_eq!(reply.status, 202, "{}", reply.text());
            Err(format!("{open} open"))
        });
    }
}

/// The positions by symbol, as the interface shows them.
///
/// # Panics
/// Where they are not well formed.
pub fn positions(client: &mut Client) -> BTreeMap<String, Sums> {
    let page = client.read("/positions?limit=500");
    let rows = page["data"].as_array().unwrap();
    let amount = |row: &Value, name: &str| row[name].as_str().unwrap_or_else(|| panic!("{name} of {row}")).to_owned();
    let sums = |row: &Value| {
        let sums = Sums {
            bought_qty: amount(row, "bought_qty").parse().unwrap(),
            sold_qty: amount(row, "sold_qty").parse().unwrap(),
            bought_notional: amount(row, "bought_notional").parse().unwrap(),
            sold_notional: amount(row, "sold_notional").parse().unwrap(),
            fees: amount(row, "fees").parse().unwrap(),
        };
        let qty: Qty = amount(row, "qty").parse().unwrap();
        assert_eq!(Some(qty), sums.bought_qty.checked_sub(sums.sold_qty), "{row}");
        (amount(row, "symbol"), sums)
    };
    rows.iter().map(sums).collect()
}

/// The log in `dir` is whole: every checksum and the hash chain.
///
/// # Panics
/// Where it is not.
#[must_use]
pub fn verify(dir: &Path) -> Value {
    let text = succeed(&["journal", "verify", "--json", "--data", dir.to_str().unwrap()]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert!(report["damage"].is_null(), "{report}");
    report
}

/// The state's hash at `at`, or at the end of the log.
///
/// # Panics
/// Where the log does not give a state.
#[must_use]
pub fn hash(dir: &Path, at: Option<u64>) -> (u64, String) {
    let seq = at.map(|seq| seq.to_string());
    let mut words = vec!["journal", "hash", "--json", "--data", dir.to_str().unwrap()];
    if let Some(seq) = &seq {
        words.extend(["--at", seq]);
    }
    let report: Value = serde_json::from_str(&succeed(&words)).unwrap();
    (report["sequence"].as_u64().unwrap(), report["state_hash"].as_str().unwrap().to_owned())
}

/// The hash of the state that the stopped desk had in memory equals that of the whole log, folded from its beginning.
///
/// # Panics
/// Where they differ, or the stop left no snapshot.
pub fn replay_agrees(dir: &Path) {
    let output = run(&["journal", "replay", "--json", "--data", dir.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["snapshot_agrees"], true, "{report}");
    assert_eq!(report["snapshot_sequence"], report["sequence"], "the snapshot is that of the stop: {report}");
}
