//! `oms brokers`.

use super::Remote;
use clap::{Args, Subcommand};
use oms_model::OrderId;
use std::path::PathBuf;

/// `oms brokers`.
#[derive(Debug, Subcommand)]
pub enum Brokers {
    /// Show every broker and how it stands.
    List {
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one broker.
    Get(BrokerNamed),
    /// Show what a broker says of the account: positions, values, orders that are not the desk's.
    Account(BrokerNamed),
    /// Take a connection up, or try at once.
    Connect(BrokerNamed),
    /// Take a connection down until it is taken up; orders that work there work on.
    Disconnect(BrokerNamed),
    /// Show the messages to and from a broker, decoded, also while a desk runs.
    Log(Log),
    /// Compare books, log and broker now, and show what came of it.
    Reconcile(BrokerNamed),
    /// Show the runs in which they were compared, the newest first.
    Runs(BrokerNamed),
    /// Show breaks: where books, log and broker differ.
    Breaks(BreaksAsked),
    /// Give a break to somebody, who has taken it on from then.
    Assign {
        /// The break.
        #[command(flatten)]
        named: BreakNamed,
        /// The user who takes it on: an id.
        #[arg(long, value_name = "USER")]
        owner: String,
    },
    /// Say why a break is none: its figures are accepted as they are.
    Close(BreakNamed),
}

/// `oms brokers log`.
#[derive(Debug, Args)]
pub struct Log {
    /// What the desk calls the broker.
    pub broker: String,
    /// From this entry of the log on.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub from: u64,
    /// The most messages.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u64,
    /// What else the connection has noted too, such as requests that were refused here.
    #[arg(long)]
    pub all: bool,
    /// The last ones, not the first.
    #[arg(long)]
    pub last: bool,
    /// Only messages in which some field has this value, such as an id.
    #[arg(long, value_name = "VALUE")]
    pub find: Option<String>,
    /// Only messages about this order of the desk: one that went to the broker, a leg of what a client placed.
    #[arg(long, value_name = "ORDER", value_parser = order_id, conflicts_with_all = ["all", "last"])]
    pub order: Option<OrderId>,
    /// One message a line, as the log keeps it: message id and protocol buffer, hexadecimal.
    #[arg(long)]
    pub raw: bool,
    /// The folder of the desk [default: the setting server.data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

fn order_id(text: &str) -> Result<OrderId, String> {
    text.parse().map_err(|error: oms_model::IdError| error.to_string())
}

/// Which breaks of a broker.
#[derive(Debug, Args)]
pub struct BreaksAsked {
    /// What the desk calls the broker.
    pub broker: String,
    /// Only these: OPEN, ACKNOWLEDGED or CLOSED.
    #[arg(long, value_name = "STATUS")]
    pub status: Option<String>,
    /// Only these: MISSING_AT_BROKER, POSITION_MISMATCH and others.
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// The desk.
    #[command(flatten)]
    pub remote: Remote,
}

/// A break of a broker.
#[derive(Debug, Args)]
pub struct BreakNamed {
    /// What the desk calls the broker.
    pub broker: String,
    /// The number of the break.
    #[arg(value_name = "BREAK")]
    pub number: u64,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The desk.
    #[command(flatten)]
    pub remote: Remote,
}

/// A broker of a desk.
#[derive(Debug, Args)]
pub struct BrokerNamed {
    /// What the desk calls it.
    pub broker: String,
    /// Why something is done to it, for the record.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The desk.
    #[command(flatten)]
    pub remote: Remote,
}
