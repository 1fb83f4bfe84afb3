//! `oms risk`.

use super::shadow::ShadowArgs;
use super::{Leaves, Remote};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `oms risk`.
#[derive(Debug, Subcommand)]
pub enum Risk {
    /// Show switches, trading states, and each limit with its use.
    Status {
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Engage a kill switch: refuse new orders in a scope and cancel the working ones.
    Kill {
        /// TENANT, ACCOUNT:<id>, USER:<id>, STRATEGY:<name>, INSTRUMENT:<symbol>, ASSET_CLASS:<class> or VENUE:<MIC>.
        #[arg(long, default_value = "TENANT")]
        scope: String,
        /// Why, in words.
        #[arg(long)]
        reason: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Release a kill switch.
    Release {
        /// As it was engaged.
        #[arg(long, default_value = "TENANT")]
        scope: String,
        /// Why, in words.
        #[arg(long)]
        reason: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show the lists, locates, rules, strategies and throttles of the gate.
    Rules {
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show the orders that are accepted and wait before they are sent.
    Held {
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Agree to a large order that waits, as a second person.
    Approve {
        /// Which.
        order_id: String,
        /// Refused where it is not the order's version.
        #[arg(long)]
        if_version: Option<u32>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Turn a large order that waits down, as a second person.
    TurnDown {
        /// Which.
        order_id: String,
        /// Why, in words.
        #[arg(long)]
        reason: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Set a limit.
    Limit {
        /// Which limit.
        #[command(flatten)]
        named: NamedLimit,
        /// The bound, in the unit of the type.
        value: String,
        /// From when on it holds, RFC 3339; at once where it is not given.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Until when, RFC 3339: then what was there before holds again.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Take a limit away.
    Unlimit {
        /// Which limit.
        #[command(flatten)]
        named: NamedLimit,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Overrides, limits over time, and files.
    #[command(flatten)]
    Leaves(Leaves),
    /// Put something on a restricted or an allow list.
    Restrict {
        /// Which entry.
        #[command(flatten)]
        entry: ListEntry,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Take something from a restricted or an allow list.
    Unrestrict {
        /// Which entry.
        #[command(flatten)]
        entry: ListEntry,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Put on again what was turned off because it repeated itself.
    ResetThrottle {
        /// What is off.
        #[arg(long, default_value = "TENANT")]
        scope: String,
        /// Why, in words.
        #[arg(long)]
        reason: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show what other rules would have changed over a day, or run rules in shadow beside those in force.
    Shadow(ShadowArgs),
    /// Write the evidence of a period: limits in force, changes, breaches, stops. Or of one closed day.
    Evidence {
        /// A trading day, such as 2026-11-21.
        #[arg(long, value_parser = super::day, conflicts_with_all = ["from", "to"], required_unless_present = "from")]
        day: Option<u32>,
        /// A sequence or a time: what is behind it is in the pack.
        #[arg(long)]
        from: Option<String>,
        /// A sequence or a time; now where it is not given.
        #[arg(long)]
        to: Option<String>,
        /// Into this file, as JSON; without it a summary is shown.
        #[arg(long)]
        out: Option<PathBuf>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Dead-man switches: without heartbeats working orders are canceled, or a kill switch is engaged.
    #[command(subcommand)]
    DeadMan(DeadMan),
    /// Execute any typed command, as `POST /api/v1/commands/execute` takes it: locates, strategies, rules.
    Execute {
        /// The command as JSON, like `{"type":"LocateSetCmd",...}`; the OpenAPI document has every one.
        command: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
}

/// `oms risk dead-man`.
#[derive(Debug, Subcommand)]
pub enum DeadMan {
    /// Arm a switch, or arm it anew. Heartbeats are those of the same key.
    Arm {
        /// ACCOUNT:<id>, USER:<id> or STRATEGY:<name>.
        #[arg(long)]
        scope: String,
        /// After so many seconds without a heartbeat it fires: 1 to 3600.
        #[arg(long)]
        timeout_s: u32,
        /// CANCEL what works in the scope, or KILL: engage its kill switch.
        #[arg(long, default_value = "CANCEL")]
        action: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Send one heartbeat.
    Beat {
        /// As it was armed.
        #[arg(long)]
        scope: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Take a switch away.
    Disarm {
        /// As it was armed.
        #[arg(long)]
        scope: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show every switch, and how it stands.
    Show {
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
}

/// Which limit.
#[derive(Debug, Args)]
pub struct NamedLimit {
    /// Its type, like MAX_ORDER_QTY.
    pub limit_type: String,
    /// TENANT, ACCOUNT:<id>, USER:<id>, STRATEGY:<name>, INSTRUMENT:<symbol> or ASSET_CLASS:<class>.
    #[arg(long, default_value = "TENANT")]
    pub scope: String,
    /// SECOND, MINUTE or DAY, for rates; SECOND where it is not given.
    #[arg(long)]
    pub period: Option<String>,
    /// A soft limit: it warns, and takes what is acknowledged.
    #[arg(long)]
    pub soft: bool,
}

/// Which entry of which list.
#[derive(Debug, Args)]
pub struct ListEntry {
    /// INSTRUMENT:<symbol>, ASSET_CLASS:<class>, VENUE:<MIC> or ACCOUNT:<id>.
    pub subject: String,
    /// Whose list: TENANT, ACCOUNT:<id>, USER:<id> or STRATEGY:<name>.
    #[arg(long, default_value = "TENANT")]
    pub scope: String,
    /// On the allow list, beside which nothing of its kind is taken.
    #[arg(long)]
    pub allow: bool,
    /// Why, in words.
    #[arg(long)]
    pub reason: String,
}
