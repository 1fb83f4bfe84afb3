//! Limits and lists as files: taken out, looked at before they are taken in, and taken in as one.

use super::place::{last_seq, mark_replay, trace_of, unexpected};
use super::{Endpoint, get, post, query};
use crate::call::{Access, Call};
use crate::catalog::Catalog;
use crate::error::respond;
use crate::json::imports::{self, Body, File};
use crate::json::risk::restriction_fields;
use crate::json::{Value, Writer};
use crate::query::{Params, bad_parameter};
use crate::reply;
use axum::body::Bytes;
use axum::response::Response;
use http::StatusCode;
use oms_engine::{Changes, LimitStatus, State, limit_problems, list_problems};
use oms_identity::Scope as Allowed;
use oms_model::command::{Command, CommandOutcome, RiskCommand};
use oms_model::compliance::Restriction;
use oms_model::event::{Event, RiskImported};
use oms_model::limit::{RiskLimit, Scope};
use oms_model::{Code, Refusal, Time};
use oms_runtime::handle::Answer;
use std::borrow::Cow;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "risk", summary);
    let export = |endpoint: Endpoint, shape| {
        endpoint
            .parameters(&[query("format", "one(csv,json)", "`csv` or `json`; json where it is not given.")])
            .json(200, shape, "What is there, as an import takes it. The ETag is the revision.")
            .media(200, "text/csv", "The same as comma-separated values (RFC 4180).")
    };
    let import = |endpoint: Endpoint, shape| {
        endpoint
            .parameters(&[
                query("mode", "one(preview,apply)", "`preview` changes nothing and shows what would become of it; `apply` takes all of it or none. Preview where it is not given."),
                query("replace_all", "boolean", "Whether everything goes that the file has not; false where it is not given."),
                query("if_revision", "count", "For apply: refused with 412 where this is not the revision any more, which a preview names."),
            ])
            .json(200, shape, "What would change (preview), or how much did (apply).")
            .errors(&[Code::VersionMismatch, Code::PayloadTooLarge, Code::UnsupportedMediaType])
            .csv_too()
            .idempotent()
    };
    vec![
        export(
            get(
                Access::Scope(Allowed::PositionsView),
                "/api/v1/risk/limits/export",
                named("exportLimits", "The limits in force as a file"),
                export_limits,
            ),
            "LimitFile",
        ),
        import(
            post(
                Access::Scope(Allowed::RiskManage),
                "/api/v1/risk/limits/import",
                named("importLimits", "Take limits over from a file"),
                import_limits,
            )
            .body("LimitFile"),
            "LimitImport",
        ),
        export(
            get(
                Access::Scope(Allowed::PositionsView),
                "/api/v1/risk/restrictions/export",
                named("exportRestrictions", "The restricted and allow lists as a file"),
                export_lists,
            ),
            "RestrictionFile",
        ),
        import(
            post(
                Access::Scope(Allowed::RiskManage),
                "/api/v1/risk/restrictions/import",
                named("importRestrictions", "Take lists over from a file"),
                import_lists,
            )
            .body("RestrictionFile"),
            "RestrictionImport",
        ),
    ]
}

/// Whether a file is asked for as comma-separated values.
fn wants_csv(call: &Call) -> Result<bool, Refusal> {
    let mut params = call.params()?;
    let format = params.take("format");
    params.end()?;
    match format.as_deref() {
        None | Some("json") => Ok(false),
        Some("csv") => Ok(true),
        Some(_) => Err(bad_parameter("format", "must be csv or json")),
    }
}

fn file(call: &Call, revision: u64, body: Result<String, Writer>) -> Response {
    let mut response = match body {
        Ok(text) => reply::body(StatusCode::OK, "text/csv; charset=utf-8", text.into(), call.trace_id),
        Err(w) => reply::json(StatusCode::OK, w.finish(), call.trace_id),
    };
    reply::revision(&mut response, revision);
    response
}

async fn export_limits(call: Call) -> Result<Response, Refusal> {
    let csv = wants_csv(&call)?;
    let (limits, revision) = call.api.state_as_of(None, |state, _| (state.risk().limits(), state.risk().revisions().limits)).await?.0;
    let catalog = call.api.catalog_now().await?;
    if csv {
        return Ok(file(&call, revision, Ok(imports::limits_csv(&limits, &catalog))));
    }
    let mut w = Writer::with_capacity(64 + 128 * limits.len());
    w.object(|w| {
        w.number("revision", revision);
        w.array_at("data", &limits, |w, limit| w.object(|w| imports::limit_row_fields(w, limit, &catalog)));
    });
    Ok(file(&call, revision, Err(w)))
}

async fn export_lists(call: Call) -> Result<Response, Refusal> {
    let csv = wants_csv(&call)?;
    let (entries, revision) = call.api.state_as_of(None, |state, _| (state.risk().restrictions(), state.risk().revisions().lists)).await?.0;
    let catalog = call.api.catalog_now().await?;
    if csv {
        return Ok(file(&call, revision, Ok(imports::restrictions_csv(&entries, &catalog))));
    }
    let mut w = Writer::with_capacity(64 + 128 * entries.len());
    w.object(|w| {
        w.number("revision", revision);
        w.array_at("data", &entries, |w, entry| w.object(|w| restriction_fields(w, entry, &catalog)));
    });
    Ok(file(&call, revision, Err(w)))
}

