//! Brokers: how they stand, what the account holds there, and what a person may do to a connection.

use super::fix::life;
use super::{Endpoint, LIMIT, REASON, get, post, query, reason};
use crate::brokers::{
    Broker, BrokerAbout, BrokerAction, BrokerCursor, BrokerMessage, BrokerMessages, BrokerPosition, BrokerValue, ForeignOrder,
};
use crate::call::{Access, Call};
use crate::json::Writer;
use crate::query::bad_parameter;
use crate::reply;
use axum::response::Response;
use http::StatusCode;
use oms_identity::Scope;
use oms_model::logged::Withheld;
use oms_model::{Code, Refusal};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let named = |id, summary| (id, "brokers", summary);
    let broker = |endpoint: Endpoint, meaning| endpoint.json(200, "Broker", meaning).errors(&[Code::NotFound]);
    let acts = |endpoint: Endpoint| broker(endpoint, "The broker as it stood when the action was taken on.").parameters(&[REASON]);
    vec![
        get(Access::Scope(Scope::BrokersView), "/api/v1/brokers", named("listBrokers", "Brokers and how they stand"), list).json(
            200,
            "BrokerList",
            "Every broker that the desk connects to.",
        ),
        broker(get(Access::Scope(Scope::BrokersView), "/api/v1/brokers/{broker}", named("getBroker", "One broker"), one), "The broker."),
        get(
            Access::Scope(Scope::BrokersView),
            "/api/v1/brokers/{broker}/account",
            named("getBrokerAccount", "What the broker says of the account: positions, values, orders that are not the desk's"),
            account,
        )
        .json(200, "BrokerAccount", "What it told last; it may be old where the broker is not up.")
        .errors(&[Code::NotFound]),
        get(
            Access::Scope(Scope::OrdersView),
            "/api/v1/orders/{order_id}/broker-messages",
            named("getOrderBrokerMessages", "The messages to and from brokers about an order and its legs"),
            messages,
        )
        .parameters(&[LIMIT, query("cursor", "string", "`next` of the page before.")])
        .json(200, "OrderBrokerMessages", "Those of one broker after those of another, oldest first; none where no broker has it.")
        .errors(&[Code::NotFound, Code::Overloaded]),
        acts(post(
            Access::Scope(Scope::BrokersConnect),
            "/api/v1/brokers/{broker}/connect",
            named("connectBroker", "Take the connection up, or try at once; a live account needs brokers:live besides"),
            connect,
        ))
        .errors(&[Code::Overloaded]),
        acts(post(
            Access::Protected(Scope::BrokersConnect),
            "/api/v1/brokers/{broker}/disconnect",
            named("disconnectBroker", "Take the connection down until it is taken up; orders that work there work on"),
            disconnect,
        ))
        .errors(&[Code::Overloaded]),
    ]
}

fn fields(w: &mut Writer, broker: &Broker) {
    w.string("broker", &broker.broker);
    w.text("kind", broker.kind);
    w.string("address", &broker.address);
    w.string("account", &broker.account);
    w.bool("live", broker.live);
    w.number("client_id", broker.client_id);
    w.text("state", broker.state);
    w.string("reason", &broker.reason);
    w.number_or_null("version", broker.version);
    w.array_at("accounts", &broker.accounts, |w, account| w.item(account));
    w.number("live_orders", broker.live_orders);
    w.number("missing_orders", broker.missing_orders);
    w.bool("executions_missing", broker.executions_missing);
    w.array_at("counts", &broker.counts, |w, (name, count)| {
        w.object(|w| {
            w.text("name", name);
            w.number("count", *count);
        });
    });
}

async fn list(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let all = call.api.brokers().map(|brokers| brokers.all()).unwrap_or_default();
    let mut w = Writer::with_capacity(64 + 1024 * all.len());
    w.object(|w| w.array_at("data", &all, |w, broker| w.object(|w| fields(w, broker))));
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

pub(super) fn unknown() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such broker")
}

/// Whoever acts on a live account has a scope for that besides.
pub(super) fn require_live(call: &Call) -> Result<(), Refusal> {
    if find(call)?.live { call.principal.require(Scope::BrokersLive) } else { Ok(()) }
}

fn find(call: &Call) -> Result<Broker, Refusal> {
    let all = call.api.brokers().map(|brokers| brokers.all()).unwrap_or_default();
    all.into_iter().find(|broker| broker.broker == call.id).ok_or_else(unknown)
}

fn shown(call: &Call, broker: &Broker) -> Response {
    let mut w = Writer::with_capacity(1024);
    w.object(|w| fields(w, broker));
    reply::json(StatusCode::OK, w.finish(), call.trace_id)
}

