//! The part of `oms risk` about overrides, limits over time, and files.

use super::{Client, escaped, print, show};
use crate::cli::{Format, ImportHow, Leaves, NamedLimit, Remote};
use crate::config::Settings;
use crate::exit::{Failure, Outcome};
use serde_json::{Map, Value, json};
use std::path::Path;

pub(super) fn run(leaves: Leaves, settings: &Settings) -> Outcome {
    match leaves {
        Leaves::Override { order, check, reason, life, remote } => grant(&order, &check, &reason, life, &remote, settings),
        Leaves::Overrides { remote } => {
            let client = Client::new(&remote, settings)?;
            client.show(&client.get("/risk/overrides", "application/json")?, overrides)
        }
        Leaves::Consent { override_id, remote } => {
            let client = Client::new(&remote, settings)?;
            let answer = client.post(&format!("/risk/overrides/{}/consent", escaped(&override_id)), &[], &json!({}))?;
            client.show(&answer, show::done)
        }
        Leaves::Revoke { override_id, reason, remote } => take_away("/risk/overrides", &override_id, &reason, &remote, settings),
        Leaves::OverrideRule { second_person, lists, remote } => {
            let client = Client::new(&remote, settings)?;
            let command = json!({"type": "OverrideRuleSetCmd", "second_person": second_person, "lists": lists});
            client.show(&client.post("/commands/execute", &[], &command)?, show::done)
        }
        Leaves::Limits { remote } => {
            let client = Client::new(&remote, settings)?;
            client.show(&client.get("/risk/limits", "application/json")?, limits)
        }
        Leaves::Unschedule { schedule_id, reason, remote } => take_away("/risk/limits/scheduled", &schedule_id, &reason, &remote, settings),
        Leaves::History { named, limit, remote } => history(&named, limit, &remote, settings),
        Leaves::Export { lists, format, remote } => {
            let client = Client::new(&remote, settings)?;
            let format = match format {
                Format::Csv => "csv",
                Format::Json => "json",
            };
            let answer = client.get(&format!("/risk/{}/export?format={format}", subject(lists)), "*/*")?;
            print(&answer.body)
        }
        Leaves::Import { file, how, remote } => import(&file, &how, &remote, settings),
    }
}

fn subject(lists: bool) -> &'static str {
    if lists { "restrictions" } else { "limits" }
}

fn grant(order: &str, check: &str, reason: &str, life: u32, remote: &Remote, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let mut body = Map::new();
    match order.strip_prefix("cl_ord_id:") {
        Some(id) => body.insert("cl_ord_id".to_owned(), id.into()),
        None => body.insert("order_id".to_owned(), order.into()),
    };
    body.insert("check".to_owned(), check.to_uppercase().replace('-', "_").into());
    body.insert("reason".to_owned(), reason.into());
    body.insert("life_s".to_owned(), life.into());
    let answer = client.post("/risk/overrides", &[], &body.into())?;
    client.show(&answer, |granted| {
        let field = |name| show::field(granted, name);
        format!(
            "override {} is {} until {}: {} {} {} at most",
            field("override_id"),
            field("state"),
            field("expires_at"),
            field("side"),
            field("max_qty"),
            field("symbol")
        )
    })
}

fn take_away(path: &str, id: &str, reason: &str, remote: &Remote, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let answer = client.delete(&format!("{path}/{}?reason={}", escaped(id), escaped(reason)))?;
    client.show(&answer, show::done)
}

fn overrides(list: &Value) -> String {
    let rule = list.get("rule").cloned().unwrap_or_default();
    let columns =
        ["override_id", "state", "check", "symbol", "side", ">max_qty", ">price", "expires_at", "granted_by", "consented_by", "reason"];
    let table = show::table(&columns, show::items(list, "data"), show::field);
    format!("second person: {}, lists: {}\n\n{table}", show::field(&rule, "second_person"), show::field(&rule, "lists"))
}

fn limits(list: &Value) -> String {
    let columns = ["limit_type", "scope", "period", "soft", ">value", ">version"];
    let table = show::table(&columns, show::items(list, "data"), show::field);
    let columns =
        ["schedule_id", "state", "limit_type", "scope", "period", "soft", ">value", "effective_from", "effective_until", ">before"];
    let scheduled = show::table(&columns, show::items(list, "scheduled"), show::field);
    format!("revision {}\n\n{table}\n\nscheduled:\n{scheduled}", show::field(list, "revision"))
}

fn history(named: &NamedLimit, limit: u32, remote: &Remote, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let mut path = format!(
        "/risk/limits/history?limit_type={}&scope={}&soft={}&limit={limit}",
        escaped(&named.limit_type),
        escaped(&named.scope),
        named.soft
    );
    if let Some(period) = &named.period {
        path += &format!("&period={}", escaped(period));
    }
    let answer = client.get(&path, "application/json")?;
    client.show(&answer, |page| {
        let columns = [">sequence", "time", ">version", ">value", "user_id", "source", "cause"];
        show::table(&columns, show::items(page, "data"), show::field)
    })
}

fn import(file: &Path, how: &ImportHow, remote: &Remote, settings: &Settings) -> Outcome {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    let client = Client::new(remote, settings)?;
    let is_json = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let mode = if how.preview { "preview" } else { "apply" };
    let mut path = format!("/risk/{}/import?mode={mode}&replace_all={}", subject(how.lists), how.replace_all);
    if let Some(revision) = how.if_revision {
        path += &format!("&if_revision={revision}");
    }
    let answer = client.upload(&path, if is_json { "application/json" } else { "text/csv" }, &text)?;
    let lists = how.lists;
    client.show(&answer, move |import| shown(import, lists))
}

fn shown(import: &Value, lists: bool) -> String {
    let counts = import.get("counts").cloned().unwrap_or_default();
    let count = |name: &str| show::field(&counts, name);
    let head = format!("{} added, {} changed, {} removed", count("added"), count("changed"), count("removed"));
    if show::field(import, "mode") == "apply" {
        return format!("{head}, sequence {}", show::field(import, "sequence"));
    }
    let columns: &[&str] =
        if lists { &["list", "scope", "subject", "reason"] } else { &["limit_type", "scope", "period", "soft", ">value"] };
    let with = |more: &[&'static str]| [columns, more].concat();
    let table = |name: &str, columns: &[&str]| format!("{name}:\n{}", show::table(columns, show::items(import, name), show::field));
    let effects = if lists { table("working", &with(&[">orders"])) } else { table("breached", &with(&[">used", ">headroom"])) };
    [
        format!("preview at revision {}: {head}", show::field(import, "revision")),
        table("added", columns),
        table("changed", &with(&["before"])),
        table("removed", columns),
        effects,
    ]
    .join("\n\n")
}
