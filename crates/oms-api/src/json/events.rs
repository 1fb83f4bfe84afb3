//! Events as streams, histories and the "why" show them. What is secret, or a hash of it, is not shown.

use super::instructions;
use super::orders::{account_fields, instrument_fields, limit_fields, policy_fields, route_fields, write_check, write_terms};
use super::write::Writer;
use crate::catalog::Catalog;
use crate::error::TraceText;
use oms_model::event::{
    Allocation, Batch, Event, ExecutionRecorded, ExecutionUnmatched, Filled, OrderCreated, OrderEnded, PositionFrozen, RequestRejected,
};
use oms_model::instrument::Currency;
use oms_model::market::Seen;
use oms_model::{AccountId, ExecId, Mic, Notional, OrderKind, Seq};

/// One event with its envelope.
pub fn write_event(w: &mut Writer, seq: Seq, batch: &Batch, event: &Event, catalog: &Catalog) {
    w.object(|w| {
        w.number("sequence", seq.0);
        w.text("type", event.name());
        w.time("time", batch.time);
        w.text_or_null("order_id", event.order_id());
        w.text("command_id", batch.command_id);
        w.text("trace_id", TraceText(batch.trace_id));
        w.object_at("actor", |w| {
            w.text("tenant_id", batch.actor.tenant_id);
            w.text("user_id", batch.actor.user_id);
            w.text_or_null("api_key_id", batch.actor.api_key_id);
            w.text("source", batch.actor.source);
        });
        w.object_at("data", |w| data(w, event, catalog));
    });
}

/// The market that the gate saw.
fn seen_fields(w: &mut Writer, seen: &Seen) {
    for (key, price) in [("bid", seen.bid), ("ask", seen.ask), ("last", seen.last)] {
        if let Some(price) = price {
            w.object_at(key, |w| {
                w.text("price", price.price);
                w.time("at", price.at);
            });
        }
    }
}

/// What an execution that is not in the books cost; null where this says something else of it.
pub(crate) fn write_unmatched_charge(w: &mut Writer, e: &ExecutionUnmatched) {
    w.text_or_null("commission", e.is_charge().then_some(e.commission));
    w.string_or_null("currency", e.commission_currency.as_ref().map(Currency::as_str));
}

