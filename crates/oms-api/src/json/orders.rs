//! Orders and what belongs to them, as answers show them.

use super::write::Writer;
use crate::catalog::Catalog;
use oms_model::command::Placed;
use oms_model::event::{Batch, Event, Leg, RouteDecided};
use oms_model::instrument::{Account, Currency, Instrument};
use oms_model::limit::{CheckResult, RiskLimit};
use oms_model::market::{Level, Market};
use oms_model::order::Terms;
use oms_model::policy::SorPolicy;
use oms_model::position::Position;
use oms_model::{Decimal, Order, OrderId, Refusal};

/// The fields of an order, as `fields=` may name them.
pub const ORDER_FIELDS: &[&str] = &[
    "order_id",
    "root_order_id",
    "parent_order_id",
    "kind",
    "cl_ord_id",
    "account_id",
    "user_id",
    "source",
    "symbol",
    "side",
    "ord_type",
    "order_qty",
    "cash_order_qty",
    "quote_id",
    "price",
    "stop_px",
    "time_in_force",
    "expire_at",
    "routing",
    "care",
    "venue",
    "broker_order_id",
    "ord_status",
    "state",
    "pending",
    "uncertainty",
    "cum_qty",
    "leaves_qty",
    "avg_px",
    "place_qty",
    "replacing",
    "saga",
    "stage",
    "ended_by",
    "reject_code",
    "text",
    "metadata",
    "work",
    "strategy",
    "held",
    "version",
    "created_seq",
    "created_at",
    "updated_at",
];

/// An order.
pub fn write_order(w: &mut Writer, order: &Order, catalog: &Catalog) {
    w.selected(|w| order_fields(w, order, catalog));
}

/// An order's fields, within an object that is open.
pub fn order_fields(w: &mut Writer, order: &Order, catalog: &Catalog) {
    w.text("order_id", order.order_id);
    w.text("root_order_id", order.root_order_id);
    w.text_or_null("parent_order_id", order.parent_order_id);
    w.text("kind", order.kind());
    w.string("cl_ord_id", order.cl_ord_id.as_str());
    w.text("account_id", order.account_id);
    w.text("user_id", order.user_id);
    w.text("source", order.source);
    w.string("symbol", catalog.symbol(order.instrument_id));
    w.text("side", order.side);
    w.text("ord_type", order.ord_type);
    w.text("order_qty", order.order_qty);
    w.text_or_null("cash_order_qty", order.cash_order_qty());
    w.text_or_null("quote_id", order.extras.basis.as_deref().and_then(|basis| basis.quote_id));
    w.text_or_null("price", order.price);
    w.text_or_null("stop_px", order.extras.stop_px);
    w.text("time_in_force", order.time_in_force);
    w.time_or_null("expire_at", order.expire_at);
    match order.extras.routing.as_deref() {
        None => w.null("routing"),
        Some(routing) => w.object_at("routing", |w| {
            w.text_or_null("mode", routing.mode);
            w.text_or_null("venue", routing.venue);
            w.string_or_null("policy", routing.policy.as_ref().map(oms_model::PolicyName::as_str));
            w.bool("care", routing.care);
        }),
    }
    match order.extras.care.as_deref() {
        None => w.null("care"),
        Some(care) => w.object_at("care", |w| {
            w.text_or_null("accepted_by", care.accepted_by);
            w.text_or_null("holder", care.holder);
            w.time("since", care.since);
        }),
    }
    w.text_or_null("venue", order.venue);
    w.string_or_null("broker_order_id", order.broker_order_id.as_ref().map(oms_model::BrokerOrderId::as_str));
    progress(w, order);
    w.string_or_null("text", order.extras.text.as_deref());
    match order.extras.metadata.as_deref() {
        None => w.null("metadata"),
        // It was read as a JSON object when it came.
        Some(metadata) => w.raw("metadata", metadata.as_bytes()),
    }
    match order.extras.work.as_deref() {
        None => w.null("work"),
        Some(work) => w.object_at("work", |w| super::instructions::work_fields(w, work)),
    }
    w.text_or_null("strategy", order.strategy());
    w.text_or_null("held", order.extras.hold.as_deref().map(|hold| hold.reason));
    w.number("version", order.version);
    w.number("created_seq", order.created_seq.0);
    w.time("created_at", order.created_at);
    w.time("updated_at", order.updated_at);
}

