//! Scheduled limits, and what limits were.

use super::commands::done;
use super::overrides::reason;
use super::{Endpoint, LIMIT, delete, get, query};
use crate::api::Api;
use crate::call::{Access, Call};
use crate::catalog::Catalog;
use crate::json::orders::limit_fields;
use crate::json::{Writer, input};
use crate::query::bad_parameter;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::command::{Command, RiskCommand};
use oms_model::event::{Batch, Event};
use oms_model::limit::{LimitKey, LimitType, Period};
use oms_model::{Code, LimitScheduleId, Refusal, Seq};
use std::sync::Arc;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "risk", summary);
    vec![
        get(
            Access::Scope(Scope::AuditView),
            "/api/v1/risk/limits/history",
            named("limitHistory", "The versions of limits, the newest first, with who changed them and why"),
            history,
        )
        .parameters(&[
            query("limit_type", "LimitType", "Of one limit; of all of them where it is not given."),
            query("scope", "Scope", "Whose, where `limit_type` is given; the tenant's where it is not."),
            query("period", "Period", "Its period; the usual one of the type where it is not given."),
            query("soft", "boolean", "Whether it is a soft one; hard where it is not given."),
            query("before", "count", "Only changes before this sequence."),
            LIMIT,
        ])
        .json(200, "LimitHistory", "A page of changes."),
        delete(
            Access::Scope(Scope::RiskManage),
            "/api/v1/risk/limits/scheduled/{schedule_id}",
            named("unscheduleLimit", "Take a scheduled limit away; one that is in force ends at once"),
            unschedule,
        )
        .parameters(&[query("reason", "reason", "Why, in words: 1 to 1000 bytes.").required()])
        .json(200, "Done", "It is gone; what was there before it holds.")
        .errors(&[Code::NotFound])
        .idempotent(),
    ]
}

async fn unschedule(call: Call) -> Result<Response, Refusal> {
    let reason = reason(&call)?;
    let schedule_id: LimitScheduleId = call.id.parse().map_err(|error| bad_parameter("schedule_id", error))?;
    let subject = format!("{} {reason}", call.id);
    let key = call.idempotency("DELETE /risk/limits/scheduled/{schedule_id}", &subject, &crate::json::Value::Null)?;
    let answer = call.execute(Command::Risk(Box::new(RiskCommand::UnscheduleLimit { schedule_id, reason })), key).await?;
    done(&call, &answer)
}

async fn history(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let limit_type: Option<LimitType> = params.parsed("limit_type")?;
    let (scope, period, soft): (_, Option<Period>, Option<bool>) = (params.take("scope"), params.parsed("period")?, params.parsed("soft")?);
    let before = params.parsed("before")?.map(Seq);
    let limit = params.limit()?;
    params.end()?;
    let catalog = call.api.catalog_now().await?;
    let key = match limit_type {
        None if scope.is_some() || period.is_some() || soft.is_some() => {
            return Err(bad_parameter("limit_type", "is needed where a limit is named"));
        }
        None => None,
        Some(limit_type) => {
            let text = scope.as_deref().unwrap_or("TENANT");
            let scope = input::scope(text, &catalog).map_err(|problem| bad_parameter("scope", problem))?;
            Some(LimitKey { limit_type, scope, period, soft: soft.unwrap_or(false) })
        }
    };
    let seqs = call.api.query(move |views| views.limit_changes(key, before, limit)).await?;
    let next = (seqs.len() == limit as usize).then(|| seqs.last().copied()).flatten();
    let api = call.api.clone();
    let found = call.api.blocking(move || changes(&api, &seqs)).await?;
    let mut w = Writer::with_capacity(64 + 256 * found.len());
    w.object(|w| {
        w.array_at("data", &found, |w, (seq, batch)| w.object(|w| change_fields(w, *seq, batch, &catalog)));
        w.number_or_null("next", next.map(|seq| seq.0));
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

/// The batches that hold these events. Reads the log; may block.
fn changes(api: &Api, seqs: &[Seq]) -> Result<Vec<(Seq, Arc<Batch>)>, Refusal> {
    let mut found: Vec<(Seq, Arc<Batch>)> = Vec::with_capacity(seqs.len());
    for &seq in seqs {
        // An import changes many limits in one batch, which is read once.
        if let Some((_, batch)) = found.last().filter(|(_, batch)| batch.first_seq <= seq && seq <= batch.last_seq()) {
            let batch = batch.clone();
            found.push((seq, batch));
            continue;
        }
        let unreadable = |text: String| {
            tracing::error!(sequence = seq.0, %text, "a change of a limit cannot be read");
            Refusal::new(Code::Internal, "a change of a limit cannot be read").with("sequence", seq)
        };
        match api.handle().feed().batch_at(seq) {
            Ok(Some(batch)) => found.push((seq, batch)),
            Ok(None) => return Err(unreadable("it is not in the log".to_owned())),
            Err(error) => return Err(unreadable(error.to_string())),
        }
    }
    Ok(found)
}

fn change_fields(w: &mut Writer, seq: Seq, batch: &Batch, catalog: &Catalog) {
    w.number("sequence", seq.0);
    w.time("time", batch.time);
    let Some((_, event)) = batch.numbered().find(|(at, _)| *at == seq) else { return };
    w.text("type", event.name());
    match event {
        Event::RiskLimitSet(limit) => limit_fields(w, limit, catalog),
        Event::RiskLimitRemoved(e) => {
            w.text("limit_type", e.limit_type);
            w.string("scope", &catalog.scope_text(e.scope));
            w.null("value");
            w.null("version");
            w.text_or_null("period", e.period.or(e.limit_type.usual_period()));
            w.bool("soft", e.soft);
        }
        _ => (),
    }
    // What a schedule does stands right behind what it says; an import says so once for all that follows.
    let before = batch.numbered().filter(|(at, _)| *at < seq);
    let cause = before.fold(None, |cause, (at, event)| match event {
        Event::LimitScheduleMoved(_) if at.next() == seq => Some(event),
        Event::RiskImported(e) if !e.lists => Some(event),
        _ => cause,
    });
    let by_time = match cause {
        Some(Event::LimitScheduleMoved(e)) if e.user_id.is_none() => Some(e.scheduled_by),
        _ => None,
    };
    w.text("user_id", by_time.unwrap_or(batch.actor.user_id));
    w.text("source", batch.actor.source);
    w.text("command_id", batch.command_id);
    match cause {
        Some(Event::LimitScheduleMoved(e)) => {
            w.string("cause", &format!("schedule {}: {}", e.schedule_id, e.text));
        }
        Some(Event::RiskImported(_)) => w.string("cause", "import"),
        _ => w.null("cause"),
    }
}
