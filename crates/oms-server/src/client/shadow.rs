//! `oms risk shadow`.

use super::{Client, escaped, show};
use crate::cli::{Shadow, ShadowArgs, ShadowRun};
use crate::config::Settings;
use crate::exit::{Failure, Outcome};
use serde_json::{Map, Value, json};
use std::path::Path;

pub(super) fn shadow(args: ShadowArgs, settings: &Settings) -> Outcome {
    let Some(command) = args.command else { return run(args.run, settings) };
    match command {
        Shadow::Set { name, rules, remote } => {
            let client = Client::new(&remote, settings)?;
            let command = json!({"type": "ShadowRulesSetCmd", "name": name, "rules": read(&rules)?});
            let answer = client.post("/commands/execute", &[], &command)?;
            client.show(&answer, show::done)
        }
        Shadow::List { remote } => {
            let client = Client::new(&remote, settings)?;
            let answer = client.get("/risk/shadow", "application/json")?;
            client.show(&answer, list)
        }
        Shadow::Show { name, limit, remote } => {
            let client = Client::new(&remote, settings)?;
            let answer = client.get(&format!("/risk/shadow/{}?limit={limit}", escaped(&name)), "application/json")?;
            client.show(&answer, report)
        }
        Shadow::Promote { name, reason, remote } => {
            let client = Client::new(&remote, settings)?;
            let answer = client.post(&format!("/risk/shadow/{}/promote", escaped(&name)), &[], &json!({"reason": reason}))?;
            client.show(&answer, show::done)
        }
        Shadow::Remove { name, remote } => {
            let client = Client::new(&remote, settings)?;
            let answer = client.post("/commands/execute", &[], &json!({"type": "ShadowRulesRemoveCmd", "name": name}))?;
            client.show(&answer, show::done)
        }
    }
}

fn run(run: ShadowRun, settings: &Settings) -> Outcome {
    let client = Client::new(&run.remote, settings)?;
    let mut body = Map::new();
    let mut put = |name: &str, value: Option<Value>| drop(value.map(|value| body.insert(name.to_owned(), value)));
    put("day", run.day.map(Value::from));
    put("from", run.from.map(Value::from));
    put("to", run.to.map(Value::from));
    put("name", run.name.map(Value::from));
    put("rules", run.rules.as_deref().map(read).transpose()?);
    put("limit", Some(run.limit.into()));
    put("after", Some(run.after.into()));
    let answer = client.post("/risk/shadow-runs", &[], &Value::Object(body))?;
    client.show(&answer, report)
}

/// The rules of a file.
fn read(path: &Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    let rules: Value = serde_json::from_str(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    match rules {
        Value::Object(mut fields) => fields.remove("rules").ok_or_else(|| Failure::Usage(format!("{}: it has no rules", path.display()))),
        other => Ok(other),
    }
}

fn list(list: &Value) -> String {
    let rows: Vec<Value> = show::items(list, "data")
        .iter()
        .map(|set| json!({"name": set["name"], "rules": show::items(set, "rules").len(), "set_by": set["set_by"], "since": set["since"]}))
        .collect();
    show::table(&["name", ">rules", "set_by", "since"], &rows, show::field)
}

fn report(report: &Value) -> String {
    let counts = report.get("counts").and_then(Value::as_object);
    let counts: Vec<String> = counts.into_iter().flatten().map(|(kind, count)| format!("{count} {kind}")).collect();
    let columns =
        ["time", "cl_ord_id", "symbol", "side", ">order_qty", ">price", "difference", "code", "check", "scope", ">value", ">limit"];
    let rest = match (report["complete"].as_bool(), report["more"].as_bool()) {
        (Some(false), _) => "\nIt was too much for one question: this is as far as it came.",
        (_, Some(true)) => "\nThere are more differences than are told.",
        _ => "",
    };
    format!(
        "{} judged from sequence {} to {}: {}\n\n{}{rest}",
        show::field(report, "judged"),
        show::field(report, "from_sequence"),
        show::field(report, "to_sequence"),
        if counts.is_empty() { "nothing would have been different".to_owned() } else { counts.join(", ") },
        show::table(&columns, show::items(report, "affected"), show::field)
    )
}