fn progress(w: &mut Writer, order: &Order) {
    w.text("ord_status", order.ord_status());
    w.text("state", order.state);
    w.text("pending", order.pending);
    match order.extras.doubt.as_deref() {
        None => w.null("uncertainty"),
        Some(doubt) => w.object_at("uncertainty", |w| {
            w.text("kind", "IN_DOUBT");
            w.text("intent", doubt.intent);
            w.time("since", doubt.since);
            w.string("reason", &doubt.reason);
        }),
    }
    w.text("cum_qty", order.cum_qty);
    w.text("leaves_qty", order.leaves_qty());
    w.text_or_null("avg_px", order.avg_px());
    w.text("place_qty", order.place_qty);
    match order.extras.replacing.as_deref() {
        None => w.null("replacing"),
        Some(terms) => w.object_at("replacing", |w| write_terms(w, terms)),
    }
    match order.extras.saga.as_deref() {
        None => w.null("saga"),
        Some(saga) => w.object_at("saga", |w| {
            w.text("phase", saga.phase);
            w.number("step", saga.step);
            w.text_or_null("part", saga.part);
            w.string("text", &saga.text);
        }),
    }
    match order.extras.stage.as_deref() {
        None => w.null("stage"),
        Some(stage) => w.object_at("stage", |w| {
            w.text("leg", stage.leg);
            w.time("until", stage.until);
        }),
    }
    w.text_or_null("ended_by", order.ended_by);
    w.text_or_null("reject_code", order.reject_code);
}

/// Terms, within an object that is open.
pub fn write_terms(w: &mut Writer, terms: &Terms) {
    w.text("order_qty", terms.order_qty);
    w.text_or_null("price", terms.price);
    w.text_or_null("stop_px", terms.stop_px);
}

/// The order as it stands at the end of the batch that created it; `None` where the batch did not.
#[must_use]
pub fn fold(batch: &Batch, order_id: OrderId) -> Option<Order> {
    let mut order: Option<Order> = None;
    for (seq, event) in batch.numbered() {
        match event {
            Event::OrderCreated(created) if created.order_id == order_id => order = Some(Order::create(created, seq, batch.time)),
            Event::OrderCreated(created) if created.parent_order_id == Some(order_id) => {
                if let Some(order) = &mut order {
                    order.children.push(created.order_id);
                }
            }
            event if event.order_id() == Some(order_id) => {
                if let Some(order) = &mut order {
                    order.apply(event, batch.time);
                }
            }
            _ => (),
        }
    }
    order
}

/// What came of one order of a batch.
pub fn write_placed(w: &mut Writer, index: usize, placed: &Placed, batch: &Batch, catalog: &Catalog) {
    w.object(|w| {
        w.number("index", index as u64);
        match placed {
            Placed::Accepted { order_id } => {
                w.text("status", "ACCEPTED");
                if let Some(order) = fold(batch, *order_id) {
                    w.object_at("order", |w| order_fields(w, &order, catalog));
                }
            }
            Placed::Refused { order_id, code } => {
                w.text("status", "REFUSED");
                let order = fold(batch, *order_id);
                let refusal = recorded_refusal(*order_id, *code, order.as_ref());
                w.object_at("error", |w| crate::error::write_refusal(w, &refusal));
                if let Some(order) = order {
                    w.object_at("order", |w| order_fields(w, &order, catalog));
                }
            }
            Placed::Invalid(refusal) => {
                w.text("status", "INVALID");
                w.object_at("error", |w| crate::error::write_refusal(w, refusal));
            }
        }
    });
}

/// The refusal of an order that was recorded.
#[must_use]
pub fn recorded_refusal(order_id: OrderId, code: oms_model::Code, order: Option<&Order>) -> Refusal {
    let text = order.and_then(|order| order.extras.text.as_deref()).unwrap_or("the order was refused");
    let refusal = Refusal::new(code, text).with("order_id", order_id);
    match order {
        Some(order) => refusal.with("cl_ord_id", &order.cl_ord_id).with("ord_status", order.ord_status()),
        None => refusal,
    }
}

/// One check with its figures.
pub fn write_check(w: &mut Writer, result: &CheckResult, catalog: &Catalog) {
    w.object(|w| check_fields(w, result, catalog));
}

/// What a check found, within an object that is open.
pub fn check_fields(w: &mut Writer, result: &CheckResult, catalog: &Catalog) {
    w.text("check", result.check);
    w.text("verdict", result.verdict);
    w.text_or_null("code", result.code);
    w.string("scope", &catalog.scope_text(result.scope));
    w.text_or_null("value", result.value);
    w.text_or_null("limit", result.limit);
    w.number("limit_version", result.limit_version);
    w.bool("soft", result.soft);
    w.text_or_null("period", result.period);
    w.time_or_null("until", result.until);
}

