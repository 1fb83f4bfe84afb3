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
