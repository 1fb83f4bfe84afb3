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
    /// How many of its parts have an unknown outcome.
    pub(super) parts_in_doubt: u32,
    /// The event that changed their number.
    pub(super) doubted: Seq,
}

impl Row {
    pub(super) fn new(order: Order, last_seq: Seq, known: Seq) -> Self {
        Self { order, last_seq, known, parts_in_doubt: 0, doubted: Seq(0) }
    }

    /// Whether the outcome of the order, or of a part of it, is not known.
    fn is_in_doubt(&self) -> bool {
        self.parts_in_doubt > 0 || self.order.extras.doubt.is_some()
    }
}

/// Symbols by instrument, as of the rows, each with the event that gave it in place of another one.
#[derive(Debug, Default)]
pub(super) struct Symbols(Vec<Option<(Symbol, Seq)>>);

impl Symbols {
    pub(super) fn of(known: Vec<(InstrumentId, Symbol)>) -> Self {
        let mut symbols = Self::default();
        known.into_iter().for_each(|(id, symbol)| symbols.put(id, symbol, Seq(0)));
        symbols
    }

    fn put(&mut self, id: InstrumentId, symbol: Symbol, renamed: Seq) {
        let at = id.0 as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        if let Some(slot) = self.0.get_mut(at) {
            *slot = Some((symbol, renamed));
        }
    }

    fn known(&self, id: InstrumentId) -> Option<&(Symbol, Seq)> {
        self.0.get(id.0 as usize)?.as_ref()
    }

    /// Takes a listing in. Whether an instrument that had a symbol has another one.
    pub(super) fn list(&mut self, instrument: &Instrument, seq: Seq) -> bool {
        match self.known(instrument.instrument_id).map(|(symbol, _)| symbol == &instrument.symbol) {
            Some(true) => false,
            before => {
                let renamed = if before.is_some() { seq } else { Seq(0) };
                self.put(instrument.instrument_id, instrument.symbol.clone(), renamed);
                before.is_some()
            }
        }
    }

    fn get(&self, id: InstrumentId) -> &str {
        self.known(id).map_or("", |(symbol, _)| symbol.as_str())
    }

    /// The last event that changed what is shown of a row: one of its order, one about the outcome of a part of it, or the one
    /// that gave its instrument another symbol.
    pub(super) fn shown(&self, row: &Row) -> Seq {
        let own = row.last_seq.max(row.doubted);
        self.known(row.order.instrument_id).map_or(own, |(_, renamed)| own.max(*renamed))
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

/// Reads a field of a row.
pub(super) type Reader = for<'a> fn(&'a Row, &'a Symbols) -> Scalar<'a>;

fn int(value: Option<i64>) -> Scalar<'static> {
    value.map_or(Scalar::Missing, Scalar::Int)
}

fn count(seq: Seq) -> Scalar<'static> {
    Scalar::Int(i64::try_from(seq.0).unwrap_or(i64::MAX))
}

/// What compares: every field that orders can be filtered and sorted by. It is looked up once for a shape, since rows are
/// read by the million.
pub(super) fn reader(field: &str) -> Reader {
    match field {
        "order_id" => |row, _| Scalar::Wide(row.order.order_id.as_u128()),
        "parent_order_id" => |row, _| row.order.parent_order_id.map_or(Scalar::Missing, |id| Scalar::Wide(id.as_u128())),
        "root_order_id" => |row, _| Scalar::Wide(row.order.root_order_id.as_u128()),
        "is_root" => |row, _| Scalar::Int(row.order.is_root().into()),
        "cl_ord_id" => |row, _| Scalar::Text(row.order.cl_ord_id.as_str()),
        "account_id" => |row, _| Scalar::Wide(row.order.account_id.as_u128()),
        "user_id" => |row, _| Scalar::Wide(row.order.user_id.as_u128()),
        "instrument_id" => |row, _| Scalar::Int(row.order.instrument_id.0.into()),
        "symbol" => |row, symbols| Scalar::Text(symbols.get(row.order.instrument_id)),
        "side" => |row, _| Scalar::Int(row.order.side.code().into()),
        "ord_type" => |row, _| Scalar::Int(row.order.ord_type.code().into()),
        "time_in_force" => |row, _| Scalar::Int(row.order.time_in_force.code().into()),
        "source" => |row, _| Scalar::Int(row.order.source.code().into()),
        "venue" => |row, _| row.order.venue.as_ref().map_or(Scalar::Missing, |venue| Scalar::Text(venue.as_str())),
        "state" => |row, _| Scalar::Int(row.order.state.code().into()),
        "ord_status" => |row, _| Scalar::Int(row.order.ord_status().code().into()),
        "pending" => |row, _| Scalar::Int(row.order.pending.code().into()),
        "in_doubt" => |row, _| Scalar::Int(row.is_in_doubt().into()),
        "order_qty" => |row, _| Scalar::wide(row.order.order_qty.raw()),
        "cum_qty" => |row, _| Scalar::wide(row.order.cum_qty.raw()),
        "leaves_qty" => |row, _| Scalar::wide(row.order.leaves_qty().raw()),
        "price" => |row, _| int(row.order.price.map(oms_model::Price::raw)),
        "stop_px" => |row, _| int(row.order.extras.stop_px.map(oms_model::Price::raw)),
        "avg_px" => |row, _| int(row.order.avg_px().map(oms_model::Price::raw)),
        "broker_order_id" => |row, _| row.order.broker_order_id.as_ref().map_or(Scalar::Missing, |id| Scalar::Text(id.as_str())),
        "ended_by" => |row, _| int(row.order.ended_by.map(|by| by.code().into())),
        "reject_code" => |row, _| int(row.order.reject_code.map(|code| code.code().into())),
        "created_at" => |row, _| Scalar::Int(row.order.created_at.0),
        "updated_at" => |row, _| Scalar::Int(row.order.updated_at.0),
        "created_seq" => |row, _| count(row.order.created_seq),
        "last_seq" => |row, _| count(row.last_seq),
        "version" => |row, _| Scalar::Int(row.order.version.into()),
        _ => |_, _| Scalar::Missing,
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
        "in_doubt" => number(out, row.is_in_doubt()),
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
        Row::new(order, Seq(9), Seq(9))
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
    fn a_row_is_shown_otherwise_from_the_listing_that_renames_its_instrument() {
        let listed = |symbol: &str| Instrument { symbol: Symbol::new(symbol).unwrap(), ..Instrument::default() };
        let (row, mut symbols) = (row(), Symbols::default());
        assert!(!symbols.list(&listed("A"), Seq(20)), "it had none before");
        assert_eq!(symbols.shown(&row), Seq(9));
        assert!(!symbols.list(&listed("A"), Seq(21)) && symbols.list(&listed("B"), Seq(22)));
        assert_eq!((symbols.get(row.order.instrument_id), symbols.shown(&row)), ("B", Seq(22)));
        assert_eq!(symbols.shown(&Row { last_seq: Seq(23), ..row }), Seq(23));
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
            assert_ne!(reader(field.name)(&full, &symbols), Scalar::Missing, "{}", field.name);
        }
    }
}
