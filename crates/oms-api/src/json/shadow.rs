//! Rules that run in shadow, as JSON.

use super::decode::Fields;
use super::input::reason;
use super::orders::write_leg;
use super::read::Value;
use super::write::Writer;
use super::{command, events};
use crate::catalog::Catalog;
use crate::shadow::{Report, kind};
use oms_engine::shadow::{Affected, Difference, Refused};
use oms_model::command::{Command, RiskCommand};
use oms_model::event::Event;
use oms_model::shadow::{MAX_RULES, Rule, RuleSet};
use oms_model::{Refusal, RuleSetName};

/// The fields of a set of rules.
pub const SHADOW_RULES: &[&str] = &["name", "rules"];
/// The fields that name a set.
pub const SHADOW_NAMED: &[&str] = &["name"];
/// The fields that make a set live.
pub const SHADOW_PROMOTE: &[&str] = &["name", "reason"];
/// The fields of a run over the past.
pub const SHADOW_RUN: &[&str] = &["rules", "name", "day", "from", "to", "after", "limit"];

/// The rules of an object, as the commands that would make them live; `None` where it has none.
///
/// # Errors
/// `VALIDATION_ERROR` naming the rule and the field.
pub fn rules(fields: &Fields<'_, '_>, catalog: &Catalog) -> Result<Option<Vec<Command>>, Refusal> {
    let Some(values) = fields.array("rules")? else { return Ok(None) };
    if values.len() > MAX_RULES {
        return Err(fields.bad("rules", format_args!("has more than {MAX_RULES} rules")));
    }
    let rule = |(at, value): (usize, &Value<'_>)| {
        let mut value = value.clone();
        let read = command::take_type(&mut value).and_then(|spec| spec.decode(&value, catalog));
        read.map_err(|refusal| Refusal { message: format!("rules[{at}]: {}", refusal.message), ..refusal })
    };
    values.iter().enumerate().map(rule).collect::<Result<Vec<_>, _>>().map(Some)
}

/// The name among the fields of an object.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub fn name(fields: &Fields<'_, '_>) -> Result<RuleSetName, Refusal> {
    fields.required("name", fields.parsed("name")?)
}

fn risk(command: RiskCommand) -> Command {
    Command::Risk(Box::new(command))
}

pub(super) fn rules_set(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", SHADOW_RULES)?;
    Ok(risk(RiskCommand::SetShadowRules { name: name(&fields)?, rules: fields.required("rules", rules(&fields, catalog)?)? }))
}

pub(super) fn rules_remove(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    Ok(risk(RiskCommand::RemoveShadowRules { name: name(&Fields::of(value, "", SHADOW_NAMED)?)? }))
}

pub(super) fn rules_promote(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", SHADOW_PROMOTE)?;
    Ok(risk(RiskCommand::PromoteShadowRules { name: name(&fields)?, reason: reason(&fields)? }))
}

/// A set's own fields, within an object that is open.
pub fn set_fields(w: &mut Writer, set: &RuleSet, catalog: &Catalog) {
    w.string("name", set.name.as_str());
    w.text("set_by", set.user_id);
    w.time("since", set.since);
    w.array_at("rules", &set.rules, |w, rule| w.object(|w| rule_fields(w, rule, catalog)));
}

/// A rule as the command that would make it live: its fields are those of the fact that it would be.
fn rule_fields(w: &mut Writer, rule: &Rule, catalog: &Catalog) {
    w.string(
        "type",
        match rule {
            Rule::Limit(_) => "RiskLimitSetCmd",
            Rule::NoLimit(_) => "RiskLimitRemoveCmd",
            Rule::Restriction(_) => "RestrictionSetCmd",
            Rule::NoRestriction(_) => "RestrictionRemoveCmd",
            Rule::SelfMatch(_) => "SelfMatchRuleSetCmd",
            Rule::Envelope(_) => "StrategyEnvelopeSetCmd",
            Rule::Required(_) => "LimitRequireCmd",
            Rule::Policy(_) => "SorPolicySetCmd",
        },
    );
    events::data(w, &rule.event(), catalog);
}

/// A report's fields, within an object that is open. Of what was found the newest `most` are written.
pub fn report_fields(w: &mut Writer, report: &Report, most: usize, catalog: &Catalog) {
    w.number("from_sequence", report.from.seq.0);
    w.number("to_sequence", report.to.seq.0);
    w.time("from", report.from.time);
    w.time("to", report.to.time);
    w.bool("complete", report.complete);
    w.number("judged", report.judged);
    w.object_at("counts", |w| report.counts.iter().for_each(|(kind, count)| w.number(kind, *count)));
    let shown = report.found.get(report.found.len().saturating_sub(most)..).unwrap_or_default();
    w.bool("more", report.more || shown.len() < report.found.len());
    w.array_at("affected", shown, |w, affected| w.object(|w| affected_fields(w, affected, catalog)));
}

fn affected_fields(w: &mut Writer, affected: &Affected, catalog: &Catalog) {
    let order = &affected.order;
    w.number("sequence", affected.seq.0);
    w.time("time", affected.time);
    w.text("order_id", order.order_id);
    w.text("cl_ord_id", &order.cl_ord_id);
    w.text("account_id", order.account_id);
    w.text("user_id", order.user_id);
    w.string("symbol", catalog.symbol(order.instrument_id));
    w.text("side", order.side);
    w.text("ord_type", order.ord_type);
    w.text("order_qty", order.order_qty);
    w.text_or_null("price", order.price);
    w.string("difference", kind(&affected.difference));
    match &affected.difference {
        Difference::Refused(refused) => refused_fields(w, refused, catalog),
        Difference::Passed(code) => w.text("code", code),
        Difference::Held(reason) | Difference::NotHeld(reason) => w.text("hold", reason),
        Difference::ReplaceRefused(terms, refused) => {
            w.text("new_order_qty", terms.order_qty);
            w.text_or_null("new_price", terms.price);
            refused_fields(w, refused, catalog);
        }
        Difference::Routed { was, would } => {
            w.array_at("was", was, write_leg);
            w.array_at("would", would, write_leg);
        }
    }
}

fn refused_fields(w: &mut Writer, refused: &Refused, catalog: &Catalog) {
    w.text("code", refused.code);
    w.text("check", refused.check);
    w.string("scope", &catalog.scope_text(refused.scope));
    w.text_or_null("value", refused.value);
    w.text_or_null("limit", refused.limit);
}

/// What an event about rules in shadow says.
pub(super) fn event_fields(w: &mut Writer, event: &Event, catalog: &Catalog) {
    match event {
        Event::ShadowRulesSet(e) => {
            w.string("name", e.name.as_str());
            w.text("user_id", e.user_id);
            w.array_at("rules", &e.rules, |w, rule| w.object(|w| rule_fields(w, rule, catalog)));
        }
        Event::ShadowRulesRemoved(e) => w.string("name", e.name.as_str()),
        Event::ShadowRulesPromoted(e) => {
            w.string("name", e.name.as_str());
            w.text("set_by", e.set_by);
            w.text("user_id", e.user_id);
            w.string("reason", &e.reason);
        }
        _ => (),
    }
}