/// What an event says, within an object that is open.
pub fn data(w: &mut Writer, event: &Event, catalog: &Catalog) {
    match event {
        Event::OrderCreated(e) => created(w, e, catalog),
        Event::RiskChecked(e) => {
            w.array_at("checks", &e.results, |w, result| write_check(w, result, catalog));
            if let Some(seen) = &e.seen {
                w.object_at("market", |w| seen_fields(w, seen));
            }
        }
        Event::OrderRejected(e) => {
            w.text("by", e.by);
            w.text("code", e.code);
            w.string("text", &e.text);
        }
        Event::RouteDecided(e) => route_fields(w, e),
        Event::OrderSent(e) => {
            w.text("intent", e.intent);
            w.number("revision", e.revision);
            w.text("venue", e.venue);
            w.time("deadline", e.deadline);
            if let Some(terms) = &e.terms {
                w.object_at("terms", |w| write_terms(w, terms));
            }
        }
        Event::OrderStateSynced(e) => {
            w.text("state", e.state);
            w.text("place_qty", e.place_qty);
        }
        Event::OrderAccepted(e) => w.string_or_null("broker_order_id", e.broker_order_id.as_ref().map(oms_model::BrokerOrderId::as_str)),
        Event::OrderPartiallyFilled(e) | Event::OrderFilled(e) => filled(w, e),
        Event::OrderCancelRequested(e) => w.text("by", e.by),
        Event::OrderCanceled(e) | Event::OrderExpired(e) => ended(w, e),
        Event::CancelRejected(e) | Event::ReplaceRejected(e) => refused(w, e),
        Event::OrderReplaceRequested(e) => w.object_at("terms", |w| write_terms(w, &e.terms)),
        Event::OrderReplaced(e) => {
            w.object_at("terms", |w| write_terms(w, &e.terms));
            w.number("revision", e.revision);
        }
        Event::RequestNamed(e) => {
            w.text("intent", e.intent);
            w.string("cl_ord_id", e.cl_ord_id.as_str());
        }
        Event::OrderInDoubt(e) => {
            w.text("intent", e.intent);
            w.number("revision", e.revision);
            w.string("reason", &e.reason);
        }
        Event::OrderOutcomeResolved(e) => {
            w.text("intent", e.intent);
            w.number("revision", e.revision);
            w.text("outcome", e.outcome);
            w.string("evidence", &e.evidence);
        }
        Event::OrderSized(e) => w.text("order_qty", e.order_qty),
        Event::OrderClosed(_) | Event::IdempotencyRecorded(_) => (),
        Event::OrderAnomaly(e) => {
            w.text("anomaly", e.anomaly);
            w.string("detail", &e.detail);
        }
        Event::SagaStepped(e) => {
            w.text("phase", e.phase);
            w.number("step", e.step);
            w.text_or_null("part", e.part);
            if let Some(before) = &e.before {
                w.object_at("before", |w| write_terms(w, before));
            }
            w.string("text", &e.text);
        }
        Event::StageStarted(e) => {
            w.text("leg", e.leg);
            w.time("until", e.until);
        }
        Event::StageEnded(e) => {
            w.text("leg", e.leg);
            w.string("text", &e.text);
        }
        Event::CareAccepted(e) => w.text("user_id", e.user_id),
        Event::CarePassed(e) => {
            w.text_or_null("from", e.from);
            w.text_or_null("to", e.to);
            w.string("text", &e.text);
        }
        Event::ExecutionRecorded(e) => execution(w, e, catalog),
        Event::OrdersGrouped(_)
        | Event::OrdersUngrouped(_)
        | Event::AllocationProposed(_)
        | Event::AllocationApproved(_)
        | Event::AllocationRejected(_)
        | Event::AllocationBooked(_) => grouping(w, event, catalog),
        Event::ExecutionBusted(_)
        | Event::ExecutionWhacked(_)
        | Event::ExecutionCorrected(_)
        | Event::CommissionRecorded(_)
        | Event::OrderFillAdjusted(_)
        | Event::SuspenseResolved(_)
        | Event::PositionChanged(_)
        | Event::FxRateSet(_)
        | Event::PositionFrozen(_)
        | Event::DayClosed(_)
        | Event::CostMethodSet(_) => booking(w, event, catalog),
        Event::OrderTriggered(e) => instructions::triggered(w, e),
        Event::StopMoved(e) => instructions::stop_moved(w, e),
        Event::SliceReleased(e) => instructions::slice_released(w, e),
        Event::AlgoStepped(e) => instructions::algo_stepped(w, e),
        Event::OrderArmed(e) => instructions::armed(w, e),
        Event::PeerFilled(e) => instructions::peer_filled(w, e),
        Event::ExecutionUnmatched(e) => {
            w.string("exec_id", e.exec_id.as_str());
            w.text("venue", e.venue);
            w.string("wire_id", &e.wire_id);
            w.text("last_qty", e.last_qty);
            w.text("last_px", e.last_px);
            w.time("transact_time", e.transact_time);
            w.string_or_null("exec_ref", e.exec_ref.as_ref().map(ExecId::as_str));
            write_unmatched_charge(w, e);
        }
        Event::QuoteRequested(_)
        | Event::QuoteReceived(_)
        | Event::QuoteAccepted(_)
        | Event::QuoteExpired(_)
        | Event::QuoteWithdrawn(_)
        | Event::QuoteReplaced(_)
        | Event::QuoteRequestExpired(_)
        | Event::QuoteRequestCanceled(_) => quotes(w, event, catalog),
        Event::RestrictionSet(_)
        | Event::RestrictionRemoved(_)
        | Event::LocateSet(_)
        | Event::ShortSaleStateSet(_)
        | Event::SelfMatchRuleSet(_)
        | Event::SelfMatchPrevented(_)
        | Event::StrategyEnvelopeSet(_)
        | Event::ThrottleTripped(_)
        | Event::ThrottleReset(_)
        | Event::OrderHeld(_)
        | Event::OrderReleased(_)
        | Event::PositionsMarked(_)
        | Event::RiskCurrencySet(_)
        | Event::BreakerSet(_)
        | Event::BreakerRemoved(_)
        | Event::BreakerMoved(_)
        | Event::RiskBreached(_)
        | Event::InFlightRuleSet(_)
        | Event::DeadManArmed(_)
        | Event::DeadManBeat(_)
        | Event::DeadManDisarmed(_)
        | Event::DeadManFired(_)
        | Event::PriceBandSet(_)
        | Event::PriceBandRemoved(_)
        | Event::ShortSaleTriggered(_)
        | Event::PriorCloseSet(_)
        | Event::KillSwitchConfirmed(_)
        | Event::LimitRequired(_) => super::risk::event_fields(w, event, catalog),
        Event::ShadowRulesSet(_) | Event::ShadowRulesRemoved(_) | Event::ShadowRulesPromoted(_) => {
            super::shadow::event_fields(w, event, catalog);
        }
        Event::OverrideGranted(_)
        | Event::OverrideConsented(_)
        | Event::OverrideRevoked(_)
        | Event::OverrideExpired(_)
        | Event::RiskOverridden(_)
        | Event::OverrideRuleSet(_)
        | Event::LimitScheduled(_)
        | Event::LimitScheduleMoved(_)
        | Event::RiskImported(_) => super::leaves::event_fields(w, event, catalog),
        Event::BrokerConnected(_)
        | Event::BrokerDisconnected(_)
        | Event::KillSwitchEngaged(_)
        | Event::KillSwitchReleased(_)
        | Event::TradingStateSet(_)
        | Event::RiskLimitSet(_)
        | Event::RiskLimitRemoved(_)
        | Event::SorPolicySet(_)
        | Event::VenueConfigured(_)
        | Event::InstrumentListed(_)
        | Event::NavSet(_)
        | Event::AccountOpened(_)
        | Event::TenantCreated(_)
        | Event::ApiKeyCreated(_) => settings(w, event, catalog),
    }
}

