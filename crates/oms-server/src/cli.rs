//! The command line: nouns, then verbs.
#![allow(rustdoc::invalid_html_tags, reason = "the comments are what --help shows")]

mod admin;
mod audit;
mod brokers;
mod fix;
mod leaves;
mod risk;
mod shadow;
mod sim;

use crate::exit;
pub use admin::{Admin, AdminKey, AdminTenant, AdminUser};
pub use audit::{Audit, Known as AuditKnown};
pub use brokers::{BrokerNamed, Brokers};
use clap::{Args, Parser, Subcommand};
pub use fix::{Fix, Log as FixLog, Named as FixNamed};
pub use leaves::{Format, ImportHow, Leaves};
use oms_runtime::history::AsOf;
pub use risk::{DeadMan, ListEntry, NamedLimit, Risk};
pub use shadow::{Shadow, ShadowArgs, ShadowRun};
pub use sim::{Sim, SimFix, SimIb};
use std::path::PathBuf;

/// An order management system and smart order router.
#[derive(Debug, Parser)]
#[command(name = "oms", version, after_help = exit::HELP, propagate_version = true)]
pub struct Cli {
    /// A file of settings; what it does not say has its default.
    #[arg(long, global = true, env = "OMS_CONFIG", hide_env_values = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The nouns.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a desk: its log, its engine, its venues and its interface.
    Serve(Serve),
    /// Place orders and see what became of them.
    #[command(subcommand)]
    Order(Order),
    /// Ask dealers for prices and accept them.
    #[command(subcommand)]
    Quote(Quote),
    /// Positions and their value.
    #[command(subcommand)]
    Position(Position),
    /// What grouped orders were given, and whether it is what the rule gives.
    #[command(subcommand)]
    Allocation(Allocation),
    /// Limits and the kill switch.
    #[command(subcommand)]
    Risk(Risk),
    /// The smart order router.
    #[command(subcommand)]
    Sor(Sor),
    /// Clients that speak FIX: their sessions and messages.
    #[command(subcommand)]
    Fix(Fix),
    /// Brokers that the desk is connected to: how they stand, and their accounts.
    #[command(subcommand)]
    Brokers(Brokers),
    /// Venues to send orders to, in a process of their own.
    #[command(subcommand)]
    Sim(Sim),
    /// The firms that this desk serves, each with a log of its own.
    #[command(subcommand)]
    Tenant(Tenant),
    /// Users, memberships, keys and secrets at rest, from the console of the machine.
    #[command(subcommand)]
    Admin(Admin),
    /// What a desk is made of: accounts, venues, instruments, rates, policies, limits.
    #[command(subcommand)]
    Setup(Setup),
    /// When markets are open.
    #[command(subcommand)]
    Calendar(Calendar),
    /// Read, verify and replay a log, without changing it.
    #[command(subcommand)]
    Journal(Journal),
    /// Verify a log against its signed checkpoints, export it, prove one order of it.
    #[command(subcommand)]
    Audit(Audit),
    /// Measure a running desk under load.
    Load(Load),
    /// The settings.
    #[command(subcommand)]
    Config(Config),
}

/// `oms serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// A demo desk on recorded markets: sets up what is missing, prints an API key, listens on loopback only.
    #[arg(long)]
    pub demo: bool,
    /// The folder of the desk.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Where clients that speak FIX connect to [default: the setting fix.listen]. A demo desk takes CLIENT.
    #[arg(long, value_name = "ADDR")]
    pub fix: Option<String>,
    /// How fast the recorded market is replayed: 1x to 100x, or max.
    #[arg(long, value_name = "X")]
    pub speed: Option<String>,
    /// Seed of all chance at the paper venues.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Which desk, as whom, and how to show what it answers.
#[derive(Clone, Debug, Args)]
pub struct Remote {
    /// Where the desk is [default: the setting client.url].
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The API key [default: the setting client.api_key, else that of the demo desk in the data folder].
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// A file with the certificates that vouch for a desk at an https address [default: the setting client.cacert].
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// Show the answer as it came: JSON.
    #[arg(long)]
    pub json: bool,
}

