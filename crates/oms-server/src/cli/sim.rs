//! `oms sim`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `oms sim`.
#[derive(Debug, Subcommand)]
pub enum Sim {
    /// Run the paper venues on the recorded market, reached by FIX 4.4: one session for each, called by its MIC.
    Fix(SimFix),
    /// Run a TWS or Gateway of Interactive Brokers that was never there, on the recorded market; it misbehaves when told.
    Ib(SimIb),
}

/// `oms sim fix`.
#[derive(Debug, Args)]
pub struct SimFix {
    /// Where clients connect to.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9890")]
    pub listen: String,
    /// From where they may, such as 10.1.0.0/16; needed where it is not on loopback, since no Logon needs a password. May be
    /// given several times.
    #[arg(long = "allow", value_name = "NETWORK")]
    pub allowed: Vec<String>,
    /// What the client is called: its SenderCompID(49) at every venue.
    #[arg(long, value_name = "COMPID", default_value = "OMS")]
    pub client: String,
    /// A venue, and what its client is called where it is not --client: XNAS or XNAS=DESK1. May be given several times; all
    /// eight where it is not.
    #[arg(long = "venue", value_name = "MIC[=COMPID]")]
    pub venues: Vec<String>,
    /// The folder of orders, numbers and messages [default: sim-fix in the setting server.data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// How fast the recording is replayed [default: the setting paper.speed].
    #[arg(long, value_name = "SPEED")]
    pub speed: Option<String>,
    /// Of all chance at the venues [default: the setting paper.seed].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Faults from the start: XNAS:lost_ppm=500000,late_ns=2000000 or ALL:link=DOWN. May be given several times.
    #[arg(long = "fault", value_name = "MIC:NAME=VALUE,..")]
    pub faults: Vec<String>,
    /// Where the venues are shown and their faults are switched over HTTP; on loopback only.
    #[arg(long, value_name = "ADDR")]
    pub admin: Option<String>,
}

/// `oms sim ib`.
#[derive(Debug, Args)]
pub struct SimIb {
    /// Where clients connect to; on loopback only, since no client needs a password. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4002")]
    pub listen: String,
    /// Where faults are switched, one command on each line; on loopback only. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    pub admin: Option<String>,
    /// An account; may be given several times.
    #[arg(long = "account", value_name = "NAME", default_value = "DU1000001")]
    pub accounts: Vec<String>,
    /// The folder of orders, executions and the venues' ledgers; without it nothing survives a restart.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A recorded market in place of the one that ships with the program.
    #[arg(long, value_name = "FILE")]
    pub market: Option<PathBuf>,
    /// How fast the recording is replayed, 1x to 100x [default: the setting paper.speed].
    #[arg(long, value_name = "SPEED")]
    pub speed: Option<String>,
    /// Of all chance at the venues [default: the setting paper.seed].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// A file of what happens by itself: milliseconds and a command of the admin port on each line.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
}
