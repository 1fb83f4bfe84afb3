//! What every request sees: the engine's door, the views, the names, the bounds.

use crate::audit::Audit;
use crate::blotter::{self, Blotter};
use crate::brokers::Brokers;
use crate::catalog::{Catalog, Names};
use crate::fix::FixSessions;
use crate::metrics::{Exposition, Metrics};
use crate::owners::Owners;
use crate::rate::{Limits, Rates};
use crate::shadow::Shadows;
use crate::sse::marketdata::MarketHub;
use crate::tenants::Neighbours;
use crate::ws;
use oms_auth::Identity;
use oms_calendar::Calendar;
use oms_model::{Code, Mic, Refusal, Seq, TraceId};
use oms_runtime::handle::Handle;
use oms_runtime::history::History;
use oms_runtime::telemetry::Telemetry;
use oms_runtime::view_follower::Watermark;
use oms_store::views::{ViewError, ViewReader};
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// What a follower rests for each one that there is, what it rests at most, and what is too little for the timer.
const REST_EACH: Duration = Duration::from_micros(20);
const REST_MOST: Duration = Duration::from_millis(20);
const REST_LEAST: Duration = Duration::from_millis(2);
/// How many may read the whole log at once.
const MAX_AUDITS: usize = 2;

/// Bounds of the interface.
#[derive(Clone, Debug)]
pub struct Config {
    /// The most bytes of a request's body.
    pub max_body: usize,
    /// How deep a request's JSON may be nested.
    pub max_depth: usize,
    /// The most requests worked on at once.
    pub max_requests: usize,
    /// So many more are taken where they cancel or stop trading: those never starve.
    pub protected_requests: usize,
    /// The most event and market-data streams.
    pub max_streams: usize,
    /// The most connections.
    pub max_connections: usize,
    /// How long a request's head may take.
    pub head_timeout: Duration,
    /// How long a request's body may take.
    pub body_timeout: Duration,
    /// How long a read waits until it sees every write that was acknowledged before it.
    pub read_wait: Duration,
    /// How far the views may be behind before the process is not ready, events.
    pub max_views_lag: u64,
    /// The shortest time between two updates of one market-data client.
    pub market_interval: Duration,
    /// How long a client may take nothing of what it is sent before it is disconnected.
    pub slow_client: Duration,
    /// Silence after which a stream sends a comment.
    pub heartbeat: Duration,
    /// How long requests in flight are waited for at the end.
    pub drain: Duration,
    /// The engine's calendars, by where instruments are listed.
    pub calendars: Arc<BTreeMap<Mic, Calendar>>,
    /// Proxies whose word about where a request comes from is taken.
    pub trusted_proxies: Vec<IpAddr>,
    /// Origins whose pages may ask from a browser, such as `https://desk.example.com`; none but its own where it is empty.
    pub allowed_origins: Vec<String>,
    /// Whether clients reach it by TLS alone: then browsers are told so, and cookies go over nothing else.
    pub secure: bool,
    /// How often somebody may ask.
    pub rates: Rates,
    /// Bounds of the WebSocket.
    pub sockets: ws::Bounds,
    /// Bounds of the views of orders.
    pub blotter: blotter::Bounds,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_body: 1 << 20,
            max_depth: 32,
            max_requests: 4_096,
            protected_requests: 1_024,
            max_streams: 1_024,
            max_connections: 8_192,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(10),
            read_wait: Duration::from_secs(2),
            max_views_lag: 100_000,
            market_interval: Duration::from_millis(2),
            slow_client: Duration::from_secs(10),
            heartbeat: Duration::from_secs(15),
            drain: Duration::from_secs(10),
            calendars: Arc::default(),
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            secure: false,
            rates: Rates::default(),
            sockets: ws::Bounds::default(),
            blotter: blotter::Bounds::default(),
        }
    }
}

/// Something that must be well for the process to be ready.
pub trait Probe: Send + Sync {
    /// Its name.
    fn name(&self) -> &str;
    /// Whether it is well.
    ///
    /// # Errors
    /// What is wrong, in words.
    fn check(&self) -> Result<(), String>;
}

/// What the interface is made of.
pub struct Parts {
    /// The door to the tenant's partition.
    pub handle: Handle,
    /// Queries.
    pub views: ViewReader,
    /// How far the views are.
    pub watermark: Watermark,
    /// The state as it was.
    pub history: History,
    /// Bounds.
    pub config: Config,
    /// The venues that this process has sessions with: they must be up for it to be ready. Others may stand in the desk's list,
    /// and nothing is routed to them.
    pub venues: Vec<Mic>,
    /// What the partition counts and times.
    pub telemetry: Arc<Telemetry>,
    /// More figures for `/metrics`.
    pub expositions: Vec<Box<dyn Exposition>>,
    /// More conditions for `/health/ready`.
    pub probes: Vec<Box<dyn Probe>>,
    /// The FIX sessions; `None` where the desk takes none.
    pub fix: Option<Box<dyn FixSessions>>,
    /// The brokers; `None` where the desk connects to none.
    pub brokers: Option<Box<dyn Brokers>>,
    /// The audit; `None` where the desk signs nothing.
    pub audit: Option<Arc<dyn Audit>>,
    /// Users and their credentials; `None` where only the keys of the desk's log count.
    pub identity: Option<Identity>,
}