async fn one(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    Ok(shown(&call, &find(&call)?))
}

async fn account(call: Call) -> Result<Response, Refusal> {
    call.no_params()?;
    let broker = find(&call)?;
    let position = |w: &mut Writer, row: &BrokerPosition| {
        w.string("account", &row.account);
        w.string("symbol", &row.symbol);
        w.string("sec_type", &row.sec_type);
        w.string("currency", &row.currency);
        w.string("quantity", &row.quantity);
        w.string("avg_cost", &row.avg_cost);
    };
    let value = |w: &mut Writer, row: &BrokerValue| {
        w.string("key", &row.key);
        w.string("currency", &row.currency);
        w.string("value", &row.value);
    };
    let order = |w: &mut Writer, row: &ForeignOrder| {
        w.string("perm_id", &row.perm_id);
        w.number("client_id", row.client_id);
        w.string("account", &row.account);
        w.string("symbol", &row.symbol);
        w.string("action", &row.action);
        w.string("order_type", &row.order_type);
        w.string("quantity", &row.quantity);
        w.string("filled", &row.filled);
        w.string("status", &row.status);
    };
    let mut w = Writer::with_capacity(4096);
    w.object(|w| {
        w.string("broker", &broker.broker);
        w.text("state", broker.state);
        w.bool("positions_whole", broker.positions_whole);
        w.array_at("positions", &broker.positions, |w, row| w.object(|w| position(w, row)));
        w.array_at("values", &broker.values, |w, row| w.object(|w| value(w, row)));
        w.array_at("foreign_orders", &broker.foreign_orders, |w, row| w.object(|w| order(w, row)));
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

fn cursor(text: &str) -> Result<BrokerCursor, Refusal> {
    let parts = text.rsplit_once(':').and_then(|(broker, entry)| Some((broker.to_owned(), entry.parse().ok()?)));
    let (broker, entry) = parts.ok_or_else(|| bad_parameter("cursor", "is no `next` of a page"))?;
    Ok(BrokerCursor { broker, entry })
}

async fn messages(call: Call) -> Result<Response, Refusal> {
    let mut params = call.params()?;
    let most = params.limit()? as usize;
    let after = params.take("cursor").as_deref().map(cursor).transpose()?;
    params.end()?;
    let (orders, from, until) = life(&call).await?;
    let about = BrokerAbout { orders, from, until, after, most };
    let api = call.api.clone();
    let found = match call.api.brokers() {
        // It reads logs from end to end, as an audit does, and so few do at once.
        Some(_) => {
            let _place = call.api.admit_audit().ok_or_else(|| Refusal::new(Code::Overloaded, "too many read the logs at once"))?;
            call.api.blocking(move || api.brokers().ok_or_else(unknown)?.messages(&about)).await?
        }
        None => BrokerMessages { complete: true, ..BrokerMessages::default() },
    };
    let mut w = Writer::with_capacity(64 + 2_048 * found.messages.len());
    w.object(|w| {
        w.array_at("data", &found.messages, |w, one| w.object(|w| message_fields(w, one)));
        w.string_or_null("next", found.next.map(|next| format!("{}:{}", next.broker, next.entry)).as_deref());
        w.bool("complete", found.complete);
    });
    Ok(reply::json(StatusCode::OK, w.finish(), call.trace_id))
}

fn message_fields(w: &mut Writer, message: &BrokerMessage) {
    w.string("broker", &message.broker);
    w.number("entry", message.entry);
    w.text("order_id", message.order_id);
    w.text("direction", if message.inbound { "IN" } else { "OUT" });
    w.time("at", message.at);
    w.string("name", &message.name);
    w.array_at("fields", &message.fields, |w, (name, value)| {
        w.object(|w| {
            w.string("name", name);
            w.string("value", value);
        });
    });
    w.string("raw", &oms_store::hex(&message.raw));
}

async fn act(call: Call, action: BrokerAction) -> Result<Response, Refusal> {
    let reason = reason(&call)?;
    if action == BrokerAction::Connect {
        require_live(&call)?;
    }
    call.api.brokers().ok_or_else(unknown)?.act(&call.id, action, &call.actor(), &reason)?;
    tracing::warn!(broker = %call.id, user_id = %call.principal.user_id, ?action, reason = %Withheld(&reason), "somebody acts on a broker's connection");
    Ok(shown(&call, &find(&call)?))
}

async fn connect(call: Call) -> Result<Response, Refusal> {
    act(call, BrokerAction::Connect).await
}

async fn disconnect(call: Call) -> Result<Response, Refusal> {
    act(call, BrokerAction::Disconnect).await
}
