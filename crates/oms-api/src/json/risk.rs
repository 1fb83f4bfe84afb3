//! What the gate knows besides limits, as JSON: lists, locates, rules, strategies, throttles, orders that wait.

use super::booking::currency;
use super::command::order_ref;
use super::decode::Fields;
use super::input::{reason, scope, scope_and_reason, scope_field};
use super::read::Value;
use super::setup::currencies;
use super::write::Writer;
use crate::catalog::Catalog;
use oms_model::breaker::Breaker;
use oms_model::command::{Command, RiskCommand};
use oms_model::compliance::{Compliance, Locate, PriceBand, Restriction};
use oms_model::event::{Event, ShortSaleTriggered};
use oms_model::limit::{LimitKey, Scope};
use oms_model::strategy::{StrategyEnvelope, Tradable};
use oms_model::{InstrumentId, Refusal, Symbol};

/// The fields of an entry of a list.
pub const RESTRICTION: &[&str] = &["list", "scope", "subject", "reason"];
/// The fields of a locate.
pub const LOCATE: &[&str] = &["account_id", "symbol", "qty", "until", "source"];
/// The fields of a change of the short-sale price test.
pub const SHORT_SALE_STATE: &[&str] = &["symbol", "restricted", "reason"];
/// The fields of a rule for own orders that meet.
pub const SELF_MATCH_RULE: &[&str] = &["scope", "policy"];
/// The fields of a strategy's bounds.
pub const STRATEGY_ENVELOPE: &[&str] = &["strategy", "enabled", "symbols", "max_notional", "max_order_rate", "from_s", "until_s"];
/// The fields of a required type of limit.
pub const LIMIT_REQUIRE: &[&str] = &["limit_type", "required"];
/// The fields that turn an order down.
pub const ORDER_TURN_DOWN: &[&str] = &["order_id", "cl_ord_id", "if_version", "reason"];
/// The fields of an average daily volume.
pub const ADV_SET: &[&str] = &["symbol", "adv_qty"];
/// The fields of what an account may trade in and has.
pub const ACCOUNT_RISK: &[&str] = &["account_id", "currencies", "converts", "capital"];

fn command(command: RiskCommand) -> Command {
    Command::Risk(Box::new(command))
}

fn listed(fields: &Fields<'_, '_>, symbol: &str, catalog: &Catalog) -> Result<InstrumentId, Refusal> {
    let known = catalog.instrument_named(symbol).map(|instrument| instrument.instrument_id);
    known.ok_or_else(|| fields.bad("symbol", format_args!("names the instrument {symbol:?}, which is not in the list")))
}

/// The key of a limit among the fields of an object.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn limit_key(fields: &Fields<'_, '_>, catalog: &Catalog) -> Result<LimitKey, Refusal> {
    Ok(LimitKey {
        limit_type: fields.required("limit_type", fields.parsed("limit_type")?)?,
        scope: scope_field(fields, catalog)?,
        period: fields.parsed("period")?,
        soft: fields.bool("soft")?.unwrap_or(false),
    })
}

/// What a new order says for the gate.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn compliance(order: &Fields<'_, '_>) -> Result<Compliance, Refusal> {
    Ok(Compliance {
        strategy: order.parsed("strategy")?,
        acknowledged: order.bool("acknowledged")?.unwrap_or(false),
        override_ids: order.parsed_list("override_ids")?,
    })
}

/// An entry of a list.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn restriction(value: &Value<'_>, catalog: &Catalog) -> Result<Restriction, Refusal> {
    let fields = Fields::of(value, "", RESTRICTION)?;
    let subject = fields.required("subject", fields.string("subject")?)?;
    Ok(Restriction {
        list: fields.parsed("list")?.unwrap_or_default(),
        scope: scope_field(&fields, catalog)?,
        subject: scope(subject, catalog).map_err(|problem| fields.bad("subject", problem))?,
        reason: reason(&fields)?,
    })
}

pub(super) fn restriction_set(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    restriction(value, catalog).map(|entry| command(RiskCommand::SetRestriction(entry)))
}

pub(super) fn restriction_remove(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let Restriction { list, scope, subject, reason } = restriction(value, catalog)?;
    Ok(command(RiskCommand::RemoveRestriction { list, scope, subject, reason }))
}

