//! `oms journal replay --as-of`: the state as it was.

use super::progress::Watched;
use super::{damaged, hex, open, unfoldable};
use crate::exit::{Failure, Outcome, written};
use oms_api::catalog::Catalog;
use oms_api::json::Writer;
use oms_api::json::orders::{order_fields, position_fields};
use oms_api::json::write::rfc3339;
use oms_engine::State;
use oms_model::Order;
use oms_model::market::Market;
use oms_runtime::history::{self, AsOf, HistoryError, Moment};
use oms_runtime::{recovery, snapshot};
use oms_store::{Journal as _, OpenCheck};
use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::path::Path;

/// Folds the log up to the moment and shows what was known then.
pub(super) fn replay(dir: &Path, as_of: AsOf, json: bool) -> Outcome {
    let journal = open(dir, OpenCheck::Tail)?;
    let moment = history::moment(journal.reader().as_mut(), as_of).map_err(|error| match error {
        HistoryError::NotYet { .. } => Failure::Usage(error.to_string()),
        other => damaged(&other),
    })?;
    let mut reader = Watched::new(journal.reader(), moment.seq.0, "replaying");
    let state = match moment.seq.0 {
        0 => State::default(),
        seq => recovery::fold(&mut reader, State::default(), Some(seq)).map_err(unfoldable)?.0,
    };
    reader.finish();
    let text = if json { to_json(&state, moment) } else { to_text(&state, moment) };
    written(writeln!(std::io::stdout(), "{text}"))
}

/// Client orders that were not done, oldest first.
fn open_orders(state: &State) -> Vec<&Order> {
    let mut open: Vec<&Order> = state.orders_sorted().into_iter().map(|entry| &entry.order).collect();
    open.retain(|order| order.is_root() && !order.state.is_done());
    open.sort_unstable_by_key(|order| order.created_seq);
    open
}

fn to_json(state: &State, moment: Moment) -> String {
    let catalog = Catalog::of(state);
    let mut w = Writer::with_capacity(16 * 1024);
    w.object(|w| {
        w.number("sequence", moment.seq.0);
        w.time("time", moment.time);
        w.string("state_hash", &hex(&snapshot::state_hash(state)));
        w.number("orders_held", state.order_count() as u64);
        w.number("open_orders", state.open_roots());
        w.array_at("orders", open_orders(state), |w, order| w.object(|w| order_fields(w, order, &catalog)));
        // The log does not hold the markets of the past, so nothing is marked.
        w.array_at("positions", state.positions(), |w, position| {
            w.object(|w| position_fields(w, position, &Market::default(), &catalog));
        });
    });
    String::from_utf8(w.finish()).unwrap_or_default()
}

fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn to_text(state: &State, moment: Moment) -> String {
    let catalog = Catalog::of(state);
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to memory does not fail.
        let _written = writeln!(text, "{line}");
    };
    line(format_args!("state hash {} at sequence {}, {}", hex(&snapshot::state_hash(state)), moment.seq, rfc3339(moment.time)));
    line(format_args!("{} client orders open, {} orders held", state.open_roots(), state.order_count()));
    let open = open_orders(state);
    if !open.is_empty() {
        line(format_args!("\n{:<36}  {:<10} {:<8} {:>12} {:>12} {:>12}  STATUS", "ORDER", "SIDE", "SYMBOL", "QTY", "DONE", "PRICE"));
    }
    for order in open {
        line(format_args!(
            "{:<36}  {:<10} {:<8} {:>12} {:>12} {:>12}  {}",
            order.order_id.to_string(),
            order.side,
            catalog.symbol(order.instrument_id),
            order.order_qty.to_string(),
            order.cum_qty.to_string(),
            or_dash(order.price),
            order.ord_status()
        ));
    }
    let mut positions = state.positions().peekable();
    if positions.peek().is_some() {
        line(format_args!("\n{:<36}  {:<8} {:>14} {:>14} {:>16} {:>12}", "ACCOUNT", "SYMBOL", "QTY", "COST", "REALIZED", "FEES"));
    }
    for position in positions {
        line(format_args!(
            "{:<36}  {:<8} {:>14} {:>14} {:>16} {:>12}",
            position.account_id.to_string(),
            catalog.symbol(position.instrument_id),
            position.qty.to_string(),
            or_dash(position.avg_cost()),
            position.realized.to_string(),
            position.fees.to_string()
        ));
    }
    text.trim_end().to_owned()
}