/// What an order is made of.
#[derive(Debug, Args)]
pub struct Ticket {
    /// BUY, SELL, SELL_SHORT, SELL_SHORT_EXEMPT; SUBSCRIBE or REDEEM for a fund.
    #[arg(value_parser = upper)]
    pub side: String,
    /// How many.
    pub qty: String,
    /// Of what.
    pub symbol: String,
    /// The number is an amount of money, not a quantity: for a fund.
    #[arg(long)]
    pub cash: bool,
    /// The limit price; without one the order is a market order.
    #[arg(long, value_name = "PRICE")]
    pub price: Option<String>,
    /// The trigger price: makes it a STOP or, with --price, a STOP_LIMIT order.
    #[arg(long, value_name = "PRICE")]
    pub stop: Option<String>,
    /// DAY, GTC, IOC, FOK or GTD.
    #[arg(long, value_name = "TIF", value_parser = upper)]
    pub tif: Option<String>,
    /// When a GTD order expires, RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub expire_at: Option<String>,
    /// The account; the tenant's only one where it is not given.
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Your own id of the order, unique for ever.
    #[arg(long, value_name = "ID")]
    pub cl_ord_id: Option<String>,
    /// SINGLE_BEST, SPLIT, SWEEP or NAMED.
    #[arg(long, value_name = "MODE", value_parser = upper)]
    pub mode: Option<String>,
    /// The venue of a NAMED order.
    #[arg(long, value_name = "MIC", value_parser = upper)]
    pub venue: Option<String>,
    /// The routing policy.
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// The order type where prices do not say it: TRAILING_STOP, MARKET_TO_LIMIT, PEGGED, MARKET_ON_CLOSE and others.
    #[arg(long = "type", value_name = "TYPE", value_parser = upper)]
    pub ord_type: Option<String>,
    /// The algorithm that releases it in slices: twap, vwap, pov, arrival, iceberg, time-sliced or peg.
    #[arg(long, value_name = "NAME", value_parser = upper)]
    pub algo: Option<String>,
    /// A parameter of the algorithm, such as slices=10 or max_participation=0.1; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", requires = "algo")]
    pub param: Vec<String>,
    /// How far a trailing stop follows: an amount, or a percentage such as 1.5%.
    #[arg(long, value_name = "DISTANCE")]
    pub trail: Option<String>,
    /// The price that a PEGGED order follows: PRIMARY, MID or MARKET.
    #[arg(long, value_name = "PRICE", value_parser = upper)]
    pub peg: Option<String>,
    /// The quantity displayed.
    #[arg(long, value_name = "QTY")]
    pub show: Option<String>,
    /// Which price triggers a stop: LAST, BID_ASK or MID.
    #[arg(long, value_name = "SOURCE", value_parser = upper)]
    pub trigger: Option<String>,
    /// Hold a stop here even where a venue has stops of its own.
    #[arg(long)]
    pub emulate: bool,
    /// A leave to break a rule that the order may use, of `oms risk override`; may be repeated.
    #[arg(long = "override", value_name = "ID")]
    pub overrides: Vec<String>,
}

/// Terms are written in capitals; people need not.
#[allow(clippy::unnecessary_wraps, reason = "the shape of a clap parser")]
fn upper(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.to_uppercase().replace('-', "_"))
}

