//! `oms audit`.

use super::Stored;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `oms audit`.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Verify a whole log against its signed checkpoints, or a file that was exported; exit code 1 and the place where it is
    /// not what was signed.
    Verify {
        /// An export or a proof; the log of the desk where it is not given.
        file: Option<PathBuf>,
        /// What is known from elsewhere.
        #[command(flatten)]
        known: Known,
        /// The log.
        #[command(flatten)]
        stored: Stored,
    },
    /// Write the records of one order with their inclusion proofs, for oms-verify.
    Proof {
        /// Its id.
        #[arg(value_parser = order_id)]
        order: oms_model::OrderId,
        /// Where to.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The log.
        #[command(flatten)]
        stored: Stored,
    },
    /// Write the proof that the log only grew since a checkpoint that somebody was given, for oms-verify.
    Consistency {
        /// A file with that checkpoint.
        earlier: PathBuf,
        /// Where to.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The log.
        #[command(flatten)]
        stored: Stored,
    },
    /// Write the whole log up to its newest checkpoint, with every checkpoint and the public key, for oms-verify.
    Export {
        /// Where to.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The log.
        #[command(flatten)]
        stored: Stored,
    },
}

/// What a verifier knows from elsewhere.
#[derive(Debug, Args)]
pub struct Known {
    /// The public key of the log, or a file that holds it [default: that in the desk's folder, or in the file].
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// A file with a signed checkpoint that was received before: the log must still hold what it held then.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
}

fn order_id(text: &str) -> Result<oms_model::OrderId, String> {
    text.parse().map_err(|_| format!("{text:?} is not an order id"))
}
