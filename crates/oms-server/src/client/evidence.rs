//! `oms risk evidence`.

use super::{Client, escaped, print, show};
use crate::cli::Remote;
use crate::config::Settings;
use crate::exit::{Failure, Outcome};
use serde_json::Value;
use std::path::Path;

/// Parts of the pack that the summary counts.
const PARTS: [&str; 9] =
    ["limit_changes", "rule_changes", "overrides", "shadow", "breakers", "approvals", "anomalies", "kill_switches", "breaches"];

pub(super) fn evidence(query: [(&str, Option<String>); 3], out: Option<&Path>, remote: &Remote, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let given = query.iter().filter_map(|(name, value)| Some(format!("{name}={}", escaped(value.as_deref()?))));
    let answer = client.get(&format!("/risk/evidence?{}", given.collect::<Vec<_>>().join("&")), "application/json")?;
    let Some(path) = out else { return client.show(&answer, summary) };
    std::fs::write(path, &answer.body).map_err(|error| Failure::Fault(format!("{}: {error}", path.display())))?;
    print(&format!("{} bytes in {}", answer.body.len(), path.display()))
}

fn summary(pack: &Value) -> String {
    let field = |name: &str| show::field(pack, name);
    let counts: Vec<String> = PARTS.iter().map(|part| format!("{} {}", show::items(pack, part).len(), part.replace('_', " "))).collect();
    let codes = pack.get("breaches_by_code").and_then(Value::as_object);
    let codes: Vec<String> = codes.into_iter().flatten().map(|(code, count)| format!("{count} {code}")).collect();
    let stops = ["scope", "engaged_at", "confirmed_at", "released_at", "reason"];
    format!(
        "sequence {} to {}, {} to {}\nstate {}\nlog   {}\n\n{} orders, {} judged, {} refused\nbreaches: {}\n{}\n\n{}",
        field("from_sequence"),
        field("to_sequence"),
        field("from"),
        field("to"),
        field("state_hash"),
        field("chain_hash"),
        field("orders"),
        field("judged"),
        field("refused"),
        if codes.is_empty() { "none".to_owned() } else { codes.join(", ") },
        counts.join(", "),
        show::table(&stops, show::items(pack, "kill_switches"), show::field)
    )
}
