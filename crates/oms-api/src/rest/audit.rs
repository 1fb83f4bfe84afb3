//! The audit: who did what, the signed checkpoints, and what an outsider verifies.

use super::orders::find;
use super::{Endpoint, LIMIT, get, query};
use crate::audit::{Audit, AuditCheckpoint};
use crate::call::{Access, Call};
use crate::error::TraceText;
use crate::json::Writer;
use crate::past::event_refs;
use crate::query::bad_parameter;
use crate::reply;
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream::unfold;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::event::Batch;
use oms_model::{Code, OrderId, Refusal, Seq, Time, UserId};
use oms_runtime::feed::FeedError;
use std::io::{self, Write};
use std::sync::Arc;
use tokio::sync::mpsc;

/// The media type of exports and proofs.
const MEDIA: &str = "application/octet-stream";
/// Batches that are looked at for one page.
const MAX_LOOKED_AT: u64 = 50_000;
/// Sequences that are read at once where the newest come first.
const STRETCH: u64 = 4_096;
/// Bytes of a part of an export.
const PART: usize = 1 << 16;
/// Parts of an export that wait for a client.
const PARTS: usize = 16;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "audit", summary);
    vec![
        get(
            Access::Scope(Scope::AuditView),
            "/api/v1/audit",
            named("listAudit", "Who did what: one line for each record of the log, oldest first, or newest first with `before`"),
            list,
        )
        .parameters(&[
            query("after", "count", "Only records behind this sequence."),
            query("before", "count", "Only records in front of this sequence, newest first; 0 is the end of the log. Not with `after`."),
            LIMIT,
            query("user_id", "uuid", "Only what this user caused."),
            query("type", "EventType", "Only records with an event of this kind."),
            query("order_id", "uuid", "Only records with an event of this order."),
        ])
        .json(200, "AuditPage", "A page of records; `next` is the `after` or the `before` of the next one."),
        get(
            Access::Scope(Scope::AuditView),
            "/api/v1/audit/checkpoints",
            named("listAuditCheckpoints", "The signed checkpoints, and the key that they are signed with"),
            checkpoints,
        )
        .parameters(&[query("after", "count", "Only checkpoints of more records than this."), LIMIT])
        .json(200, "AuditCheckpoints", "A page of checkpoints, oldest first.")
        .errors(&[Code::NotFound]),
        get(
            Access::Scope(Scope::AuditView),
            "/api/v1/audit/verify",
            named("verifyAudit", "Verify the whole log against its signed checkpoints"),
            verify,
        )
        .json(200, "AuditReport", "What was found; `intact` says whether nothing was.")
        .errors(&[Code::NotFound, Code::Overloaded]),
        get(
            Access::Scope(Scope::AuditView),
            "/api/v1/audit/export",
            named("exportAudit", "The whole log with its signed checkpoints and its key, for `oms-verify`"),
            export,
        )
        .media(200, MEDIA, "The export, up to a checkpoint of now.")
        .errors(&[Code::NotFound, Code::Overloaded]),
        get(
            Access::Scope(Scope::AuditView),
            "/api/v1/audit/proof/{order_id}",
            named("proveOrder", "The records of one order with their inclusion proofs, for `oms-verify`"),
            proof,
        )
        .media(200, MEDIA, "The proof, against a checkpoint of now.")
        .errors(&[Code::NotFound, Code::HistoryTooFar]),
    ]
}

fn audit(call: &Call) -> Result<Arc<dyn Audit>, Refusal> {
    call.api.audit().ok_or_else(|| Refusal::new(Code::NotFound, "this desk signs no checkpoints"))
}

