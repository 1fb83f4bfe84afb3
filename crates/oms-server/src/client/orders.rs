//! `oms order`.

use super::{Answer, Client, escaped, print, show, tail};
use crate::cli::{Order, Remote, Ticket};
use crate::config::Settings;
use crate::exit::{Failure, Outcome};
use serde_json::{Map, Value, json};

pub(super) fn run(order: Order, settings: &Settings) -> Outcome {
    match order {
        Order::Place { ticket, wait, idempotency_key, remote } => {
            let mut headers = waiting(wait);
            headers.extend(idempotency_key.map(|key| ("idempotency-key", key)));
            let client = Client::new(&remote, settings)?;
            let answer = client.post("/orders", &headers, &body(&ticket))?;
            client.show(&answer, |order| orders(std::slice::from_ref(order)))
        }
        Order::Cancel { order, wait, if_version, remote } => {
            change(&remote, settings, &format!("/orders/{}/cancel", escaped(&order)), wait, if_version, &json!({}))
        }
        Order::Suspend { order, remote } => execute("OrderSuspendCmd", &order, &remote, settings),
        Order::Resume { order, remote } => execute("OrderResumeCmd", &order, &remote, settings),
        Order::Modify { order, qty, price, stop, wait, if_version, remote } => {
            let mut body = Map::new();
            for (name, value) in [("order_qty", qty), ("price", price), ("stop_px", stop)] {
                body.extend(value.map(|value| (name.to_owned(), Value::String(value))));
            }
            change(&remote, settings, &format!("/orders/{}/modify", escaped(&order)), wait, if_version, &Value::Object(body))
        }
        Order::List { filters, sort, limit, remote } => list(&filters, &sort, limit, &remote, settings),
        Order::Show { order, remote } => show_order(&Client::new(&remote, settings)?, &order),
        Order::Why { order, remote } => why(&order, &remote, settings),
        Order::Tree { order, remote } => {
            let client = Client::new(&remote, settings)?;
            let answer = client.get(&format!("/orders/{}/tree", escaped(&order)), "application/json")?;
            client.show(&answer, tree)
        }
        Order::Tail { from, types, count, remote } => tail::run(&Client::new(&remote, settings)?, from, types.as_deref(), count),
    }
}

fn show_order(client: &Client, order: &str) -> Outcome {
    let answer = client.get(&format!("/orders/{}", escaped(order)), "application/json")?;
    client.show(&answer, details)
}

/// A typed command about one order; then how it stands.
fn execute(command: &str, order: &str, remote: &Remote, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let named = match order.strip_prefix("cl_ord_id:") {
        Some(id) => ("cl_ord_id", id),
        None => ("order_id", order),
    };
    client.post("/commands/execute", &[], &json!({ "type": command, named.0: named.1 }))?;
    show_order(&client, order)
}

/// The order as the interface takes it.
pub(super) fn body(ticket: &Ticket) -> Value {
    let ord_type = match (&ticket.price, &ticket.stop) {
        (None, None) => "MARKET",
        (Some(_), None) => "LIMIT",
        (None, Some(_)) => "STOP",
        (Some(_), Some(_)) => "STOP_LIMIT",
    };
    let mut body = Map::new();
    body.insert("ord_type".to_owned(), ticket.ord_type.as_deref().unwrap_or(ord_type).into());
    let given = [
        ("side", Some(&ticket.side)),
        (if ticket.cash { "cash_order_qty" } else { "order_qty" }, Some(&ticket.qty)),
        ("symbol", Some(&ticket.symbol)),
        ("price", ticket.price.as_ref()),
        ("stop_px", ticket.stop.as_ref()),
        ("time_in_force", ticket.tif.as_ref()),
        ("expire_at", ticket.expire_at.as_ref()),
        ("account_id", ticket.account.as_ref()),
        ("cl_ord_id", ticket.cl_ord_id.as_ref()),
        ("max_floor", ticket.show.as_ref()),
        ("trigger_source", ticket.trigger.as_ref()),
    ];
    fill(&mut body, &given);
    if ticket.emulate {
        body.insert("emulate".to_owned(), true.into());
    }
    if let Some(trail) = &ticket.trail {
        let trail = match trail.strip_suffix('%') {
            Some(percent) => json!({ "percent": percent }),
            None => json!({ "amount": trail }),
        };
        body.insert("trail".to_owned(), trail);
    }
    if let Some(peg) = &ticket.peg {
        body.insert("peg".to_owned(), json!({ "peg_price": peg }));
    }
    if let Some(algo) = &ticket.algo {
        body.insert("algo".to_owned(), self::algo(algo, &ticket.param));
    }
    if !ticket.overrides.is_empty() {
        body.insert("override_ids".to_owned(), ticket.overrides.clone().into());
    }
    let mut routing = Map::new();
    fill(&mut routing, &[("mode", ticket.mode.as_ref()), ("venue", ticket.venue.as_ref()), ("policy", ticket.policy.as_ref())]);
    if !routing.is_empty() {
        body.insert("routing".to_owned(), routing.into());
    }
    body.into()
}

