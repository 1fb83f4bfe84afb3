//! Figures in the Prometheus text format, and those of the interface itself.
//!
//! Counting is one atomic addition. Others add their own figures through [`Exposition`].

use core::fmt::{Display, Write as _};
use oms_runtime::telemetry::{self, Histogram, Telemetry};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the interface counts.
#[derive(Debug, Default)]
pub struct Metrics {
    responses: [AtomicU64; 6],
    turned_away: AtomicU64,
    request: Histogram,
    socket_messages: AtomicU64,
    sockets_slow: AtomicU64,
    sockets_canceled: AtomicU64,
    place: Histogram,
}

fn record(histogram: &Histogram, took: Duration) {
    histogram.record_ns(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
}

impl Metrics {
    /// Counts a request that was answered with this HTTP status.
    pub fn answered(&self, status: u16, took: Duration) {
        if let Some(class) = self.responses.get(usize::from(status / 100)) {
            class.fetch_add(1, Ordering::Relaxed);
        }
        record(&self.request, took);
    }

    /// Counts an order placement, from the request's head to its durable answer.
    pub fn placed(&self, took: Duration) {
        record(&self.place, took);
    }

    /// Counts a request that was turned away.
    pub fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Counts a message that came over a socket.
    pub fn socket_message(&self) {
        self.socket_messages.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a socket that was closed because its client was too slow.
    pub fn socket_slow(&self) {
        self.sockets_slow.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an order that was canceled because its connection went.
    pub fn canceled_on_disconnect(&self) {
        self.sockets_canceled.fetch_add(1, Ordering::Relaxed);
    }
}

/// Figures in the Prometheus text format (version 0.0.4).
#[derive(Default)]
pub struct Page {
    text: String,
}

impl Page {
    /// The text.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to memory does not fail.
        let _written = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        let _written =
            if labels.is_empty() { writeln!(self.text, "{name} {value}") } else { writeln!(self.text, "{name}{{{labels}}} {value}") };
    }

    /// One counter for each label set; labels as `name="value"`.
    pub fn counter<'l>(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (&'l str, u64)>) {
        self.head(name, "counter", help);
        values.into_iter().for_each(|(labels, value)| self.line(name, labels, value));
    }

    /// One gauge for each label set.
    pub fn gauge<'l>(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (&'l str, u64)>) {
        self.head(name, "gauge", help);
        values.into_iter().for_each(|(labels, value)| self.line(name, labels, value));
    }

    /// One histogram of seconds for each label set.
    pub fn histogram<'h>(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (&'h str, &'h Histogram)>) {
        self.head(name, "histogram", help);
        for (labels, histogram) in values {
            let comma = if labels.is_empty() { "" } else { "," };
            let mut count = 0;
            for (at, bucket) in histogram.counts().into_iter().enumerate() {
                count += bucket;
                let bound = telemetry::BOUNDS_US.get(at).map_or_else(|| "+Inf".to_owned(), |us| seconds(us.saturating_mul(1_000)));
                self.line(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"{bound}\""), count);
            }
            self.line(&format!("{name}_sum"), labels, seconds(histogram.sum_ns()));
            self.line(&format!("{name}_count"), labels, count);
        }
    }
}

fn seconds(ns: u64) -> String {
    oms_model::Decimal::from_raw(ns.into()).to_string()
}

/// Somebody who has figures to show.
pub trait Exposition: Send + Sync {
    /// Writes them.
    fn expose(&self, page: &mut Page);
}