async fn list(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let (after, before) = (params.parsed::<u64>("after")?, params.parsed::<u64>("before")?);
    let user = params.parsed::<UserId>("user_id")?;
    let order = params.parsed::<OrderId>("order_id")?;
    let kind = params.take("type");
    let limit = params.limit()? as usize;
    params.end()?;
    if kind.as_deref().is_some_and(|kind| !oms_model::Event::KINDS.iter().any(|(_, known)| *known == kind)) {
        return Err(bad_parameter("type", "is no kind of event"));
    }
    if after.is_some() && before.is_some() {
        return Err(bad_parameter("before", "is not asked for together with after"));
    }
    let api = call.api.clone();
    let wanted = move |batch: &Batch| {
        user.is_none_or(|user| batch.actor.user_id == user)
            && kind.as_deref().is_none_or(|kind| batch.events.iter().any(|event| event.name() == kind))
            && order.is_none_or(|order| batch.events.iter().any(|event| event.order_id() == Some(order)))
    };
    let read = move || match before {
        Some(before) => page_back(&api, before, limit, wanted),
        None => page(&api, after.unwrap_or(0), limit, wanted),
    };
    let (found, next) = call.api.blocking(read).await?;
    let mut w = Writer::with_capacity(256 + 512 * found.len());
    w.object(|w| {
        w.array_at("data", &found, |w, batch| w.object(|w| record_fields(w, batch)));
        w.number_or_null("next", next);
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

/// Records of a page, and where to go on where there may be more.
type Found = (Vec<Arc<Batch>>, Option<u64>);

fn unreadable(error: FeedError) -> Refusal {
    tracing::error!(%error, "the log cannot be read");
    Refusal::new(Code::Internal, "the log cannot be read")
}

/// The records in front of `before` that are wanted, newest first. The log is read forwards, stretch by stretch.
fn page_back(api: &crate::Api, before: u64, limit: usize, wanted: impl Fn(&Batch) -> bool) -> Result<Found, Refusal> {
    let end = api.handle().durable().0.saturating_add(1);
    let mut until = if before == 0 { end } else { before.min(end) };
    let (mut found, mut looked_at) = (Vec::new(), 0);
    while until > 1 && looked_at < MAX_LOOKED_AT {
        let from = until.saturating_sub(STRETCH).max(1);
        let mut follower = api.handle().feed().follow(Seq(from - 1));
        let mut stretch = Vec::new();
        while let Some(batch) = follower.try_next().map_err(unreadable)? {
            if batch.first_seq.0 >= until {
                break;
            }
            looked_at += 1;
            // One that begins in front of the stretch is the last of the next.
            if batch.first_seq.0 >= from {
                stretch.push(batch);
            }
        }
        for batch in stretch.into_iter().rev().filter(|batch| wanted(batch)) {
            let first = batch.first_seq.0;
            found.push(batch);
            if found.len() == limit {
                return Ok((found, (first > 1).then_some(first)));
            }
        }
        until = from;
    }
    Ok((found, (until > 1).then_some(until)))
}

/// The records behind `after` that are wanted, oldest first.
fn page(api: &crate::Api, after: u64, limit: usize, wanted: impl Fn(&Batch) -> bool) -> Result<Found, Refusal> {
    let (mut found, mut last) = (Vec::new(), after);
    let mut follower = api.handle().feed().follow(Seq(after));
    for _ in 0..MAX_LOOKED_AT {
        let Some(batch) = follower.try_next().map_err(unreadable)? else { return Ok((found, None)) };
        last = batch.last_seq().0;
        // A sequence within a record asks for what is behind the record.
        if batch.first_seq.0 > after && wanted(&batch) {
            found.push(batch);
            if found.len() == limit {
                break;
            }
        }
    }
    Ok((found, Some(last)))
}

fn record_fields(w: &mut Writer, batch: &Batch) {
    w.number("sequence", batch.first_seq.0);
    w.number("last_sequence", batch.last_seq().0);
    w.time("time", batch.time);
    w.text("command_id", batch.command_id);
    w.text("trace_id", TraceText(batch.trace_id));
    w.object_at("actor", |w| {
        w.text("tenant_id", batch.actor.tenant_id);
        w.text("user_id", batch.actor.user_id);
        w.text_or_null("api_key_id", batch.actor.api_key_id);
        w.text("source", batch.actor.source);
    });
    w.array_at("events", batch.numbered(), |w, (seq, event)| {
        w.object(|w| {
            w.number("sequence", seq.0);
            w.text("type", event.name());
            w.text_or_null("order_id", event.order_id());
        });
    });
}

async fn checkpoints(call: Call) -> Result<Response, Refusal> {
    let audit = audit(&call)?;
    let mut params = call.params()?;
    let after = params.parsed("after")?.unwrap_or(0);
    let limit = params.limit()? as usize;
    params.end()?;
    let asked = audit.clone();
    let found = call.api.blocking(move || asked.checkpoints(after, limit)).await?;
    let next = (found.len() == limit).then(|| found.last().map(|last| last.size)).flatten();
    let mut w = Writer::with_capacity(256 + 768 * found.len());
    w.object(|w| {
        w.string("key", &audit.key());
        w.array_at("data", &found, |w, checkpoint| w.object(|w| checkpoint_fields(w, checkpoint)));
        w.number_or_null("next", next);
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

fn checkpoint_fields(w: &mut Writer, checkpoint: &AuditCheckpoint) {
    w.number("size", checkpoint.size);
    w.number("sequence", checkpoint.sequence);
    w.time("time", Time(checkpoint.time_ns));
    w.string("root", &checkpoint.root);
    w.string("note", &checkpoint.note);
}

async fn verify(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let audit = audit(&call)?;
    let _place = call.api.admit_audit().ok_or_else(busy)?;
    let report = call.api.blocking(move || audit.verify()).await?;
    let mut w = Writer::with_capacity(1024);
    w.object(|w| {
        w.bool("intact", report.findings.is_empty());
        w.number("records", report.records);
        w.number("events", report.events);
        w.number("checkpoints", report.checkpoints);
        w.number("sequence", report.sequence);
        w.array_at("findings", &report.findings, |w, (place, what)| {
            w.object(|w| {
                w.string("place", place);
                w.string("what", what);
            });
        });
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

/// Each reads the whole log.
fn busy() -> Refusal {
    Refusal::new(Code::Overloaded, "the log is being verified or exported already")
}

async fn export(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let audit = audit(&call)?;
    let place = call.api.admit_audit().ok_or_else(busy)?;
    let signed = audit.clone();
    call.api.blocking(move || signed.sign()).await?;
    let (parts, read) = mpsc::channel(PARTS);
    // A client that takes nothing is disconnected, and the writer then finds nobody.
    tokio::task::spawn_blocking(move || {
        let mut out = io::BufWriter::with_capacity(PART, Parts(&parts));
        let written = audit.export(&mut out).map_err(|refusal| io::Error::other(refusal.message));
        drop(place);
        if let Err(error) = written.and_then(|()| out.flush()) {
            // A body that ends with an error is not taken for a whole one.
            let _told = parts.blocking_send(Err(error));
        }
    });
    let body = Body::from_stream(unfold(read, async |mut read| read.recv().await.map(|part| (part, read))));
    Ok(reply::body(StatusCode::OK, MEDIA, body, call.trace_id))
}

/// Where the parts of an export are written to.
struct Parts<'p>(&'p mpsc::Sender<io::Result<Bytes>>);

impl Write for Parts<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes))).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn proof(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let audit = audit(&call)?;
    let order_id = find(&call).await?.order_id;
    let refs = call.api.query(move |views| event_refs(views, &[(order_id, true)], Seq(u64::MAX))).await?;
    let refs = refs.ok_or_else(|| Refusal::new(Code::HistoryTooFar, "the order has too many events"))?;
    let document = call.api.blocking(move || {
        audit.sign()?;
        let sequences: Vec<u64> = refs.iter().map(|event| event.seq.0).collect();
        let mut out = Vec::new();
        audit.proof(order_id.as_u128().to_be_bytes(), &sequences, &mut out)?;
        Ok(out)
    });
    Ok(reply::body(StatusCode::OK, MEDIA, Body::from(document.await?), call.trace_id))
}
