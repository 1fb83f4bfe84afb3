//! `oms fix`.

use super::{Client, escaped, show};
use crate::cli::Fix;
use crate::cli::FixNamed as Named;
use crate::config::Settings;
use crate::exit::{Failure, Outcome};
use serde_json::{Value, json};

const COLUMNS: [&str; 11] =
    ["kind", "client", "desk", "logged_on", "open", ">next_in", ">next_out", ">received", ">sent", ">refused", ">peer_refused"];

pub(super) fn run(command: Fix, settings: &Settings) -> Outcome {
    match command {
        Fix::Sessions { remote } => {
            let client = Client::new(&remote, settings)?;
            let answer = client.get("/fix/sessions", "application/json")?;
            client.show(&answer, |page| show::table(&COLUMNS, show::items(page, "data"), show::field))
        }
        Fix::Status(named) => {
            let client = Client::new(&named.remote, settings)?;
            let answer = client.get(&format!("/fix/sessions/{}", escaped(&named.client)), "application/json")?;
            client.show(&answer, fields)
        }
        Fix::Actions(named) => {
            let client = Client::new(&named.remote, settings)?;
            let answer = client.get(&format!("/fix/sessions/{}/actions", escaped(&named.client)), "application/json")?;
            client.show(&answer, |page| show::table(&["at", "action", "actor", "reason"], show::items(page, "data"), show::field))
        }
        Fix::Logon(named) => act(&named, "logon", &json!({}), settings),
        Fix::Logout(named) => act(&named, "logout", &json!({}), settings),
        Fix::Reset { next_in: None, next_out: None, named } => act(&named, "reset", &json!({}), settings),
        Fix::Reset { next_in, next_out, named } => act(&named, "numbers", &json!({"next_in": next_in, "next_out": next_out}), settings),
        Fix::Log(_) => Err(Failure::Usage("this command does not talk to a desk".to_owned())),
    }
}

fn act(named: &Named, what: &str, body: &Value, settings: &Settings) -> Outcome {
    let client = Client::new(&named.remote, settings)?;
    let reason = named.reason.as_deref().map(|reason| format!("?reason={}", escaped(reason))).unwrap_or_default();
    let answer = client.post(&format!("/fix/sessions/{}/{what}{reason}", escaped(&named.client)), &[], body)?;
    client.show(&answer, fields)
}

fn fields(session: &Value) -> String {
    let fields = session.as_object().into_iter().flatten();
    fields.map(|(name, value)| format!("{:<14} {}\n", name.replace('_', " "), show::text(value))).collect()
}
