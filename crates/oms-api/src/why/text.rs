//! The page for people.

use super::{Step, Why, sentence, summary};
use crate::catalog::Catalog;
use crate::json::orders::share;
use crate::json::write::rfc3339;
use oms_model::Order;
use oms_model::event::{Candidate, Event, RiskChecked, RouteDecided};
use oms_model::limit::CheckResult;
use oms_model::market::{Seen, SeenPrice};
use std::fmt::{Display, Write as _};

/// The page as plain text, 120 columns wide at most where the facts allow it.
#[must_use]
pub fn render(why: &Why, catalog: &Catalog) -> String {
    let mut page = Page { out: String::with_capacity(8 * 1024) };
    if let Some(root) = why.root() {
        page.order(root, catalog);
    }
    page.validation(why);
    page.pipeline(why);
    for (step, checked) in why.checks() {
        page.checks(step, checked, catalog);
    }
    for (step, route) in why.routes() {
        page.route(step, route);
    }
    for part in why.parts() {
        page.node(why, part, &part.kind().to_string());
    }
    for leg in why.legs() {
        page.node(why, leg, &format!("Leg {}", leg.venue.unwrap_or_default()));
    }
    page.timeline(why);
    page.out
}

struct Page {
    out: String,
}

fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

impl Page {
    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to memory does not fail.
        let _written = self.out.write_fmt(text);
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
    }

    fn heading(&mut self, text: std::fmt::Arguments<'_>) {
        self.out.push('\n');
        self.line(text);
    }

    fn order(&mut self, order: &Order, catalog: &Catalog) {
        let symbol = catalog.symbol(order.instrument_id);
        let price = order.price.map_or_else(String::new, |price| format!(" at {price}"));
        let stop = order.extras.stop_px.map_or_else(String::new, |stop| format!(" stop {stop}"));
        self.line(format_args!("Order {}", order.order_id));
        self.line(format_args!(
            "{} {} {symbol} {}{price}{stop} {}, cl_ord_id {}",
            order.side, order.order_qty, order.ord_type, order.time_in_force, order.cl_ord_id
        ));
        self.line(format_args!("{}", summary(order)));
    }

    fn validation(&mut self, why: &Why) {
        match why.invalid().map(|step| (step, &step.event)) {
            Some((step, Event::OrderRejected(refused))) => {
                self.heading(format_args!("Validation: refused with {} at sequence {}: {}", refused.code, step.seq, refused.text));
            }
            _ => self.heading(format_args!("Validation: passed")),
        }
    }

    fn pipeline(&mut self, why: &Why) {
        self.heading(format_args!("Way in"));
        for task in why.tasks() {
            let at = task.seq.map_or_else(String::new, |seq| format!("at {seq}"));
            self.line(format_args!("  {:<21} {:<8} {:<10} {}", task.task.as_str(), task.outcome.as_str(), at, task.text));
        }
    }

    fn checks(&mut self, step: &Step, checked: &RiskChecked, catalog: &Catalog) {
        self.heading(format_args!("Checks at sequence {}, {}", step.seq, rfc3339(step.time)));
        self.line(format_args!("  {:<14} {:<20} {:>18} {:>18}  {}", "VERDICT", "CHECK", "VALUE", "LIMIT", "SCOPE"));
        for result in &checked.results {
            self.check(result, catalog);
        }
        if let Some(Seen { bid, ask, last }) = checked.seen {
            let shown =
                |seen: Option<SeenPrice>| seen.map_or_else(|| "-".to_owned(), |seen| format!("{} of {}", seen.price, rfc3339(seen.at)));
            self.line(format_args!("  market seen: bid {}, ask {}, last {}", shown(bid), shown(ask), shown(last)));
        }
    }

    fn check(&mut self, result: &CheckResult, catalog: &Catalog) {
        let soft = if result.soft { " soft" } else { "" };
        let period = result.period.map_or_else(String::new, |period| format!(" by {period}"));
        let version = if result.limit_version > 0 { format!(" v{}{soft}{period}", result.limit_version) } else { String::new() };
        let code = result.code.map_or_else(String::new, |code| format!("  {code}"));
        self.line(format_args!(
            "  {:<14} {:<20} {:>18} {:>18}  {}{version}{code}",
            result.verdict,
            result.check,
            or_dash(result.value),
            or_dash(result.limit),
            catalog.scope_text(result.scope)
        ));
    }

    fn route(&mut self, step: &Step, route: &RouteDecided) {
        self.heading(format_args!(
            "Route, attempt {} at sequence {}, {}: {} under {} v{}, best {} / {}",
            route.attempt,
            step.seq,
            rfc3339(step.time),
            route.mode,
            route.policy,
            route.policy_version,
            or_dash(route.bid),
            or_dash(route.ask)
        ));
        if let Some(reason) = &route.replan_reason {
            self.line(format_args!("  planned again: {reason}"));
        }
        self.line(format_args!(
            "  {:<5} {:>8} {:>8} {:>8} {:>8} {:>8} {:>12} {:>8} {:>12} {:>8} {:>8}",
            "VENUE", "SCORE", "PRICE", "LATENCY", "FILL", "FEE", "BID", "SIZE", "ASK", "SIZE", "AGE MS"
        ));
        for candidate in &route.candidates {
            self.candidate(candidate);
        }
        for leg in &route.legs {
            self.line(format_args!("  -> {} {} at {} {}", leg.venue, leg.qty, or_dash(leg.price), leg.time_in_force));
        }
        if route.legs.is_empty() {
            self.line(format_args!("  -> nowhere"));
        }
    }

    fn candidate(&mut self, candidate: &Candidate) {
        let scores = match candidate.excluded {
            Some(reason) => format!("{:<44}", format!("left out: {reason}")),
            None => format!(
                "{:>8} {:>8} {:>8} {:>8} {:>8}",
                share(candidate.score).to_string(),
                share(candidate.price_score).to_string(),
                share(candidate.latency_score).to_string(),
                share(candidate.fill_score).to_string(),
                share(candidate.fee_score).to_string()
            ),
        };
        self.line(format_args!(
            "  {:<5} {scores} {:>12} {:>8} {:>12} {:>8} {:>8}",
            candidate.venue,
            or_dash(candidate.bid),
            candidate.bid_size.to_string(),
            or_dash(candidate.ask),
            candidate.ask_size.to_string(),
            candidate.quote_age_ns / 1_000_000
        ));
    }

    fn node(&mut self, why: &Why, node: &Order, name: &str) {
        self.heading(format_args!("{name} {}: {}", node.order_id, summary(node)));
        for step in why.steps_of(node.order_id) {
            self.line(format_args!("  {:>8}  {}  {}", step.seq, rfc3339(step.time), sentence(&step.event)));
        }
    }

    fn timeline(&mut self, why: &Why) {
        self.heading(format_args!("Timeline"));
        self.line(format_args!(
            "  {:>8}  {:<30}  {:<5} {:<16} {:>8} {:>8}  {}",
            "SEQUENCE", "TIME", "VENUE", "STATE", "CUM", "LEAVES", "WHAT"
        ));
        for step in &why.steps {
            let (state, cum, leaves) = match step.after {
                Some(after) => (after.state.to_string(), after.cum_qty.to_string(), after.leaves_qty.to_string()),
                None => ("-".to_owned(), "-".to_owned(), "-".to_owned()),
            };
            self.line(format_args!(
                "  {:>8}  {}  {:<5} {state:<16} {cum:>8} {leaves:>8}  {}",
                step.seq.0,
                rfc3339(step.time),
                step.venue.map_or_else(|| "-".to_owned(), |venue| venue.to_string()),
                sentence(&step.event)
            ));
        }
    }
}
