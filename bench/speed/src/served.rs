//! The interface over a partition, with a key, on a runtime of its own; what its threads cost; when events became durable.

use crate::world;
use oms_model::command::Command;
use oms_model::event::Event;
use oms_model::{ApiKeyId, OrderId, Seq, UserId};
use oms_runtime::history::{Bounds, History};
use oms_runtime::{Handle, MarketBook, Partition, view_follower};
use oms_store::EmbeddedJournal;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// What `/proc` counts processor time in, whatever the kernel's own tick is: hundredths of a second.
const TICKS: f64 = 100.0;

/// A desk that is served.
pub struct Served {
    pub partition: Partition,
    pub market: Arc<MarketBook>,
    pub api: oms_api::Api,
    pub address: SocketAddr,
    pub key: String,
    runtime: tokio::runtime::Runtime,
}

impl Served {
    pub fn start(dir: &Path) -> Self {
        let journal = EmbeddedJournal::open_dir(&dir.join("log"), oms_store::Config::default()).unwrap();
        let history = History::of(&journal, Bounds::default());
        let market = Arc::new(MarketBook::new());
        let partition = world::over(Box::new(journal), market.clone(), false);
        let key = oms_api::auth::new_key([7; 32]);
        let (prefix, sha256) = (oms_api::auth::key_prefix(&key), oms_api::auth::key_hash(&key));
        world::admin(
            &partition,
            Command::CreateApiKey { api_key_id: ApiKeyId::from_u128(4), user_id: UserId::from_u128(2), prefix, sha256 },
        );
        let handle = partition.handle().clone();
        let views = view_follower::open(handle.feed(), &dir.join("views")).unwrap();
        let reader = views.reader();
        let following = view_follower::start(handle.feed(), views).unwrap();
        let parts = oms_api::Parts {
            handle,
            views: reader,
            watermark: following.watermark.clone(),
            history,
            config: oms_api::Config::default(),
            telemetry: partition.telemetry().clone(),
            expositions: Vec::new(),
            probes: Vec::new(),
            fix: None,
            audit: None,
            identity: None,
            venues: Vec::new(),
            brokers: None,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("api").enable_all().build().unwrap();
        let (api, address) = runtime.block_on(async {
            let api = oms_api::Api::start(parts).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(oms_api::serve(listener, api.clone(), std::future::pending()));
            (api, address)
        });
        Self { partition, market, api, address, key, runtime }
    }

    pub fn handle(&self) -> &Handle {
        self.partition.handle()
    }

    /// Waits until the views hold everything.
    pub fn caught_up(&self) {
        while self.api.views_cursor() < self.handle().durable() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends without waiting for streams, which have no end.
    pub fn end(self) {
        self.runtime.shutdown_background();
        std::process::exit(0);
    }
}

/// Seconds of processor time of each group of threads of this process, by their name.
pub fn processor_time() -> BTreeMap<String, f64> {
    let mut times: BTreeMap<String, f64> = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        // A thread may end while it is looked at.
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        let (name, rest) = (stat.split_once('(').unwrap().1.rsplit_once(')').unwrap().0, stat.rsplit_once(')').unwrap().1);
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let used = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        *times.entry(name.to_owned()).or_default() += used / TICKS;
    }
    times
}

/// Resident bytes of this process.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

/// When each event was durable, and which event of its client order came before it.
pub struct Durable {
    began: Instant,
    first: u64,
    at: Vec<AtomicU64>,
    before: Vec<AtomicU64>,
    stop: AtomicBool,
}

impl Durable {
    /// Follows the log from here on, for at most so many events.
    pub fn follow(handle: &Handle, most: usize) -> (Arc<Self>, JoinHandle<()>) {
        let first = handle.durable();
        let zeros = || (0..most).map(|_| AtomicU64::new(0)).collect::<Vec<_>>();
        let known = Arc::new(Self { began: Instant::now(), first: first.0, at: zeros(), before: zeros(), stop: AtomicBool::new(false) });
        let (told, mut follower) = (known.clone(), handle.feed().follow(first));
        let thread = std::thread::Builder::new().name("clock".into()).spawn(move || {
            let mut last: HashMap<OrderId, u64> = HashMap::new();
            while !told.stop.load(Ordering::Relaxed) {
                let Some(batch) = follower.next_timeout(Duration::from_millis(100)).unwrap() else { continue };
                let now = told.now().max(1);
                for (seq, event) in batch.numbered() {
                    let before = match event {
                        Event::OrderCreated(created) if created.parent_order_id.is_some() => None,
                        event => event.order_id().map(|id| last.insert(id, seq.0).unwrap_or(0)),
                    };
                    told.slot(&told.before, seq).store(before.unwrap_or(0), Ordering::Relaxed);
                    told.slot(&told.at, seq).store(now, Ordering::Release);
                }
            }
        });
        (known, thread.unwrap())
    }

    fn slot<'a>(&self, of: &'a [AtomicU64], seq: Seq) -> &'a AtomicU64 {
        of.get((seq.0 - self.first - 1) as usize).expect("there is room for every event of the measurement")
    }

    pub fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// How long ago the event was durable, nanoseconds; `None` for one from before. The clock may hear of it last.
    pub fn since(&self, seq: u64, now: u64) -> Option<u64> {
        let at = self.at.get(seq.checked_sub(self.first + 1)? as usize)?.load(Ordering::Acquire);
        Some(if at == 0 { 0 } else { now.saturating_sub(at) })
    }

    /// The event of the same order before this one; 0 where there is none here.
    pub fn before(&self, seq: u64) -> u64 {
        seq.checked_sub(self.first + 1).and_then(|at| self.before.get(at as usize)).map_or(0, |slot| slot.load(Ordering::Relaxed))
    }
}
