//! What would happen to an order, without placing it.

mod brokers;

use super::place::PLACEMENT_ERRORS;
use super::{Endpoint, post};
use crate::call::{Access, Call};
use crate::error::write_refusal;
use crate::json::orders::{route_fields, write_check};
use crate::json::{Writer, input};
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::event::{Leg, RouteDecided};
use oms_model::{Notional, Price, Qty, Refusal, Side};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let preview = |path, id, tag, summary| {
        post(Access::Scope(Scope::OrdersPlace), path, (id, tag, summary), preview)
            .body("NewOrder")
            .json(200, "Preview", "What would happen.")
            .errors(PLACEMENT_ERRORS)
    };
    vec![
        preview(
            "/api/v1/orders/preview",
            "previewOrder",
            "orders",
            "What would happen to an order: checks, route, cost; nothing is recorded",
        ),
        preview("/api/v1/sor/preview", "previewRoute", "sor", "How an order would be routed; nothing is recorded"),
    ]
}

async fn preview(mut call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let bytes = call.body().await?;
    let order = input::new_order(&call.parse(&bytes)?, "")?;
    let side = order.side;
    let preview = call.api.handle().preview(call.actor(), order.clone()).await?;
    let catalog = call.api.catalog_now().await?;
    let told = match preview.route.as_ref().filter(|_| preview.refusal.is_none()) {
        Some(route) => brokers::asked(&call, &order, route, &catalog).await,
        None => Vec::new(),
    };
    let mut w = Writer::with_capacity(4_096);
    w.object(|w| {
        w.bool("accepted", preview.refusal.is_none());
        match &preview.refusal {
            None => w.null("refusal"),
            Some(refusal) => w.object_at("refusal", |w| write_refusal(w, refusal)),
        }
        w.array_at("checks", &preview.checks, |w, result| write_check(w, result, &catalog));
        match &preview.route {
            None => {
                w.null("route");
                w.null("estimate");
            }
            Some(route) => {
                w.object_at("route", |w| route_fields(w, route));
                match Estimate::of(side, route) {
                    Some(estimate) => w.object_at("estimate", |w| estimate.write(w)),
                    None => w.null("estimate"),
                }
            }
        }
        brokers::write(w, &call, &told);
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

/// What a plan would cost if every leg were executed at the price it was planned with.
struct Estimate {
    qty: Qty,
    avg_px: Option<Price>,
    notional: Notional,
    fees: Notional,
    shortfall: Option<Notional>,
}

impl Estimate {
    /// `None` where a leg has no price to expect, or a figure leaves its range.
    fn of(side: Side, route: &RouteDecided) -> Option<Self> {
        let (mut qty, mut notional, mut fees) = (Qty::ZERO, Notional::ZERO, Notional::ZERO);
        for leg in &route.legs {
            qty = qty.checked_add(leg.qty)?;
            notional = notional.checked_add(expected_px(side, route, leg)?.notional(leg.qty)?)?;
            let fee = route.candidates.iter().find(|candidate| candidate.venue == leg.venue).map_or(Price::ZERO, |candidate| candidate.fee);
            fees = fees.checked_add(fee.notional(leg.qty)?)?;
        }
        let mid = match (route.bid, route.ask) {
            (Some(bid), Some(ask)) => Some(Price::from_raw(bid.raw() + (ask.raw() - bid.raw()) / 2)),
            _ => None,
        };
        let arrival = mid.and_then(|mid| mid.notional(qty));
        let shortfall =
            arrival.and_then(|arrival| if side.is_buy() { notional.checked_sub(arrival) } else { arrival.checked_sub(notional) });
        Some(Self { qty, avg_px: notional.avg_px(qty), notional, fees, shortfall })
    }

    fn write(&self, w: &mut Writer) {
        w.text("qty", self.qty);
        w.text_or_null("avg_px", self.avg_px);
        w.text("notional", self.notional);
        w.text("fees", self.fees);
        w.text_or_null("shortfall", self.shortfall);
    }
}

/// The quote that a leg would trade against, never worse than its limit; its limit where it would rest.
fn expected_px(side: Side, route: &RouteDecided, leg: &Leg) -> Option<Price> {
    let candidate = route.candidates.iter().find(|candidate| candidate.venue == leg.venue)?;
    let opposite = if side.is_buy() { candidate.ask } else { candidate.bid };
    match (leg.aggressive, opposite, leg.price) {
        (true, Some(quote), _) => Some(quote),
        (_, _, limit) => limit,
    }
}
