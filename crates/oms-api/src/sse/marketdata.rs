//! The market-data stream: each change is rendered once, whatever the number of clients.

use super::{HEARTBEAT, respond};
use crate::api::{Api, Place, until};
use crate::auth::Held;
use crate::call::Call;
use crate::json::Writer;
use crate::json::orders::market_fields;
use crate::query::bad_parameter;
use axum::body::Bytes;
use axum::response::Response;
use futures_util::stream::unfold;
use oms_model::market::Market;
use oms_model::{Code, InstrumentId, Refusal};
use oms_runtime::market::MarketBook;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// The most instruments of one stream.
const MAX_SYMBOLS: usize = 500;
/// What stands before the document of an update.
const FRONT: &[u8] = b"event: quote\ndata: ";
/// What stands after it.
const BACK: &[u8] = b"\n\n";

/// One instrument's last rendered update.
struct Slot {
    instrument: InstrumentId,
    symbol: String,
    clients: AtomicUsize,
    latest: Mutex<(u64, Bytes)>,
}

impl Slot {
    fn latest(&self) -> (u64, Bytes) {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Renders what changed and wakes the clients, at most once in an interval.
pub struct MarketHub {
    book: Arc<MarketBook>,
    interval: Duration,
    slots: Mutex<BTreeMap<InstrumentId, Arc<Slot>>>,
    // Counts the rounds that rendered something.
    rounds: watch::Sender<u64>,
    clients: watch::Sender<usize>,
}

impl MarketHub {
    /// A hub without clients.
    #[must_use]
    pub fn new(book: Arc<MarketBook>, interval: Duration) -> Self {
        Self { book, interval, slots: Mutex::default(), rounds: watch::Sender::new(0), clients: watch::Sender::new(0) }
    }

    /// Serves the clients of `api` until it closes. Idle while there are none.
    pub async fn run(api: Api) {
        let mut closing = api.closing();
        tokio::select! {
            _ = until(&mut closing, |closing| *closing) => (),
            () = api.hub().rounds() => (),
        }
    }

    async fn rounds(&self) {
        let mut clients = self.clients.subscribe();
        let mut market = Market::default();
        // The sender lives as long as `self`.
        while until(&mut clients, |clients| *clients > 0).await {
            let mut changed = pin!(self.book.changed());
            // Registers before looking, so that no change falls between the look and the wait.
            let already = std::future::poll_fn(|cx| Poll::Ready(changed.as_mut().poll(cx).is_ready())).await;
            let next = Instant::now() + self.interval;
            if self.render(&mut market) {
                self.rounds.send_modify(|round| *round += 1);
            } else if !already {
                changed.await;
                continue;
            }
            sleep_until(next).await;
        }
    }

    /// Renders every instrument that changed. Whether there was one.
    fn render(&self, market: &mut Market) -> bool {
        let slots: Vec<Arc<Slot>> = self.slots.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let mut any = false;
        for slot in slots {
            let version = self.book.version(slot.instrument);
            if slot.latest.lock().unwrap_or_else(PoisonError::into_inner).0 == version {
                continue;
            }
            self.book.get_into(slot.instrument, market);
            let update = update(&slot.symbol, version, market);
            *slot.latest.lock().unwrap_or_else(PoisonError::into_inner) = (version, update);
            any = true;
        }
        any
    }

    fn subscribe(&self, wanted: &[(InstrumentId, String)]) -> Vec<Arc<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = |(instrument, symbol): &(InstrumentId, String)| {
            let slot = slots.entry(*instrument).or_insert_with(|| {
                let version = self.book.version(*instrument);
                let first = update(symbol, version, &self.book.get(*instrument));
                Arc::new(Slot {
                    instrument: *instrument,
                    symbol: symbol.clone(),
                    clients: AtomicUsize::new(0),
                    latest: Mutex::new((version, first)),
                })
            });
            slot.clients.fetch_add(1, Ordering::Relaxed);
            slot.clone()
        };
        let subscribed = wanted.iter().map(slot).collect();
        self.clients.send_modify(|clients| *clients += 1);
        subscribed
    }

    fn unsubscribe(&self, subscribed: &[Arc<Slot>]) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        for slot in subscribed {
            if slot.clients.fetch_sub(1, Ordering::Relaxed) == 1 {
                slots.remove(&slot.instrument);
            }
        }
        self.clients.send_modify(|clients| *clients -= 1);
    }
}

fn update(symbol: &str, version: u64, market: &Market) -> Bytes {
    let mut w = Writer::with_capacity(320);
    w.object(|w| market_fields(w, symbol, version, market));
    let mut chunk = Vec::with_capacity(360);
    chunk.extend_from_slice(FRONT);
    chunk.extend_from_slice(w.as_bytes());
    chunk.extend_from_slice(BACK);
    chunk.into()
}

