//! Overrides and limits that hold for a time, as JSON.

use super::decode::Fields;
use super::input::{LIMIT, reason};
use super::read::Value;
use super::risk::limit_key;
use super::write::Writer;
use crate::catalog::Catalog;
use crate::json::command::order_ref;
use oms_model::command::{Command, RiskCommand};
use oms_model::event::{Event, RiskOverridden};
use oms_model::limit::RiskLimit;
use oms_model::overrides::{MAX_LIFE_S, Override, OverrideRule};
use oms_model::schedule::LimitSchedule;
use oms_model::{Decimal, Refusal};

/// The fields of a grant.
pub const OVERRIDE_GRANT: &[&str] = &["order_id", "cl_ord_id", "check", "reason", "life_s"];
/// The field that names an override.
pub const OVERRIDE_NAMED: &[&str] = &["override_id"];
/// The fields that take an override back.
pub const OVERRIDE_END: &[&str] = &["override_id", "reason"];
/// The fields of what the tenant says about overrides.
pub const OVERRIDE_RULE: &[&str] = &["second_person", "lists"];
/// The fields that take a scheduled limit away.
pub const SCHEDULE_END: &[&str] = &["schedule_id", "reason"];

/// How long an override lives where the request does not say, seconds.
const USUAL_LIFE_S: u32 = 3_600;

fn risk(command: RiskCommand) -> Command {
    Command::Risk(Box::new(command))
}

pub(crate) fn override_grant(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", OVERRIDE_GRANT)?;
    let life_s = fields.count("life_s")?.unwrap_or(USUAL_LIFE_S);
    if life_s == 0 || life_s > MAX_LIFE_S {
        return Err(fields.bad("life_s", format_args!("must be 1 to {MAX_LIFE_S}")));
    }
    let check = fields.required("check", fields.parsed("check")?)?;
    Ok(risk(RiskCommand::GrantOverride { order: order_ref(&fields)?, check, reason: reason(&fields)?, life_s }))
}

pub(super) fn override_consent(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", OVERRIDE_NAMED)?;
    Ok(risk(RiskCommand::ConsentOverride { override_id: fields.required("override_id", fields.parsed("override_id")?)? }))
}

pub(super) fn override_revoke(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", OVERRIDE_END)?;
    let override_id = fields.required("override_id", fields.parsed("override_id")?)?;
    Ok(risk(RiskCommand::RevokeOverride { override_id, reason: reason(&fields)? }))
}

pub(crate) fn override_rule_set(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", OVERRIDE_RULE)?;
    let said = |name: &str| -> Result<bool, Refusal> { fields.required(name, fields.bool(name)?) };
    Ok(risk(RiskCommand::SetOverrideRule(OverrideRule { second_person: said("second_person")?, lists: said("lists")? })))
}

pub(super) fn schedule_end(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", SCHEDULE_END)?;
    let schedule_id = fields.required("schedule_id", fields.parsed("schedule_id")?)?;
    Ok(risk(RiskCommand::UnscheduleLimit { schedule_id, reason: reason(&fields)? }))
}

/// A limit, from now on and for good or at the times that it names.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn limit_set(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", LIMIT)?;
    let bound: Decimal = fields.required("value", fields.amount("value")?)?;
    if bound.is_negative() {
        return Err(fields.bad("value", "must not be below zero"));
    }
    let limit = RiskLimit::of(limit_key(&fields, catalog)?, bound, 0);
    let (from, until) = (fields.time("effective_from")?, fields.time("effective_until")?);
    Ok(match (from, until) {
        (None, None) => Command::SetRiskLimit(limit),
        (from, until) => risk(RiskCommand::ScheduleLimit { limit, from, until }),
    })
}

