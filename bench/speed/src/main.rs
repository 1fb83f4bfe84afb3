//! Figures of whole parts of the system, each beside what it is measured against in the same run.
//!
//! - `durable`: orders through a partition, many outstanding, each answered once durable; beside raw writes of the same bytes.
//! - `recovery`: seconds for each million events, with and without a snapshot.
//! - `fix`: orders of a FIX client through the whole desk to four FIX venues, each a process of its own, and back.
//! - `bare-http`: a bare axum handler that parses the same JSON and journals the same bytes; load it with `oms load`.
//! - `kill`: a kill switch while orders come: when nothing more is sent, when the last cancel is, when nothing works.
//! - `ticks`: ticks of a market to many streams, each from the tick to its arrival.
//! - `views`: sorted and filtered windows of many orders that change: processor time, bytes, from an event to its frame.
//! - `accounts`: seconds until the accounts are there at a start, with and without a snapshot of their log.
//! - `clients`: many sockets and event streams at once, one of which reads nothing: memory of each, from an event to its arrival.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench stops at the first thing that is not as it should be")]

mod accounts;
mod bare_http;
mod clients;
mod durable;
mod fix;
mod kill;
mod load;
mod raw;
mod recovery;
mod served;
mod socket;
mod ticks;
mod views;
mod world;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use std::path::PathBuf;

// The allocator of the program that is measured.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Parser)]
#[command(about)]
struct Arguments {
    /// Where the logs are written; must be on the disk that is to be measured.
    #[arg(long, default_value = "target/speed")]
    dir: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Orders in process, each answered once durable.
    Durable {
        /// Orders outstanding at any time.
        #[arg(long, default_value_t = 64)]
        outstanding: usize,
        /// Seconds.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
    /// Recovery of a log of so many events.
    Recovery {
        /// Millions of events.
        #[arg(long, default_value_t = 1)]
        millions: u64,
    },
    /// A start with a control log of so many entries.
    Accounts {
        /// Entries.
        #[arg(long, default_value_t = 1_000_000)]
        entries: u64,
    },
    /// Ticks to streams.
    Ticks {
        /// Streams.
        #[arg(long, default_value_t = 100)]
        clients: usize,
        /// Ticks each second.
        #[arg(long, default_value_t = 10_000)]
        rate: u64,
        /// Seconds.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
    /// Views of many orders that change.
    Views {
        /// Orders that there are.
        #[arg(long, default_value_t = 50_000)]
        orders: u64,
        /// Views, all of them different up to fifty.
        #[arg(long, default_value_t = 50)]
        views: usize,
        /// Events each second.
        #[arg(long, default_value_t = 5_000)]
        rate: u64,
        /// Seconds.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// Many clients at once.
    Clients {
        /// Clients: one half WebSockets, the other event streams.
        #[arg(long, default_value_t = 1_000)]
        clients: usize,
        /// Events each second.
        #[arg(long, default_value_t = 5_000)]
        rate: u64,
        /// Seconds.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// A client more that asks for everything and reads nothing.
        #[arg(long)]
        stalled: bool,
    },
    /// Orders by FIX all the way, at a rate, in an open loop; whether all ends have the same in the end.
    Fix {
        /// Orders each second.
        #[arg(long, default_value_t = 5_000)]
        rate: u64,
        /// Seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// The desk is killed (`kill -9`) in the middle, and started again.
        #[arg(long)]
        kill: bool,
    },
    /// A kill switch under load.
    Kill {
        /// Orders that work when it is engaged.
        #[arg(long, default_value_t = 50_000)]
        working: u64,
        /// Orders each second.
        #[arg(long, default_value_t = 5_000)]
        rate: u64,
    },
    /// The bare handler.
    BareHttp {
        /// Where it listens.
        #[arg(long, default_value = "127.0.0.1:8099")]
        listen: String,
    },
}

fn main() {
    let Arguments { dir, what } = Arguments::parse();
    std::fs::create_dir_all(&dir).unwrap();
    let dir = tempfile::tempdir_in(dir).unwrap();
    match what {
        What::Fix { rate, seconds, kill } => fix::run(dir.path(), rate, seconds, kill),
        What::Durable { outstanding, seconds } => durable::run(dir.path(), outstanding, seconds),
        What::Recovery { millions } => recovery::run(dir.path(), millions),
        What::Accounts { entries } => accounts::run(dir.path(), entries),
        What::Ticks { clients, rate, seconds } => ticks::run(dir.path(), clients, rate, seconds),
        What::Views { orders, views, rate, seconds } => views::run(dir.path(), orders, views, rate, seconds),
        What::Clients { clients, rate, seconds, stalled } => clients::run(dir.path(), clients, rate, seconds, stalled),
        What::Kill { working, rate } => kill::run(dir.path(), working, rate),
        What::BareHttp { listen } => bare_http::run(dir.path(), &listen),
    }
}