/// What an event about the house rather than an order says.
fn settings(w: &mut Writer, event: &Event, catalog: &Catalog) {
    match event {
        Event::BrokerConnected(e) | Event::BrokerDisconnected(e) => {
            w.text("venue", e.venue);
            w.string("reason", &e.reason);
        }
        Event::KillSwitchEngaged(e) | Event::KillSwitchReleased(e) => {
            w.string("scope", &catalog.scope_text(e.scope));
            w.string("reason", &e.reason);
        }
        Event::TradingStateSet(e) => {
            w.string("scope", &catalog.scope_text(e.scope));
            w.text("state", e.state);
            w.string("reason", &e.reason);
            w.bool("by_breaker", e.by_breaker);
        }
        Event::RiskLimitSet(limit) => limit_fields(w, limit, catalog),
        Event::RiskLimitRemoved(e) => {
            w.text("limit_type", e.limit_type);
            w.string("scope", &catalog.scope_text(e.scope));
            w.text_or_null("period", e.period);
            w.bool("soft", e.soft);
        }
        Event::SorPolicySet(policy) => policy_fields(w, policy),
        Event::VenueConfigured(venue) => {
            w.text("venue", venue.venue);
            w.string("name", &venue.name);
            w.text("maker_fee", venue.maker_fee);
            w.text("taker_fee", venue.taker_fee);
            w.bool("enabled", venue.enabled);
        }
        Event::InstrumentListed(instrument) => instrument_fields(w, instrument),
        Event::NavSet(e) => {
            w.string("symbol", catalog.symbol(e.instrument_id));
            w.text("nav", e.nav);
            w.time("as_of", e.as_of);
            w.time("cut_off", e.cut_off);
        }
        Event::AccountOpened(account) => account_fields(w, account),
        Event::TenantCreated(e) => {
            w.text("tenant_id", e.tenant_id);
            w.string("slug", &e.slug);
        }
        Event::ApiKeyCreated(e) => {
            w.text("api_key_id", e.api_key_id);
            w.text("user_id", e.user_id);
            w.string("prefix", &e.prefix);
        }
        _ => (),
    }
}

/// What an event about a request for quotes says.
fn quotes(w: &mut Writer, event: &Event, catalog: &Catalog) {
    match event {
        Event::QuoteRequested(e) => {
            w.text("quote_req_id", e.quote_req_id);
            w.text("account_id", e.account_id);
            w.string("symbol", catalog.symbol(e.instrument_id));
            w.text_or_null("side", e.side);
            w.text("order_qty", e.order_qty);
            w.array_at("dealers", &e.dealers, |w, dealer| w.item(dealer.as_str()));
            w.time("expire_at", e.expire_at);
        }
        Event::QuoteReceived(e) => {
            w.text("quote_id", e.quote_id);
            w.text("quote_req_id", e.quote_req_id);
            w.text("dealer", e.dealer);
            w.string("quote_ref", e.quote_ref.as_str());
            w.text_or_null("bid_px", e.bid_px);
            w.text("bid_size", e.bid_size);
            w.text_or_null("offer_px", e.offer_px);
            w.text("offer_size", e.offer_size);
            w.time("valid_until", e.valid_until);
        }
        Event::QuoteAccepted(e) => {
            w.text("quote_id", e.quote_id);
            w.text("quote_req_id", e.quote_req_id);
            w.text("accepted_by", e.order_id);
        }
        Event::QuoteExpired(e) | Event::QuoteWithdrawn(e) => {
            w.text("quote_id", e.quote_id);
            w.string("text", &e.text);
        }
        Event::QuoteReplaced(e) => {
            w.text("quote_id", e.quote_id);
            w.text("by", e.by);
        }
        Event::QuoteRequestExpired(e) | Event::QuoteRequestCanceled(e) => w.text("quote_req_id", e.quote_req_id),
        _ => (),
    }
}