impl Exposition for Metrics {
    fn expose(&self, page: &mut Page) {
        let classes = ["class=\"2xx\"", "class=\"3xx\"", "class=\"4xx\"", "class=\"5xx\""];
        let counts = self.responses.iter().skip(2).map(|class| class.load(Ordering::Relaxed));
        page.counter("oms_http_responses_total", "Responses by class of status.", classes.into_iter().zip(counts));
        let turned_away = self.turned_away.load(Ordering::Relaxed);
        page.counter("oms_http_turned_away_total", "Requests refused because too many were in flight.", [("", turned_away)]);
        let sockets = [
            ("oms_ws_messages_total", "Messages that came over WebSockets.", &self.socket_messages),
            ("oms_ws_slow_total", "WebSockets closed because their client was too slow.", &self.sockets_slow),
            ("oms_ws_canceled_total", "Orders canceled because the connection that placed them went.", &self.sockets_canceled),
        ];
        for (name, help, count) in sockets {
            page.counter(name, help, [("", count.load(Ordering::Relaxed))]);
        }
        page.histogram("oms_http_request_seconds", "From a request's head to its answer.", [("", &self.request)]);
        page.histogram("oms_place_seconds", "From a placement's head to its durable answer.", [("", &self.place)]);
    }
}

impl Exposition for Telemetry {
    fn expose(&self, page: &mut Page) {
        page.counter("oms_orders_total", "Client orders recorded.", [("", self.orders.get())]);
        page.counter("oms_rejects_total", "Orders refused by us or by venues, legs included.", [("", self.rejects.get())]);
        page.counter("oms_fills_total", "Executions booked.", [("", self.fills.get())]);
        page.counter("oms_cancels_total", "Cancels taken on.", [("", self.cancels.get())]);
        page.counter("oms_anomalies_total", "Events that a person should look at.", [("", self.anomalies.get())]);
        page.counter("oms_events_total", "Events made durable.", [("", self.events.get())]);
        page.counter("oms_log_writes_total", "Groups of events made durable: the writes that the log took.", [("", self.groups.get())]);
        page.gauge("oms_open_orders", "Client orders that are not done.", [("", self.open_orders.get())]);
        page.gauge("oms_in_doubt_orders", "Legs whose outcome at the venue is not known.", [("", self.in_doubt.get())]);
        page.gauge("oms_suspense_executions", "Executions that match no order.", [("", self.suspense.get())]);
        let stages = [("stage=\"decide\"", &self.decide), ("stage=\"journal\"", &self.commit), ("stage=\"send\"", &self.send)];
        page.histogram("oms_stage_seconds", "Time spent in a stage of an order's way.", stages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_cumulative_and_in_seconds() {
        let histogram = Histogram::default();
        for ns in [5_000, 5_001, 60_000_000_000] {
            histogram.record_ns(ns);
        }
        let mut page = Page::default();
        page.histogram("x", "help", [("a=\"b\"", &histogram)]);
        let text = page.finish();
        assert!(text.contains("x_bucket{a=\"b\",le=\"0.000005\"} 1\n"), "{text}");
        assert!(text.contains("x_bucket{a=\"b\",le=\"0.00001\"} 2\n"), "{text}");
        assert!(text.contains("x_bucket{a=\"b\",le=\"1\"} 2\n"), "{text}");
        assert!(text.contains("x_bucket{a=\"b\",le=\"+Inf\"} 3\n"), "{text}");
        assert!(text.contains("x_sum{a=\"b\"} 60.000010001\n"), "{text}");
        assert!(text.contains("x_count{a=\"b\"} 3\n"), "{text}");
    }

    #[test]
    fn every_figure_is_declared_once_before_its_values() {
        let metrics = Metrics::default();
        metrics.answered(201, Duration::from_millis(1));
        metrics.answered(422, Duration::from_millis(1));
        let mut page = Page::default();
        metrics.expose(&mut page);
        Telemetry::default().expose(&mut page);
        let text = page.finish();
        assert!(text.contains("oms_http_responses_total{class=\"2xx\"} 1\n"), "{text}");
        assert!(text.contains("oms_http_responses_total{class=\"4xx\"} 1\n"), "{text}");
        let mut declared = std::collections::BTreeSet::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                assert!(declared.insert(rest.split(' ').next().unwrap().to_owned()), "{line} is declared once");
            } else if !line.starts_with('#') {
                let name = line.split(['{', ' ']).next().unwrap();
                let base = name.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count");
                assert!(declared.contains(base), "{line} is declared");
            }
        }
    }
}
