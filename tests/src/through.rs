//! Orders at a rate, all the way by FIX: a client, the desk, its router, four venues in processes of their own, and back.
//!
//! The load is an open loop: order `n` is due `n / rate` seconds after the first, whatever became of those before it, and every
//! latency counts from the moment at which its order was due. With a kill the desk is killed (`kill -9`) in the middle and
//! started again; orders that are due while nobody is logged on are not sent, and are counted.
//!
//! ```text
//! client    the client: sends on time, and remembers what it is told
//! venues    `oms sim fix`, one process for each venue
//! ends      what client, desk and venues have in the end; whether it is the same
//! ```

mod client;
mod ends;
mod venues;

use crate::fix::free_address;
use crate::server::{Home, Launch, Server};
use client::LoadClient;
pub use ends::{Ends, Latencies};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use venues::Sim;

/// The venues that orders go to; each is a process of its own.
pub const VENUES: [&str; 4] = ["ARCX", "BATS", "XNAS", "XNYS"];
/// The other venues of the recording, which are closed for the run.
const CLOSED: [&str; 4] = ["BATY", "EDGA", "EDGX", "XBOS"];
/// How long the ends may take to meet after the last order.
const PATIENCE: Duration = Duration::from_secs(180);

/// A load.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Orders a second.
    pub rate: u64,
    /// For how long.
    pub seconds: u64,
    /// Whether the desk is killed in the middle.
    pub kill: bool,
    /// Where logs are written; `None`: where the tests write theirs.
    pub dir: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    plan: Plan,
    /// From the first order to the last.
    pub took: Duration,
    /// Orders that were sent: numbered and on their way.
    pub sent: usize,
    /// Orders that were due while nobody was logged on.
    pub not_sent: usize,
    /// Cancels that were sent.
    pub cancels: usize,
    /// Orders that the desk refused, by the code that it gave.
    pub refused: BTreeMap<String, usize>,
    /// Gaps in the numbers and requests to send again, of every session of the desk, as it counts them.
    pub gaps: BTreeMap<String, u64>,
    /// How long the desk was gone, from the kill to the client's Logon.
    pub gone: Option<Duration>,
    /// What the ends have.
    pub ends: Ends,
    /// Processor time, by process.
    pub processor: BTreeMap<String, Duration>,
}

impl Outcome {
    /// Whether any number was missed on any session, in either direction.
    #[must_use]
    pub fn has_gaps(&self) -> bool {
        self.gaps.values().any(|count| *count > 0)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, took, sent, not_sent, cancels, ends, .. } = self;
        let rate = *sent as f64 / took.as_secs_f64();
        writeln!(f, "{sent} orders and {cancels} cancels in {took:.1?}, {rate:.0} orders/s of {} asked for", plan.rate)?;
        if let Some(gone) = self.gone {
            writeln!(f, "kill -9 in the middle: logged on again after {gone:.2?}; {not_sent} orders were due meanwhile and not sent")?;
        }
        writeln!(f, "  due to received by the venue   {}", ends.to_venue)?;
        writeln!(f, "  decided to received by venue   {}", ends.decided_to_venue)?;
        writeln!(f, "  due to first report            {}", ends.to_report)?;
        writeln!(f, "  due to first execution told    {}", ends.to_execution)?;
        writeln!(f, "{ends}")?;
        let refused: Vec<String> = self.refused.iter().map(|(code, count)| format!("{code} {count}")).collect();
        writeln!(f, "  refused: {}", if refused.is_empty() { "none".to_owned() } else { refused.join(", ") })?;
        let gaps: u64 = self.gaps.values().sum();
        writeln!(f, "  gaps and resends on {} sessions: {gaps}", self.gaps.len() / 2)?;
        let processor: Vec<String> = self.processor.iter().map(|(name, time)| format!("{name} {time:.1?}")).collect();
        write!(f, "  processor time: {}", processor.join(", "))
    }
}

/// The desk, its settings and its client.
struct Rig {
    home: Home,
    launch: Launch,
    sims: Vec<Sim>,
    /// `None` while it is killed.
    server: Option<Server>,
    client: LoadClient,
}