/// The interface of one tenant. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    metrics: Metrics,
    limits: Limits,
    names: Names,
    hub: MarketHub,
    blotter: Blotter,
    requests: AtomicUsize,
    streams: AtomicUsize,
    audits: AtomicUsize,
    sockets: Arc<Semaphore>,
    shadows: Arc<Shadows>,
    traces: RandomState,
    traced: AtomicU64,
    closing: watch::Sender<bool>,
    neighbours: OnceLock<Neighbours>,
}

impl Api {
    /// Reads the names from the engine and begins to follow the log. Call it within a runtime.
    ///
    /// # Errors
    /// `OVERLOADED` where the engine does not answer.
    pub async fn start(parts: Parts) -> Result<Self, Refusal> {
        let (catalog, seq) = parts.handle.inspect(|state, _| (Catalog::of(state), state.last_seq())).await?;
        let follower = parts.handle.feed().follow(seq);
        let inner = Inner {
            hub: MarketHub::new(parts.handle.market().clone(), parts.config.market_interval),
            blotter: Blotter::new(parts.handle.feed().clone(), parts.views.clone(), parts.config.blotter.clone()),
            metrics: Metrics::default(),
            limits: Limits::new(parts.config.rates),
            names: Names::new(catalog, seq),
            requests: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
            audits: AtomicUsize::new(0),
            sockets: Arc::new(Semaphore::new(parts.config.sockets.max_sockets)),
            shadows: Arc::default(),
            traces: RandomState::new(),
            traced: AtomicU64::new(0),
            closing: watch::Sender::new(false),
            neighbours: OnceLock::new(),
            parts,
        };
        let api = Self { inner: Arc::new(inner) };
        let following = api.clone();
        tokio::spawn(async move {
            if let Err(error) = following.inner.names.follow(follower).await {
                tracing::error!(%error, "the names can no longer be followed; new keys and instruments are not seen");
            }
        });
        tokio::spawn(MarketHub::run(api.clone()));
        Ok(api)
    }

    /// Who is served beside it; said once.
    pub(crate) fn meet(&self, neighbours: Neighbours) {
        let _first = self.inner.neighbours.set(neighbours);
    }

    /// Whether both are the interface of one tenant.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Who is served beside it.
    pub(crate) fn neighbours(&self) -> Neighbours {
        self.inner.neighbours.get().cloned().unwrap_or_default()
    }

