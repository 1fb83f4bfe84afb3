//! `oms setup`.

use super::{Client, print};
use crate::cli::Remote;
use crate::config::Settings;
use crate::exit::{Failure, Outcome};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;

/// The most bytes of a file.
const MAX: u64 = 16 << 20;

/// What a file can have, in the order in which it is set, and the typed command for each.
const PARTS: [(&str, &str); 6] = [
    ("accounts", "AccountSetCmd"),
    ("venues", "VenueSetCmd"),
    ("instruments", "InstrumentSetCmd"),
    ("fx_rates", "FxRateSetCmd"),
    ("policies", "SorPolicySetCmd"),
    ("limits", "RiskLimitSetCmd"),
];

/// Sets everything, one command after the other. The first that is refused ends it: what came before it is set.
pub(super) fn apply(file: &Path, remote: &Remote, settings: &Settings) -> Outcome {
    let commands = commands(&read(file)?)?;
    let client = Client::new(remote, settings)?;
    for (name, command) in &commands {
        client.post("/commands/execute", &[], command).map_err(|failure| match failure {
            Failure::Refused(text) => Failure::Refused(format!("{name}: {text}")),
            other => other,
        })?;
    }
    print(&if client.json { json!({"set": commands.len()}).to_string() } else { format!("{} set", commands.len()) })
}

fn read(file: &Path) -> Result<Value, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", file.display()));
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(MAX).read_to_string(&mut text))
    };
    read.map_err(|error| failed(&error))?;
    serde_json::from_str(&text).map_err(|error| failed(&error))
}

/// Each command with where it stands in the file.
fn commands(document: &Value) -> Result<Vec<(String, Value)>, Failure> {
    let bad = |what: String| Failure::Usage(what);
    let fields = document.as_object().ok_or_else(|| bad("the file must hold an object".to_owned()))?;
    if let Some(unknown) = fields.keys().find(|name| !PARTS.iter().any(|(part, _)| part == name)) {
        let known: Vec<&str> = PARTS.iter().map(|(part, _)| *part).collect();
        return Err(bad(format!("{unknown} is not known; a file has {}", known.join(", "))));
    }
    let mut commands = Vec::new();
    for (part, kind) in PARTS {
        let Some(items) = fields.get(part) else { continue };
        let items = items.as_array().ok_or_else(|| bad(format!("{part} must be a list")))?;
        for (at, item) in items.iter().enumerate() {
            let name = format!("{part}[{at}]");
            let mut command = item.as_object().cloned().ok_or_else(|| bad(format!("{name} must be an object")))?;
            command.insert("type".to_owned(), json!(kind));
            commands.push((name, Value::Object(command)));
        }
    }
    Ok(commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_becomes_commands_in_their_order() {
        let file = json!({"limits": [{"limit_type": "MAX_ORDER_QTY"}], "accounts": [{"name": "a"}, {"name": "b"}]});
        let names: Vec<String> = commands(&file).unwrap().iter().map(|(name, command)| format!("{name} {}", command["type"])).collect();
        assert_eq!(names, ["accounts[0] \"AccountSetCmd\"", "accounts[1] \"AccountSetCmd\"", "limits[0] \"RiskLimitSetCmd\""]);
        for bad in [json!([]), json!({"acounts": []}), json!({"accounts": {}}), json!({"accounts": [1]})] {
            assert_eq!(commands(&bad).err().unwrap().code(), 2, "{bad}");
        }
    }
}