impl Rig {
    fn open(plan: &Plan) -> Self {
        let home = plan.dir.as_ref().map_or_else(|| Home::new("through"), |dir| Home::below(dir, "through"));
        let sims: Vec<Sim> = VENUES.iter().map(|mic| Sim::start(home.path(), mic)).collect();
        let (settings, address) = (home.path().join("settings.toml"), free_address().to_string());
        std::fs::write(&settings, sims.iter().map(Sim::settings).collect::<String>()).unwrap();
        // How old quotes may be is not what is looked at here, and a recording has quiet stretches.
        let launch = Launch::default()
            .speed("1x")
            .with("OMS_CONFIG", settings.to_str().unwrap())
            .with("OMS_FIX_LISTEN", &address)
            .with("OMS_LOG_FILTER", "warn")
            .with("OMS_DEMO_LIMITS_MAX_QUOTE_AGE", "3600")
            .with("OMS_DEMO_LIMITS_DUPLICATE_WINDOW", "");
        let server = Server::start(&home.path().join("desk"), &launch);
        let mut rest = server.client();
        for mic in CLOSED {
            rest.post("/risk/kill-switch/engage", &[], &json!({"scope": format!("VENUE:{mic}"), "reason": "not in this run"}));
        }
        let client = LoadClient::connect(&address, &mut rest);
        Self { home, launch, sims, server: Some(server), client }
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// Sends orders from one number to another, each when it is due.
    fn send(&mut self, plan: &Plan, began: Instant, from: u64, to: u64) {
        for number in from..to {
            let due = Duration::from_nanos(number * 1_000_000_000 / plan.rate);
            let now = began.elapsed();
            if let Some(early) = due.checked_sub(now) {
                std::thread::sleep(early);
            }
            self.client.order(number, due);
            if let Some(old) = number.checked_sub(plan.rate) {
                self.client.cancel(old);
            }
        }
    }

    /// Kills the desk and starts it again, while orders go on being due. How long it took until the client was back, and the
    /// number of the order that is due next.
    fn kill(&mut self, plan: &Plan, began: Instant, mut next: u64, last: u64) -> (Duration, u64) {
        let (killed, dir) = (Instant::now(), self.home.path().join("desk"));
        let launch = self.launch.clone();
        self.server.take().unwrap().kill();
        let starting = std::thread::spawn(move || Server::start(&dir, &launch));
        while next < last && !(starting.is_finished() && self.client.is_up()) {
            self.send(plan, began, next, next + 1);
            next += 1;
        }
        self.server = Some(starting.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault)));
        self.client.until_up();
        (killed.elapsed(), next)
    }

    /// Gaps and resends of each session, as the desk counts them.
    fn gaps(&self) -> BTreeMap<String, u64> {
        let page = self.server().client().read("/fix/sessions");
        let mut gaps = BTreeMap::new();
        for session in page["data"].as_array().unwrap() {
            for name in ["gaps", "resends"] {
                gaps.insert(format!("{} {name}", session["client"].as_str().unwrap()), session[name].as_u64().unwrap());
            }
        }
        gaps
    }
}

/// The processor time that a process has used.
fn processor(id: u32) -> Duration {
    // Fields 14 and 15, counted behind the name, in hundredths of a second as Linux has them everywhere.
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields: Vec<u64> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
    Duration::from_millis(10 * (fields.get(11).unwrap_or(&0) + fields.get(12).unwrap_or(&0)))
}

/// Runs a load, and looks whether all ends meet.
///
/// # Panics
/// Where they do not: an order was lost or doubled, an execution is not known to one of them, a process failed.
#[must_use]
pub fn run(plan: &Plan) -> Outcome {
    let mut rig = Rig::open(plan);
    let last = plan.rate * plan.seconds;
    let began = rig.client.begin();
    let mut gone = None;
    if plan.kill {
        rig.send(plan, began, 0, last / 2);
        let (took, next) = rig.kill(plan, began, last / 2, last);
        gone = Some(took);
        rig.send(plan, began, next, last);
    } else {
        rig.send(plan, began, 0, last);
    }
    let took = began.elapsed();
    rig.client.until_over(PATIENCE);
    let gaps = rig.gaps();
    let mut times: BTreeMap<String, Duration> = rig.sims.iter().map(|sim| (sim.mic.clone(), processor(sim.id()))).collect();
    times.insert("desk".to_owned(), processor(rig.server().process().id()));
    times.insert("client".to_owned(), processor(std::process::id()));
    let Rig { home, sims, server, client, .. } = rig;
    server.unwrap().stop();
    let dirs: Vec<(String, PathBuf)> = sims.into_iter().map(|sim| (sim.mic.clone(), sim.stop())).collect();
    let heard = client.close();
    let ends = Ends::read(&home.path().join("desk"), &dirs, &heard);
    let (sent, not_sent, cancels) = heard.counts();
    Outcome { plan: plan.clone(), took, sent, not_sent, cancels, refused: heard.refused(), gaps, gone, ends, processor: times }
}
