//! `oms fix`.

use super::Remote;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `oms fix`.
#[derive(Debug, Subcommand)]
pub enum Fix {
    /// Show every session.
    Sessions {
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one session.
    Status(Named),
    /// Take the client's next Logon.
    Logon(Named),
    /// Log the client out, and take no Logon until told to.
    Logout(Named),
    /// Begin both numbers anew: by agreement with a client that is logged on.
    Reset {
        /// The next number that is expected of the client; without it and --next-out both begin at 1.
        #[arg(long, value_name = "N")]
        next_in: Option<u64>,
        /// The next number that the desk gives.
        #[arg(long, value_name = "N")]
        next_out: Option<u64>,
        /// Which.
        #[command(flatten)]
        named: Named,
    },
    /// Show what was done to a session last, by whom and why.
    Actions(Named),
    /// Show the messages of the sessions, decoded, also while a desk runs.
    Log(Log),
}

/// A session of a desk.
#[derive(Debug, Args)]
pub struct Named {
    /// What the client is called.
    pub client: String,
    /// Why something is done to it, for the record.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The desk.
    #[command(flatten)]
    pub remote: Remote,
}

/// `oms fix log`.
#[derive(Debug, Args)]
pub struct Log {
    /// Only those of this client.
    pub client: Option<String>,
    /// From this entry of the log on.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub from: u64,
    /// The most messages.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u64,
    /// The sessions' own messages too, such as Logon and Heartbeat, and what was done to the sessions.
    #[arg(long)]
    pub all: bool,
    /// The last ones, not the first.
    #[arg(long)]
    pub last: bool,
    /// Only messages in which some field has this value, such as an id.
    #[arg(long, value_name = "VALUE")]
    pub find: Option<String>,
    /// One message a line, as it went over the line, with | for the separator.
    #[arg(long)]
    pub raw: bool,
    /// The folder of the desk [default: the setting server.data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}