/// What an event about executions, rates and days says.
fn booking(w: &mut Writer, event: &Event, catalog: &Catalog) {
    match event {
        Event::ExecutionBusted(e) | Event::ExecutionWhacked(e) => {
            execution_named(w, &e.exec_id, e.venue, e.account_id, catalog.symbol(e.instrument_id));
            w.text_or_null("root_order_id", oms_model::event::named(e.root_order_id));
            w.text("side", e.side);
            w.text("last_qty", e.last_qty);
            w.text("last_px", e.last_px);
            w.text("fee", e.fee);
            w.time("transact_time", e.transact_time);
            w.string_or_null("reference", e.reference.as_ref().map(ExecId::as_str));
            w.string("reason", &e.reason);
        }
        Event::ExecutionCorrected(e) => {
            execution_named(w, &e.exec_id, e.venue, e.account_id, catalog.symbol(e.instrument_id));
            w.text_or_null("root_order_id", oms_model::event::named(e.root_order_id));
            w.text("side", e.side);
            w.text("last_qty", e.last_qty);
            w.text("last_px", e.last_px);
            w.text("fee", e.fee);
            w.time("transact_time", e.transact_time);
            w.text("old_qty", e.old_qty);
            w.text("old_px", e.old_px);
            w.string_or_null("reference", e.reference.as_ref().map(ExecId::as_str));
            w.string("reason", &e.reason);
        }
        Event::CommissionRecorded(e) => {
            execution_named(w, &e.exec_id, e.venue, e.account_id, catalog.symbol(e.instrument_id));
            w.text("fee", e.fee);
            w.text("commission", e.commission);
            w.text("currency", e.currency.as_str());
            w.text_or_null("rate", e.rate);
        }
        Event::OrderFillAdjusted(e) => {
            w.string("exec_id", e.exec_id.as_str());
            w.text("state", e.state);
            w.text("qty", e.qty);
            w.text("notional", e.notional);
            w.bool("direct", e.direct);
        }
        Event::SuspenseResolved(e) => {
            w.string("exec_id", e.exec_id.as_str());
            w.text("venue", e.venue);
            w.text_or_null("account_id", e.account_id);
            w.string("reason", &e.reason);
        }
        Event::FxRateSet(e) => {
            w.text("from", e.from.as_str());
            w.text("to", e.to.as_str());
            w.text("rate", e.rate);
        }
        Event::PositionChanged(e) => {
            w.text("account_id", e.account_id);
            w.string("symbol", catalog.symbol(e.instrument_id));
            w.text("qty", e.qty);
            w.text("cost", e.cost());
            w.text("realized", e.realized);
            w.text("fees", e.fees);
        }
        Event::PositionFrozen(e) => frozen_fields(w, e, catalog),
        Event::DayClosed(e) => {
            w.number("day", e.day);
            w.number("positions", e.positions);
        }
        Event::CostMethodSet(e) => w.text("method", e.method),
        _ => (),
    }
}

/// What an event about a group says.
fn grouping(w: &mut Writer, event: &Event, catalog: &Catalog) {
    match event {
        Event::OrdersGrouped(e) => {
            w.text("mode", e.mode);
            w.array_at("members", &e.members, |w, member| {
                w.object(|w| {
                    w.text("order_id", member.order_id);
                    w.text("account_id", member.account_id);
                    w.text("remaining", member.remaining);
                });
            });
        }
        Event::OrdersUngrouped(e) => {
            w.array_at("members", &e.members, |w, member| w.item(&member.to_string()));
            w.string("reason", &e.reason);
        }
        Event::AllocationProposed(e) => {
            w.text("user_id", e.user_id);
            allocation_fields(w, &e.allocation, catalog);
        }
        Event::AllocationApproved(e) => {
            w.text("alloc_id", e.alloc_id);
            w.text("user_id", e.user_id);
        }
        Event::AllocationRejected(e) => {
            w.text("alloc_id", e.alloc_id);
            w.text("user_id", e.user_id);
            w.string("reason", &e.reason);
        }
        Event::AllocationBooked(e) => allocation_fields(w, e, catalog),
        _ => (),
    }
}