pub(super) fn locate_set(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", LOCATE)?;
    let symbol = fields.required("symbol", fields.string("symbol")?)?;
    Ok(command(RiskCommand::SetLocate(Locate {
        account_id: fields.required("account_id", fields.parsed("account_id")?)?,
        instrument_id: listed(&fields, symbol, catalog)?,
        qty: fields.required("qty", fields.amount("qty")?)?,
        until: fields.required("until", fields.time("until")?)?,
        source: fields.required("source", fields.string("source")?)?.to_owned(),
    })))
}

pub(super) fn short_sale_state_set(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", SHORT_SALE_STATE)?;
    let symbol: Symbol = fields.required("symbol", fields.parsed("symbol")?)?;
    let restricted = fields.required("restricted", fields.bool("restricted")?)?;
    Ok(command(RiskCommand::SetShortSaleState { symbol, restricted, reason: reason(&fields)? }))
}

pub(super) fn self_match_rule_set(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", SELF_MATCH_RULE)?;
    let policy = fields.required("policy", fields.parsed("policy")?)?;
    Ok(command(RiskCommand::SetSelfMatchRule { scope: scope_field(&fields, catalog)?, policy }))
}

pub(super) fn strategy_envelope_set(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", STRATEGY_ENVELOPE)?;
    let symbols: Vec<Symbol> = fields.parsed_list("symbols")?;
    let instruments = symbols.iter().map(|symbol| {
        let known = catalog.instrument_named(symbol.as_str()).map(|instrument| instrument.instrument_id);
        let instrument_id = known.ok_or_else(|| fields.bad("symbols", format_args!("names {symbol}, which is not in the list")))?;
        Ok(Tradable { instrument_id })
    });
    Ok(command(RiskCommand::SetStrategyEnvelope(StrategyEnvelope {
        strategy: fields.required("strategy", fields.parsed("strategy")?)?,
        enabled: fields.bool("enabled")?.unwrap_or(true),
        instruments: instruments.collect::<Result<_, Refusal>>()?,
        max_notional: fields.amount("max_notional")?,
        max_order_rate: fields.count("max_order_rate")?,
        from_s: fields.count("from_s")?,
        until_s: fields.count("until_s")?,
        version: 0,
    })))
}

pub(super) fn throttle_reset(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let (scope, reason) = scope_and_reason(&Fields::of(value, "", &["scope", "reason"])?, catalog)?;
    Ok(command(RiskCommand::ResetThrottle { scope, reason }))
}

pub(super) fn risk_currency_set(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", &["currency"])?;
    Ok(command(RiskCommand::SetRiskCurrency(currency(&fields, "currency")?)))
}

pub(super) fn limit_require(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", LIMIT_REQUIRE)?;
    let limit_type = fields.required("limit_type", fields.parsed("limit_type")?)?;
    Ok(command(RiskCommand::RequireLimit { limit_type, required: fields.required("required", fields.bool("required")?)? }))
}

pub(super) fn order_approve(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", super::command::ORDER_NAMED)?;
    Ok(command(RiskCommand::ApproveOrder { order: order_ref(&fields)?, if_version: fields.count("if_version")? }))
}

pub(super) fn order_turn_down(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", ORDER_TURN_DOWN)?;
    let (order, if_version) = (order_ref(&fields)?, fields.count("if_version")?);
    Ok(command(RiskCommand::TurnOrderDown { order, reason: reason(&fields)?, if_version }))
}

pub(super) fn adv_set(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", ADV_SET)?;
    let symbol: Symbol = fields.required("symbol", fields.parsed("symbol")?)?;
    Ok(command(RiskCommand::SetAdv { symbol, adv_qty: fields.amount("adv_qty")? }))
}

pub(super) fn account_risk_set(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", ACCOUNT_RISK)?;
    Ok(command(RiskCommand::SetAccountRisk {
        account_id: fields.required("account_id", fields.parsed("account_id")?)?,
        currencies: currencies(&fields)?.unwrap_or_default(),
        converts: fields.bool("converts")?.unwrap_or(false),
        capital: fields.amount("capital")?,
    }))
}

