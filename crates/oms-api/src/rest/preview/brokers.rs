//! What the brokers of a route say that its legs would cost and bind. One that does not say so is no reason to refuse anything:
//! that it does not, and why, is what is shown.

use crate::brokers::BrokerPreview;
use crate::call::Call;
use crate::catalog::Catalog;
use crate::json::Writer;
use oms_identity::Scope;
use oms_model::command::NewOrder;
use oms_model::event::{Leg, RouteDecided};
use oms_model::{InstrumentId, Mic, OrderId, Qty, Time, WireId};
use oms_runtime::port::WireOrder;

/// Legs that are asked about; a route has fewer.
const MAX_LEGS: usize = 16;

/// A leg, and what its broker says of it.
pub(super) struct Told {
    venue: Mic,
    qty: Qty,
    answer: Result<BrokerPreview, String>,
}

/// A leg as its venue would get it, with the id of no order: it is not placed.
fn unplaced(order: &NewOrder, instrument: InstrumentId, leg: &Leg) -> WireOrder {
    WireOrder {
        wire_id: WireId::derive(OrderId::default(), 0),
        instrument,
        symbol: order.symbol.clone(),
        side: order.side,
        ord_type: order.ord_type,
        order_qty: leg.qty,
        cash_order_qty: order.cash_order_qty,
        quote_ref: None,
        price: leg.price,
        stop_px: order.stop_px,
        time_in_force: leg.time_in_force,
        expire_at: order.expire_at,
        deadline: Time(i64::MAX),
    }
}

/// Asks the broker of each leg that has one, all at once.
pub(super) async fn asked(call: &Call, order: &NewOrder, route: &RouteDecided, catalog: &Catalog) -> Vec<Told> {
    let instrument = catalog.instrument_named(order.symbol.as_str()).map(|instrument| instrument.instrument_id);
    let (Some(_), Some(instrument)) = (call.api.brokers(), instrument) else { return Vec::new() };
    let mut asking = Vec::new();
    for leg in route.legs.iter().take(MAX_LEGS) {
        let (api, venue, unplaced) = (call.api.clone(), leg.venue, unplaced(order, instrument, leg));
        let ask = move || api.brokers().and_then(|brokers| brokers.what_if(venue.as_str(), &unplaced));
        asking.push((leg, tokio::task::spawn_blocking(ask)));
    }
    let mut told = Vec::new();
    for (leg, answer) in asking {
        let answer = answer.await.unwrap_or_else(|error| Some(Err(format!("the question failed: {error}"))));
        told.extend(answer.map(|answer| Told { venue: leg.venue, qty: leg.qty, answer }));
    }
    told
}

/// Writes what was told. What the account has as a whole is for who may see brokers.
pub(super) fn write(w: &mut Writer, call: &Call, told: &[Told]) {
    let sees_account = call.principal.require(Scope::BrokersView).is_ok();
    w.array_at("brokers", told, |w, told| {
        w.object(|w| {
            w.text("venue", told.venue);
            w.text("qty", told.qty);
            w.bool("available", told.answer.is_ok());
            w.string_or_null("reason", told.answer.as_ref().err().map(String::as_str));
            let none = BrokerPreview::default();
            let preview = told.answer.as_ref().unwrap_or(&none);
            let of_account = |figure: &Option<String>| figure.clone().filter(|_| sees_account);
            w.text_or_null("init_margin_change", preview.init_margin_change.as_ref());
            w.text_or_null("maint_margin_change", preview.maint_margin_change.as_ref());
            w.text_or_null("init_margin_after", of_account(&preview.init_margin_after));
            w.text_or_null("maint_margin_after", of_account(&preview.maint_margin_after));
            w.text_or_null("equity_with_loan_after", of_account(&preview.equity_with_loan_after));
            w.text_or_null("commission", preview.commission.as_ref());
            w.text_or_null("min_commission", preview.min_commission.as_ref());
            w.text_or_null("max_commission", preview.max_commission.as_ref());
            let said = |text: &'_ str| Some(text.to_owned()).filter(|text| !text.is_empty());
            w.string_or_null("commission_currency", said(&preview.commission_currency).as_deref());
            w.string_or_null("warning", said(&preview.warning).as_deref());
        });
    });
}
