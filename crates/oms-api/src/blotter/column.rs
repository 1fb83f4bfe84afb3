//! What a row of the blotter has in a field: to compare by, and to show.

use crate::catalog::Catalog;
use crate::json::Writer;
use crate::json::orders::{ORDER_FIELDS, write_order};
use crate::json::write::{push_time, quote};
use oms_model::instrument::Instrument;
use oms_model::{InstrumentId, Order, Seq, Symbol};
use oms_store::views::query::Scalar;
use std::fmt::Display;
use std::io::Write as _;

/// A client order as it stands.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) order: Order,
    /// Its last event.
    pub(super) last_seq: Seq,
    /// Every event up to here is in it.
    pub(super) known: Seq,
}

/// Symbols by instrument, as of the rows.
#[derive(Debug, Default)]
pub(super) struct Symbols(Vec<Option<Symbol>>);

impl Symbols {
    pub(super) fn of(known: Vec<(InstrumentId, Symbol)>) -> Self {
        let mut symbols = Self::default();
        known.into_iter().for_each(|(id, symbol)| symbols.put(id, symbol));
        symbols
    }

    fn put(&mut self, id: InstrumentId, symbol: Symbol) {
        let at = id.0 as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        if let Some(slot) = self.0.get_mut(at) {
            *slot = Some(symbol);
        }
    }

    /// Takes a listing in. Whether an instrument that had a symbol has another one.
    pub(super) fn list(&mut self, instrument: &Instrument) -> bool {
        let before = self.0.get(instrument.instrument_id.0 as usize).cloned().flatten();
        if before.as_ref() == Some(&instrument.symbol) {
            return false;
        }
        self.put(instrument.instrument_id, instrument.symbol.clone());
        before.is_some()
    }

    fn get(&self, id: InstrumentId) -> &str {
        self.0.get(id.0 as usize).and_then(Option::as_ref).map_or("", Symbol::as_str)
    }
}

/// Fields that views show besides those of orders.
const MORE_FIELDS: &[&str] = &["in_doubt", "last_seq"];

/// The field with this name, where views show it.
pub(super) fn shown(name: &str) -> Option<&'static str> {
    ORDER_FIELDS.iter().chain(MORE_FIELDS).find(|field| **field == name).copied()
}

/// Every field that views show.
pub(super) fn all_shown() -> String {
    ORDER_FIELDS.iter().chain(MORE_FIELDS).copied().collect::<Vec<_>>().join(", ")
}

/// What compares: every field that orders can be filtered and sorted by.
pub(super) fn scalar<'a>(row: &'a Row, field: &str, symbols: &'a Symbols) -> Scalar<'a> {
    let order = &row.order;
    let int = |value: Option<i64>| value.map_or(Scalar::Missing, Scalar::Int);
    let term = |code: u8| Scalar::Int(code.into());
    let seq = |seq: Seq| Scalar::Int(i64::try_from(seq.0).unwrap_or(i64::MAX));
    match field {
        "order_id" => Scalar::Wide(order.order_id.as_u128()),
        "parent_order_id" => order.parent_order_id.map_or(Scalar::Missing, |id| Scalar::Wide(id.as_u128())),
        "root_order_id" => Scalar::Wide(order.root_order_id.as_u128()),
        "is_root" => Scalar::Int(order.is_root().into()),
        "cl_ord_id" => Scalar::Text(order.cl_ord_id.as_str()),
        "account_id" => Scalar::Wide(order.account_id.as_u128()),
        "user_id" => Scalar::Wide(order.user_id.as_u128()),
        "instrument_id" => Scalar::Int(order.instrument_id.0.into()),
        "symbol" => Scalar::Text(symbols.get(order.instrument_id)),
        "side" => term(order.side.code()),
        "ord_type" => term(order.ord_type.code()),
        "time_in_force" => term(order.time_in_force.code()),
        "source" => term(order.source.code()),
        "venue" => order.venue.as_ref().map_or(Scalar::Missing, |venue| Scalar::Text(venue.as_str())),
        "state" => term(order.state.code()),
        "ord_status" => term(order.ord_status().code()),
        "pending" => term(order.pending.code()),
        "in_doubt" => Scalar::Int(order.extras.doubt.is_some().into()),
        "order_qty" => Scalar::wide(order.order_qty.raw()),
        "cum_qty" => Scalar::wide(order.cum_qty.raw()),
        "leaves_qty" => Scalar::wide(order.leaves_qty().raw()),
        "price" => int(order.price.map(oms_model::Price::raw)),
        "stop_px" => int(order.extras.stop_px.map(oms_model::Price::raw)),
        "avg_px" => int(order.avg_px().map(oms_model::Price::raw)),
        "broker_order_id" => order.broker_order_id.as_ref().map_or(Scalar::Missing, |id| Scalar::Text(id.as_str())),
        "ended_by" => int(order.ended_by.map(|by| by.code().into())),
        "reject_code" => int(order.reject_code.map(|code| code.code().into())),
        "created_at" => Scalar::Int(order.created_at.0),
        "updated_at" => Scalar::Int(order.updated_at.0),
        "created_seq" => seq(order.created_seq),
        "last_seq" => seq(row.last_seq),
        "version" => Scalar::Int(order.version.into()),
        _ => Scalar::Missing,
    }
}