/// A share in parts per million as a decimal.
#[must_use]
pub fn share(ppm: u32) -> Decimal {
    Decimal::from_raw(i128::from(ppm) * 1_000)
}

/// A route decision's fields, within an object that is open.
pub fn route_fields(w: &mut Writer, route: &RouteDecided) {
    w.number("attempt", route.attempt);
    w.string("policy", route.policy.as_str());
    w.number("policy_version", route.policy_version);
    w.text("mode", route.mode);
    w.text_or_null("bid", route.bid);
    w.text_or_null("ask", route.ask);
    w.string_or_null("replan_reason", route.replan_reason.as_deref());
    w.text("place_qty", route.place_qty);
    w.array_at("candidates", &route.candidates, |w, candidate| {
        w.object(|w| {
            w.text("venue", candidate.venue);
            w.text_or_null("excluded", candidate.excluded);
            w.text_or_null("bid", candidate.bid);
            w.text("bid_size", candidate.bid_size);
            w.text_or_null("ask", candidate.ask);
            w.text("ask_size", candidate.ask_size);
            w.number("quote_age_ns", candidate.quote_age_ns);
            w.number("latency_ns", candidate.latency_ns);
            w.text("fill_probability", share(candidate.fill_ppm));
            w.text("fee", candidate.fee);
            w.text("price_score", share(candidate.price_score));
            w.text("latency_score", share(candidate.latency_score));
            w.text("fill_score", share(candidate.fill_score));
            w.text("fee_score", share(candidate.fee_score));
            w.text("score", share(candidate.score));
        });
    });
    w.array_at("legs", &route.legs, write_leg);
}

/// A leg of a plan; its id is null where it was planned only.
pub fn write_leg(w: &mut Writer, leg: &Leg) {
    w.object(|w| {
        if leg.order_id == OrderId::default() {
            w.null("order_id");
        } else {
            w.text("order_id", leg.order_id);
        }
        w.text("venue", leg.venue);
        w.text("qty", leg.qty);
        w.text_or_null("price", leg.price);
        w.text("time_in_force", leg.time_in_force);
        w.bool("aggressive", leg.aggressive);
    });
}

/// A limit's fields, within an object that is open.
pub fn limit_fields(w: &mut Writer, limit: &RiskLimit, catalog: &Catalog) {
    w.text("limit_type", limit.limit_type);
    w.string("scope", &catalog.scope_text(limit.scope));
    w.text("value", limit.value);
    w.number("version", limit.version);
    w.text_or_null("period", limit.period.or(limit.limit_type.usual_period()));
    w.bool("soft", limit.soft);
}

/// A routing policy's fields, within an object that is open.
pub fn policy_fields(w: &mut Writer, policy: &SorPolicy) {
    w.string("name", policy.name.as_str());
    w.number("version", policy.version);
    w.text("mode", policy.mode);
    w.object_at("weights", |w| {
        w.text("price", share(policy.weights.price));
        w.text("latency", share(policy.weights.latency));
        w.text("fill", share(policy.weights.fill));
        w.text("fee", share(policy.weights.fee));
    });
    w.number("price_range_bps", policy.price_range_bps);
    w.number("max_quote_age_ms", policy.max_quote_age_ns / 1_000_000);
    w.bool("fee_adjusted", policy.fee_adjusted);
    w.text("latency_stat", policy.latency_stat);
    w.bool("cap_to_displayed", policy.cap_to_displayed);
    w.text("min_leg_qty", policy.min_leg_qty);
    w.number("max_replans", policy.max_replans);
    w.number("stage_timeout_ms", policy.stage_timeout_ns() / 1_000_000);
    w.text("exhausted", policy.exhausted);
    w.array_at("allow", &policy.allow, |w, mic| w.item(mic.as_str()));
    w.array_at("deny", &policy.deny, |w, mic| w.item(mic.as_str()));
}