/// An override's fields, within an object that is open.
pub fn override_fields(w: &mut Writer, known: &Override, catalog: &Catalog) {
    w.text("override_id", known.override_id);
    w.text("state", known.state);
    w.text("check", known.check);
    w.text("refused_order_id", known.refused);
    w.text("account_id", known.account_id);
    w.string("symbol", catalog.symbol(known.instrument_id));
    w.text("side", known.side);
    w.text("ord_type", known.ord_type);
    w.text("max_qty", known.max_qty);
    w.text_or_null("price", known.price);
    w.text_or_null("stop_px", known.stop_px);
    w.string("reason", &known.reason);
    w.text("granted_by", known.granted_by);
    w.time("granted_at", known.granted_at);
    w.time("expires_at", known.expires_at);
    w.bool("second_person", known.second_person);
    w.text_or_null("consented_by", known.consented_by);
    w.text_or_null("used_by_order_id", known.used_by);
}

/// A scheduled limit's fields, within an object that is open.
pub fn schedule_fields(w: &mut Writer, schedule: &LimitSchedule, catalog: &Catalog) {
    w.text("schedule_id", schedule.schedule_id);
    w.text("state", schedule.state);
    w.text("limit_type", schedule.limit_type);
    w.string("scope", &catalog.scope_text(schedule.scope));
    w.text("value", schedule.value);
    w.text_or_null("period", schedule.period.or(schedule.limit_type.usual_period()));
    w.bool("soft", schedule.soft);
    w.time("effective_from", schedule.from);
    w.time_or_null("effective_until", schedule.until);
    w.text_or_null("before", schedule.before);
    w.text("user_id", schedule.user_id);
    w.time("created_at", schedule.created_at);
}

fn overridden(w: &mut Writer, e: &RiskOverridden, catalog: &Catalog) {
    w.text("override_id", e.override_id);
    w.text("check", e.check);
    w.string("scope", &catalog.scope_text(e.scope));
    w.text_or_null("value", e.value);
    w.text_or_null("limit", e.limit);
    w.number("limit_version", e.limit_version);
    w.text("granted_by", e.granted_by);
    w.text_or_null("consented_by", e.consented_by);
    w.string("reason", &e.reason);
}

/// What an event about these says.
pub(super) fn event_fields(w: &mut Writer, event: &Event, catalog: &Catalog) {
    match event {
        Event::OverrideGranted(e) => override_fields(w, e, catalog),
        Event::OverrideConsented(e) => {
            w.text("override_id", e.override_id);
            w.text("user_id", e.user_id);
        }
        Event::OverrideRevoked(e) => {
            w.text("override_id", e.override_id);
            w.text("user_id", e.user_id);
            w.string("reason", &e.reason);
        }
        Event::OverrideExpired(e) => w.text("override_id", e.override_id),
        Event::RiskOverridden(e) => overridden(w, e, catalog),
        Event::OverrideRuleSet(e) => {
            w.bool("second_person", e.second_person);
            w.bool("lists", e.lists);
        }
        Event::LimitScheduled(e) => schedule_fields(w, e, catalog),
        Event::LimitScheduleMoved(e) => {
            w.text("schedule_id", e.schedule_id);
            w.text("state", e.state);
            w.number("version", e.version);
            w.text_or_null("before", e.before);
            w.text_or_null("user_id", e.user_id);
            w.text("scheduled_by", e.scheduled_by);
            w.string("text", &e.text);
        }
        Event::RiskImported(e) => {
            w.bool("lists", e.lists);
            w.bool("replace_all", e.replace_all);
            w.number("added", e.added);
            w.number("changed", e.changed);
            w.number("removed", e.removed);
        }
        _ => (),
    }
}

/// An event of an order that overrides caused, as a sentence; `None` for another.
pub(crate) fn sentence(event: &Event) -> Option<String> {
    let Event::RiskOverridden(e) = event else { return None };
    let numbers = match (e.value, e.limit) {
        (Some(value), Some(limit)) => format!(" ({value} against {limit})"),
        _ => String::new(),
    };
    let second = e.consented_by.map_or_else(String::new, |user| format!(", consented by user {user}"));
    Some(format!("{} overridden{numbers} by {}, granted by user {}{second}: {}", e.check, e.override_id, e.granted_by, e.reason))
}
