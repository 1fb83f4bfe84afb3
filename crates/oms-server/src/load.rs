//! `oms load`: orders at a rate, and how long their durable answers take.
//!
//! - Open loop: orders go out on a schedule whatever the desk does, and each latency counts from the time at which its
//!   order *should* have gone out. A desk that stalls is charged for every order that had to wait (no coordinated omission).
//! - One thread, one wait for many sockets, and no more HTTP than the answers need: what is measured is the desk.

mod desk;
mod drive;
mod mixed;
mod order;
mod schedule;
mod tally;
mod wire;

use crate::cli::{Load, Mix};
use crate::client::{Client, credential};
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use order::{Orders, Quote};
use schedule::Schedule;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;
use tally::Tally;
use ureq::http::Uri;

/// How often a market without prices is asked again, and how long between.
const MARKET_LOOKS: (u32, Duration) = (50, Duration::from_millis(100));

/// Runs the load and reports.
///
/// # Errors
/// See [`Failure`].
pub fn run(flags: &Load, settings: &Settings) -> Outcome {
    if flags.mix == Mix::Desk {
        return desk::run(flags, settings);
    }
    let url = flags.url.as_deref().unwrap_or(&settings.client.url);
    let key = credential(flags.key.as_deref(), settings)?;
    let (address, host) = address(url)?;
    let client = Client::to(url, &key, false, Some(Duration::from_secs(10)));
    let quotes = flags.symbol.iter().map(|symbol| quote(&client, symbol)).collect::<Result<Vec<Quote>, Failure>>()?;
    let orders = Orders::new(quotes, flags.marketable, run_id(flags.seed)?);
    let acks = match &flags.journal_acks {
        None => None,
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path);
            Some(file.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?)
        }
    };
    let schedule = Schedule::new((!flags.closed).then_some(flags.rate), flags.warmup, flags.duration, flags.orders);
    let mut tally = Tally::new(acks).map_err(|error| Failure::Fault(format!("histogram: {error}")))?;
    let connections = drive::connect(address, flags.connections)?;
    let request = wire::Template::new(&host, &key, flags.mix == Mix::Api);
    let ended = drive::drive(connections, &request, &orders, &schedule, &mut tally);
    let report = if flags.report_json { tally.json(flags, url).to_string() } else { tally.text(flags, url) };
    written(writeln!(std::io::stdout(), "{report}"))?;
    ended
}

/// Where the desk is, and what it is called.
fn address(url: &str) -> Result<(SocketAddr, String), Failure> {
    let usage = |why: &str| Failure::Usage(format!("{url}: {why}"));
    let uri: Uri = url.parse().map_err(|_| usage("is not a URL"))?;
    let host = uri.host().ok_or_else(|| usage("names no host"))?;
    if uri.scheme_str() != Some("http") {
        return Err(usage("only http is spoken"));
    }
    let port = uri.port_u16().unwrap_or(80);
    let mut found =
        (host.trim_matches(['[', ']']), port).to_socket_addrs().map_err(|error| Failure::Unreachable(format!("{url}: {error}")))?;
    let address = found.next().ok_or_else(|| Failure::Unreachable(format!("{url}: the host has no address")))?;
    Ok((address, format!("{host}:{port}")))
}

/// The market as the orders are priced by it.
fn quote(client: &Client, symbol: &str) -> Result<Quote, Failure> {
    let (looks, pause) = MARKET_LOOKS;
    for _ in 0..looks {
        let market = client.read(&format!("/marketdata/last/{symbol}"))?;
        let cents = |side: &str| market.get(side).and_then(Value::as_str).and_then(order::cents);
        if let (Some(bid), Some(ask)) = (cents("bid"), cents("ask")) {
            return Ok(Quote { symbol: symbol.to_owned(), bid, ask });
        }
        // The replay has not reached its first quote.
        std::thread::sleep(pause);
    }
    Err(Failure::Refused(format!("there is no bid and offer in {symbol}")))
}

fn run_id(seed: Option<u64>) -> Result<u64, Failure> {
    match seed {
        Some(seed) => Ok(seed),
        None => getrandom::u64().map_err(|error| Failure::Fault(format!("the system has no randomness: {error}"))),
    }
}

#[cfg(test)]
mod tests;