/// An algorithm with its parameters. Those that are counts are numbers, a curve is a list of them; the server judges
/// what they say.
fn algo(name: &str, params: &[String]) -> Value {
    let mut algo = Map::new();
    algo.insert("strategy".to_owned(), name.into());
    let number = |text: &str| text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from);
    for param in params {
        let (name, value) = param.split_once('=').unwrap_or((param, ""));
        let value = match name {
            "slices" | "interval_ms" | "seed" => number(value),
            "curve" => value.split(',').map(number).collect(),
            "peg" => json!({ "peg_price": value.to_uppercase() }),
            "leftover" => value.to_uppercase().into(),
            _ => value.into(),
        };
        algo.insert(name.to_owned(), value);
    }
    algo.into()
}

fn fill(body: &mut Map<String, Value>, given: &[(&str, Option<&String>)]) {
    for (name, value) in given {
        body.extend(value.map(|value| ((*name).to_owned(), value.as_str().into())));
    }
}

pub(super) fn waiting(wait: Option<u32>) -> Vec<(&'static str, String)> {
    wait.map(|seconds| ("prefer", format!("wait={seconds}"))).into_iter().collect()
}

fn change(remote: &Remote, settings: &Settings, path: &str, wait: Option<u32>, if_version: Option<u32>, body: &Value) -> Outcome {
    let mut headers = waiting(wait);
    headers.extend(if_version.map(|version| ("if-match", format!("\"{version}\""))));
    let client = Client::new(remote, settings)?;
    let answer = client.post(path, &headers, body)?;
    client.show(&answer, |result| {
        let field = |name| show::field(result, name);
        let text = field("text");
        let said = if text.is_empty() { String::new() } else { format!(": {text}") };
        format!("{}{said}\norder {} version {}, sequence {}", field("status"), field("order_id"), field("version"), field("sequence"))
    })
}

fn list(filters: &[String], sort: &str, limit: u32, remote: &Remote, settings: &Settings) -> Outcome {
    let mut path = format!("/orders?limit={limit}&sort={}", escaped(sort));
    for filter in filters {
        let (field, value) = filter.split_once('=').ok_or_else(|| Failure::Usage(format!("{filter:?} is not FIELD=VALUE")))?;
        path.push_str(&format!("&{}={}", escaped(field), escaped(value)));
    }
    let client = Client::new(remote, settings)?;
    let answer = client.get(&path, "application/json")?;
    client.show(&answer, |page| orders(show::items(page, "data")))
}

fn why(order: &str, remote: &Remote, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let accept = if remote.json { "application/json" } else { "text/plain" };
    let Answer { body, .. } = client.get(&format!("/orders/{}/why", escaped(order)), accept)?;
    print(&body)
}

const COLUMNS: [&str; 12] =
    ["created_at", "symbol", "side", ">order_qty", "type", ">price", "tif", "ord_status", ">cum_qty", ">avg_px", "cl_ord_id", "order_id"];

