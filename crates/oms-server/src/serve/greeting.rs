//! What a desk says when it is ready: on stdout, for the person who started it.

use super::key;
use super::settings::Desk;
use super::tenant::Tenant;
use oms_api::desk::is_built;
use std::io::Write as _;
use std::net::SocketAddr;

/// Prints it. A closed stdout is no reason not to trade.
pub fn print(address: SocketAddr, grpc: Option<SocketAddr>, fix: Option<SocketAddr>, desk: &Desk, tenants: &[Tenant]) {
    let mut out = std::io::stdout().lock();
    let _written = out.write_all(text(address, grpc, fix, desk, tenants).as_bytes()).and_then(|()| out.flush());
}

fn text(address: SocketAddr, grpc: Option<SocketAddr>, fix: Option<SocketAddr>, desk: &Desk, tenants: &[Tenant]) -> String {
    let Some(first) = tenants.first() else { return String::new() };
    let recovery = first.partition.recovery();
    let mut text = format!("oms {}: the desk is open\n\n", env!("CARGO_PKG_VERSION"));
    text.push_str(&format!("  listening on {}\n", url(address, desk)));
    if let Some(grpc) = grpc {
        text.push_str(&format!("  gRPC         on {grpc}\n"));
    }
    if let Some(fix) = fix {
        let clients = tenants.iter().filter_map(|tenant| tenant.fix.as_ref()).flat_map(|fix| fix.clients.all());
        let names: Vec<String> = clients.map(|session| session.id.target).collect();
        text.push_str(&format!("  FIX 4.4      on {fix}, {} for {}\n", desk.settings.fix.comp_id, names.join(", ")));
    }
    for venue in &desk.fix_venues {
        let addresses: Vec<&str> = venue.endpoints.iter().map(|endpoint| endpoint.address.as_str()).collect();
        text.push_str(&format!("  FIX venue    {} as {} at {}\n", venue.venue, venue.config.id.target, addresses.join(", ")));
    }
    for ib in &desk.ib_venues {
        let kind = if ib.config.is_live { "live" } else { "paper" };
        text.push_str(&format!("  IB venue     {} at {}, {kind} account {}\n", ib.config.venue, ib.address, ib.config.account));
    }
    text.push_str(&format!("  data in      {}\n", desk.data.display()));
    text.push_str(&format!("  recovered    {} events in {} ms", recovery.events, recovery.took.as_millis()));
    if recovery.snapshot_seq > 0 {
        text.push_str(&format!(" after the snapshot at sequence {}", recovery.snapshot_seq));
    }
    text.push('\n');
    if let Some(refused) = &recovery.snapshot_refused {
        text.push_str(&format!("  snapshot     passed over: {refused}\n"));
    }
    if desk.settings.paper.enabled {
        text.push_str(&format!(
            "  market       sixteen paper venues, eight of them on recorded quotes and trades of AIG, BAC, IBM, {}\n",
            desk.speed
        ));
    }
    if tenants.len() > 1 {
        text.push_str(&format!("  tenants      {}\n", tenants.len()));
    }
    if let Some(api_key) = first.key.as_deref() {
        text.push_str(&format!("  API key      {api_key}   (kept in {})\n", key::path(&desk.data).display()));
    }
    // What stands behind the # is not sent to any server: the page takes it and keeps it for its tab.
    let key = first.key.as_deref().map(|key| format!("login#key={key}")).unwrap_or_default();
    let absent = if is_built() { "" } else { "   (not in this build: cargo xtask ui)" };
    text.push_str(&format!("  desk         {}/{key}{absent}\n", url(address, desk)));
    if let Some(api_key) = first.key.as_deref() {
        text.push_str(&try_it(address, api_key, desk));
    }
    text.push('\n');
    text
}

/// Where clients find it.
fn url(address: SocketAddr, desk: &Desk) -> String {
    format!("{}://{address}", if desk.settings.tls.certificate.is_empty() { "http" } else { "https" })
}

fn try_it(address: SocketAddr, api_key: &str, desk: &Desk) -> String {
    let (client, url) = (&desk.settings.client, url(address, desk));
    let mut exports = String::new();
    if client.url != url {
        exports.push_str(&format!(" OMS_URL={url}"));
    }
    // The commands find the key of a demo desk where the settings say that its data is.
    if desk.data != desk.configured_data || !client.api_key.is_empty() {
        exports.push_str(&format!(" OMS_API_KEY={api_key}"));
    }
    let exports = if exports.is_empty() { String::new() } else { format!("  export{exports}\n") };
    format!(
        r#"
Try it:

  curl -s {url}/api/v1/orders -H 'X-API-Key: {api_key}' -H 'Content-Type: application/json' \
    -H 'Idempotency-Key: first' -d '{{"symbol":"BAC","side":"BUY","ord_type":"MARKET","order_qty":"9000","routing":{{"policy":"split"}}}}'

{exports}  oms order list
  oms order why <order_id>
  oms position list
  oms order place sell 300 IBM --price 181 --policy sweep
  oms order tail
"#
    )
}
