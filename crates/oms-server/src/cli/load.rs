//! `oms load`.

use clap::Args;
use std::path::PathBuf;

/// `oms load`.
#[derive(Debug, Args)]
pub struct Load {
    /// Where the desk is [default: the setting client.url].
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The API key [default: the setting client.api_key, else that of the demo desk in the data folder].
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// What is sent: limit orders on a schedule, to measure; reads and changes that ask no venue; or a day of a desk with every
    /// kind of order.
    #[arg(long, value_enum, default_value = "limit")]
    pub mix: Mix,
    /// Connections.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub connections: u32,
    /// Orders per second, sent on schedule whatever the desk does (open loop).
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: u32,
    /// Send the next order on a connection when the last is answered (closed loop), as fast as the desk takes them.
    #[arg(long, conflicts_with = "rate")]
    pub closed: bool,
    /// How long: 500ms, 10s, 2m.
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub duration: std::time::Duration,
    /// Orders sent before it is measured, in the same time units; they are answered but not reported.
    #[arg(long, default_value = "0s", value_parser = duration)]
    pub warmup: std::time::Duration,
    /// Instruments, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "AIG,BAC,IBM")]
    pub symbol: Vec<String>,
    /// Share of orders that trade at once; the others rest far from the market.
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = percent)]
    pub marketable: u32,
    /// Stop after so many orders; a day of a desk has 10000 where it is not given.
    #[arg(long, value_name = "N")]
    pub orders: Option<u64>,
    /// Seed of the ids; the same one sends the same orders again.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Append a line for each acknowledged order: order id, cl_ord_id, idempotency key, SHA-256 of the answer's body.
    #[arg(long, value_name = "FILE")]
    pub journal_acks: Option<PathBuf>,
    /// Report as JSON.
    #[arg(long)]
    pub report_json: bool,
}

/// What a load consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mix {
    /// Limit orders.
    Limit,
    /// Every kind of order, with cancels, replaces and batches.
    Desk,
    /// What asks no venue, on a schedule: seven reads in ten, two changes of limits, one preview of an order.
    Api,
}

/// A time span: a number and `ms`, `s` or `m`.
pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| format!("{text:?} is not a time span such as 500ms, 10s or 2m"))?;
    match unit {
        "ms" => Ok(std::time::Duration::from_millis(number)),
        "s" | "" => Ok(std::time::Duration::from_secs(number)),
        "m" => Ok(std::time::Duration::from_secs(number.saturating_mul(60))),
        _ => Err(format!("{unit:?} is not ms, s or m")),
    }
}

/// A share in percent, with or without the sign.
pub(super) fn percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok().filter(|percent| *percent <= 100);
    number.ok_or_else(|| format!("{text:?} is not a share such as 10%"))
}
