//! `oms order`.

use super::{Remote, upper};
use clap::{Args, Subcommand};

/// What an order is made of.
#[derive(Debug, Args)]
pub struct Ticket {
    /// BUY, SELL, SELL_SHORT, SELL_SHORT_EXEMPT; SUBSCRIBE or REDEEM for a fund.
    #[arg(value_parser = upper)]
    pub side: String,
    /// How many.
    pub qty: String,
    /// Of what.
    pub symbol: String,
    /// The number is an amount of money, not a quantity: for a fund.
    #[arg(long)]
    pub cash: bool,
    /// The limit price; without one the order is a market order.
    #[arg(long, value_name = "PRICE")]
    pub price: Option<String>,
    /// The trigger price: makes it a STOP or, with --price, a STOP_LIMIT order.
    #[arg(long, value_name = "PRICE")]
    pub stop: Option<String>,
    /// DAY, GTC, IOC, FOK or GTD.
    #[arg(long, value_name = "TIF", value_parser = upper)]
    pub tif: Option<String>,
    /// When a GTD order expires, RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub expire_at: Option<String>,
    /// The account; the tenant's only one where it is not given.
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Your own id of the order, unique for ever.
    #[arg(long, value_name = "ID")]
    pub cl_ord_id: Option<String>,
    /// SINGLE_BEST, SPLIT, SWEEP or NAMED.
    #[arg(long, value_name = "MODE", value_parser = upper)]
    pub mode: Option<String>,
    /// The venue of a NAMED order.
    #[arg(long, value_name = "MIC", value_parser = upper)]
    pub venue: Option<String>,
    /// The routing policy.
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// The order type where prices do not say it: TRAILING_STOP, MARKET_TO_LIMIT, PEGGED, MARKET_ON_CLOSE and others.
    #[arg(long = "type", value_name = "TYPE", value_parser = upper)]
    pub ord_type: Option<String>,
    /// The algorithm that releases it in slices: twap, vwap, pov, arrival, iceberg, time-sliced or peg.
    #[arg(long, value_name = "NAME", value_parser = upper)]
    pub algo: Option<String>,
    /// A parameter of the algorithm, such as slices=10 or max_participation=0.1; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", requires = "algo")]
    pub param: Vec<String>,
    /// How far a trailing stop follows: an amount, or a percentage such as 1.5%.
    #[arg(long, value_name = "DISTANCE")]
    pub trail: Option<String>,
    /// The price that a PEGGED order follows: PRIMARY, MID or MARKET.
    #[arg(long, value_name = "PRICE", value_parser = upper)]
    pub peg: Option<String>,
    /// The quantity displayed.
    #[arg(long, value_name = "QTY")]
    pub show: Option<String>,
    /// Which price triggers a stop: LAST, BID_ASK or MID.
    #[arg(long, value_name = "SOURCE", value_parser = upper)]
    pub trigger: Option<String>,
    /// Hold a stop here even where a venue has stops of its own.
    #[arg(long)]
    pub emulate: bool,
    /// A leave to break a rule that the order may use, of `oms risk override`; may be repeated.
    #[arg(long = "override", value_name = "ID")]
    pub overrides: Vec<String>,
}

/// `oms order`.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Place an order: oms order place buy 300 IBM --price 190.10
    Place {
        /// The order.
        #[command(flatten)]
        ticket: Box<Ticket>,
        /// Wait so many seconds for the venue's first word.
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u32>,
        /// Makes the request repeatable: the same key gets the first answer again.
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Cancel an order and everything below it.
    Cancel {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// Wait so many seconds until it is decided.
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u32>,
        /// Refuse unless the order has this version.
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u32>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Hold back what the desk works of an order: its algorithm, its stop or its slices. What is at a venue is recalled.
    Suspend {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Go on with an order that was suspended.
    Resume {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Change quantity, price or trigger of an order.
    Modify {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// New total quantity, executed part included.
        #[arg(long)]
        qty: Option<String>,
        /// New limit price.
        #[arg(long)]
        price: Option<String>,
        /// New trigger price.
        #[arg(long)]
        stop: Option<String>,
        /// Wait so many seconds until it is decided.
        #[arg(long, value_name = "SECONDS")]
        wait: Option<u32>,
        /// Refuse unless the order has this version.
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u32>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// List client orders, the newest first.
    List {
        /// A filter such as symbol=IBM or ord_status__in=NEW,FILLED; may be given more than once.
        #[arg(long = "filter", value_name = "FIELD=VALUE")]
        filters: Vec<String>,
        /// Fields to sort by, a minus for descending.
        #[arg(long, default_value = "-created_seq", allow_hyphen_values = true)]
        sort: String,
        /// How many, 500 at most.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one order.
    Show {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Explain an order: what was checked, what the router saw and chose, what the venues did.
    Why {
        /// Its id, or cl_ord_id:<yours>.
        order: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Show a client order with its legs.
    Tree {
        /// The id of any order of the tree, or cl_ord_id:<yours>.
        order: String,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
    /// Follow the events as they happen.
    Tail {
        /// Begin with this sequence rather than with what happens from now on.
        #[arg(long, value_name = "SEQ")]
        from: Option<u64>,
        /// Only these kinds of events, separated by commas.
        #[arg(long, value_name = "KINDS")]
        types: Option<String>,
        /// Stop after so many events.
        #[arg(long, value_name = "N")]
        count: Option<u64>,
        /// The desk.
        #[command(flatten)]
        remote: Remote,
    },
}
