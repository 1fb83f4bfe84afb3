//! The event stream: the committed log from any sequence on, without a gap.

use super::{HEARTBEAT, respond};
use crate::api::{Api, Place, until};
use crate::auth::Held;
use crate::call::Call;
use crate::catalog::Catalog;
use crate::json::Writer;
use crate::json::events::write_event;
use crate::query::bad_parameter;
use axum::body::Bytes;
use axum::response::Response;
use futures_util::stream::unfold;
use oms_model::event::{Batch, Event};
use oms_model::{Code, Refusal, Seq};
use oms_runtime::feed::{FeedError, Follower};
use std::convert::Infallible;
use std::io::Write as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

/// A chunk ends after the batch that makes it this large.
const CHUNK: usize = 64 * 1024;
/// A client so many events behind is served from the journal, off the async threads.
const FAR_BEHIND: u64 = 8_192;

struct Client {
    api: Api,
    /// `None` only while a read is running, or after one failed.
    follower: Option<Follower>,
    /// Events up to here were sent or are not wanted.
    after: Seq,
    /// Stored numbers of the wanted kinds; empty: all.
    kinds: Vec<u16>,
    /// When the last chunk was handed to the connection.
    handed: Option<Instant>,
    closing: watch::Receiver<bool>,
    ended: bool,
    _place: Place,
}

/// What a client may see next.
struct Wanted<'a> {
    kinds: &'a [u16],
    after: Seq,
    /// Nothing beyond: names of later events may not be known yet.
    upto: Seq,
    catalog: &'a Catalog,
}

impl Wanted<'_> {
    fn render(&self, chunk: &mut Vec<u8>, batch: &Batch) {
        for (seq, event) in batch.numbered() {
            if seq <= self.after || !(self.kinds.is_empty() || self.kinds.contains(&event.code())) {
                continue;
            }
            let mut w = Writer::with_capacity(512);
            write_event(&mut w, seq, batch, event, self.catalog);
            // Writing to memory does not fail.
            let _written = write!(chunk, "id: {seq}\nevent: {}\ndata: ", event.name());
            chunk.extend_from_slice(w.as_bytes());
            chunk.extend_from_slice(b"\n\n");
        }
    }

    /// Reads on until the chunk is full or everything was read.
    fn read(&self, follower: &mut Follower) -> Result<Vec<u8>, FeedError> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK && follower.next_seq() <= self.upto {
            let Some(batch) = follower.try_next()? else { break };
            self.render(&mut chunk, &batch);
        }
        Ok(chunk)
    }
}

impl Client {
    /// The next chunk; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let slow = self.api.config().slow_client;
        if self.handed.is_some_and(|handed| handed.elapsed() > slow) {
            self.ended = true;
            return Some(self.farewell());
        }
        let heartbeat = Instant::now() + self.api.config().heartbeat;
        loop {
            let chunk = self.read().await?;
            if !chunk.is_empty() {
                return Some(chunk.into());
            }
            let feed = self.api.handle().feed().clone();
            let (after, rested) = (self.after, Instant::now() + self.api.rest());
            let grown = async move {
                sleep_until(rested).await;
                feed.beyond(after).await
            };
            let grown = tokio::select! {
                grown = timeout_at(heartbeat, grown) => grown,
                _ = until(&mut self.closing, |closing| *closing) => return None,
            };
            match grown {
                Ok(Ok(())) => (),
                Ok(Err(error)) => {
                    self.failed(&error);
                    return None;
                }
                Err(_) => return Some(HEARTBEAT),
            }
        }
    }

    async fn read(&mut self) -> Option<Vec<u8>> {
        let upto = self.api.handle().durable();
        let catalog = self.api.catalog_now().await.ok()?;
        let mut follower = self.follower.take()?;
        let after = self.after;
        let (follower, chunk) = if upto.0.saturating_sub(after.0) > FAR_BEHIND {
            let kinds = self.kinds.clone();
            let read = tokio::task::spawn_blocking(move || {
                let chunk = Wanted { kinds: &kinds, after, upto, catalog: &catalog }.read(&mut follower);
                (follower, chunk)
            });
            read.await.ok()?
        } else {
            let chunk = Wanted { kinds: &self.kinds, after, upto, catalog: &catalog }.read(&mut follower);
            (follower, chunk)
        };
        match chunk {
            Ok(chunk) => {
                self.after = Seq(follower.next_seq().0.saturating_sub(1)).max(after);
                self.follower = Some(follower);
                Some(chunk)
            }
            Err(error) => {
                self.failed(&error);
                None
            }
        }
    }

    fn failed(&mut self, error: &FeedError) {
        if !matches!(error, FeedError::Closed) {
            tracing::error!(%error, "an event stream cannot read on");
        }
        self.ended = true;
    }

    fn farewell(&self) -> Bytes {
        let mut w = Writer::default();
        w.object(|w| {
            w.text("code", Code::Overloaded);
            w.string("message", "the client is too slow for the events; resume with Last-Event-ID");
            w.number("last_event_id", self.after.0);
        });
        let mut chunk = b"event: disconnected\ndata: ".to_vec();
        chunk.extend_from_slice(w.as_bytes());
        chunk.extend_from_slice(b"\n\n");
        chunk.into()
    }
}

/// `GET /events/stream?types=&from=` with `Last-Event-ID`. Without either it begins with what happens from now on.
///
/// # Errors
/// `VALIDATION_ERROR`, `OVERLOADED`.
pub async fn stream(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let kinds = kinds(params.list("types").unwrap_or_default())?;
    let from: Option<u64> = params.parsed("from")?;
    params.end()?;
    let durable = call.api.handle().durable();
    let after = match (last_event_id(&call)?, from) {
        (Some(last), _) => Seq(last),
        (None, Some(from)) => Seq(from.saturating_sub(1)),
        (None, None) => durable,
    };
    if after > durable {
        let message = format!("the log ends at sequence {durable}; there is nothing after {after} yet");
        return Err(Refusal::new(Code::ValidationError, message).with("sequence", durable));
    }
    let place = call.api.admit_stream().ok_or_else(|| Refusal::new(Code::Overloaded, "there are too many streams"))?;
    let client = Client {
        follower: Some(call.api.handle().feed().follow(after)),
        after,
        kinds,
        handed: None,
        closing: call.api.closing(),
        ended: false,
        api: call.api.clone(),
        _place: place,
    };
    let held = Held::new(&call.api, call.principal);
    let chunks = unfold((client, held), async |(mut client, mut held)| {
        let chunk = tokio::select! {
            chunk = client.next() => chunk?,
            () = held.lost() => return None,
        };
        client.handed = Some(Instant::now());
        Some((Ok::<_, Infallible>(chunk), (client, held)))
    });
    Ok(respond(chunks, call.trace_id))
}

fn kinds(names: Vec<String>) -> Result<Vec<u16>, Refusal> {
    let code = |name: String| {
        let kind = Event::KINDS.iter().find(|(_, known)| *known == name);
        kind.map(|(code, _)| *code).ok_or_else(|| bad_parameter("types", format_args!("names {name}, which is not a kind of event")))
    };
    names.into_iter().map(code).collect()
}

fn last_event_id(call: &Call) -> Result<Option<u64>, Refusal> {
    let Some(value) = call.headers.get("last-event-id") else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    id.map(Some).ok_or_else(|| Refusal::new(Code::ValidationError, "Last-Event-ID must be a sequence"))
}
