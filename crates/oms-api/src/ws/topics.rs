//! What can be subscribed to: snapshots, and what comes after them.

mod kinds;
mod orders;
mod pace;
mod view;

use crate::api::Api;
use crate::blotter::Viewer;
use crate::call::Call;
use crate::catalog::Catalog;
use crate::json::events::write_event;
use crate::json::orders::position_fields;
use crate::json::read::Value;
use crate::json::{Fields, Writer};
use crate::query::MAX_LIMIT;
use crate::rest::executions::write_execution;
use crate::rest::risk::status_now;
use crate::sse::marketdata::{Watch, document, wanted};
use kinds::{EXECUTIONS, RISK, moved};
use oms_identity::Scope;
use oms_model::event::{Batch, Event};
use oms_model::position::Position;
use oms_model::{AccountId, Code, InstrumentId, Refusal, Seq};
use oms_runtime::feed::Follower;
use oms_store::views::{Filter as ViewFilter, ListQuery, Op, Sort};
use orders::Orders;
use pace::Pace;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A subscription sends so much at a time, so that the others of its connection are served between.
const CHUNK: usize = 64 * 1024;
/// And looks at so many batches at a time.
const MAX_BATCHES: usize = 256;
/// A client so many events behind is served from the journal.
const FAR_BEHIND: u64 = 8_192;
/// The shortest time between two looks at the positions.
const PACE: Duration = Duration::from_millis(50);
/// Items of one message of a snapshot.
const PIECE: usize = 500;

/// Which orders, executions or positions are meant.
#[derive(Clone, Debug, Default)]
struct Filter {
    account_id: Option<AccountId>,
    instrument: Option<(InstrumentId, String)>,
}

impl Filter {
    fn takes(&self, account_id: AccountId, instrument_id: InstrumentId) -> bool {
        self.account_id.is_none_or(|id| id == account_id) && self.instrument.as_ref().is_none_or(|(id, _)| *id == instrument_id)
    }

    fn takes_event(&self, event: &Event) -> bool {
        match event {
            Event::ExecutionRecorded(e) => self.takes(e.account_id, e.instrument_id),
            _ => true,
        }
    }
}

enum Topic {
    Orders(Orders),
    /// Events of these kinds, as the event stream shows them.
    Events(&'static [&'static str]),
    Positions(Held),
    Market(Watch),
    /// A window of the tenant's orders.
    View(Viewer),
}

/// Positions as they were last told.
struct Held {
    known: Positions,
    /// Something may have moved one since.
    moved: bool,
    /// When they are looked at again.
    pace: Pace,
}

/// What a connection follows.
pub(crate) struct Subscription {
    number: u32,
    filter: Filter,
    topic: Topic,
    /// `None` where everything is told as it comes.
    pace: Option<Pace>,
    /// `None` for the market, which has no sequence, and for views, whose frames are followed elsewhere.
    follower: Option<Follower>,
}

/// The scope that a topic needs.
pub(crate) fn scope_of(topic: &str) -> Scope {
    match topic {
        "marketdata" => Scope::MarketdataSubscribe,
        "positions" | "risk" => Scope::PositionsView,
        _ => Scope::OrdersView,
    }
}

/// A subscription with the messages that begin it.
pub(crate) type Begun = (Subscription, Vec<u8>, Vec<Vec<u8>>);

