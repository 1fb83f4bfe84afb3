//! What was known then: the answers to `as_of`.
//!
//! - Orders are folded from their own events, which the views point at and the log holds.
//! - Positions, limits and switches come from the state as it was, rebuilt off the hot path.

use crate::api::Api;
use crate::json::decode::time;
use crate::query::{Params, bad_parameter};
use oms_engine::State;
use oms_model::event::{Batch, Event};
use oms_model::{Code, Order, OrderId, Refusal, Seq, Time};
use oms_runtime::history::{AsOf, HistoryError, Moment};
use oms_store::views::{EventRef, ViewError, ViewReader};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The most events that one answer is folded from.
pub const MAX_EVENTS: usize = 20_000;
/// Nanoseconds of a day.
pub(crate) const DAY_NS: i64 = 86_400_000_000_000;
/// Events asked of the views at a time.
const STEP: u32 = 500;

/// A batch with those of its events that are asked for.
pub type Found = (Arc<Batch>, Vec<Seq>);

/// Takes `as_of`: a sequence, or a time that has come.
///
/// # Errors
/// `VALIDATION_ERROR` where it is neither.
pub fn as_of(params: &mut Params) -> Result<Option<AsOf>, Refusal> {
    let Some(text) = params.take("as_of") else { return Ok(None) };
    match parsed(&text).map_err(|problem| bad_parameter("as_of", problem))? {
        AsOf::Time(time) if time > now() => Err(bad_parameter("as_of", "lies in the future")),
        other => Ok(Some(other)),
    }
}

/// As [`parse`], with what is wrong with the text.
fn parsed(text: &str) -> Result<AsOf, &'static str> {
    parse(text).ok_or("must be a sequence, or a time such as 2026-01-31T16:00:00Z")
}

/// A stretch of the past that a question is about.
#[derive(Clone, Copy, Debug)]
pub enum Stretch {
    /// A UTC day: its number, such as 20261121, the last instant before it, and its last one.
    Day(u32, Time, Time),
    /// What is behind the first, up to the second.
    Between(AsOf, AsOf),
}

impl Stretch {
    /// Of a day, or of what is between `from` and `to`, now where that is absent. `bad` refuses a field for a reason.
    ///
    /// # Errors
    /// What `bad` makes of the first field that is wrong.
    pub fn of(
        day: Option<u32>,
        from: Option<&str>,
        to: Option<&str>,
        bad: impl Fn(&'static str, &'static str) -> Refusal,
    ) -> Result<Self, Refusal> {
        let at = |name, text: Option<&str>| text.map(|text| parsed(text).map_err(|problem| bad(name, problem))).transpose();
        match (day, at("from", from)?, at("to", to)?) {
            (Some(number), None, None) => {
                let (begin, end) = utc_day(number).ok_or_else(|| bad("day", "must be a day such as 20261121"))?;
                Ok(Self::Day(number, begin, end))
            }
            (None, Some(from), to) => Ok(Self::Between(from, to.unwrap_or(AsOf::Time(now())))),
            (Some(_), _, _) => Err(bad("day", "excludes from and to")),
            (None, None, _) => Err(bad("day", "or from is required")),
        }
    }
}

/// The last instant before a UTC day, and its last one.
fn utc_day(number: u32) -> Option<(Time, Time)> {
    let text = format!("{:04}-{:02}-{:02}T00:00:00Z", number / 10_000, number / 100 % 100, number % 100);
    let begin = time(&text)?;
    Some((begin.plus(-1), begin.plus(DAY_NS - 1)))
}

/// Refuses two moments between which nothing happened.
///
/// # Errors
/// What `bad` makes of `to`.
pub fn check_order(from: Moment, to: Moment, bad: impl Fn(&'static str, &'static str) -> Refusal) -> Result<(), Refusal> {
    if to.seq > from.seq { Ok(()) } else { Err(bad("to", "is not behind from: nothing happened in between")) }
}

/// Which past a text means: digits are a sequence, anything else is a time (RFC 3339).
#[must_use]
pub fn parse(text: &str) -> Option<AsOf> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(|seq| AsOf::Seq(Seq(seq)));
    }
    time(text).map(AsOf::Time)
}

/// UTC now.
#[must_use]
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

pub(crate) fn refusal(error: HistoryError) -> Refusal {
    match error {
        HistoryError::NotYet { last, .. } => {
            Refusal::new(Code::ValidationError, error.to_string()).with("parameter", "as_of").with("last", last)
        }
        HistoryError::TooFar { events, most } => {
            Refusal::new(Code::HistoryTooFar, error.to_string()).with("events", events).with("most", most)
        }
        HistoryError::Busy { .. } => Refusal::new(Code::Overloaded, error.to_string()),
        HistoryError::Recovery(error) => {
            tracing::error!(%error, "the past cannot be read");
            Refusal::new(Code::Internal, "the past cannot be read")
        }
    }
}

fn too_many_events() -> Refusal {
    Refusal::new(Code::HistoryTooFar, format!("more than {MAX_EVENTS} events would have to be folded")).with("most", MAX_EVENTS)
}

impl Api {
    /// The moment that `as_of` means.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` where it has not come yet, `OVERLOADED` where too many ask about the past.
    pub async fn moment(&self, as_of: AsOf) -> Result<Moment, Refusal> {
        let history = self.history().clone();
        self.blocking(move || history.moment(as_of).map_err(refusal)).await
    }

