//! `oms quote`.

use super::{Client, escaped, orders, show};
use crate::cli::Quote;
use crate::config::Settings;
use crate::exit::Outcome;
use serde_json::{Map, Value};

const REQUESTS: [&str; 8] = ["created_at", "symbol", "side", ">order_qty", "state", "expire_at", "order_id", "quote_req_id"];
const QUOTES: [&str; 9] = ["created_at", "dealer", ">bid_px", ">bid_size", ">offer_px", ">offer_size", "state", "valid_until", "quote_id"];

fn cell(row: &Value, column: &str) -> String {
    let shown = show::field(row, column);
    if matches!(column, "created_at" | "expire_at" | "valid_until") { show::time(&shown) } else { shown }
}

fn given(fields: &[(&str, Option<&String>)]) -> Value {
    let mut body = Map::new();
    for (name, value) in fields {
        body.extend(value.map(|value| ((*name).to_owned(), value.as_str().into())));
    }
    body.into()
}

pub(super) fn run(quote: Quote, settings: &Settings) -> Outcome {
    match quote {
        Quote::Request { qty, symbol, side, dealers, life_ms, remote } => {
            let mut body = given(&[("symbol", Some(&symbol)), ("order_qty", Some(&qty)), ("side", side.as_ref())]);
            if let Some(body) = body.as_object_mut() {
                body.insert("life_ms".to_owned(), life_ms.into());
                body.insert("dealers".to_owned(), dealers.into());
            }
            let client = Client::new(&remote, settings)?;
            let answer = client.post("/quote-requests", &[], &body)?;
            client.show(&answer, |request| show::table(&REQUESTS, [request], cell))
        }
        Quote::List { request, state, limit, remote } => {
            let mut path = format!("/quotes?limit={limit}");
            for (name, value) in [("quote_req_id", request), ("state", state)] {
                path.extend(value.map(|value| format!("&{name}={}", escaped(&value))));
            }
            let client = Client::new(&remote, settings)?;
            let answer = client.get(&path, "application/json")?;
            client.show(&answer, |page| show::table(&QUOTES, show::items(page, "data"), cell))
        }
        Quote::Requests { state, limit, remote } => {
            let mut path = format!("/quote-requests?limit={limit}");
            path.extend(state.map(|state| format!("&state={}", escaped(&state))));
            let client = Client::new(&remote, settings)?;
            let answer = client.get(&path, "application/json")?;
            client.show(&answer, |page| show::table(&REQUESTS, show::items(page, "data"), cell))
        }
        Quote::Accept { quote, side, qty, cl_ord_id, wait, remote } => {
            let body = given(&[("side", side.as_ref()), ("order_qty", qty.as_ref()), ("cl_ord_id", cl_ord_id.as_ref())]);
            let client = Client::new(&remote, settings)?;
            let answer = client.post(&format!("/quotes/{}/accept", escaped(&quote)), &orders::waiting(wait), &body)?;
            client.show(&answer, |order| orders::orders(std::slice::from_ref(order)))
        }
        Quote::Cancel { request, remote } => {
            let client = Client::new(&remote, settings)?;
            let answer = client.post(&format!("/quote-requests/{}/cancel", escaped(&request)), &[], &given(&[]))?;
            client.show(&answer, |done| format!("{}, sequence {}", show::field(done, "status"), show::field(done, "sequence")))
        }
    }
}