impl Subscription {
    /// Begins what the fields of a message ask for: its body, and the pieces of its snapshot.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, `UNKNOWN_SYMBOL`, `OVERLOADED`; `QUERY_TOO_BROAD` for too large a snapshot.
    pub(crate) async fn begin(call: &Call, number: u32, fields: &Fields<'_, '_>) -> Result<Begun, Refusal> {
        let topic = fields.required("topic", fields.string("topic")?)?;
        call.principal.require(scope_of(topic))?;
        let from = from(&call.api, fields)?;
        let nothing = Value::Object(crate::json::read::Object { raw: "{}", fields: Vec::new() });
        let asked = fields.get("filter").unwrap_or(&nothing);
        if from.is_some() && !matches!(topic, "orders" | "executions" | "risk") {
            return Err(fields.bad("from", format_args!("goes not with {topic}, which tells what is, not what came of it")));
        }
        let pace = Pace::asked(topic, fields)?;
        if topic == "marketdata" {
            let symbols = Fields::of(asked, "filter.", &["symbols"])?;
            let named = symbols.get("symbols").is_some().then(|| symbols.parsed_list::<String>("symbols")).transpose()?;
            let watch = Watch::of(&call.api, &wanted(&call.api, named).await?);
            let begun = Self { number, filter: Filter::default(), topic: Topic::Market(watch), pace, follower: None };
            return Ok((begun, opening(number, topic, None), Vec::new()));
        }
        let known: &[&str] = if topic == "risk" { &[] } else { &["account_id", "symbol"] };
        let filter = filter(call, &Fields::of(asked, "filter.", known)?).await?;
        let (topic_of, seq, pieces) = match (topic, from) {
            ("orders", None) => Orders::snapshot(call, number, &filter).await?,
            ("orders", Some(seq)) => (Topic::Orders(Orders::default()), seq, Vec::new()),
            ("executions", None) => executions(call, number, &filter).await?,
            ("executions", Some(seq)) => (Topic::Events(EXECUTIONS), seq, Vec::new()),
            ("positions", _) => positions(call, number, &filter).await?,
            ("risk", None) => {
                let (page, seq) = status_now(call).await?;
                (Topic::Events(RISK), seq, vec![message(number, "snapshot", seq, true, |w| w.raw("data", &page))])
            }
            ("risk", Some(seq)) => (Topic::Events(RISK), seq, Vec::new()),
            _ => return Err(fields.bad("topic", "must be orders, executions, positions, risk or marketdata")),
        };
        let follower = Some(call.api.handle().feed().follow(seq));
        Ok((Self { number, filter, topic: topic_of, pace, follower }, opening(number, topic, Some(seq)), pieces))
    }

    /// Whether it follows the log.
    pub(super) fn follows(&self) -> bool {
        self.follower.is_some()
    }

    /// When it is to be looked at even if nothing happens.
    pub(super) fn due(&self) -> Option<Instant> {
        match &self.topic {
            Topic::Positions(held) => held.pace.due(),
            _ => self.pace.as_ref().and_then(Pace::due),
        }
    }

    /// The sequence to resume from; `None` where a resumption begins with a snapshot.
    pub(crate) fn told(&self) -> Option<Seq> {
        if matches!(self.topic, Topic::Positions(_)) {
            return None;
        }
        self.follower.as_ref().map(|follower| Seq(follower.next_seq().0.saturating_sub(1)))
    }

    /// Waits until the market, or what a view shows, may have changed; for ever where this is about neither.
    pub(super) async fn moved(&mut self) {
        match &mut self.topic {
            Topic::Market(watch) => {
                if let Some(pace) = &self.pace {
                    pace.passed().await;
                }
                if watch.changed().await {
                    return;
                }
            }
            Topic::View(viewer) => return viewer.changed().await,
            Topic::Orders(_) | Topic::Events(_) | Topic::Positions(_) => (),
        }
        // Where nothing changes any more the server is ending, which the connection hears of.
        std::future::pending().await
    }

    /// What is to be told next, at most about [`CHUNK`] of it; and whether there may be more at once.
    ///
    /// # Errors
    /// Where the log or an order's past cannot be read.
    pub(crate) async fn next(&mut self, api: &Api) -> Result<(Vec<Vec<u8>>, bool), Refusal> {
        if self.pace.as_mut().is_some_and(Pace::holds_back) {
            return Ok((Vec::new(), false));
        }
        let (messages, more) = self.look(api).await?;
        // One that is behind is not held back: it would never be there.
        if let Some(pace) = &mut self.pace
            && !more
            && !messages.is_empty()
        {
            pace.begin();
        }
        Ok((messages, more))
    }

