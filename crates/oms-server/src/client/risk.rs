//! `oms risk`.

use super::{Client, leaves, show};
use crate::cli::{DeadMan, ListEntry, NamedLimit, Remote, Risk};
use crate::config::Settings;
use crate::exit::Outcome;
use serde_json::{Value, json};

/// Each limit's use is compared with that of five minutes ago.
const STATUS: &str = "/risk/status?trend_s=300";

pub(super) fn risk(risk: Risk, settings: &Settings) -> Outcome {
    match risk {
        Risk::Status { remote } => read(STATUS, status, &remote, settings),
        Risk::Rules { remote } => read("/risk/rules", rules, &remote, settings),
        Risk::Held { remote } => read("/risk/held", held, &remote, settings),
        Risk::Kill { scope, reason, remote } => switch("/risk/kill-switch/engage", &scope, &reason, &remote, settings),
        Risk::Release { scope, reason, remote } => switch("/risk/kill-switch/release", &scope, &reason, &remote, settings),
        Risk::Approve { order_id, if_version, remote } => {
            let mut command = json!({"type": "OrderApproveCmd", "order_id": order_id});
            if let (Some(version), Some(fields)) = (if_version, command.as_object_mut()) {
                fields.insert("if_version".to_owned(), version.into());
            }
            execute(&command, &remote, settings)
        }
        Risk::TurnDown { order_id, reason, remote } => {
            execute(&json!({"type": "OrderTurnDownCmd", "order_id": order_id, "reason": reason}), &remote, settings)
        }
        Risk::Limit { named, value, from, until, remote } => {
            let mut command = limit("RiskLimitSetCmd", &named);
            if let Some(fields) = command.as_object_mut() {
                fields.insert("value".to_owned(), value.into());
                let times = [("effective_from", from), ("effective_until", until)];
                fields.extend(times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), time?.into()))));
            }
            execute(&command, &remote, settings)
        }
        Risk::Unlimit { named, remote } => execute(&limit("RiskLimitRemoveCmd", &named), &remote, settings),
        Risk::Leaves(leaves) => leaves::run(leaves, settings),
        Risk::Restrict { entry, remote } => execute(&list("RestrictionSetCmd", &entry), &remote, settings),
        Risk::Unrestrict { entry, remote } => execute(&list("RestrictionRemoveCmd", &entry), &remote, settings),
        Risk::ResetThrottle { scope, reason, remote } => {
            execute(&json!({"type": "ThrottleResetCmd", "scope": scope, "reason": reason}), &remote, settings)
        }
        Risk::Evidence { day, from, to, out, remote } => {
            let query = [("day", day.map(|day| day.to_string())), ("from", from), ("to", to)];
            super::evidence::evidence(query, out.as_deref(), &remote, settings)
        }
        Risk::Shadow(args) => super::shadow::shadow(args, settings),
        Risk::DeadMan(command) => dead_man(command, settings),
        Risk::Execute { command, remote } => {
            // Sent as it is: the desk says what is wrong with it.
            let command = serde_json::from_str(&command).unwrap_or(Value::String(command));
            execute(&command, &remote, settings)
        }
    }
}

fn read(path: &str, show: fn(&Value) -> String, remote: &Remote, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let answer = client.get(path, "application/json")?;
    client.show(&answer, show)
}

fn switch(path: &str, scope: &str, reason: &str, remote: &Remote, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let answer = client.post(path, &[], &json!({"scope": scope, "reason": reason}))?;
    client.show(&answer, |done| format!("{} for {scope}, sequence {}", show::field(done, "status"), show::field(done, "sequence")))
}

fn execute(command: &Value, remote: &Remote, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let answer = client.post("/commands/execute", &[], command)?;
    client.show(&answer, |done| format!("{}, sequence {}", show::field(done, "status"), show::field(done, "sequence")))
}

fn dead_man(command: DeadMan, settings: &Settings) -> Outcome {
    match command {
        DeadMan::Arm { scope, timeout_s, action, remote } => {
            let command = json!({"type": "DeadManArmCmd", "scope": scope, "timeout_s": timeout_s, "action": action});
            execute(&command, &remote, settings)
        }
        DeadMan::Beat { scope, remote } => execute(&json!({"type": "DeadManBeatCmd", "scope": scope}), &remote, settings),
        DeadMan::Disarm { scope, remote } => execute(&json!({"type": "DeadManDisarmCmd", "scope": scope}), &remote, settings),
        DeadMan::Show { remote } => read("/risk/dead-man", dead_men, &remote, settings),
    }
}