/// The fields of a breaker.
pub const BREAKER: &[&str] = &["kind", "scope", "threshold", "window_s", "action", "probe_after_s"];
/// The fields that close a breaker.
pub const BREAKER_CLOSE: &[&str] = &["kind", "scope", "reason"];

pub(super) fn breaker_set(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", BREAKER)?;
    Ok(command(RiskCommand::SetBreaker(Breaker {
        kind: fields.required("kind", fields.parsed("kind")?)?,
        scope: scope_field(&fields, catalog)?,
        threshold: fields.required("threshold", fields.amount("threshold")?)?,
        window_s: fields.count("window_s")?.unwrap_or(60),
        action: fields.required("action", fields.parsed("action")?)?,
        probe_after_s: fields.count("probe_after_s")?.unwrap_or(0),
        version: 0,
    })))
}

pub(super) fn breaker_remove(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", &["kind", "scope"])?;
    let kind = fields.required("kind", fields.parsed("kind")?)?;
    Ok(command(RiskCommand::RemoveBreaker { kind, scope: scope_field(&fields, catalog)? }))
}

pub(super) fn breaker_close(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", BREAKER_CLOSE)?;
    let kind = fields.required("kind", fields.parsed("kind")?)?;
    Ok(command(RiskCommand::CloseBreaker { kind, scope: scope_field(&fields, catalog)?, reason: reason(&fields)? }))
}

/// The fields of a rule for what is left of an order.
pub const IN_FLIGHT_RULE: &[&str] = &["rule"];
/// The fields that arm a dead-man switch.
pub const DEAD_MAN_ARM: &[&str] = &["scope", "timeout_s", "action"];
/// The field that names one.
pub const DEAD_MAN_NAMED: &[&str] = &["scope"];

pub(super) fn in_flight_rule_set(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", IN_FLIGHT_RULE)?;
    Ok(command(RiskCommand::SetInFlightRule(fields.required("rule", fields.parsed("rule")?)?)))
}

fn dead_man_scope(fields: &Fields<'_, '_>, catalog: &Catalog) -> Result<Scope, Refusal> {
    fields.required("scope", fields.string("scope")?)?;
    scope_field(fields, catalog)
}

/// Arms a dead-man switch.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn dead_man_arm(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", DEAD_MAN_ARM)?;
    Ok(command(RiskCommand::ArmDeadMan {
        scope: dead_man_scope(&fields, catalog)?,
        timeout_s: fields.required("timeout_s", fields.count("timeout_s")?)?,
        action: fields.parsed("action")?.unwrap_or_default(),
    }))
}

/// A heartbeat.
///
/// # Errors
/// `VALIDATION_ERROR` naming the field.
pub fn dead_man_beat(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", DEAD_MAN_NAMED)?;
    Ok(command(RiskCommand::BeatDeadMan { scope: dead_man_scope(&fields, catalog)? }))
}

pub(super) fn dead_man_disarm(value: &Value<'_>, catalog: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", DEAD_MAN_NAMED)?;
    Ok(command(RiskCommand::DisarmDeadMan { scope: dead_man_scope(&fields, catalog)? }))
}

/// The fields of a price band.
pub const PRICE_BAND: &[&str] = &["symbol", "lower", "upper", "until"];
/// The field that names an instrument.
pub const SYMBOL_NAMED: &[&str] = &["symbol"];
/// The fields of a closing price.
pub const PRIOR_CLOSE: &[&str] = &["symbol", "price"];

pub(super) fn price_band_set(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", PRICE_BAND)?;
    Ok(command(RiskCommand::SetPriceBand {
        symbol: fields.required("symbol", fields.parsed("symbol")?)?,
        lower: fields.required("lower", fields.amount("lower")?)?,
        upper: fields.required("upper", fields.amount("upper")?)?,
        until: fields.time("until")?,
    }))
}

pub(super) fn price_band_remove(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", SYMBOL_NAMED)?;
    Ok(command(RiskCommand::RemovePriceBand { symbol: fields.required("symbol", fields.parsed("symbol")?)? }))
}