fn text(out: &mut Vec<u8>, value: impl Display) {
    // Ids, terms and amounts need no escaping, and memory takes what is written.
    let _written = write!(out, "\"{value}\"");
}

fn maybe(out: &mut Vec<u8>, value: Option<impl Display>) {
    match value {
        Some(value) => text(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

fn time(out: &mut Vec<u8>, at: oms_model::Time) {
    out.push(b'"');
    push_time(out, at);
    out.push(b'"');
}

fn number(out: &mut Vec<u8>, value: impl Display) {
    let _written = write!(out, "{value}");
}

/// The JSON value of a field, the same as [`write_order`] writes.
pub(super) fn cell(out: &mut Vec<u8>, row: &Row, field: &'static str, symbols: &Symbols) {
    let order = &row.order;
    match field {
        "order_id" => text(out, order.order_id),
        "root_order_id" => text(out, order.root_order_id),
        "parent_order_id" => maybe(out, order.parent_order_id),
        "kind" => text(out, order.kind()),
        "cl_ord_id" => quote(out, order.cl_ord_id.as_str()),
        "account_id" => text(out, order.account_id),
        "user_id" => text(out, order.user_id),
        "source" => text(out, order.source),
        "symbol" => quote(out, symbols.get(order.instrument_id)),
        "side" => text(out, order.side),
        "ord_type" => text(out, order.ord_type),
        "order_qty" => text(out, order.order_qty),
        "price" => maybe(out, order.price),
        "stop_px" => maybe(out, order.extras.stop_px),
        "time_in_force" => text(out, order.time_in_force),
        "venue" => maybe(out, order.venue),
        "ord_status" => text(out, order.ord_status()),
        "state" => text(out, order.state),
        "pending" => text(out, order.pending),
        "cum_qty" => text(out, order.cum_qty),
        "leaves_qty" => text(out, order.leaves_qty()),
        "avg_px" => maybe(out, order.avg_px()),
        "place_qty" => text(out, order.place_qty),
        "ended_by" => maybe(out, order.ended_by),
        "reject_code" => maybe(out, order.reject_code),
        "version" => number(out, order.version),
        "created_seq" => number(out, order.created_seq),
        "created_at" => time(out, order.created_at),
        "updated_at" => time(out, order.updated_at),
        "in_doubt" => number(out, order.extras.doubt.is_some()),
        "last_seq" => number(out, row.last_seq),
        // What few orders have is written as everywhere: `{"field":value}`.
        other => {
            let mut w = Writer::with_capacity(64);
            w.select(&[other.to_owned()]);
            write_order(&mut w, order, &Catalog::default());
            let written = w.finish();
            let value = written.get(other.len() + 4..written.len().saturating_sub(1)).filter(|value| !value.is_empty());
            out.extend_from_slice(value.unwrap_or(b"null"));
        }
    }
}

/// Whether the text of any field that people look for holds `word`, which is in small letters of ASCII.
pub(super) fn mentions(row: &Row, word: &str, symbols: &Symbols) -> bool {
    let order = &row.order;
    let holds = |text: &str| holds(text, word);
    holds(symbols.get(order.instrument_id))
        || holds(order.cl_ord_id.as_str())
        || holds(order.side.as_str())
        || holds(order.ord_type.as_str())
        || holds(order.ord_status().as_str())
        || holds(order.time_in_force.as_str())
        || holds(order.source.as_str())
        || order.reject_code.is_some_and(|code| holds(code.as_str()))
        || order.extras.text.as_deref().is_some_and(holds)
        || (word.len() >= 4 && holds(&order.order_id.to_string()))
}

/// Whether the JSON of a field holds `word`.
pub(super) fn field_mentions(row: &Row, field: &'static str, word: &str, symbols: &Symbols) -> bool {
    let mut out = Vec::with_capacity(48);
    cell(&mut out, row, field, symbols);
    let text = std::str::from_utf8(&out).unwrap_or_default();
    text != "null" && holds(text.trim_matches('"'), word)
}

fn holds(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    text.windows(word.len().max(1)).any(|part| part.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oms_model::event::OrderCreated;
    use oms_model::order::{Care, Doubt, Routing};
    use oms_model::{ClOrdId, Notional, OrderId, Time};

    fn row() -> Row {
        let created = OrderCreated {
            order_id: OrderId::from_u128(7),
            root_order_id: OrderId::from_u128(7),
            cl_ord_id: ClOrdId::new("C-\\7").unwrap(),
            price: Some("12.5".parse().unwrap()),
            order_qty: "300".parse().unwrap(),
            metadata: Some(r#"{"note":"a \"b\""}"#.into()),
            routing: Some(Box::new(Routing { care: true, ..Routing::default() })),
            ..OrderCreated::default()
        };
        let mut order = Order::create(&created, Seq(5), Time(1_700_000_000_000_000_000));
        order.extras.doubt = Some(Box::new(Doubt { reason: "lost".into(), ..Doubt::default() }));
        order.extras.care = Some(Box::new(Care::default()));
        order.cum_qty = "100".parse().unwrap();
        order.cum_notional = Notional::from_raw(1_250_000_000_000_000_000_000);
        Row { order, last_seq: Seq(9), known: Seq(9) }
    }

    /// A view shows in every field what REST shows in it.
    #[test]
    fn cells_are_the_fields_of_rest() {
        let (row, symbols) = (row(), Symbols::default());
        let mut w = Writer::default();
        write_order(&mut w, &row.order, &Catalog::default());
        let shown: serde_json::Value = serde_json::from_slice(&w.finish()).unwrap();
        for field in ORDER_FIELDS {
            let mut out = Vec::new();
            cell(&mut out, &row, field, &symbols);
            let value: serde_json::Value = serde_json::from_slice(&out).unwrap_or_else(|_| panic!("{field}: {out:?}"));
            assert_eq!(value, shown[field], "{field}");
        }
        let mut out = Vec::new();
        cell(&mut out, &row, "in_doubt", &symbols);
        cell(&mut out, &row, "last_seq", &symbols);
        assert_eq!(out, b"true9");
    }

    #[test]
    fn words_are_found_in_either_case() {
        let (row, symbols) = (row(), Symbols::default());
        assert!(mentions(&row, "c-\\", &symbols) && mentions(&row, "buy", &symbols) && !mentions(&row, "sell", &symbols));
        assert!(field_mentions(&row, "price", "12.", &symbols) && !field_mentions(&row, "venue", "null", &symbols));
        assert!(holds("abc", "BC") && !holds("", "x"));
    }

    /// Every field that lists know compares; one that is always missing would be a forgotten one.
    #[test]
    fn every_field_of_lists_has_a_scalar() {
        let symbols = Symbols::default();
        let mut full = row();
        full.order.parent_order_id = Some(OrderId::from_u128(1));
        full.order.venue = Some(oms_model::Mic::OFF_EXCHANGE);
        full.order.extras.stop_px = full.order.price;
        full.order.broker_order_id = oms_model::BrokerOrderId::new("B").ok();
        full.order.ended_by = Some(oms_model::EndedBy::Client);
        full.order.reject_code = Some(oms_model::Code::Internal);
        for field in oms_store::views::Resource::Orders.fields() {
            assert_ne!(scalar(&full, field.name, &symbols), Scalar::Missing, "{}", field.name);
        }
    }
}