/// An instrument's fields, within an object that is open.
pub fn instrument_fields(w: &mut Writer, instrument: &Instrument) {
    w.string("symbol", instrument.symbol.as_str());
    w.number("instrument_id", instrument.instrument_id.0);
    w.text("listing", instrument.listing);
    w.text("asset_class", instrument.asset_class);
    w.string("currency", instrument.currency.as_str());
    w.array_at("ticks", &instrument.ticks, |w, step| {
        w.object(|w| {
            w.text("from", step.from);
            w.text("tick", step.tick);
        });
    });
    w.text("lot", instrument.lot);
    w.text("min_qty", instrument.min_qty);
    w.text("max_qty", instrument.max_qty);
    w.bool("active", instrument.active);
    w.bool("fractional", instrument.is_fractional());
    w.text_or_null("multiplier", instrument.multiplier);
    w.text_or_null("underlying", instrument.underlying.as_ref());
    w.time_or_null("expiry", instrument.expiry);
    w.text_or_null("strike", instrument.strike);
    w.text_or_null("right", instrument.right);
    w.text_or_null("settl_method", instrument.settl_method);
    w.number("settl_days", instrument.settl_days);
    w.string_or_null("base_currency", instrument.base_currency.as_ref().map(Currency::as_str));
    w.text_or_null("tenor", instrument.tenor.as_ref());
    w.time_or_null("value_date", instrument.value_date);
    w.bool("rate_quoted", instrument.rate_quoted);
    w.number_or_null("cut_off_utc_s", instrument.cut_off_utc_s);
    w.text_or_null("nav", instrument.nav);
    w.time_or_null("nav_at", instrument.nav_at);
    w.text_or_null("adv_qty", instrument.adv_qty);
    w.array_at("external_ids", &instrument.external_ids, |w, id| {
        w.object(|w| {
            w.text("source", id.source);
            w.string("security_id", id.security_id.as_str());
        });
    });
}

/// An account's fields, within an object that is open.
pub fn account_fields(w: &mut Writer, account: &Account) {
    w.text("account_id", account.account_id);
    w.string("name", &account.name);
    w.string("currency", account.currency.as_str());
    w.bool("active", account.active);
    w.array_at("currencies", &account.currencies, |w, currency| w.item(currency.as_str()));
    w.bool("converts", account.converts);
    w.text_or_null("capital", account.capital);
}

/// A position's fields at this mark, within an object that is open.
pub fn position_fields(w: &mut Writer, position: &Position, market: &Market, catalog: &Catalog) {
    let mark = market.last.map(|level| level.price).or_else(|| market.mid());
    w.text("account_id", position.account_id);
    w.string("symbol", catalog.symbol(position.instrument_id));
    w.text("qty", position.qty);
    w.text_or_null("avg_cost", position.avg_cost());
    w.text("cost", position.cost());
    w.text("bought_qty", position.bought_qty);
    w.text("bought_notional", position.bought_notional);
    w.text("sold_qty", position.sold_qty);
    w.text("sold_notional", position.sold_notional);
    w.text("realized", position.realized);
    w.text("fees", position.fees);
    w.text_or_null("mark", mark);
    w.time_or_null("mark_at", market.last.map(|level| level.at).or_else(|| market.bid.map(|level| level.at)));
    w.text_or_null("market_value", mark.and_then(|mark| mark.notional(position.qty)));
    w.text_or_null("unrealized", mark.and_then(|mark| position.unrealized(mark)));
    w.array_at("lots", &position.lots, |w, lot| {
        w.object(|w| {
            w.text("qty", lot.qty);
            w.text("price", lot.price);
        });
    });
}

/// The best of a market, within an object that is open.
pub fn market_fields(w: &mut Writer, symbol: &str, version: u64, market: &Market) {
    let price = |level: Option<Level>| level.map(|level| level.price);
    let size = |level: Option<Level>| level.map(|level| level.size);
    w.string("symbol", symbol);
    w.number("version", version);
    w.text_or_null("bid", price(market.bid));
    w.text_or_null("bid_size", size(market.bid));
    w.text_or_null("ask", price(market.ask));
    w.text_or_null("ask_size", size(market.ask));
    w.text_or_null("mid", market.mid());
    w.text_or_null("last", price(market.last));
    w.text_or_null("last_size", size(market.last));
    w.time_or_null("last_at", market.last.map(|level| level.at));
    let newest = [market.bid, market.ask, market.last].into_iter().flatten().map(|level| level.at).max();
    w.time_or_null("updated_at", newest);
}

/// Every venue's own quote.
pub fn venue_quotes(w: &mut Writer, market: &Market) {
    let price = |level: Option<Level>| level.map(|level| level.price);
    let size = |level: Option<Level>| level.map(|level| level.size);
    w.array_at("venues", &market.quotes, |w, quote| {
        w.object(|w| {
            w.text("venue", quote.venue);
            w.text_or_null("bid", price(quote.bid));
            w.text_or_null("bid_size", size(quote.bid));
            w.text_or_null("ask", price(quote.ask));
            w.text_or_null("ask_size", size(quote.ask));
            w.bool("halted", quote.halted);
            w.time_or_null("updated_at", quote.bid.into_iter().chain(quote.ask).map(|level| level.at).max());
        });
    });
}