    async fn look(&mut self, api: &Api) -> Result<(Vec<Vec<u8>>, bool), Refusal> {
        let Self { number, filter, topic, follower, .. } = self;
        let Some(follower) = follower else {
            let told = match topic {
                Topic::Market(watch) => watch.unseen().iter().map(|update| quote(*number, document(update))).collect(),
                Topic::View(viewer) => viewer.take()?.into_iter().collect(),
                _ => Vec::new(),
            };
            return Ok((told, false));
        };
        let upto = api.handle().durable();
        let catalog = api.catalog_now().await?;
        let (mut messages, mut size, mut looked) = (Vec::new(), 0, 0);
        let mut list = Vec::new();
        while size + list.len() < CHUNK && looked < MAX_BATCHES && follower.next_seq() <= upto {
            let before = Seq(follower.next_seq().0.saturating_sub(1));
            let Some(batch) = read(api, follower, upto).await? else { break };
            looked += 1;
            match topic {
                Topic::Orders(orders) => {
                    let told = orders.delta(api, *number, filter, &batch, &catalog).await?;
                    size += told.as_ref().map_or(0, Vec::len);
                    messages.extend(told);
                }
                Topic::Events(kinds) => write_events(&mut list, filter, kinds, before, &batch, &catalog),
                Topic::Positions(held) => held.moved |= moved(&batch),
                Topic::Market(_) | Topic::View(_) => (),
            }
        }
        if !list.is_empty() {
            list.push(b']');
            let reached = Seq(follower.next_seq().0.saturating_sub(1));
            messages.push(message(*number, "delta", reached, true, |w| w.raw("data", &list)));
        }
        if let Topic::Positions(held) = topic
            && held.moved
            && !held.pace.holds_back()
        {
            let (told, seq) = held.look(api, *number, filter, &catalog).await?;
            messages.extend(told);
            // What lies between is in it.
            *follower = api.handle().feed().follow(seq.max(upto));
        }
        Ok((messages, follower.next_seq() <= upto))
    }
}

/// The next batch, where it is durable. A client that is far behind is served from the journal, off the async threads.
async fn read(api: &Api, follower: &mut Follower, upto: Seq) -> Result<Option<Arc<Batch>>, Refusal> {
    let before = Seq(follower.next_seq().0.saturating_sub(1));
    let read = if upto.0.saturating_sub(before.0) > FAR_BEHIND {
        let mut own = std::mem::replace(follower, api.handle().feed().follow(before));
        let read = tokio::task::spawn_blocking(move || {
            let batch = own.try_next();
            (own, batch)
        });
        let (own, batch) = read.await.map_err(|error| unreadable(&error))?;
        *follower = own;
        batch
    } else {
        follower.try_next()
    };
    read.map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::error::Error) -> Refusal {
    tracing::error!(%error, "a subscription cannot read on");
    Refusal::new(Code::Internal, "the log cannot be read")
}

fn from(api: &Api, fields: &Fields<'_, '_>) -> Result<Option<Seq>, Refusal> {
    let Some(from) = fields.count::<u64>("from")?.map(Seq) else { return Ok(None) };
    let durable = api.handle().durable();
    if from > durable {
        let problem = format_args!("lies behind the end of the log, which is {durable}").to_string();
        return Err(fields.bad("from", problem).with("sequence", durable));
    }
    Ok(Some(from))
}

async fn filter(call: &Call, fields: &Fields<'_, '_>) -> Result<Filter, Refusal> {
    let account_id: Option<AccountId> = fields.parsed("account_id")?;
    let instrument = match fields.string("symbol")? {
        None => None,
        Some(symbol) => {
            let catalog = call.api.catalog_now().await?;
            let found = catalog.instrument_named(symbol);
            let found = found.ok_or_else(|| Refusal::new(Code::UnknownSymbol, format!("there is no instrument {symbol}")))?;
            Some((found.instrument_id, symbol.to_owned()))
        }
    };
    Ok(Filter { account_id, instrument })
}

/// The body of the answer that opens a subscription.
fn opening(number: u32, topic: &str, seq: Option<Seq>) -> Vec<u8> {
    let mut w = Writer::with_capacity(96);
    w.object(|w| {
        w.number("subscription", number);
        w.string("topic", topic);
        w.number_or_null("sequence", seq.map(|seq| seq.0));
    });
    w.finish()
}

/// A message of a subscription.
fn message(number: u32, kind: &str, seq: Seq, last: bool, data: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer::with_capacity(1_024);
    w.object(|w| {
        w.number("subscription", number);
        w.string("type", kind);
        w.number("sequence", seq.0);
        w.bool("last", last);
        data(w);
    });
    w.finish()
}

fn quote(number: u32, document: &[u8]) -> Vec<u8> {
    let mut w = Writer::with_capacity(64 + document.len());
    w.object(|w| {
        w.number("subscription", number);
        w.string("type", "quote");
        w.raw("data", document);
    });
    w.finish()
}

