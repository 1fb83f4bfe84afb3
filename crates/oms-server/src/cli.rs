//! The command line: nouns, then verbs.
#![allow(rustdoc::invalid_html_tags, reason = "the comments are what --help shows")]

mod admin;
mod audit;
mod brokers;
mod execution;
mod fix;
mod leaves;
mod load;
mod order;
mod risk;
mod shadow;
mod sim;

use crate::exit;
pub use admin::{Admin, AdminKey, AdminTenant, AdminUser};
pub use audit::{Audit, Known as AuditKnown};
pub use brokers::{BreakNamed, BreaksAsked, BrokerNamed, Brokers, Log as BrokersLog};
use clap::{Args, Parser, Subcommand};
pub use execution::{Book, Execution, ExecutionNamed};
pub use fix::{Fix, Log as FixLog, Named as FixNamed};
pub use leaves::{Format, ImportHow, Leaves};
pub use load::{Load, Mix};
use oms_runtime::history::AsOf;
pub use order::{Order, Ticket};
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
    /// What was executed: booked, corrected, taken back; what waits in suspense.
    #[command(subcommand)]
    Execution(Execution),
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

/// Terms are written in capitals; people need not.
#[allow(clippy::unnecessary_wraps, reason = "the shape of a clap parser")]
fn upper(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.to_uppercase().replace('-', "_"))
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

/// A time.
fn time(text: &str) -> Result<oms_model::Time, String> {
    oms_api::json::decode::time(text).ok_or_else(|| format!("{text:?} is no time such as 2026-01-31T16:00:00Z"))
}

/// A day as the interface counts them: 20261121 for 2026-11-21. Both are taken; that there is such a day, the desk says.
fn day(text: &str) -> Result<u32, String> {
    let digits = match text.as_bytes() {
        [.., b'-', _, _, b'-', _, _] if text.len() == 10 => text.replace('-', ""),
        _ => text.to_owned(),
    };
    let number = digits.parse().ok().filter(|_| digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_digit()));
    number.ok_or_else(|| format!("{text:?} is no day such as 2026-11-21"))
}

/// A past moment.
fn as_of(text: &str) -> Result<AsOf, String> {
    oms_api::past::parse(text).ok_or_else(|| format!("{text:?} is neither a sequence nor a time such as 2026-01-31T16:00:00Z"))
}

#[cfg(test)]
mod tests;