    /// Reads the state: as it is between two inputs, or as it was. Answers the moment too where it is a past one.
    ///
    /// # Errors
    /// `OVERLOADED`; as [`Api::moment`]; `HISTORY_TOO_FAR`.
    pub async fn state_as_of<T: Send + 'static>(
        &self,
        as_of: Option<AsOf>,
        read: impl FnOnce(&State, Time) -> T + Send + 'static,
    ) -> Result<(T, Option<Moment>), Refusal> {
        let Some(as_of) = as_of else {
            let now = now();
            return Ok((self.handle().inspect(move |state, _| read(state, now)).await?, None));
        };
        let history = self.history().clone();
        self.blocking(move || {
            let moment = history.moment(as_of).map_err(refusal)?;
            // What a limit counts over a window is counted back from the time that was asked for.
            let time = if let AsOf::Time(time) = as_of { time } else { moment.time };
            let answer = history.read(moment, |state| read(state, time)).map_err(refusal)?;
            Ok((answer, Some(moment)))
        })
        .await
    }

    /// Every event of a tree up to `until`, oldest first.
    ///
    /// # Errors
    /// `OVERLOADED`; `HISTORY_TOO_FAR` where there are more than [`MAX_EVENTS`].
    pub async fn events_of_tree(&self, root_id: OrderId, until: Seq) -> Result<Vec<Found>, Refusal> {
        self.events(vec![(root_id, true)], until).await
    }

    async fn events(&self, asked: Vec<(OrderId, bool)>, until: Seq) -> Result<Vec<Found>, Refusal> {
        let refs = self.query(move |views| event_refs(views, &asked, until)).await?.ok_or_else(too_many_events)?;
        let api = self.clone();
        self.blocking(move || batches(&api, &refs)).await
    }

    /// These orders as they were, those that there were.
    ///
    /// # Errors
    /// As [`Api::events_of_tree`].
    pub async fn orders_at(&self, orders: Vec<OrderId>, moment: Moment) -> Result<Vec<Order>, Refusal> {
        let asked = orders.iter().map(|order_id| (*order_id, false)).collect();
        let mut folded = fold(&self.events(asked, moment.seq).await?);
        Ok(orders.iter().filter_map(|order_id| folded.remove(order_id)).collect())
    }

    /// The tree of a client order as it was, oldest first; empty where there was none.
    ///
    /// # Errors
    /// As [`Api::events_of_tree`].
    pub async fn tree_at(&self, root_id: OrderId, moment: Moment) -> Result<Vec<Order>, Refusal> {
        let mut tree: Vec<Order> = fold(&self.events_of_tree(root_id, moment.seq).await?).into_values().collect();
        tree.sort_by_key(|order| order.created_seq);
        Ok(tree)
    }
}

/// The orders that these events tell.
fn fold(found: &[Found]) -> BTreeMap<OrderId, Order> {
    let mut orders: BTreeMap<OrderId, Order> = BTreeMap::new();
    for (batch, seqs) in found {
        for (seq, event) in batch.numbered().filter(|(seq, _)| seqs.contains(seq)) {
            if let Event::OrderCreated(created) = event {
                if let Some(parent) = created.parent_order_id.and_then(|parent| orders.get_mut(&parent)) {
                    parent.children.push(created.order_id);
                }
                orders.insert(created.order_id, Order::create(created, seq, batch.time));
            } else if let Some(order) = event.order_id().and_then(|order_id| orders.get_mut(&order_id)) {
                order.apply(event, batch.time);
            }
        }
    }
    orders
}

/// Where the events of these orders are, or of their whole trees, up to `until`; `None` where they are too many.
pub(crate) fn event_refs(views: &ViewReader, asked: &[(OrderId, bool)], until: Seq) -> Result<Option<Vec<EventRef>>, ViewError> {
    let mut all: Vec<EventRef> = Vec::new();
    for (order_id, whole_tree) in asked {
        let mut after = Seq(0);
        loop {
            let some = views.event_seqs(*order_id, *whole_tree, after, STEP)?;
            let last = some.last().filter(|last| some.len() == STEP as usize && last.seq < until).map(|last| last.seq);
            all.extend(some.into_iter().filter(|event| event.seq <= until));
            if all.len() > MAX_EVENTS {
                return Ok(None);
            }
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
    }
    all.sort_unstable_by_key(|event| event.seq);
    Ok(Some(all))
}

/// The batches that hold these events. Reads the log; may block.
pub(crate) fn batches(api: &Api, refs: &[EventRef]) -> Result<Vec<Found>, Refusal> {
    let mut found: Vec<Found> = Vec::new();
    for event in refs {
        if let Some((batch, seqs)) = found.last_mut()
            && event.seq <= batch.last_seq()
        {
            if seqs.last() != Some(&event.seq) {
                seqs.push(event.seq);
            }
            continue;
        }
        match api.handle().feed().batch_at(event.seq) {
            Ok(Some(batch)) => found.push((batch, vec![event.seq])),
            Ok(None) => return Err(unreadable(event.seq, &"it is not in the log")),
            Err(error) => return Err(unreadable(event.seq, &error)),
        }
    }
    Ok(found)
}

fn unreadable(seq: Seq, error: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(sequence = seq.0, %error, "an event cannot be read");
    Refusal::new(Code::Internal, "an event of the order cannot be read").with("sequence", seq)
}