fn dead_men(men: &Value) -> String {
    show::table(&["scope", "state", ">timeout_s", "action", "beat_at", "due_at", "fired_at"], show::items(men, "data"), show::field)
}

fn limit(name: &str, named: &NamedLimit) -> Value {
    let mut command = json!({"type": name, "limit_type": named.limit_type, "scope": named.scope, "soft": named.soft});
    if let (Some(period), Some(fields)) = (&named.period, command.as_object_mut()) {
        fields.insert("period".to_owned(), period.as_str().into());
    }
    command
}

fn list(name: &str, entry: &ListEntry) -> Value {
    let list = if entry.allow { "ALLOWED" } else { "RESTRICTED" };
    json!({"type": name, "list": list, "scope": entry.scope, "subject": entry.subject, "reason": entry.reason})
}

fn status(status: &Value) -> String {
    let switches = status.get("kills").map_or(&[][..], |kills| show::items(kills, "switches"));
    let engaged = if switches.is_empty() {
        "none".to_owned()
    } else {
        format!("\n{}", show::table(&["scope", "state", ">working", ">in_doubt", "since"], switches, show::field))
    };
    let columns =
        ["limit_type", "scope", "period", "soft", ">value", ">used", ">headroom", ">trend", ">breaches", "last_breach", ">version"];
    let limits = show::table(&columns, show::items(status, "limits"), limit_cell);
    let open = show::table(&["scope", ">orders", ">notional"], show::items(status, "open"), show::field);
    let states = show::table(&["scope", "state"], show::items(status, "trading_states"), show::field);
    let doubts =
        show::table(&["order_id", "venue", ">qty", ">worst_notional", "since", "reason"], show::items(status, "doubts"), show::field);
    let breakers = show::table(&["kind", "scope", "state", ">threshold", "action", "since"], show::items(status, "breakers"), show::field);
    let count = |name: &str| show::field(status, name);
    format!(
        "kill switches engaged: {engaged}\norders in doubt: {}, orders that wait: {}, in suspense: {}\n\n{states}\n\n{open}\n\n{limits}\n\n{breakers}\n\n{doubts}",
        count("in_doubt"),
        count("held"),
        count("suspense")
    )
}

/// A limit's field; of its trend the change in five minutes, of its last breach when it was and by which order.
fn limit_cell(row: &Value, name: &str) -> String {
    let inner = |field: &str| row.get(name).map_or_else(String::new, |inside| show::field(inside, field));
    match name {
        "trend" => inner("change"),
        "last_breach" => [show::time(&inner("time")), inner("order_id")].join(" ").trim().to_owned(),
        _ => show::field(row, name),
    }
}

fn rules(rules: &Value) -> String {
    let table = |name: &str, columns: &[&str]| show::table(columns, show::items(rules, name), show::field);
    let words = |name: &str| {
        let items = show::items(rules, name);
        if items.is_empty() { "none".to_owned() } else { items.iter().map(show::text).collect::<Vec<_>>().join(" ") }
    };
    [
        format!("risk currency: {}", show::field(rules, "currency")),
        format!("required limits: {}", words("required_limits")),
        format!("off for repeated execution: {}", words("throttled")),
        format!("rest of an order beyond a limit: {}", show::field(rules, "in_flight")),
        format!("short-sale price test: {}\n", words("short_sale_restricted")),
        table("short_sale_triggered", &["symbol", ">prior_close", ">price", "until"]),
        table("price_bands", &["symbol", ">lower", ">upper", "until"]),
        table("restrictions", &["list", "scope", "subject", "reason"]),
        table("locates", &["symbol", ">qty", ">used", "until", "source", "account_id"]),
        table("self_match", &["scope", "policy"]),
        table("strategies", &["strategy", "enabled", ">max_notional", ">traded", ">max_order_rate", "from_s", "until_s", ">version"]),
    ]
    .join("\n")
}

fn held(held: &Value) -> String {
    let columns = ["order_id", "held", "symbol", "side", ">order_qty", ">price", "user_id", ">version", "created_at"];
    show::table(&columns, show::items(held, "data"), show::field)
}