/// What is to be done with a file.
struct Asked {
    apply: bool,
    replace_all: bool,
    if_revision: Option<u64>,
}

impl Asked {
    fn of(mut params: Params) -> Result<Self, Refusal> {
        let mode = params.take("mode");
        let replace_all: Option<bool> = params.parsed("replace_all")?;
        let if_revision: Option<u64> = params.parsed("if_revision")?;
        params.end()?;
        let apply = match mode.as_deref() {
            None | Some("preview") => false,
            Some("apply") => true,
            Some(_) => return Err(bad_parameter("mode", "must be preview or apply")),
        };
        if if_revision.is_some() && !apply {
            return Err(bad_parameter("if_revision", "is for mode=apply: a preview says what the revision is"));
        }
        Ok(Self { apply, replace_all: replace_all.unwrap_or(false), if_revision })
    }

    fn subject(&self) -> String {
        format!("{} {} {:?}", self.apply, self.replace_all, self.if_revision)
    }
}

/// A refusal of an import, with the lines of the file in place of the places in the list.
fn with_lines(mut refusal: Refusal, lines: &[usize]) -> Refusal {
    for (name, _) in &mut refusal.details {
        let at: Option<usize> = name.strip_prefix("item ").and_then(|at| at.parse().ok());
        if let Some(line) = at.and_then(|at| lines.get(at)) {
            *name = format!("line {line}");
        }
    }
    refusal
}

fn problems<T>(file: &File<T>, found: &[(usize, String)]) -> Result<(), Refusal> {
    if found.is_empty() {
        return Ok(());
    }
    let lines = found.iter().filter_map(|(at, why)| Some((*file.lines.get(*at)?, why.clone())));
    Err(imports::wrong_lines(file.items.len(), &lines.collect::<Vec<_>>()))
}

/// The body of an import as a value, by which its idempotency is found too: a text where it is comma-separated.
fn value_of<'b>(call: &Call, csv: bool, bytes: &'b Bytes) -> Result<Value<'b>, Refusal> {
    if !csv {
        return call.parse(bytes);
    }
    let text = core::str::from_utf8(bytes).map_err(|_| Refusal::new(Code::ValidationError, "the file is not UTF-8"))?;
    Ok(Value::String(Cow::Borrowed(text)))
}

fn body_of<'v>(csv: bool, value: &'v Value<'v>) -> Body<'v> {
    match value {
        Value::String(text) if csv => Body::Csv(text),
        value => Body::Json(value),
    }
}

/// The answer to an import that was taken.
fn applied(call: &Call, answer: &Answer, lines: &[usize], effects: &str) -> Result<Response, Refusal> {
    if let CommandOutcome::Refused(refusal) = &answer.outcome {
        let refusal = with_lines(refusal.clone(), lines);
        return Ok(mark_replay(respond(&refusal, trace_of(call, &answer.batch)), answer));
    }
    let imported = answer.batch.events.iter().find_map(|event| match event {
        Event::RiskImported(imported) => Some(*imported),
        _ => None,
    });
    let RiskImported { added, changed, removed, replace_all, .. } = imported.ok_or_else(unexpected)?;
    let mut w = Writer::with_capacity(256);
    w.object(|w| {
        w.string("mode", "apply");
        w.number("sequence", last_seq(&answer.batch).0);
        w.null("revision");
        w.bool("replace_all", replace_all);
        w.object_at("counts", |w| {
            w.number("added", added);
            w.number("changed", changed);
            w.number("removed", removed);
        });
        // What became of each is in the events of the batch.
        for field in ["added", "changed", "removed", effects] {
            w.null(field);
        }
    });
    let mut response = reply::json(StatusCode::OK, w.finish(), call.trace_id);
    reply::sequence(&mut response, last_seq(&answer.batch));
    Ok(mark_replay(response, answer))
}

/// What a file would change, within an object that is open. `before` writes what a changed item was.
fn changes_fields<T: Clone>(
    w: &mut Writer,
    (revision, asked, changes): (u64, &Asked, &Changes<T>),
    row: impl Fn(&mut Writer, &T),
    before: impl Fn(&mut Writer, &T),
) {
    w.string("mode", "preview");
    w.null("sequence");
    w.number("revision", revision);
    w.bool("replace_all", asked.replace_all);
    w.object_at("counts", |w| {
        w.number("added", changes.added.len() as u64);
        w.number("changed", changes.changed.len() as u64);
        w.number("removed", changes.removed.len() as u64);
    });
    w.array_at("added", &changes.added, |w, item| w.object(|w| row(w, item)));
    w.array_at("changed", &changes.changed, |w, (was, is)| {
        w.object(|w| {
            row(w, is);
            before(w, was);
        });
    });
    w.array_at("removed", &changes.removed, |w, item| w.object(|w| row(w, item)));
}

