//! A desk: a partition in memory with two scripted venues, its views, and the interface on a port.

use crate::client::{Client, PATIENCE, Reply};
use oms_api::{Api, Config, Parts, auth};
use oms_model::command::{Actor, Command, CommandOutcome};
use oms_model::event::Event;
use oms_model::instrument::{Account, Instrument, TickStep, Venue};
use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{
    AccountId, ApiKeyId, BrokerOrderId, ExecId, InstrumentId, Mic, OrderId, Price, Qty, TenantId, Time, TraceId, UserId, WireId,
};
use oms_runtime::clock::{Clock, SystemClock};
use oms_runtime::handle::{Handle, Request};
use oms_runtime::history::{Bounds, History};
use oms_runtime::market::MarketBook;
use oms_runtime::port::{Answer, Handed, MarketSink as _, ReportSink as _, VenueOrder, VenuePort, WireCancel, WireOrder, WireReplace};
use oms_runtime::{gateway, partition, view_follower};
use oms_store::MemoryJournal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub const XNAS: Mic = Mic::of(b"XNAS");
pub const BATS: Mic = Mic::of(b"BATS");

/// The quote that both venues show: 20.00 / 20.10.
const BID: &str = "20.00";
const ASK: &str = "20.10";
/// Orders of this quantity are refused by the venues.
pub const REFUSED_QTY: &str = "13";

pub struct Desk {
    pub client: Client,
    pub handle: Handle,
    pub market: Arc<MarketBook>,
    stop: Option<watch::Sender<bool>>,
    serving: Option<JoinHandle<std::io::Result<()>>>,
    /// The tenants that are served; of the first desk alone.
    pub tenants: Option<oms_api::Tenants>,
    views: PathBuf,
}

/// A venue that acknowledges, fills what trades at once, and does what it is asked.
struct Script {
    venue: Mic,
    sink: Handle,
    execs: u64,
}

impl Script {
    fn say(&self, body: ReportBody) {
        let report = Report { venue: self.venue, transact_time: SystemClock.now(), body };
        // The desk may be closing.
        let _said = self.sink.report(report);
    }
}

fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}

fn px(text: &str) -> Price {
    text.parse().unwrap()
}

impl VenuePort for Script {
    fn venue(&self) -> Mic {
        self.venue
    }

    fn send(&mut self, order: &WireOrder) -> Handed {
        let wire_id = order.wire_id.clone();
        if order.order_qty == qty(REFUSED_QTY) {
            self.say(ReportBody::Rejected { wire_id, text: "unlucky".into() });
            return Handed::Over;
        }
        let broker_order_id = BrokerOrderId::new(&format!("{}-{}", self.venue, &wire_id.as_str()[..8])).ok();
        self.say(ReportBody::Accepted { wire_id: wire_id.clone(), broker_order_id });
        let (trades, last_px) = if order.side.is_buy() {
            (order.price.is_none_or(|price| price >= px(ASK)), px(ASK))
        } else {
            (order.price.is_none_or(|price| price <= px(BID)), px(BID))
        };
        if trades {
            self.execs += 1;
            let exec_id = ExecId::new(&format!("{}-{}-{}", self.venue, wire_id, self.execs)).unwrap();
            let fill = VenueFill { exec_id, last_qty: order.order_qty, last_px, fee_per_unit: px("0.003"), ..VenueFill::default() };
            self.say(ReportBody::Fill { wire_id, fill });
        }
        Handed::Over
    }

    fn cancel(&mut self, request: &WireCancel) -> Handed {
        self.say(ReportBody::Canceled { wire_id: request.wire_id.clone(), text: String::new() });
        Handed::Over
    }

    fn replace(&mut self, request: &WireReplace) -> Handed {
        self.say(ReportBody::Replaced { wire_id: request.wire_id.clone(), order_qty: Some(request.order_qty) });
        Handed::Over
    }

    fn query(&mut self, _: &WireId) -> Answer<Option<VenueOrder>> {
        Answer::Complete(None)
    }

    fn open_orders(&mut self) -> Answer<Vec<VenueOrder>> {
        Answer::Complete(Vec::new())
    }

    fn executions_since(&mut self, _: Time) -> Answer<Vec<(WireId, Time, VenueFill)>> {
        Answer::Complete(Vec::new())
    }
}

static DESKS: AtomicU64 = AtomicU64::new(0);