/// What one client has seen of the instruments that it follows.
pub(crate) struct Watch {
    api: Api,
    slots: Vec<Arc<Slot>>,
    sent: Vec<Option<u64>>,
    rounds: watch::Receiver<u64>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.api.hub().unsubscribe(&self.slots);
    }
}

impl Watch {
    /// Follows these instruments; nothing of them was seen yet.
    pub(crate) fn of(api: &Api, wanted: &[(InstrumentId, String)]) -> Self {
        let slots = api.hub().subscribe(wanted);
        Self { sent: vec![None; slots.len()], slots, rounds: api.hub().rounds.subscribe(), api: api.clone() }
    }

    /// Waits until something may have changed since the last look. False where nothing will any more.
    pub(crate) async fn changed(&mut self) -> bool {
        self.rounds.changed().await.is_ok()
    }

    /// What was not seen, one rendered update for each instrument. It counts as seen now.
    pub(crate) fn unseen(&mut self) -> Vec<Bytes> {
        self.rounds.borrow_and_update();
        let mut unseen = Vec::new();
        for (slot, sent) in self.slots.iter().zip(&mut self.sent) {
            let (version, update) = slot.latest();
            if *sent != Some(version) {
                *sent = Some(version);
                unseen.push(update);
            }
        }
        unseen
    }
}

/// The JSON document within a rendered update.
pub(crate) fn document(update: &Bytes) -> &[u8] {
    update.get(FRONT.len()..update.len().saturating_sub(BACK.len())).unwrap_or_default()
}

struct Client {
    api: Api,
    watch: Watch,
    closing: watch::Receiver<bool>,
    _place: Place,
}

impl Client {
    /// What this client has not seen; waits until there is something.
    async fn next(&mut self) -> Option<Bytes> {
        let heartbeat = self.api.config().heartbeat;
        loop {
            let mut unseen = self.watch.unseen();
            match unseen.len() {
                0 => (),
                1 => return unseen.pop(),
                _ => return Some(unseen.concat().into()),
            }
            tokio::select! {
                changed = timeout(heartbeat, self.watch.changed()) => match changed {
                    Ok(true) => (),
                    Ok(false) => return None,
                    Err(_) => return Some(HEARTBEAT),
                },
                _ = until(&mut self.closing, |closing| *closing) => return None,
            }
        }
    }
}

/// `GET /marketdata/stream?symbols=`: first each instrument as it is, then every change, conflated.
///
/// # Errors
/// `VALIDATION_ERROR`, `UNKNOWN_SYMBOL`, `OVERLOADED`.
pub async fn stream(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let symbols = params.list("symbols");
    params.end()?;
    let wanted = wanted(&call.api, symbols).await?;
    let place = call.api.admit_stream().ok_or_else(|| Refusal::new(Code::Overloaded, "there are too many streams"))?;
    let client = Client { watch: Watch::of(&call.api, &wanted), closing: call.api.closing(), api: call.api.clone(), _place: place };
    let held = Held::new(&call.api, call.principal);
    let chunks = unfold((client, held), async |(mut client, mut held)| {
        let chunk = tokio::select! {
            chunk = client.next() => chunk?,
            () = held.lost() => return None,
        };
        Some((Ok::<_, Infallible>(chunk), (client, held)))
    });
    Ok(respond(chunks, call.trace_id))
}

/// The instruments with these symbols; all where none are named.
///
/// # Errors
/// `UNKNOWN_SYMBOL`; `VALIDATION_ERROR` where they are none or too many.
pub(crate) async fn wanted(api: &Api, symbols: Option<Vec<String>>) -> Result<Vec<(InstrumentId, String)>, Refusal> {
    let catalog = api.catalog_now().await?;
    let mut wanted: BTreeMap<InstrumentId, String> = BTreeMap::new();
    match symbols {
        None => wanted.extend(catalog.instruments.values().map(|one| (one.instrument_id, one.symbol.to_string()))),
        Some(symbols) => {
            for symbol in symbols {
                let found = catalog.instrument_named(&symbol);
                let found = found.ok_or_else(|| Refusal::new(Code::UnknownSymbol, format!("there is no instrument {symbol}")))?;
                wanted.insert(found.instrument_id, symbol);
            }
        }
    }
    if wanted.is_empty() || wanted.len() > MAX_SYMBOLS {
        return Err(bad_parameter("symbols", format_args!("must name 1 to {MAX_SYMBOLS} instruments")));
    }
    Ok(wanted.into_iter().collect())
}