pub(super) fn orders(rows: &[Value]) -> String {
    show::table(&COLUMNS, rows, cell)
}

fn cell(order: &Value, name: &str) -> String {
    match name {
        "created_at" => show::time(&show::field(order, name)),
        "type" => show::field(order, "ord_type"),
        "tif" => show::field(order, "time_in_force"),
        "ord_status" if order.get("uncertainty").is_some_and(|doubt| !doubt.is_null()) => format!("{} IN_DOUBT", show::field(order, name)),
        // The client gave none: it is the order's own.
        "cl_ord_id" if show::field(order, name) == show::field(order, "order_id") => "-".to_owned(),
        _ => show::field(order, name),
    }
}

/// Every field of an order that says something.
fn details(order: &Value) -> String {
    let Some(fields) = order.as_object() else { return order.to_string() };
    let width = fields.keys().map(String::len).max().unwrap_or(0);
    let known = fields.iter().filter(|(_, value)| !value.is_null());
    known.map(|(name, value)| format!("{name:width$}  {}", show::text(value))).collect::<Vec<_>>().join("\n")
}

/// The client order, its legs below it.
fn tree(root: &Value) -> String {
    let mut rows: Vec<(usize, &Value)> = Vec::new();
    flatten(root, 0, &mut rows);
    let columns = ["at", "symbol", "side", ">order_qty", "type", ">price", "tif", "ord_status", ">cum_qty", ">avg_px", "order_id", "text"];
    let marked: Vec<Value> = rows.iter().map(|(depth, order)| marked(*depth, order)).collect();
    show::table(&columns, &marked, cell)
}

fn flatten<'v>(order: &'v Value, depth: usize, rows: &mut Vec<(usize, &'v Value)>) {
    rows.push((depth, order));
    for child in show::items(order, "children") {
        flatten(child, depth + 1, rows);
    }
}

/// The order with where it stands in the tree.
fn marked(depth: usize, order: &Value) -> Value {
    let mut fields = order.as_object().cloned().unwrap_or_default();
    let at = if depth == 0 { "client".to_owned() } else { format!("{}└ {}", "  ".repeat(depth - 1), show::field(order, "venue")) };
    fields.insert("at".to_owned(), at.into());
    fields.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command, Sor};
    use clap::Parser;

    fn body_of(line: &str) -> Value {
        match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Command::Sor(Sor::Preview { ticket, .. }) => body(&ticket),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_prices_say_what_type_an_order_is() {
        let market = json!({"ord_type": "MARKET", "order_qty": "10", "side": "BUY", "symbol": "IBM"});
        assert_eq!(body_of("oms sor preview buy 10 IBM"), market);
        assert_eq!(body_of("oms sor preview buy 10 IBM --price 1")["ord_type"], "LIMIT");
        assert_eq!(body_of("oms sor preview buy 10 IBM --stop 1")["ord_type"], "STOP");
        assert_eq!(body_of("oms sor preview buy 10 IBM --stop 1 --price 2")["ord_type"], "STOP_LIMIT");
    }

    #[test]
    fn routing_is_sent_only_where_it_is_given() {
        let named = body_of("oms sor preview buy 10 IBM --mode named --venue xnys");
        assert_eq!(named["routing"], json!({"mode": "NAMED", "venue": "XNYS"}));
    }

    #[test]
    fn a_tree_shows_legs_below_their_order() {
        let text = tree(&json!({"order_id": "a", "children": [{"order_id": "b", "venue": "XNYS", "children": []}]}));
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("client") || line.contains("XNYS")).collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[1].contains("└ XNYS"), "{text}");
    }

    #[test]
    fn a_list_shows_doubt() {
        let text = orders(&[json!({"symbol": "IBM", "ord_status": "NEW", "uncertainty": {"kind": "IN_DOUBT"}})]);
        assert!(text.contains("NEW IN_DOUBT"), "{text}");
    }
}