impl Desk {
    pub async fn open() -> Self {
        Self::open_with(Config::default()).await
    }

    pub async fn open_with(config: Config) -> Self {
        Self::open_of(config, None).await
    }

    /// A desk with accounts.
    pub async fn open_of(config: Config, identity: Option<oms_auth::Identity>) -> Self {
        Self::open_house(config, &["AAPL"], identity).await.remove(0)
    }

    /// A tenant for each ticker, all behind one port; the first desk ends it.
    pub async fn open_all(config: Config, symbols: &[&str]) -> Vec<Self> {
        Self::open_house(config, symbols, None).await
    }

    /// The same with accounts.
    pub async fn open_house(config: Config, symbols: &[&str], identity: Option<oms_auth::Identity>) -> Vec<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let of_grpc = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let grpc = of_grpc.local_addr().unwrap();
        let tenants = oms_api::Tenants::default();
        let mut desks = Vec::new();
        for (n, symbol) in (1..).zip(symbols) {
            let (desk, api) = Self::tenant(config.clone(), (address, grpc), n, symbol, identity.clone()).await;
            tenants.serve(api).unwrap();
            desks.push(desk);
        }
        let all = tenants.clone();
        let (stop, stopped) = watch::channel(false);
        let told = || {
            let mut stopped = stopped.clone();
            // It ends, too, when the desk is dropped.
            async move { drop(stopped.wait_for(|stopped| *stopped).await) }
        };
        let (rest, of_grpc) = (oms_api::serve(listener, tenants.clone(), told()), oms_api::serve_grpc(of_grpc, tenants, None, told()));
        let serving = tokio::spawn(async move {
            let (rest, of_grpc) = tokio::join!(rest, of_grpc);
            rest.and(of_grpc)
        });
        (desks[0].stop, desks[0].serving, desks[0].tenants) = (Some(stop), Some(serving), Some(all));
        for desk in &desks {
            desk.quote(BID, ASK);
            for venue in [XNAS, BATS] {
                desk.until(|event| matches!(event, Event::BrokerConnected(e) if e.venue == venue)).await;
            }
        }
        desks
    }

    async fn tenant(
        config: Config,
        (address, grpc): (SocketAddr, SocketAddr),
        tenant: u8,
        symbol: &str,
        identity: Option<oms_auth::Identity>,
    ) -> (Self, Api) {
        let market = Arc::new(MarketBook::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let journal = Box::new(MemoryJournal::new(0));
        let history = History::of(journal.as_ref(), Bounds::default());
        let fault = Box::new(|text: &str| panic!("{text}"));
        let partition = partition::start(journal, partition::Config::default(), clock.clone(), market.clone(), fault).unwrap();
        let handle = partition.handle().clone();
        let key = auth::new_key([6 + tenant; 32]);
        set_up(&handle, tenant, symbol, &key).await;
        let n = DESKS.fetch_add(1, Ordering::Relaxed);
        let views = std::env::temp_dir().join(format!("oms-api-{}-{n}.db", std::process::id()));
        let opened = view_follower::open(handle.feed(), &views).unwrap();
        let reader = opened.reader();
        let follower = view_follower::start(handle.feed(), opened).unwrap();
        let (telemetry, kill_epoch) = (partition.telemetry().clone(), partition.kill_epoch().clone());
        let ports: Vec<Box<dyn VenuePort>> =
            [XNAS, BATS].map(|venue| Box::new(Script { venue, sink: handle.clone(), execs: 0 }) as Box<dyn VenuePort>).into();
        let (gate_handle, gate_telemetry) = (handle.clone(), telemetry.clone());
        tokio::task::spawn_blocking(move || gateway::start(&gate_handle, ports, &clock, &gate_telemetry, &kill_epoch).map(drop))
            .await
            .unwrap()
            .unwrap();
        let parts = Parts {
            handle: handle.clone(),
            views: reader,
            watermark: follower.watermark.clone(),
            history,
            config,
            venues: vec![XNAS, BATS],
            telemetry,
            expositions: Vec::new(),
            probes: Vec::new(),
            fix: Some(Box::new(crate::fix::Told)),
            brokers: Some(Box::new(crate::brokers::Told::default())),
            audit: Some(Arc::new(crate::audit::Told)),
            identity,
        };
        let api = Api::start(parts).await.unwrap();
        (Self { client: Client { address, grpc, key }, handle, market, stop: None, serving: None, tenants: None, views }, api)
    }

    /// Both venues show this quote, 300 on each side.
    pub fn quote(&self, bid: &str, ask: &str) {
        for venue in [XNAS, BATS] {
            let now = SystemClock.now();
            self.market.quote(InstrumentId(0), venue, true, Some((px(bid), qty("300"))), now);
            self.market.quote(InstrumentId(0), venue, false, Some((px(ask), qty("300"))), now);
        }
    }

    /// Waits until the log holds such an event.
    pub async fn until(&self, wanted: impl Fn(&Event) -> bool) {
        let mut follower = self.handle.feed().follow(oms_model::Seq(0));
        loop {
            let batch = timeout(PATIENCE, follower.next()).await.expect("it happens in time").unwrap();
            if batch.events.iter().any(&wanted) {
                return;
            }
        }
    }

    /// Places an order that must be accepted.
    pub async fn place(&self, fields: &str) -> Reply {
        self.client.post("/api/v1/orders", &[], &order(fields)).await.expect(201)
    }

    /// Waits until a venue has taken an order: what a venue says comes after the answer to whoever placed it.
    pub async fn until_taken(&self) {
        self.until(|event| matches!(event, Event::OrderAccepted(_))).await;
    }

    /// Places an order and waits until it is wholly executed.
    pub async fn place_filled(&self, fields: &str) -> Reply {
        let reply = self.place(fields).await;
        let id: OrderId = reply.get("/order_id").parse().unwrap();
        self.until(|event| matches!(event, Event::OrderFilled(e) if e.order_id == id)).await;
        reply
    }

    /// Ends the interface; answers once it has ended.
    pub async fn close(&mut self) {
        drop(self.stop.take());
        self.serving.take().unwrap().await.unwrap().unwrap();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-unsynced"] {
            // They may not be there.
            let _removed = std::fs::remove_file(format!("{}{suffix}", self.views.display()));
        }
    }
}