async fn import_limits(mut call: Call) -> Result<Response, Refusal> {
    let asked = Asked::of(call.params()?)?;
    let (csv, bytes) = call.file().await?;
    let catalog = call.api.catalog_now().await?;
    let value = value_of(&call, csv, &bytes)?;
    let file = imports::limits(&body_of(csv, &value), &catalog)?;
    if asked.apply {
        let key = call.idempotency("POST /risk/limits/import", &asked.subject(), &value)?;
        let Asked { replace_all, if_revision, .. } = asked;
        let command = RiskCommand::ImportLimits { limits: file.items, replace_all, if_revision };
        let answer = call.execute(Command::Risk(Box::new(command)), key).await?;
        return applied(&call, &answer, &file.lines, "breached");
    }
    let replace_all = asked.replace_all;
    let (preview, file) =
        call.api.state_as_of(None, move |state, now| (LimitPreview::of(state, now, &file.items, replace_all), file)).await?.0;
    problems(&file, &preview.problems)?;
    Ok(reply::json(StatusCode::OK, preview.written(&asked, &catalog), call.trace_id))
}

/// What a file of limits would do.
struct LimitPreview {
    revision: u64,
    problems: Vec<(usize, String)>,
    changes: Changes<RiskLimit>,
    /// Limits that would be broken at once by what is used already.
    breached: Vec<LimitStatus>,
}

impl LimitPreview {
    fn of(state: &State, now: Time, limits: &[RiskLimit], replace_all: bool) -> Self {
        let risk = state.risk();
        let changes = risk.changes_of_limits(limits, replace_all);
        let mut breached = risk.status_of(changes.new_values().copied().collect(), now, state.positions());
        breached.retain(|status| status.headroom.is_some_and(oms_model::Decimal::is_negative));
        Self { revision: risk.revisions().limits, problems: limit_problems(state, limits), changes, breached }
    }

    fn written(&self, asked: &Asked, catalog: &Catalog) -> Vec<u8> {
        let row = |w: &mut Writer, limit: &RiskLimit| imports::limit_row_fields(w, limit, catalog);
        let mut w = Writer::with_capacity(1024);
        w.object(|w| {
            changes_fields(w, (self.revision, asked, &self.changes), row, |w, before| w.text("before", before.value));
            w.array_at("breached", &self.breached, |w, status| {
                w.object(|w| {
                    row(w, &status.limit);
                    w.text_or_null("used", status.used);
                    w.text_or_null("headroom", status.headroom);
                });
            });
        });
        w.finish()
    }
}

async fn import_lists(mut call: Call) -> Result<Response, Refusal> {
    let asked = Asked::of(call.params()?)?;
    let (csv, bytes) = call.file().await?;
    let catalog = call.api.catalog_now().await?;
    let value = value_of(&call, csv, &bytes)?;
    let file = imports::restrictions(&body_of(csv, &value), &catalog)?;
    if asked.apply {
        let key = call.idempotency("POST /risk/restrictions/import", &asked.subject(), &value)?;
        let Asked { replace_all, if_revision, .. } = asked;
        let command = RiskCommand::ImportRestrictions { entries: file.items, replace_all, if_revision };
        let answer = call.execute(Command::Risk(Box::new(command)), key).await?;
        return applied(&call, &answer, &file.lines, "working");
    }
    let replace_all = asked.replace_all;
    let (preview, file) = call.api.state_as_of(None, move |state, _| (ListPreview::of(state, &file.items, replace_all), file)).await?.0;
    problems(&file, &preview.problems)?;
    Ok(reply::json(StatusCode::OK, preview.written(&asked, &catalog), call.trace_id))
}

/// What a file of lists would do.
struct ListPreview {
    revision: u64,
    problems: Vec<(usize, String)>,
    changes: Changes<Restriction>,
    /// New entries about what is worked in at present: how many client orders of the tenant are.
    working: Vec<(Restriction, u64)>,
}

impl ListPreview {
    fn of(state: &State, entries: &[Restriction], replace_all: bool) -> Self {
        let risk = state.risk();
        let changes = risk.changes_of_lists(entries, replace_all);
        // What works at a venue is counted by no sum.
        let counted = |entry: &&Restriction| !matches!(entry.subject, Scope::Venue(_));
        let working = changes.added.iter().filter(counted).map(|entry| (entry.clone(), risk.open(entry.subject).0));
        let working = working.filter(|(_, orders)| *orders > 0).collect();
        Self { revision: risk.revisions().lists, problems: list_problems(state, entries), changes, working }
    }

    fn written(&self, asked: &Asked, catalog: &Catalog) -> Vec<u8> {
        let row = |w: &mut Writer, entry: &Restriction| restriction_fields(w, entry, catalog);
        let mut w = Writer::with_capacity(1024);
        w.object(|w| {
            changes_fields(w, (self.revision, asked, &self.changes), row, |w, before| w.string("before", &before.reason));
            w.array_at("working", &self.working, |w, (entry, orders)| {
                w.object(|w| {
                    row(w, entry);
                    w.number("orders", *orders);
                });
            });
        });
        w.finish()
    }
}
