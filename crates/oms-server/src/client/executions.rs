//! `oms execution`.

use super::{Client, escaped, show};
use crate::cli::{Book, Execution, ExecutionNamed, Remote};
use crate::config::Settings;
use crate::exit::{Failure, Outcome};
use serde_json::{Map, Value, json};

const COLUMNS: [&str; 10] =
    ["transact_time", "symbol", "side", ">last_qty", ">last_px", ">fee", "venue", "exec_type", "exec_id", "order_id"];
const SUSPENSE: [&str; 10] =
    ["transact_time", "what", "venue", "exec_id", ">last_qty", ">last_px", "exec_ref", ">commission", "currency", "wire_id"];
const OVERFILLS: [&str; 7] = ["order_id", "cl_ord_id", "symbol", "side", ">order_qty", ">cum_qty", ">over_qty"];

pub(super) fn run(command: Execution, settings: &Settings) -> Outcome {
    match command {
        Execution::List { order: Some(order), limit, remote, .. } => {
            list(&remote, &format!("/orders/{}/executions?limit={limit}", escaped(&order)), &COLUMNS, settings)
        }
        Execution::List { symbol, limit, remote, .. } => {
            let filter = symbol.map(|symbol| format!("&symbol={}", escaped(&symbol))).unwrap_or_default();
            list(&remote, &format!("/executions?sort=-seq&limit={limit}{filter}"), &COLUMNS, settings)
        }
        Execution::Suspense { limit, remote } => list(&remote, &format!("/executions/suspense?limit={limit}"), &SUSPENSE, settings),
        Execution::Overfills { remote } => list(&remote, "/executions/overfills", &OVERFILLS, settings),
        Execution::Book(book) => act(&book.remote, booking(&book)?, settings),
        Execution::Correct { named, qty, price, fee } => {
            let figures = [qty.as_deref(), price.as_deref(), fee.as_deref()];
            act(&named.remote, of("ExecutionCorrectCmd", &named, figures), settings)
        }
        Execution::Bust(named) => act(&named.remote, of("ExecutionBustCmd", &named, [None; 3]), settings),
        Execution::Whack(named) => act(&named.remote, of("ExecutionWhackCmd", &named, [None; 3]), settings),
        Execution::Dismiss { venue, exec_id, reason, remote } => {
            let command = json!({"type": "SuspenseDismissCmd", "venue": venue, "exec_id": exec_id, "reason": reason});
            act(&remote, command, settings)
        }
    }
}

fn list(remote: &Remote, path: &str, columns: &[&str], settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let answer = client.get(path, "application/json")?;
    client.show(&answer, |page| show::table(columns, show::items(page, "data"), cell))
}

fn cell(row: &Value, name: &str) -> String {
    match name {
        "what" => what(row).to_owned(),
        // A charge or a bust says neither.
        "last_qty" | "last_px" if show::field(row, "last_qty") == "0" => String::new(),
        "transact_time" => show::time(&show::field(row, name)),
        _ => show::field(row, name),
    }
}

/// What waits there.
fn what(row: &Value) -> &'static str {
    let is_given = |name: &str| row.get(name).is_some_and(|value| !value.is_null());
    match (is_given("commission"), is_given("exec_ref"), show::field(row, "last_qty") == "0") {
        (true, ..) => "charge",
        (false, true, true) => "bust",
        (false, true, false) => "correction",
        (false, false, _) => "fill",
    }
}

fn act(remote: &Remote, command: Value, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let answer = client.post("/commands/execute", &[], &command)?;
    client.show(&answer, show::done)
}

/// A command of these fields that are given.
fn command(name: &str, fields: &[(&str, Option<&str>)]) -> Map<String, Value> {
    let given = fields.iter().filter_map(|(name, value)| Some(((*name).to_owned(), Value::from((*value)?))));
    [("type".to_owned(), Value::from(name))].into_iter().chain(given).collect()
}

fn of(name: &str, named: &ExecutionNamed, figures: [Option<&str>; 3]) -> Value {
    let [last_qty, last_px, fee] = figures;
    let fields = [
        ("exec_id", Some(named.exec_id.as_str())),
        ("symbol", Some(named.symbol.as_str())),
        ("account_id", named.account.as_deref()),
        ("venue", named.venue.as_deref()),
        ("last_qty", last_qty),
        ("last_px", last_px),
        ("fee", fee),
        ("reason", Some(named.reason.as_str())),
    ];
    Value::Object(command(name, &fields))
}

fn booking(book: &Book) -> Result<Value, Failure> {
    let fields = [
        ("order_id", book.order.as_deref()),
        ("cl_ord_id", book.cl_ord_id.as_deref()),
        ("symbol", book.symbol.as_deref()),
        ("side", book.side.as_deref()),
        ("account_id", book.account.as_deref()),
        ("last_qty", book.qty.as_deref()),
        ("last_px", book.price.as_deref()),
        ("fee", book.fee.as_deref()),
        ("venue", book.venue.as_deref()),
        ("exec_id", book.exec_id.as_deref()),
        ("transact_time", book.time.as_deref()),
        ("reason", Some(book.reason.as_str())),
    ];
    let mut all = command("ExecutionCreateCmd", &fields);
    if let Some(suspense) = &book.suspense {
        let (venue, exec_id) = suspense
            .split_once(':')
            .ok_or_else(|| Failure::Usage(format!("--suspense {suspense}: it is VENUE:EXEC_ID, such as XNAS:E17")))?;
        let told = [("venue", venue.to_uppercase().into()), ("exec_id", exec_id.into()), ("from_suspense", true.into())];
        all.extend(told.map(|(name, value): (&str, Value)| (name.to_owned(), value)));
    }
    Ok(Value::Object(all))
}
