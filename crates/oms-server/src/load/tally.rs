//! Counts, latencies, and what is said of them.

use super::wire;
use crate::cli::{Load, Mix};
use hdrhistogram::{CreationError, Histogram};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::time::Duration;

/// The longest latency that is told apart from longer ones.
const LONGEST: Duration = Duration::from_secs(600);

/// An order that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Its number.
    pub n: u64,
    /// When it should have gone out.
    pub due: Duration,
    /// When it did.
    pub at: Duration,
    /// Whether it counts.
    pub measured: bool,
}

/// See the module.
pub struct Tally {
    sent: u64,
    acknowledged: u64,
    refused: BTreeMap<u16, u64>,
    errors: u64,
    unsent: u64,
    first: Option<Duration>,
    last: Duration,
    /// From when an order should have gone out to its answer, nanoseconds.
    latency: Histogram<u64>,
    /// From when it went out.
    service: Histogram<u64>,
    acks: Option<File>,
    line: Vec<u8>,
}

impl Tally {
    /// Nothing yet; acknowledged orders are appended to `acks`.
    ///
    /// # Errors
    /// None with these bounds.
    pub fn new(acks: Option<File>) -> Result<Self, CreationError> {
        let longest = u64::try_from(LONGEST.as_nanos()).unwrap_or(u64::MAX);
        let histogram = || Histogram::new_with_bounds(1, longest, 3);
        Ok(Self {
            sent: 0,
            acknowledged: 0,
            refused: BTreeMap::new(),
            errors: 0,
            unsent: 0,
            first: None,
            last: Duration::ZERO,
            latency: histogram()?,
            service: histogram()?,
            acks,
            line: Vec::new(),
        })
    }

    /// An order went out.
    pub fn sent(&mut self, order: &Sent) {
        if order.measured {
            self.sent += 1;
            self.first.get_or_insert(order.due);
        }
    }

    /// An order was answered. Its line is written before it counts.
    ///
    /// # Errors
    /// The file of acknowledgements cannot be written.
    pub fn answered(&mut self, order: &Sent, done: Duration, status: u16, id: &[u8], body: &[u8]) -> io::Result<()> {
        if (200..300).contains(&status) {
            self.note(id, body)?;
        }
        if !order.measured {
            return Ok(());
        }
        match status {
            200..300 => self.acknowledged += 1,
            _ => *self.refused.entry(status).or_default() += 1,
        }
        self.last = self.last.max(done);
        let ns = |since: Duration| u64::try_from(done.saturating_sub(since).as_nanos()).unwrap_or(u64::MAX).max(1);
        self.latency.saturating_record(ns(order.due));
        self.service.saturating_record(ns(order.at));
        Ok(())
    }

    fn note(&mut self, id: &[u8], body: &[u8]) -> io::Result<()> {
        let Some(acks) = &mut self.acks else { return Ok(()) };
        self.line.clear();
        self.line.extend_from_slice(wire::order_id(body).unwrap_or("-").as_bytes());
        // The client's id of an order is its idempotency key as well.
        for part in [id, id] {
            self.line.push(b' ');
            self.line.extend_from_slice(part);
        }
        self.line.push(b' ');
        for byte in Sha256::digest(body) {
            write!(self.line, "{byte:02x}")?;
        }
        self.line.push(b'\n');
        acks.write_all(&self.line)
    }

    /// An order went out and its answer never came.
    pub fn lost(&mut self, order: &Sent) {
        if order.measured {
            self.errors += 1;
        }
    }

    /// So many orders of the plan never went out.
    pub fn unsent(&mut self, orders: u64) {
        self.unsent = orders;
    }

    /// Acknowledged orders per second, from the first due time to the last answer.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let seconds = self.last.saturating_sub(self.first.unwrap_or_default()).as_secs_f64();
        if seconds > 0.0 { self.acknowledged as f64 / seconds } else { 0.0 }
    }

    fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    /// The report for machines.
    #[must_use]
    pub fn json(&self, flags: &Load, url: &str) -> Value {
        let refused: BTreeMap<String, u64> = self.refused.iter().map(|(status, count)| (status.to_string(), *count)).collect();
        let latencies = |histogram: &Histogram<u64>| {
            let at = |quantile| micros(histogram.value_at_quantile(quantile));
            json!({"p50": at(0.5), "p90": at(0.9), "p95": at(0.95), "p99": at(0.99), "p99.9": at(0.999), "max": micros(histogram.max()), "mean": round(histogram.mean() / 1_000.0)})
        };
        json!({
            "url": url,
            "loop": if flags.closed { "closed" } else { "open" },
            "connections": flags.connections,
            "target_rate": (!flags.closed).then_some(flags.rate),
            "marketable_percent": flags.marketable,
            "symbols": flags.symbol,
            "seconds": round(self.last.saturating_sub(self.first.unwrap_or_default()).as_secs_f64()),
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "refused": refused,
            "errors": self.errors,
            "unsent": self.unsent,
            "rate": round(self.rate()),
            "latency_us": latencies(&self.latency),
            "service_us": latencies(&self.service),
        })
    }

    /// The report for people.
    #[must_use]
    pub fn text(&self, flags: &Load, url: &str) -> String {
        let plan = if flags.closed { "closed loop".to_owned() } else { format!("open loop at {}/s", flags.rate) };
        let by_status: Vec<String> = self.refused.iter().map(|(status, count)| format!("{count} with {status}")).collect();
        let by_status = if by_status.is_empty() { String::new() } else { format!(" ({})", by_status.join(", ")) };
        let row = |name: &str, histogram: &Histogram<u64>| {
            let at = |quantile| micros(histogram.value_at_quantile(quantile));
            let row = [at(0.5), at(0.9), at(0.95), at(0.99), at(0.999), micros(histogram.max())].map(|value| format!("{value:>10.0}"));
            format!("{name:<24}{}\n", row.concat())
        };
        let what = if flags.mix == Mix::Api { "requests/s, what changes something durable" } else { "orders/s, each durable" };
        let mut text = format!("{url}: {plan}, {} connections\n\n", flags.connections);
        text.push_str(&format!("sent          {:>10}\n", self.sent));
        text.push_str(&format!("acknowledged  {:>10}   {:.0} {what}\n", self.acknowledged, self.rate()));
        text.push_str(&format!("refused       {:>10}{by_status}\n", self.refusals()));
        text.push_str(&format!("errors        {:>10}\n", self.errors));
        if self.unsent > 0 {
            text.push_str(&format!("not sent      {:>10}   no connection was free in time, or left\n", self.unsent));
        }
        text.push_str(&format!(
            "\n{:<24}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
            "microseconds", "p50", "p90", "p95", "p99", "p99.9", "max"
        ));
        text.push_str(&row("from the due time", &self.latency));
        text.push_str(&row("from the send", &self.service));
        text.trim_end().to_owned()
    }
}

fn micros(ns: u64) -> f64 {
    round(ns as f64 / 1_000.0)
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