/// A snapshot in messages of [`PIECE`] items, of which the last says so.
fn pieces<T>(number: u32, seq: Seq, items: &[T], write: impl Fn(&mut Writer, &T)) -> Vec<Vec<u8>> {
    let count = items.len().div_ceil(PIECE).max(1);
    let piece = |at: usize| items.get(at * PIECE..items.len().min((at + 1) * PIECE)).unwrap_or_default();
    (0..count).map(|at| message(number, "snapshot", seq, at + 1 == count, |w| w.array_at("data", piece(at), &write))).collect()
}

fn too_broad(most: usize) -> Refusal {
    Refusal::new(Code::QueryTooBroad, format!("the snapshot has more than {most} items")).with("most", most)
}

async fn executions(call: &Call, number: u32, filter: &Filter) -> Result<(Topic, Seq, Vec<Vec<u8>>), Refusal> {
    let account = filter.account_id.map(|id| ViewFilter::new("account_id", Op::Eq, id.to_string()));
    let symbol = filter.instrument.as_ref().map(|(_, symbol)| ViewFilter::new("symbol", Op::Eq, symbol.clone()));
    let filters = account.into_iter().chain(symbol).collect();
    let asked = ListQuery { filters, sort: Sort::parse("-seq"), limit: Some(MAX_LIMIT), cursor: None };
    let page = call.api.query(move |views| views.executions(&asked)).await?;
    Ok((Topic::Events(EXECUTIONS), page.seq, pieces(number, page.seq, &page.items, write_execution)))
}

/// Writes the events of a batch that are of these kinds and lie behind `before` onto a list that is not closed yet.
fn write_events(list: &mut Vec<u8>, filter: &Filter, kinds: &[&str], before: Seq, batch: &Batch, catalog: &Catalog) {
    let told = |(seq, event): &(Seq, &Event)| *seq > before && kinds.contains(&event.name()) && filter.takes_event(event);
    for (seq, event) in batch.numbered().filter(told) {
        let mut w = Writer::with_capacity(1_024);
        write_event(&mut w, seq, batch, event, catalog);
        list.push(if list.is_empty() { b'[' } else { b',' });
        list.extend_from_slice(w.as_bytes());
    }
}

type Positions = BTreeMap<(AccountId, InstrumentId), Position>;

async fn positions_now(api: &Api, filter: &Filter) -> Result<(Positions, Seq), Refusal> {
    let (filter, most) = (filter.clone(), api.config().sockets.max_snapshot);
    let read = move |state: &oms_engine::State| -> Positions {
        let wanted = state.positions().filter(|one| filter.takes(one.account_id, one.instrument_id)).take(most + 1);
        wanted.map(|one| ((one.account_id, one.instrument_id), one.clone())).collect()
    };
    let (found, seq) = api.handle().inspect(move |state, _| (read(state), state.last_seq())).await?;
    if found.len() > most { Err(too_broad(most)) } else { Ok((found, seq)) }
}

fn write_position(w: &mut Writer, api: &Api, position: &Position, catalog: &Catalog) {
    w.object(|w| position_fields(w, position, &api.handle().market().get(position.instrument_id), catalog));
}

async fn positions(call: &Call, number: u32, filter: &Filter) -> Result<(Topic, Seq, Vec<Vec<u8>>), Refusal> {
    let (known, seq) = positions_now(&call.api, filter).await?;
    let catalog = call.api.catalog_now().await?;
    let all: Vec<&Position> = known.values().collect();
    let pieces = pieces(number, seq, &all, |w, position| write_position(w, &call.api, position, &catalog));
    Ok((Topic::Positions(Held { known, moved: false, pace: Pace::every(PACE) }), seq, pieces))
}

impl Held {
    /// The positions that are others than was told, and the sequence that they are of.
    async fn look(&mut self, api: &Api, number: u32, filter: &Filter, catalog: &Catalog) -> Result<(Option<Vec<u8>>, Seq), Refusal> {
        let (now, seq) = positions_now(api, filter).await?;
        let others = now.iter().filter(|(key, position)| self.known.get(key) != Some(position));
        let others: Vec<&Position> = others.map(|(_, position)| position).collect();
        let told = (!others.is_empty()).then(|| {
            message(number, "delta", seq, true, |w| w.array_at("data", &others, |w, position| write_position(w, api, position, catalog)))
        });
        (self.known, self.moved) = (now, false);
        self.pace.begin();
        Ok((told, seq))
    }
}
