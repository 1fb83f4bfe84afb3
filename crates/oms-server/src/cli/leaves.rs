//! The part of `oms risk` about overrides, limits over time, and files.

use super::Remote;
use crate::cli::NamedLimit;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Overrides, limits over time, and files of limits and lists.
#[derive(Debug, Subcommand)]
pub enum Leaves {
    /// Give leave for an order like a refused one to break one rule: oms risk override ORDER --check ORDER_QTY --reason x
    Override {
        /// The refused order: its id, or cl_ord_id:<yours>.
        order: String,
        /// The check that may fail, like ORDER_QTY.
        #[arg(long)]
        check: String,
        /// Why, in words.
        #[arg(long)]
        reason: String,
        /// For how long, seconds; a day at most.
        #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
        life: u32,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show the overrides whose time is not over.
    Overrides {
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Consent to an override, as a second person.
    Consent {
        /// Which.
        override_id: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Take an override back that was not used.
    Revoke {
        /// Which.
        override_id: String,
        /// Why, in words.
        #[arg(long)]
        reason: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Say who has to consent to overrides, and whether lists may be overridden.
    OverrideRule {
        /// Whether a second person has to consent before an override holds.
        #[arg(long, action = clap::ArgAction::Set)]
        second_person: bool,
        /// Whether restricted and allow lists may be overridden.
        #[arg(long, action = clap::ArgAction::Set)]
        lists: bool,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show the limits in force and the scheduled ones.
    Limits {
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Take a scheduled limit away; one that is in force ends at once.
    Unschedule {
        /// Which.
        schedule_id: String,
        /// Why, in words.
        #[arg(long)]
        reason: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show the versions of one limit, the newest first, with who changed it and why.
    History {
        /// Which limit.
        #[command(flatten)]
        named: NamedLimit,
        /// How many, 500 at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Write the limits in force, or the lists, as a file to the standard output.
    Export {
        /// The restricted and allow lists in place of the limits.
        #[arg(long)]
        lists: bool,
        /// How.
        #[arg(long, value_enum, default_value_t = Format::Csv)]
        format: Format,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Take limits, or lists, over from a file: all of it or none.
    Import {
        /// CSV, or JSON where its name ends with .json.
        file: PathBuf,
        /// How it is taken.
        #[command(flatten)]
        how: ImportHow,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
}

/// How a file is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// JSON.
    Json,
}

/// How a file is taken.
#[derive(Debug, Args)]
pub struct ImportHow {
    /// Restricted and allow lists in place of limits.
    #[arg(long)]
    pub lists: bool,
    /// Change nothing, and show what would become of it.
    #[arg(long)]
    pub preview: bool,
    /// Take everything away that the file has not.
    #[arg(long)]
    pub replace_all: bool,
    /// Refuse where this is not the revision any more that a preview named.
    #[arg(long, value_name = "REVISION", conflicts_with = "preview")]
    pub if_revision: Option<u64>,
}
