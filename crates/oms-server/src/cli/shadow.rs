//! `oms risk shadow`.

use super::{Remote, day};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `oms risk shadow`: what rules would have changed over a day, or what is done with the sets that run now.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ShadowArgs {
    /// What is done with the sets that run beside live orders.
    #[command(subcommand)]
    pub command: Option<Shadow>,
    /// The run over the past, where no set is meant.
    #[command(flatten)]
    pub run: ShadowRun,
}

/// A run of rules over the past.
#[derive(Debug, Args)]
pub struct ShadowRun {
    /// The UTC day, such as 2026-11-21.
    #[arg(long, value_parser = day, conflicts_with_all = ["from", "to"], required_unless_present = "from")]
    pub day: Option<u32>,
    /// A sequence or a time: what is behind it is looked at.
    #[arg(long)]
    pub from: Option<String>,
    /// A sequence or a time; now where it is not given.
    #[arg(long)]
    pub to: Option<String>,
    /// A file of rules: a JSON array of typed commands, or an object with them under "rules".
    #[arg(long, required_unless_present = "name")]
    pub rules: Option<PathBuf>,
    /// The rules of a set that runs now, instead of a file.
    #[arg(long, conflicts_with = "rules")]
    pub name: Option<String>,
    /// How many differences are told.
    #[arg(long, default_value_t = 1_000)]
    pub limit: u32,
    /// Differences behind this sequence are told.
    #[arg(long, default_value_t = 0)]
    pub after: u64,
    /// The desk.
    #[command(flatten)]
    pub remote: Remote,
}

/// What is done with the sets that run now.
#[derive(Debug, Subcommand)]
pub enum Shadow {
    /// Run rules beside those in force, from now on.
    Set {
        /// The name of the set.
        name: String,
        /// A file of rules: a JSON array of typed commands, or an object with them under "rules".
        #[arg(long)]
        rules: PathBuf,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show the sets.
    List {
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show what a set would have changed since it runs.
    Show {
        /// The name of the set.
        name: String,
        /// How many of the newest differences are shown.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Make a set live, as a second person.
    Promote {
        /// The name of the set.
        name: String,
        /// Why, in words.
        #[arg(long)]
        reason: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Run a set no more.
    Remove {
        /// The name of the set.
        name: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
}