/// An allocation with the inputs of its rule and what it gave, within an object that is open.
pub fn allocation_fields(w: &mut Writer, e: &Allocation, catalog: &Catalog) {
    w.text("alloc_id", e.alloc_id);
    w.text("group_order_id", e.group_order_id);
    w.text("account_id", e.account_id);
    w.string("symbol", catalog.symbol(e.instrument_id));
    w.text("side", e.side);
    w.number("rule", e.rule);
    w.text("qty", e.qty);
    w.text("notional", e.notional);
    w.text_or_null("avg_px", e.notional.avg_px(e.qty));
    w.text("lot", e.lot);
    w.time("transact_time", e.transact_time);
    w.array_at("shares", e.members.iter().zip(&e.shares), |w, (member, share)| {
        w.object(|w| {
            w.text("order_id", member.order_id);
            w.text("account_id", member.account_id);
            w.time("created_at", member.created_at);
            w.text("remaining", member.remaining);
            w.text("qty", share.qty);
            w.text("notional", share.notional);
        });
    });
}

/// A position as a closed day left it, within an object that is open.
pub fn frozen_fields(w: &mut Writer, e: &PositionFrozen, catalog: &Catalog) {
    let in_base = |money: Notional| e.fx_rate.and_then(|rate| money.at_rate(rate));
    w.number("day", e.day);
    w.text("account_id", e.account_id);
    w.string("symbol", catalog.symbol(e.instrument_id));
    w.text("qty", e.qty);
    w.text("cost", e.cost);
    w.text("realized", e.realized);
    w.text("fees", e.fees);
    w.text("realized_day", e.day_realized);
    w.text("fees_day", e.day_fees);
    w.text_or_null("mark", e.mark);
    w.text_or_null("unrealized", e.unrealized);
    w.text("currency", e.currency.as_str());
    w.text("base_currency", e.base_currency.as_str());
    w.text_or_null("fx_rate", e.fx_rate);
    w.text_or_null("realized_day_base", in_base(e.day_realized));
    w.text_or_null("fees_day_base", in_base(e.day_fees));
    w.text_or_null("unrealized_base", e.unrealized.and_then(in_base));
}

fn execution_named(w: &mut Writer, exec_id: &ExecId, venue: Mic, account_id: AccountId, symbol: &str) {
    w.string("exec_id", exec_id.as_str());
    w.text("venue", venue);
    w.text("account_id", account_id);
    w.string("symbol", symbol);
}

fn created(w: &mut Writer, e: &OrderCreated, catalog: &Catalog) {
    w.text("kind", e.kind.unwrap_or(if e.parent_order_id.is_none() { OrderKind::Client } else { OrderKind::Market }));
    w.text_or_null("parent_order_id", e.parent_order_id);
    w.text("root_order_id", e.root_order_id);
    w.string("cl_ord_id", e.cl_ord_id.as_str());
    w.text("account_id", e.account_id);
    w.string("symbol", catalog.symbol(e.instrument_id));
    w.text("side", e.side);
    w.text("ord_type", e.ord_type);
    w.text("order_qty", e.order_qty);
    if let Some(basis) = e.basis.as_deref() {
        w.text_or_null("cash_order_qty", basis.cash_order_qty);
        w.text_or_null("quote_id", basis.quote_id);
    }
    w.text_or_null("price", e.price);
    w.text_or_null("stop_px", e.stop_px);
    w.text("time_in_force", e.time_in_force);
    w.time_or_null("expire_at", e.expire_at);
    w.text_or_null("venue", e.venue);
    if let Some(work) = e.work.as_deref() {
        w.object_at("work", |w| instructions::work_fields(w, work));
    }
}

fn filled(w: &mut Writer, e: &Filled) {
    w.string("exec_id", e.exec_id.as_str());
    w.text("last_qty", e.last_qty);
    w.text("last_px", e.last_px);
    w.text("last_notional", e.last_notional);
}

fn ended(w: &mut Writer, e: &OrderEnded) {
    w.text("by", e.by);
    w.string("text", &e.text);
}

fn refused(w: &mut Writer, e: &RequestRejected) {
    w.text("by", e.by);
    w.string("text", &e.text);
}

fn execution(w: &mut Writer, e: &ExecutionRecorded, catalog: &Catalog) {
    w.string("exec_id", e.exec_id.as_str());
    w.text_or_null("root_order_id", oms_model::event::named(e.root_order_id));
    w.text("account_id", e.account_id);
    w.string("symbol", catalog.symbol(e.instrument_id));
    w.text("side", e.side);
    w.text("venue", e.venue);
    w.text("last_qty", e.last_qty);
    w.text("last_px", e.last_px);
    w.text("liquidity", e.liquidity);
    w.text("fee", e.fee);
    w.time("transact_time", e.transact_time);
    w.bool("manual", e.manual);
}
