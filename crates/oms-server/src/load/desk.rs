//! `oms load --mix desk`: a day of a desk, with every kind of order that it takes.
//!
//! Some traders, each with a connection of its own, work through plays: an order with what its trader does about it
//! afterwards. Which plays, in which instruments and with which quantities comes from the seed; what the market does
//! meanwhile does not. Every request has an idempotency key, and every answer is counted by its kind of order.

mod plays;
mod trader;

use crate::cli::Load;
use crate::client::{Client, credential};
use crate::config::Settings;
use crate::exit::{Failure, Outcome, written};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use trader::{Book, Trader};

/// Orders of a day where nothing is said.
const ORDERS: u64 = 10_000;
/// Traders at most.
const TRADERS: u32 = 16;
/// The longest that one request may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the day and reports.
///
/// # Errors
/// [`Failure::Refused`] where an answer was not one that the desk should give.
pub fn run(flags: &Load, settings: &Settings) -> Outcome {
    if flags.journal_acks.is_some() || !flags.warmup.is_zero() || flags.closed {
        return Err(Failure::Usage("--mix desk takes --orders, --connections, --symbol and --seed".to_owned()));
    }
    let url = flags.url.as_deref().unwrap_or(&settings.client.url);
    let key = credential(flags.key.as_deref(), settings)?;
    let run = super::run_id(flags.seed)?;
    let orders = flags.orders.unwrap_or(ORDERS);
    let traders = flags.connections.min(TRADERS);
    let left = AtomicU64::new(orders);
    let began = Instant::now();
    let one = |number: u32| -> Result<Book, Failure> {
        let client = Client::to(url, &key, false, Some(PATIENCE));
        let mut trader = Trader::new(client, run, number, &flags.symbol)?;
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            let orders = trader.play()?;
            // A play of several orders takes the others from the day as well; one without an order gives its own back.
            let _ended = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some((left + 1).saturating_sub(orders)));
        }
        Ok(trader.book)
    };
    let books = std::thread::scope(|scope| -> Result<Vec<Book>, Failure> {
        let one = &one;
        let all: Vec<_> = (0..traders).map(|number| scope.spawn(move || one(number))).collect();
        all.into_iter().map(|trader| trader.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault))).collect()
    })?;
    let mut book = Book::default();
    books.into_iter().for_each(|other| book.add(other));
    let seconds = began.elapsed().as_secs_f64();
    let report = if flags.report_json { json_report(&book, seconds).to_string() } else { text_report(&book, seconds) };
    written(writeln!(std::io::stdout(), "{report}"))?;
    match book.faults.first() {
        None => Ok(()),
        Some(fault) => Err(Failure::Refused(format!("{} answers were not as they should be, the first: {fault}", book.faults.len()))),
    }
}

fn json_report(book: &Book, seconds: f64) -> Value {
    let kinds: BTreeMap<&str, Value> =
        book.kinds.iter().map(|(kind, of)| (*kind, json!({"accepted": of.accepted, "refused": of.refused}))).collect();
    json!({"orders": book.orders(), "seconds": seconds, "kinds": kinds, "requests": book.requests, "faults": book.faults})
}

fn text_report(book: &Book, seconds: f64) -> String {
    let mut text = format!("{} orders in {seconds:.1} s\n\n{:<24}{:>10}{:>10}  REASONS\n", book.orders(), "KIND", "ACCEPTED", "REFUSED");
    for (kind, of) in &book.kinds {
        let refused: u64 = of.refused.values().sum();
        let reasons: Vec<String> = of.refused.iter().map(|(code, count)| format!("{count} {code}")).collect();
        text.push_str(format!("{kind:<24}{:>10}{refused:>10}  {}", of.accepted, reasons.join(", ")).trim_end());
        text.push('\n');
    }
    text.push_str(&format!("\n{:<24}{:>10}\n", "REQUEST", "ANSWERED"));
    for (request, count) in &book.requests {
        text.push_str(&format!("{request:<24}{count:>10}\n"));
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests;
