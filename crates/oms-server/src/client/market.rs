//! `oms position` and `oms sor`.

use super::{Client, escaped, orders, show};
use crate::cli::{Position, Remote, Sor};
use crate::config::Settings;
use crate::exit::Outcome;
use serde_json::Value;

pub(super) fn position(position: Position, settings: &Settings) -> Outcome {
    let (all, remote) = match position {
        Position::List { all, remote } => (all, remote),
        Position::Pnl { by, account, as_of, currencies, remote } => return pnl(&by, [account, as_of], currencies, &remote, settings),
    };
    let client = Client::new(&remote, settings)?;
    let answer = client.get(if all { "/positions?limit=500" } else { "/positions?limit=500&open=true" }, "application/json")?;
    let columns = ["symbol", ">qty", ">avg_cost", ">mark", ">market_value", ">unrealized", ">realized", ">fees", "account_id"];
    client.show(&answer, |page| show::table(&columns, show::items(page, "data"), show::field))
}

fn pnl(by: &str, [account, as_of]: [Option<String>; 2], currencies: bool, remote: &Remote, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let mut path = format!("/pnl/today?by={by}");
    for (name, value) in [("account_id", account), ("as_of", as_of)] {
        path.extend(value.map(|value| format!("&{name}={}", escaped(&value))));
    }
    let answer = client.get(&path, "application/json")?;
    client.show(&answer, |page| if currencies { by_currency(page) } else { in_base(page) })
}

/// The column that tells rows apart.
fn named(page: &Value) -> &'static str {
    if show::field(page, "by") == "strategy" { "strategy" } else { "account_id" }
}

fn in_base(page: &Value) -> String {
    let columns = [named(page), "base_currency", ">realized", ">fees", ">unrealized", ">net", ">unmarked", ">unconverted"];
    show::table(&columns, show::items(page, "data"), show::field)
}

fn by_currency(page: &Value) -> String {
    let name = named(page);
    let columns = [name, "currency", ">fx_rate", ">realized", ">fees", ">unrealized", ">net"];
    let of_row = |row: &Value| {
        let whose = row.get(name).cloned().unwrap_or_default();
        let lines = show::items(row, "currencies").iter().cloned();
        lines
            .map(move |mut line| {
                line[name] = whose.clone();
                line
            })
            .collect::<Vec<_>>()
    };
    let lines: Vec<Value> = show::items(page, "data").iter().flat_map(of_row).collect();
    show::table(&columns, &lines, show::field)
}

pub(super) fn allocations(remote: &Remote, settings: &Settings) -> Outcome {
    let client = Client::new(remote, settings)?;
    let answer = client.get("/allocations", "application/json")?;
    let columns = ["alloc_id", "status", "group_order_id", "symbol", "side", ">qty", ">avg_px", ">notional", ">rule"];
    client.show(&answer, |page| show::table(&columns, show::items(page, "data"), show::field))
}

pub(super) fn sor(sor: Sor, settings: &Settings) -> Outcome {
    let Sor::Preview { ticket, remote } = sor;
    let client = Client::new(&remote, settings)?;
    let answer = client.post("/sor/preview", &[], &orders::body(&ticket))?;
    client.show(&answer, preview)
}

fn preview(preview: &Value) -> String {
    let mut text = String::new();
    match preview.get("refusal").filter(|refusal| !refusal.is_null()) {
        Some(refusal) => text.push_str(&format!("refused: {} {}\n\n", show::field(refusal, "code"), show::field(refusal, "message"))),
        None => text.push_str("accepted\n\n"),
    }
    let checks = show::table(&["check", "verdict", ">value", ">limit", "scope", "code"], show::items(preview, "checks"), show::field);
    text.push_str(&checks);
    let Some(route) = preview.get("route").filter(|route| !route.is_null()) else { return text };
    text.push_str(&format!(
        "\n\nroute: {} by policy {} (version {})\n",
        show::field(route, "mode"),
        show::field(route, "policy"),
        show::field(route, "policy_version")
    ));
    let scored = [
        "venue",
        ">bid",
        ">bid_size",
        ">ask",
        ">ask_size",
        ">fee",
        ">price_score",
        ">latency_score",
        ">fill_score",
        ">fee_score",
        ">score",
        "excluded",
    ];
    text.push_str(&show::table(&scored, show::items(route, "candidates"), show::field));
    text.push_str("\n\nlegs:\n");
    text.push_str(&show::table(&["venue", ">qty", ">price", "time_in_force", "aggressive"], show::items(route, "legs"), show::field));
    if let Some(estimate) = preview.get("estimate").filter(|estimate| !estimate.is_null()) {
        let field = |name| show::field(estimate, name);
        text.push_str(&format!(
            "\n\nestimate: {} at {}, notional {}, fees {}, shortfall against the mid {}",
            field("qty"),
            field("avg_px"),
            field("notional"),
            field("fees"),
            field("shortfall")
        ));
    }
    let said = show::items(preview, "brokers");
    if !said.is_empty() {
        let columns =
            ["venue", ">qty", ">init_margin_change", ">maint_margin_change", ">equity_with_loan_after", ">commission", "warning", "reason"];
        text.push_str(&format!("\n\nthe brokers say:\n{}", show::table(&columns, said, show::field)));
    }
    text
}
