//! `oms brokers`.

use super::Remote;
use clap::{Args, Subcommand};

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