pub(super) fn prior_close_set(value: &Value<'_>, _: &Catalog) -> Result<Command, Refusal> {
    let fields = Fields::of(value, "", PRIOR_CLOSE)?;
    let symbol: Symbol = fields.required("symbol", fields.parsed("symbol")?)?;
    Ok(command(RiskCommand::SetPriorClose { symbol, price: fields.required("price", fields.amount("price")?)? }))
}

/// A price band, within an object that is open.
pub fn price_band_fields(w: &mut Writer, band: &PriceBand, catalog: &Catalog) {
    w.string("symbol", catalog.symbol(band.instrument_id));
    w.text("lower", band.lower);
    w.text("upper", band.upper);
    w.time_or_null("until", band.until);
}

/// A price test that began by itself, within an object that is open.
pub fn triggered_fields(w: &mut Writer, triggered: &ShortSaleTriggered, catalog: &Catalog) {
    w.string("symbol", catalog.symbol(triggered.instrument_id));
    w.text("prior_close", triggered.prior_close);
    w.text("price", triggered.price);
    w.time("until", triggered.until);
}

/// A breaker, within an object that is open.
pub fn breaker_fields(w: &mut Writer, breaker: &Breaker, catalog: &Catalog) {
    w.text("kind", breaker.kind);
    w.string("scope", &catalog.scope_text(breaker.scope));
    w.text("threshold", breaker.threshold);
    w.number("window_s", breaker.window_s);
    w.text("action", breaker.action);
    w.number("probe_after_s", breaker.probe_after_s);
    w.number("version", breaker.version);
}

/// An entry of a list, within an object that is open.
pub fn restriction_fields(w: &mut Writer, entry: &Restriction, catalog: &Catalog) {
    w.text("list", entry.list);
    w.string("scope", &catalog.scope_text(entry.scope));
    w.string("subject", &catalog.scope_text(entry.subject));
    w.string("reason", &entry.reason);
}

/// A locate's fields, within an object that is open.
pub fn locate_fields(w: &mut Writer, locate: &Locate, catalog: &Catalog) {
    w.text("account_id", locate.account_id);
    w.string("symbol", catalog.symbol(locate.instrument_id));
    w.text("qty", locate.qty);
    w.time("until", locate.until);
    w.string("source", &locate.source);
}

/// A strategy's bounds, within an object that is open.
pub fn envelope_fields(w: &mut Writer, envelope: &StrategyEnvelope, catalog: &Catalog) {
    w.string("strategy", envelope.strategy.as_str());
    w.bool("enabled", envelope.enabled);
    w.array_at("symbols", &envelope.instruments, |w, tradable| w.item(catalog.symbol(tradable.instrument_id)));
    w.text_or_null("max_notional", envelope.max_notional);
    w.number_or_null("max_order_rate", envelope.max_order_rate);
    w.number_or_null("from_s", envelope.from_s);
    w.number_or_null("until_s", envelope.until_s);
    w.number("version", envelope.version);
}

