//! `oms brokers`.

use super::{Client, escaped, show};
use crate::cli::{BreakNamed, BreaksAsked, BrokerNamed, Brokers};
use crate::config::Settings;
use crate::exit::{Failure, Outcome};
use serde_json::{Value, json};

const COLUMNS: [&str; 9] = ["broker", "kind", "account", "live", "state", ">version", ">live_orders", ">missing_orders", "reason"];

pub(super) fn run(command: Brokers, settings: &Settings) -> Outcome {
    match command {
        Brokers::List { remote } => {
            let client = Client::new(&remote, settings)?;
            let answer = client.get("/brokers", "application/json")?;
            client.show(&answer, |page| show::table(&COLUMNS, show::items(page, "data"), show::field))
        }
        Brokers::Get(named) => read(&named, "", settings, fields),
        Brokers::Account(named) => read(&named, "/account", settings, account),
        Brokers::Log(_) => Err(Failure::Usage("this command does not talk to a desk".to_owned())),
        Brokers::Connect(named) => act(&named, "connect", settings),
        Brokers::Disconnect(named) => act(&named, "disconnect", settings),
        Brokers::Reconcile(named) => act(&named, "reconciliations", settings),
        Brokers::Runs(named) => read(&named, "/reconciliations", settings, |page| table(page, &RUNS)),
        Brokers::Breaks(asked) => breaks(&asked, settings),
        Brokers::Assign { named, owner } => on_break(&named, "assign", &json!({"owner": owner, "reason": named.reason}), settings),
        Brokers::Close(named) => on_break(&named, "close", &json!({"reason": named.reason}), settings),
    }
}

const RUNS: [&str; 9] = [">run", "trigger", "outcome", "ended_at", ">looks", ">opened", ">closed", ">open", "reason"];
const BREAKS: [&str; 11] = [">break", "kind", "status", "subject", "desk", "ledger", "broker", ">value", "currency", "first_seen", "owner"];

fn table(page: &Value, columns: &[&str]) -> String {
    show::table(columns, show::items(page, "data"), show::field)
}

fn breaks(asked: &BreaksAsked, settings: &Settings) -> Outcome {
    let client = Client::new(&asked.remote, settings)?;
    let given = [("status", &asked.status), ("kind", &asked.kind)];
    let given = given.iter().filter_map(|(name, value)| Some(format!("&{name}={}", escaped(value.as_deref()?))));
    let path = format!("/brokers/{}/breaks?limit=500{}", escaped(&asked.broker), given.collect::<String>());
    let answer = client.get(&path, "application/json")?;
    client.show(&answer, |page| table(page, &BREAKS))
}

fn on_break(named: &BreakNamed, what: &str, body: &Value, settings: &Settings) -> Outcome {
    let client = Client::new(&named.remote, settings)?;
    let answer = client.post(&format!("/brokers/{}/breaks/{}/{what}", escaped(&named.broker), named.number), &[], body)?;
    client.show(&answer, fields)
}

fn read(named: &BrokerNamed, what: &str, settings: &Settings, text: impl FnOnce(&Value) -> String) -> Outcome {
    let client = Client::new(&named.remote, settings)?;
    let answer = client.get(&format!("/brokers/{}{what}", escaped(&named.broker)), "application/json")?;
    client.show(&answer, text)
}

fn act(named: &BrokerNamed, what: &str, settings: &Settings) -> Outcome {
    let client = Client::new(&named.remote, settings)?;
    let reason = named.reason.as_deref().map(|reason| format!("?reason={}", escaped(reason))).unwrap_or_default();
    let answer = client.post(&format!("/brokers/{}/{what}{reason}", escaped(&named.broker)), &[], &json!({}))?;
    client.show(&answer, fields)
}

fn fields(broker: &Value) -> String {
    let line = |name: &str, value: &str| format!("{:<18} {value}\n", name.replace('_', " "));
    let (mut text, all) = (String::new(), broker.as_object());
    for (name, value) in all.into_iter().flatten() {
        match name.as_str() {
            "counts" => {
                for count in show::items(broker, "counts") {
                    text.push_str(&line(&show::field(count, "name"), &show::field(count, "count")));
                }
            }
            "accounts" => {
                let accounts: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                text.push_str(&line(name, &accounts.join(" ")));
            }
            _ => text.push_str(&line(name, &show::text(value))),
        }
    }
    text
}

fn account(page: &Value) -> String {
    let positions = ["account", "symbol", "sec_type", "currency", ">quantity", ">avg_cost"];
    let foreign = ["perm_id", ">client_id", "account", "symbol", "action", "order_type", ">quantity", ">filled", "status"];
    let mut text = show::table(&positions, show::items(page, "positions"), show::field);
    text.push('\n');
    text.push_str(&show::table(&["key", "currency", ">value"], show::items(page, "values"), show::field));
    text.push_str("\nOrders that are not the desk's\n");
    text.push_str(&show::table(&foreign, show::items(page, "foreign_orders"), show::field));
    text
}