/// A new order with these fields besides symbol and side.
pub fn order(fields: &str) -> String {
    format!(r#"{{"symbol":"AAPL","side":"BUY",{fields}}}"#)
}

/// Rests: far below the market.
pub const RESTING: &str = r#""ord_type":"LIMIT","order_qty":"100","price":"19.00""#;
/// Trades at once.
pub const TRADING: &str = r#""ord_type":"LIMIT","order_qty":"100","price":"20.10""#;

async fn set_up(handle: &Handle, tenant: u8, symbol: &str, key: &str) {
    let tenant_id = TenantId::from_u128(tenant.into());
    // Ids of the first tenant are small; nobody's ids are another's.
    let own = |id: u128| u128::from(tenant - 1) * 1_000 + id;
    let venue = |venue| Venue {
        venue,
        name: venue.to_string(),
        enabled: true,
        taker_fee: px("0.003"),
        fill_prior_ppm: 500_000,
        fill_prior_weight: 1,
        latency_prior_ns: 1_000_000,
        ..Venue::default()
    };
    let instrument = Instrument {
        symbol: symbol.parse().unwrap(),
        listing: XNAS,
        ticks: vec![TickStep { from: Price::ZERO, tick: px("0.01") }],
        lot: qty("1"),
        min_qty: qty("1"),
        max_qty: qty("1000000"),
        active: true,
        ..Instrument::default()
    };
    let commands = [
        Command::CreateTenant { tenant_id, slug: "desk".into() },
        Command::OpenAccount(Account { account_id: AccountId::from_u128(own(3)), name: "main".into(), active: true, ..Account::default() }),
        Command::ListInstrument(Box::new(instrument)),
        Command::ConfigureVenue(Box::new(venue(XNAS))),
        Command::ConfigureVenue(Box::new(venue(BATS))),
        Command::CreateApiKey {
            api_key_id: ApiKeyId::from_u128(own(4)),
            user_id: UserId::from_u128(own(2)),
            prefix: auth::key_prefix(key),
            sha256: auth::key_hash(key),
        },
    ];
    for command in commands {
        let actor = Actor { tenant_id, ..Actor::default() };
        let request = Request { actor, trace_id: TraceId::default(), idempotency: None, command: command.clone() };
        let answer = handle.execute(request).await.unwrap();
        assert_eq!(answer.outcome, CommandOutcome::Done, "{command:?}");
    }
}