    /// The door to the engine.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.inner.parts.handle
    }

    pub(crate) fn history(&self) -> &History {
        &self.inner.parts.history
    }

    pub(crate) fn shadows(&self) -> Arc<Shadows> {
        Arc::clone(&self.inner.shadows)
    }

    /// The bounds.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.parts.config
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// The venues that this process has sessions with.
    pub(crate) fn venues(&self) -> &[Mic] {
        &self.inner.parts.venues
    }

    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.inner.parts.telemetry
    }

    pub(crate) fn expositions(&self) -> &[Box<dyn Exposition>] {
        &self.inner.parts.expositions
    }

    pub(crate) fn probes(&self) -> &[Box<dyn Probe>] {
        &self.inner.parts.probes
    }

    /// Views of orders.
    pub(crate) fn blotter(&self) -> &Blotter {
        &self.inner.blotter
    }

    pub(crate) fn hub(&self) -> &MarketHub {
        &self.inner.hub
    }

    /// Users and their credentials.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.inner.parts.identity.as_ref()
    }

    /// How often somebody may ask.
    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// The brokers.
    pub(crate) fn brokers(&self) -> Option<&dyn Brokers> {
        self.inner.parts.brokers.as_deref()
    }

    /// The FIX sessions.
    pub(crate) fn fix(&self) -> Option<&dyn FixSessions> {
        self.inner.parts.fix.as_deref()
    }

    /// The audit.
    pub(crate) fn audit(&self) -> Option<Arc<dyn Audit>> {
        self.inner.parts.audit.clone()
    }

    /// How far the views are.
    #[must_use]
    pub fn views_cursor(&self) -> Seq {
        self.inner.parts.watermark.cursor()
    }

    /// The names as they are known now.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        self.inner.names.current()
    }

    /// Whose orders are, as of the names.
    pub(crate) fn owners(&self) -> &Owners {
        self.inner.names.owners()
    }

    /// How long a subscription or stream rests between two looks at the log. A few look at every commit; were a thousand to
    /// do so, the machine would do little else than wake them.
    pub(crate) fn rest(&self) -> Duration {
        let many = self.sockets().saturating_add(self.inner.streams.load(Ordering::Relaxed));
        let rest = REST_EACH.saturating_mul(u32::try_from(many).unwrap_or(u32::MAX)).min(REST_MOST);
        if rest < REST_LEAST { Duration::ZERO } else { rest }
    }

    /// The names as of everything that is durable now.
    ///
    /// # Errors
    /// `OVERLOADED` where they are too far behind.
    pub async fn catalog_now(&self) -> Result<Arc<Catalog>, Refusal> {
        let durable = self.handle().durable();
        // Seldom asked, and a timer is large: the requests that do not ask need not carry its place.
        let names = Box::pin(tokio::time::timeout(self.config().read_wait, self.inner.names.as_of(durable))).await;
        names.map_err(|_| behind("the names", durable))
    }

    /// Asks the views, once they hold everything that is durable now.
    ///
    /// # Errors
    /// `OVERLOADED` where they are too far behind or too busy, `VALIDATION_ERROR` for a malformed question.
    pub async fn query<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&ViewReader) -> Result<T, ViewError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let durable = self.handle().durable();
        let reached = self.inner.parts.watermark.reached(durable);
        match tokio::time::timeout(self.config().read_wait, reached).await {
            Ok(true) => (),
            Ok(false) => return Err(Refusal::new(Code::Overloaded, "the views are not being filled")),
            Err(_) => return Err(behind("the views", durable)),
        }
        let reader = self.inner.parts.views.clone();
        let asked = tokio::task::spawn_blocking(move || ask(&reader)).await;
        match asked {
            Ok(answer) => answer.map_err(view_refusal),
            Err(error) => {
                tracing::error!(%error, "a query failed");
                Err(Refusal::new(Code::Internal, "the query failed"))
            }
        }
    }

    /// Runs something that may block, off the async threads.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a read failed");
            Err(Refusal::new(Code::Internal, "the read failed"))
        })
    }

    /// A trace id for a request that came without one.
    pub(crate) fn new_trace(&self) -> TraceId {
        let n = self.inner.traced.fetch_add(1, Ordering::Relaxed);
        let half = |n: u64| u128::from(self.inner.traces.hash_one(n));
        TraceId::from_u128(half(n) << 64 | half(!n))
    }

    /// A place among the requests that are worked on; `None` where all are taken.
    pub(crate) fn admit(&self, protected: bool) -> Option<Place> {
        let config = self.config();
        let most = if protected { config.max_requests.saturating_add(config.protected_requests) } else { config.max_requests };
        Place::take(self, |inner| &inner.requests, most)
    }

    /// A place among the streams; `None` where all are taken.
    pub(crate) fn admit_stream(&self) -> Option<Place> {
        Place::take(self, |inner| &inner.streams, self.config().max_streams)
    }

    /// A place among those who read the whole log; `None` where all are taken.
    pub(crate) fn admit_audit(&self) -> Option<Place> {
        Place::take(self, |inner| &inner.audits, MAX_AUDITS)
    }

    /// A place among the sockets; `None` where all are taken.
    pub(crate) fn admit_socket(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inner.sockets).try_acquire_owned().ok()
    }

    /// Sockets at this moment.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.config().sockets.max_sockets.saturating_sub(self.inner.sockets.available_permits())
    }

    /// Waits until every socket has ended.
    pub(crate) async fn sockets_ended(&self) {
        let all = u32::try_from(self.config().sockets.max_sockets).unwrap_or(u32::MAX);
        // Nobody closes the semaphore.
        drop(self.inner.sockets.acquire_many(all).await);
    }

    /// Requests and streams at this moment.
    #[must_use]
    pub fn in_flight(&self) -> (usize, usize) {
        (self.inner.requests.load(Ordering::Relaxed), self.inner.streams.load(Ordering::Relaxed))
    }

    /// Ends every stream.
    pub(crate) fn close(&self) {
        self.inner.closing.send_replace(true);
    }

    /// Becomes true when streams should end.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.inner.closing.subscribe()
    }
}

/// Waits until a watched value meets a condition; false where it no longer can.
pub(crate) async fn until<T>(watched: &mut watch::Receiver<T>, condition: impl FnMut(&T) -> bool) -> bool {
    // What `wait_for` answers holds a lock, which must not live on across the caller's next wait.
    watched.wait_for(condition).await.is_ok()
}

fn behind(what: &str, asked: Seq) -> Refusal {
    Refusal::new(Code::Overloaded, format!("{what} have not reached sequence {asked} in time")).with("sequence", asked)
}

fn view_refusal(error: ViewError) -> Refusal {
    match error {
        ViewError::Query(error) => Refusal::new(Code::ValidationError, error.to_string()),
        ViewError::TooBroad { .. } => Refusal::new(Code::QueryTooBroad, error.to_string()),
        ViewError::Busy { .. } | ViewError::Behind { .. } => Refusal::new(Code::Overloaded, error.to_string()),
        other => {
            tracing::error!(error = %other, "the views cannot be read");
            Refusal::new(Code::Internal, "the views cannot be read")
        }
    }
}

/// A place that was taken; given back when dropped.
pub(crate) struct Place {
    api: Api,
    which: fn(&Inner) -> &AtomicUsize,
}

impl Place {
    fn take(api: &Api, which: fn(&Inner) -> &AtomicUsize, most: usize) -> Option<Self> {
        if which(&api.inner).fetch_add(1, Ordering::Relaxed) >= most {
            which(&api.inner).fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self { api: api.clone(), which })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        (self.which)(&self.api.inner).fetch_sub(1, Ordering::Relaxed);
    }
}
