//! `oms brokers`.

use super::{Client, escaped, show};
use crate::cli::{BrokerNamed, Brokers};
use crate::config::Settings;
use crate::exit::Outcome;
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
        Brokers::Connect(named) => act(&named, "connect", settings),
        Brokers::Disconnect(named) => act(&named, "disconnect", settings),
    }
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
