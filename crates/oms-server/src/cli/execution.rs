//! `oms execution`.

use super::{Remote, upper};
use clap::{Args, Subcommand};

/// `oms execution`.
#[derive(Debug, Subcommand)]
pub enum Execution {
    /// List executions, newest first.
    List {
        /// Of this order and its parts alone.
        #[arg(long, value_name = "ORDER")]
        order: Option<String>,
        /// In this instrument alone.
        #[arg(long, value_name = "SYMBOL", conflicts_with = "order")]
        symbol: Option<String>,
        /// At most so many: 1 to 500.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// List what waits for a person: fills of no order, reversals, corrections and charges of executions that are not in the books.
    Suspense {
        /// At most so many: 1 to 500.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// List orders that were executed beyond their quantity.
    Overfills {
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Book an execution by hand, or one out of suspense: oms execution book --order 0192... --suspense XNAS:E17 --reason "..."
    Book(Box<Book>),
    /// Correct an execution that a person booked or a venue told.
    Correct {
        /// Which.
        #[command(flatten)]
        named: ExecutionNamed,
        /// How much it was; stays where it is not given.
        #[arg(long, value_name = "QTY", required_unless_present_any = ["price", "fee"])]
        qty: Option<String>,
        /// At which price; stays where it is not given.
        #[arg(long, value_name = "PX")]
        price: Option<String>,
        /// What it cost, in the instrument's currency; stays where it is not given.
        #[arg(long, value_name = "MONEY", allow_hyphen_values = true)]
        fee: Option<String>,
    },
    /// Take an execution back that the market took back.
    Bust(ExecutionNamed),
    /// Take an execution back that was booked by hand and wrongly.
    Whack(ExecutionNamed),
    /// Decide that something in suspense is booked nowhere.
    Dismiss {
        /// Where: the venue's MIC.
        #[arg(value_name = "VENUE", value_parser = upper)]
        venue: String,
        /// Its id in suspense.
        #[arg(value_name = "EXEC_ID")]
        exec_id: String,
        /// Why, for the record.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
}

/// `oms execution book`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("on").required(true).args(["order", "cl_ord_id", "symbol"]))]
pub struct Book {
    /// On this order or part of one.
    #[arg(long, value_name = "ORDER")]
    pub order: Option<String>,
    /// On the order that you gave this id.
    #[arg(long, value_name = "ID")]
    pub cl_ord_id: Option<String>,
    /// On an account, in this instrument, with no order.
    #[arg(long, value_name = "SYMBOL", requires = "side")]
    pub symbol: Option<String>,
    /// BUY, SELL or SELL_SHORT, with no order.
    #[arg(long, value_name = "SIDE", value_parser = upper, requires = "symbol")]
    pub side: Option<String>,
    /// Which account, with no order; the only one where it is not given.
    #[arg(long, value_name = "ACCOUNT", requires = "symbol")]
    pub account: Option<String>,
    /// Out of suspense, with the figures that it has there.
    #[arg(long, value_name = "VENUE:EXEC_ID", conflicts_with_all = ["qty", "price", "fee", "venue", "exec_id", "time"])]
    pub suspense: Option<String>,
    /// How much.
    #[arg(long, value_name = "QTY", required_unless_present = "suspense")]
    pub qty: Option<String>,
    /// At which price.
    #[arg(long, value_name = "PX", required_unless_present = "suspense")]
    pub price: Option<String>,
    /// What it cost, in the instrument's currency.
    #[arg(long, value_name = "MONEY", allow_hyphen_values = true)]
    pub fee: Option<String>,
    /// Where; that of the part on a part.
    #[arg(long, value_name = "MIC", value_parser = upper)]
    pub venue: Option<String>,
    /// The venue's id of it; with one it is booked once, however often it is asked for.
    #[arg(long, value_name = "ID")]
    pub exec_id: Option<String>,
    /// When: 2026-01-31T16:00:00Z; now where it is not given.
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The desk.
    #[command(flatten)]
    pub remote: Remote,
}

/// An execution of the open day or the last closed one.
#[derive(Debug, Args)]
pub struct ExecutionNamed {
    /// The venue's id of it.
    #[arg(value_name = "EXEC_ID")]
    pub exec_id: String,
    /// In what.
    pub symbol: String,
    /// Which account; the only one where it is not given.
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Where, if several venues gave this id.
    #[arg(long, value_name = "MIC", value_parser = upper)]
    pub venue: Option<String>,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The desk.
    #[command(flatten)]
    pub remote: Remote,
}