/// `oms order`.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Place an order: oms order place buy 300 IBM --price 190.10
    Place {
        /// The order.
        #[command(flatten)]
        ticket: Box<Ticket>,
        /// Wait so many seconds for the venue's first word.
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u32>,
        /// Makes the request repeatable: the same key gets the first answer again.
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Cancel an order and everything below it.
    Cancel {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// Wait so many seconds until it is decided.
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u32>,
        /// Refuse unless the order has this version.
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u32>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Hold back what the desk works of an order: its algorithm, its stop or its slices. What is at a venue is recalled.
    Suspend {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Go on with an order that was suspended.
    Resume {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Change quantity, price or trigger of an order.
    Modify {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// New total quantity, executed part included.
        #[arg(long)]
        qty: Option<String>,
        /// New limit price.
        #[arg(long)]
        price: Option<String>,
        /// New trigger price.
        #[arg(long)]
        stop: Option<String>,
        /// Wait so many seconds until it is decided.
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u32>,
        /// Refuse unless the order has this version.
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u32>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// List client orders, the newest first.
    List {
        /// A filter such as symbol=IBM or ord_status__in=NEW,FILLED; may be given more than once.
        #[arg(long = "filter", value_name = "FIELD=VALUE")]
        filters: Vec<String>,
        /// Fields to sort by, a minus for descending.
        #[arg(long, default_value = "-created_seq", allow_hyphen_values = true)]
        sort: String,
        /// How many, 500 at most.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one order.
    Show {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Explain an order: what was checked, what the router saw and chose, what the venues did.
    Why {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show a client order with its legs.
    Tree {
        /// The id of any order of the tree, or cl_ord_id:<yours>.
        order: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Follow the events as they happen.
    Tail {
        /// Begin with this sequence rather than with what happens from now on.
        #[arg(long, value_name = "SEQ")]
        from: Option<u64>,
        /// Only these kinds of events, separated by commas.
        #[arg(long, value_name = "KINDS")]
        types: Option<String>,
        /// Stop after so many events.
        #[arg(long, value_name = "N")]
        count: Option<u64>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
}

/// `oms quote`.
#[derive(Debug, Subcommand)]
pub enum Quote {
    /// Ask dealers: oms quote request 10 DEMONOTE --side buy
    Request {
        /// How many.
        qty: String,
        /// Of what.
        symbol: String,
        /// BUY or SELL; both sides where it is not given.
        #[arg(long, value_name = "SIDE", value_parser = upper)]
        side: Option<String>,
        /// Ask only this dealer; may be given several times.
        #[arg(long = "dealer", value_name = "MIC", value_parser = upper)]
        dealers: Vec<String>,
        /// How long it may be answered and accepted, milliseconds.
        #[arg(long, value_name = "MS", default_value_t = 30_000)]
        life_ms: u32,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// List quotes, newest first.
    List {
        /// Only those of this request.
        #[arg(long, value_name = "ID")]
        request: Option<String>,
        /// LIVE, ACCEPTED, EXPIRED, WITHDRAWN or REPLACED.
        #[arg(long, value_name = "STATE", value_parser = upper)]
        state: Option<String>,
        /// At most so many: 1 to 500.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// List requests for quotes, newest first.
    Requests {
        /// NEW, QUOTED, ACCEPTED, EXPIRED or CANCELED.
        #[arg(long, value_name = "STATE", value_parser = upper)]
        state: Option<String>,
        /// At most so many: 1 to 500.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Accept a live quote: places the order that does.
    Accept {
        /// Its id.
        quote: String,
        /// BUY or SELL, where both were asked for.
        #[arg(long, value_name = "SIDE", value_parser = upper)]
        side: Option<String>,
        /// How many; what was asked for where it is not given.
        #[arg(long, value_name = "QTY")]
        qty: Option<String>,
        /// Your own id of the order, unique for ever.
        #[arg(long, value_name = "ID")]
        cl_ord_id: Option<String>,
        /// Wait so many seconds for the dealer's first word.
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u32>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Withdraw a request; its quotes end.
    Cancel {
        /// Its id.
        request: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
}

/// `oms position`.
#[derive(Debug, Subcommand)]
pub enum Position {
    /// List the positions at the market as it is now.
    List {
        /// Flat ones too.
        #[arg(long)]
        all: bool,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show profit and loss since the last closed day.
    Pnl {
        /// What it is added up by.
        #[arg(long, value_parser = ["account", "strategy", "tenant"], default_value = "account")]
        by: String,
        /// Of this account alone.
        #[arg(long)]
        account: Option<String>,
        /// As it was: a sequence, or a time such as 2026-01-31T16:00:00Z.
        #[arg(long)]
        as_of: Option<String>,
        /// In each instrument's currency, not in the base currency.
        #[arg(long)]
        currencies: bool,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
}

/// `oms allocation`.
#[derive(Debug, Subcommand)]
pub enum Allocation {
    /// List what is shared out of the groups that stand, and what waits to be approved.
    List {
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Work every allocation in a log out again from its receipt and compare.
    Verify {
        /// The log.
        #[command(flatten)]
        stored: Stored,
    },
}

/// `oms sor`.
#[derive(Debug, Subcommand)]
pub enum Sor {
    /// Show how an order would be checked and routed now; nothing is recorded.
    Preview {
        /// The order.
        #[command(flatten)]
        ticket: Box<Ticket>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
}

/// Which log.
#[derive(Debug, Args)]
pub struct Stored {
    /// The folder of the desk [default: the setting server.data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// For machines: JSON.
    #[arg(long)]
    pub json: bool,
}

/// `oms setup`.
#[derive(Debug, Subcommand)]
pub enum Setup {
    /// Set everything that a file has; what is so already stays so. It can be repeated.
    Apply {
        /// JSON: an object with any of accounts, venues, instruments, fx_rates, policies and limits, each a list of what the
        /// typed command of that kind takes; `-` reads it from the input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
}

/// `oms tenant`.
#[derive(Debug, Subcommand)]
pub enum Tenant {
    /// Found a tenant and print its first API key, once. A running desk serves it after its next start.
    Create {
        /// Small letters, digits and hyphens.
        #[arg(value_name = "NAME")]
        name: String,
        /// Where the desk keeps everything.
        #[command(flatten)]
        stored: Stored,
    },
}

/// `oms journal`.
#[derive(Debug, Subcommand)]
pub enum Journal {
    /// Print events of the log.
    Show {
        /// Begin with this sequence.
        #[arg(long, value_name = "SEQ", default_value_t = 1)]
        from: u64,
        /// Stop after so many events.
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u64,
        /// The log.
        #[command(flatten)]
        stored: Stored,
    },
    /// Check every checksum and the hash chain; exit code 1 and the place where the log is damaged.
    Verify {
        /// The log.
        #[command(flatten)]
        stored: Stored,
    },
    /// Fold the whole log and compare with the newest snapshot; exit code 1 where they differ. With --as-of: fold it up
    /// to a past moment and show the state as it was.
    Replay {
        /// A sequence, or a time (RFC 3339): the state after the last input that was decided by then.
        #[arg(long, value_name = "TIME|SEQ", value_parser = as_of)]
        as_of: Option<AsOf>,
        /// The log.
        #[command(flatten)]
        stored: Stored,
    },
    /// Print the hash of the state at a sequence.
    Hash {
        /// The sequence, which must be the end of a batch; the log's end where it is not given.
        #[arg(long, value_name = "SEQ")]
        at: Option<u64>,
        /// The log.
        #[command(flatten)]
        stored: Stored,
    },
}

/// `oms load`.
#[derive(Debug, Args)]
pub struct Load {
    /// Where the desk is [default: the setting client.url].
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The API key [default: the setting client.api_key, else that of the demo desk in the data folder].
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// What is sent: limit orders on a schedule, to measure; or a day of a desk with every kind of order.
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
}

/// `oms calendar`.
#[derive(Debug, Subcommand)]
pub enum Calendar {
    /// Every calendar that an instrument can trade by, with what its market does.
    List {
        /// At this time instead of now: 2026-11-27T15:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = time)]
        at: Option<oms_model::Time>,
    },
    /// One calendar: what its market does, and its trading day.
    Show {
        /// Its id.
        id: String,
        /// At this time instead of now: 2026-11-27T15:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = time)]
        at: Option<oms_model::Time>,
        /// The text that it is read from, holidays and all.
        #[arg(long, conflicts_with = "at")]
        text: bool,
    },
}

/// `oms config`.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Check the settings.
    Check,
    /// Show every setting in force and where it comes from; secrets are masked.
    Show {
        /// For machines: JSON.
        #[arg(long)]
        json: bool,
    },
}

/// A time span: a number and `ms`, `s` or `m`.
fn duration(text: &str) -> Result<std::time::Duration, String> {
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

/// A time.
fn time(text: &str) -> Result<oms_model::Time, String> {
    oms_api::json::decode::time(text).ok_or_else(|| format!("{text:?} is no time such as 2026-01-31T16:00:00Z"))
}

/// A past moment.
fn as_of(text: &str) -> Result<AsOf, String> {
    oms_api::past::parse(text).ok_or_else(|| format!("{text:?} is neither a sequence nor a time such as 2026-01-31T16:00:00Z"))
}

/// A share in percent, with or without the sign.
fn percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok().filter(|percent| *percent <= 100);
    number.ok_or_else(|| format!("{text:?} is not a share such as 10%"))
}

#[cfg(test)]
mod tests;