/// What an event about the gate says.
pub(super) fn event_fields(w: &mut Writer, event: &Event, catalog: &Catalog) {
    let scoped = |w: &mut Writer, scope: Scope| w.string("scope", &catalog.scope_text(scope));
    match event {
        Event::RestrictionSet(e) => restriction_fields(w, e, catalog),
        Event::RestrictionRemoved(e) => {
            w.text("list", e.list);
            scoped(w, e.scope);
            w.string("subject", &catalog.scope_text(e.subject));
            w.string("reason", &e.reason);
        }
        Event::LocateSet(e) => locate_fields(w, e, catalog),
        Event::ShortSaleStateSet(e) => {
            w.string("symbol", catalog.symbol(e.instrument_id));
            w.bool("restricted", e.restricted);
            w.string("reason", &e.reason);
        }
        Event::SelfMatchRuleSet(e) => {
            scoped(w, e.scope);
            w.text("policy", e.policy);
        }
        Event::SelfMatchPrevented(e) => {
            w.text("resting_order_id", e.resting);
            w.text("policy", e.policy);
            w.text("qty", e.qty);
        }
        Event::StrategyEnvelopeSet(e) => envelope_fields(w, e, catalog),
        Event::ThrottleTripped(e) => {
            scoped(w, e.scope);
            w.text("value", e.value);
            w.text("limit", e.limit);
        }
        Event::ThrottleReset(e) => {
            scoped(w, e.scope);
            w.text("user_id", e.user_id);
            w.string("reason", &e.reason);
        }
        Event::OrderHeld(e) => {
            w.text("reason", e.reason);
            w.array_at("waits_for", &e.waits_for, |w, id| w.item(&id.to_string()));
        }
        Event::OrderReleased(e) => {
            w.text("reason", e.reason);
            w.text_or_null("by", e.by);
            w.string("text", &e.text);
        }
        Event::PositionsMarked(e) => w.array_at("marks", &e.marks, |w, mark| {
            w.object(|w| {
                w.string("symbol", catalog.symbol(mark.instrument_id));
                w.text("price", mark.price);
            });
        }),
        Event::BreakerSet(e) => breaker_fields(w, e, catalog),
        Event::BreakerRemoved(e) => {
            w.text("kind", e.kind);
            scoped(w, e.scope);
        }
        Event::BreakerMoved(e) => {
            w.text("kind", e.kind);
            scoped(w, e.scope);
            w.text("state", e.state);
            w.text_or_null("value", e.value);
            w.string("text", &e.text);
        }
        Event::RiskBreached(e) => {
            w.text("check", e.check);
            scoped(w, e.scope);
            w.text("value", e.value);
            w.text("limit", e.limit);
            w.number("limit_version", e.limit_version);
            w.bool("soft", e.soft);
            w.bool("cancels", e.cancels);
        }
        Event::PriceBandSet(e) => price_band_fields(w, e, catalog),
        Event::PriceBandRemoved(e) => w.string("symbol", catalog.symbol(e.instrument_id)),
        Event::ShortSaleTriggered(e) => triggered_fields(w, e, catalog),
        Event::PriorCloseSet(e) => {
            w.string("symbol", catalog.symbol(e.instrument_id));
            w.text("price", e.price);
        }
        Event::InFlightRuleSet(e) => w.text("rule", e.rule),
        Event::DeadManArmed(e) => {
            scoped(w, e.scope);
            w.number("timeout_s", e.timeout_s);
            w.text("action", e.action);
            w.text("user_id", e.user_id);
        }
        Event::DeadManBeat(e) => {
            scoped(w, e.scope);
            w.time("at", e.at);
            w.text_or_null("by", e.by);
        }
        Event::DeadManDisarmed(e) => {
            scoped(w, e.scope);
            w.text("user_id", e.user_id);
        }
        Event::DeadManFired(e) => {
            scoped(w, e.scope);
            w.text("action", e.action);
            w.text("user_id", e.user_id);
            w.number("timeout_s", e.timeout_s);
            w.time("beat_at", e.beat_at);
        }
        Event::KillSwitchConfirmed(e) => {
            scoped(w, e.scope);
            w.time("engaged_at", e.engaged_at);
            w.time("last_asked_at", e.last_asked_at);
        }
        Event::RiskCurrencySet(e) => w.string("currency", e.currency.as_str()),
        Event::LimitRequired(e) => {
            w.text("limit_type", e.limit_type);
            w.bool("required", e.required);
        }
        _ => (),
    }
}

/// An event of an order that the gate caused, as a sentence; `None` for another.
pub(crate) fn sentence(event: &Event) -> Option<String> {
    Some(match event {
        Event::SelfMatchPrevented(e) => format!("would trade against own order {} with {}: {}", e.resting, e.qty, e.policy),
        Event::RiskBreached(e) => {
            let what = if e.cancels { "the rest is canceled" } else { "recorded" };
            let soft = if e.soft { "soft limit" } else { "limit" };
            format!(
                "after an execution the rest is beyond {}: {} against the {soft} {} v{}; {what}",
                e.check, e.value, e.limit, e.limit_version
            )
        }
        Event::OrderHeld(e) if e.waits_for.is_empty() => format!("waits: {}", e.reason),
        Event::OrderHeld(e) => {
            let others: Vec<String> = e.waits_for.iter().map(ToString::to_string).collect();
            format!("waits: {} with {}", e.reason, others.join(", "))
        }
        Event::OrderReleased(e) => match e.by {
            Some(by) => format!("released by user {by}: {}", e.text),
            None => format!("released: {}", e.text),
        },
        other => return super::leaves::sentence(other),
    })
}
