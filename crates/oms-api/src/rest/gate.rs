//! What the gate knows besides limits and switches, and the orders that wait.

use super::orders::AS_OF;
use super::risk::{answer, read};
use super::{Endpoint, get};
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::json::orders::write_order;
use crate::json::risk::{envelope_fields, locate_fields, price_band_fields, restriction_fields, triggered_fields};
use axum::response::Response;
use oms_engine::State;
use oms_identity::Scope as Allowed;
use oms_model::compliance::{InFlightRule, Locate, PriceBand, Restriction, SelfMatchPolicy};
use oms_model::event::ShortSaleTriggered;
use oms_model::instrument::Currency;
use oms_model::limit::{LimitType, Scope};
use oms_model::strategy::StrategyEnvelope;
use oms_model::{Code, InstrumentId, Notional, Order, Qty, Refusal, Time};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "risk", summary);
    vec![
        get(
            Access::Scope(Allowed::PositionsView),
            "/api/v1/risk/rules",
            named("riskRules", "Lists, locates, rules, strategies and throttles of the gate"),
            rules,
        )
        .parameters(&[AS_OF])
        .json(200, "RiskRules", "What the gate knows besides limits and switches.")
        .errors(&[Code::HistoryTooFar]),
        get(
            Access::Scope(Allowed::OrdersView),
            "/api/v1/risk/held",
            named("heldOrders", "Orders that are accepted and wait before they are sent"),
            held,
        )
        .parameters(&[AS_OF])
        .json(200, "HeldOrders", "Those that wait for a second person, or for own orders to be gone.")
        .errors(&[Code::HistoryTooFar]),
    ]
}

/// What the page of rules says.
struct Rules {
    currency: Currency,
    restrictions: Vec<Restriction>,
    locates: Vec<(Locate, Qty)>,
    short_sale_restricted: Vec<InstrumentId>,
    self_match: Vec<(Scope, SelfMatchPolicy)>,
    strategies: Vec<(StrategyEnvelope, Notional)>,
    required: Vec<LimitType>,
    throttled: Vec<Scope>,
    in_flight: InFlightRule,
    triggered: Vec<ShortSaleTriggered>,
    price_bands: Vec<PriceBand>,
}

impl Rules {
    fn of(state: &State, now: Time) -> Self {
        let risk = state.risk();
        let used = |locate: &Locate| risk.locate_used(locate.account_id, locate.instrument_id);
        Self {
            currency: state.risk_currency(),
            restrictions: risk.restrictions(),
            locates: risk.locates().map(|locate| (locate.clone(), used(locate))).collect(),
            short_sale_restricted: risk.short_sale_restricted().collect(),
            self_match: risk.self_match_rules().collect(),
            strategies: risk.envelopes().map(|(envelope, traded)| (envelope.clone(), traded)).collect(),
            required: LimitType::ALL.iter().copied().filter(|limit_type| risk.requires(*limit_type)).collect(),
            throttled: risk.tripped(),
            in_flight: risk.in_flight_rule(),
            triggered: risk.triggered_short_sales().filter(|one| now < one.until).copied().collect(),
            price_bands: risk.price_bands().filter(|band| band.until.is_none_or(|until| now < until)).copied().collect(),
        }
    }
}

async fn rules(call: Call) -> Result<Response, Refusal> {
    let (rules, moment) = read(&call, Rules::of).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(1024);
    w.object(|w| {
        w.string("currency", rules.currency.as_str());
        w.array_at("restrictions", &rules.restrictions, |w, entry| w.object(|w| restriction_fields(w, entry, &catalog)));
        w.array_at("locates", &rules.locates, |w, (locate, used)| {
            w.object(|w| {
                locate_fields(w, locate, &catalog);
                w.text("used", *used);
            });
        });
        w.array_at("short_sale_restricted", &rules.short_sale_restricted, |w, id| w.item(catalog.symbol(*id)));
        w.array_at("short_sale_triggered", &rules.triggered, |w, one| w.object(|w| triggered_fields(w, one, &catalog)));
        w.array_at("price_bands", &rules.price_bands, |w, band| w.object(|w| price_band_fields(w, band, &catalog)));
        w.array_at("self_match", &rules.self_match, |w, (scope, policy)| {
            w.object(|w| {
                w.string("scope", &catalog.scope_text(*scope));
                w.text("policy", *policy);
            });
        });
        w.array_at("strategies", &rules.strategies, |w, (envelope, traded)| {
            w.object(|w| {
                envelope_fields(w, envelope, &catalog);
                w.text("traded", *traded);
            });
        });
        w.array_at("required_limits", &rules.required, |w, limit_type| w.item(limit_type.as_str()));
        w.array_at("throttled", &rules.throttled, |w, scope| w.item(&catalog.scope_text(*scope)));
        w.text("in_flight", rules.in_flight);
    });
    Ok(answer(&call, w, moment))
}

async fn held(call: Call) -> Result<Response, Refusal> {
    let (orders, moment) = read(&call, |state, _| state.held().cloned().collect::<Vec<Order>>()).await?;
    let catalog = call.api.catalog_now().await?;
    let mut w = Writer::with_capacity(64 + 512 * orders.len());
    w.object(|w| w.array_at("data", &orders, |w, order| write_order(w, order, &catalog)));
    Ok(answer(&call, w, moment))
}
