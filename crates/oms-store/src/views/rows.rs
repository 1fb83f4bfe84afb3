//! The rows that the fold writes and reads back.

mod inserts;
mod limits;

use oms_model::event::{
    CommissionRecorded, ExecutionCorrected, ExecutionRecorded, ExecutionReversed, ExecutionUnmatched, OrderAnomaly, PositionFrozen,
    SuspenseResolved,
};
use oms_model::instrument::{Currency, Instrument};
use oms_model::position::Position;
use oms_model::{AccountId, ExecId, ExecType, InstrumentId, Mic, Order, OrderId, Seq, Symbol, Time};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, params};

use super::error::{During, ViewError};
use super::hot::IdMap;
use super::runs::Concerns;
use super::{runs, sortable};
use crate::codec::Message;
use inserts::{EVENTS, Inserts, ORDERS};

const UPDATE_ORDER: &str = "UPDATE orders SET state = ?2, ord_status = ?3, pending = ?4, in_doubt = ?5, order_qty = ?6, cum_qty = ?7,
    leaves_qty = ?8, price = ?9, stop_px = ?10, avg_px = ?11, broker_order_id = ?12, ended_by = ?13, reject_code = ?14, updated_at = ?15,
    last_seq = ?16, version = ?17, body = ?18 WHERE created_seq = ?1";
const SELECT_ORDER: &str = "SELECT root_seq, last_seq, body FROM orders WHERE order_id = ?1";
const INSERT_EXECUTION: &str = "INSERT INTO executions (seq, exec_id, order_id, root_order_id, account_id, instrument_id, symbol, side,
    venue, last_qty, last_px, liquidity, fee, transact_time, recorded_at, manual, exec_type)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
const SELECT_POSITION: &str = "SELECT body FROM positions WHERE account_id = ?1 AND instrument_id = ?2";
const PUT_POSITION: &str = "INSERT INTO positions (account_id, instrument_id, qty, body) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (account_id, instrument_id) DO UPDATE SET qty = excluded.qty, body = excluded.body";

/// An order with what its row says besides.
pub(super) struct OrderRow {
    pub(super) order: Order,
    /// `created_seq` of the root.
    pub(super) root_seq: Seq,
    /// The last event of this order.
    pub(super) last_seq: Seq,
}

/// The rows of one transaction, with its statements at hand.
pub(super) struct Rows<'c> {
    conn: &'c Connection,
    insert_orders: Inserts<'c>,
    update_order: CachedStatement<'c>,
    select_order: CachedStatement<'c>,
    insert_events: Inserts<'c>,
    insert_execution: CachedStatement<'c>,
    body: Vec<u8>,
}

pub(super) fn id(bits: u128) -> [u8; 16] {
    bits.to_be_bytes()
}

impl<'c> Rows<'c> {
    pub(super) fn new(conn: &'c Connection) -> Result<Self, ViewError> {
        let prepare = |sql| conn.prepare_cached(sql).during("prepare");
        Ok(Self {
            conn,
            insert_orders: Inserts::new(conn, &ORDERS)?,
            update_order: prepare(UPDATE_ORDER)?,
            select_order: prepare(SELECT_ORDER)?,
            insert_events: Inserts::new(conn, &EVENTS)?,
            insert_execution: prepare(INSERT_EXECUTION)?,
            body: Vec::new(),
        })
    }

    pub(super) fn order(&mut self, order_id: OrderId) -> Result<Option<OrderRow>, ViewError> {
        const DURING: &str = "read an order";
        let mut rows = self.select_order.query(params![id(order_id.as_u128())]).during(DURING)?;
        let Some(row) = rows.next().during(DURING)? else { return Ok(None) };
        let body = row.get_ref(2).during(DURING)?.as_blob().map_err(|e| ViewError::damaged(DURING, e))?;
        Ok(Some(OrderRow {
            order: Order::decode(body).map_err(|e| ViewError::damaged(DURING, e))?,
            root_seq: sortable::to_seq(row.get(0).during(DURING)?),
            last_seq: sortable::to_seq(row.get(1).during(DURING)?),
        }))
    }

    /// Stores orders that have no rows yet, each with its symbol; they are cheapest in the order of their creation.
    pub(super) fn insert_orders<'a>(&mut self, rows: impl ExactSizeIterator<Item = (&'a OrderRow, &'a str)>) -> Result<(), ViewError> {
        let Self { insert_orders, body, .. } = self;
        insert_orders.all(rows, |(OrderRow { order, root_seq, last_seq }, symbol), into| {
            body.clear();
            order.encode(body);
            into.bind(sortable::seq(order.created_seq))?;
            into.bind(id(order.order_id.as_u128()))?;
            into.bind(order.parent_order_id.map(|parent| id(parent.as_u128())))?;
            into.bind(id(order.root_order_id.as_u128()))?;
            into.bind(sortable::seq(*root_seq))?;
            into.bind(order.cl_ord_id.as_str())?;
            into.bind(id(order.account_id.as_u128()))?;
            into.bind(id(order.user_id.as_u128()))?;
            into.bind(order.instrument_id.0)?;
            into.bind(symbol)?;
            into.bind(order.side.code())?;
            into.bind(order.ord_type.code())?;
            into.bind(order.time_in_force.code())?;
            into.bind(order.source.code())?;
            into.bind(order.venue.as_ref().map(Mic::as_str))?;
            into.bind(order.created_at.0)?;
            into.bind(order.state.code())?;
            into.bind(sortable::status(order.ord_status()))?;
            into.bind(order.pending.code())?;
            into.bind(order.extras.doubt.is_some())?;
            into.bind(sortable::qty(order.order_qty))?;
            into.bind(sortable::qty(order.cum_qty))?;
            into.bind(sortable::qty(order.leaves_qty()))?;
            into.bind(sortable::price(order.price))?;
            into.bind(sortable::price(order.extras.stop_px))?;
            into.bind(sortable::price(order.avg_px()))?;
            into.bind(order.broker_order_id.as_ref().map(|id| id.as_str()))?;
            into.bind(order.ended_by.map(|by| by.code()))?;
            into.bind(order.reject_code.map(|code| code.code()))?;
            into.bind(order.updated_at.0)?;
            into.bind(sortable::seq(*last_seq))?;
            into.bind(order.version)?;
            into.bind(body.as_slice())
        })
    }

    pub(super) fn update_order(&mut self, row: &OrderRow) -> Result<(), ViewError> {
        let OrderRow { order, root_seq: _, last_seq } = row;
        self.body.clear();
        order.encode(&mut self.body);
        let changed = self
            .update_order
            .execute(params![
                sortable::seq(order.created_seq),
                order.state.code(),
                sortable::status(order.ord_status()),
                order.pending.code(),
                order.extras.doubt.is_some(),
                sortable::qty(order.order_qty),
                sortable::qty(order.cum_qty),
                sortable::qty(order.leaves_qty()),
                sortable::price(order.price),
                sortable::price(order.extras.stop_px),
                sortable::price(order.avg_px()),
                order.broker_order_id.as_ref().map(|id| id.as_str()),
                order.ended_by.map(|by| by.code()),
                order.reject_code.map(|code| code.code()),
                order.updated_at.0,
                sortable::seq(*last_seq),
                order.version,
                self.body,
            ])
            .during("update an order")?;
        if changed == 1 { Ok(()) } else { Err(ViewError::damaged("update an order", format!("order {} has no row", order.order_id))) }
    }

    /// Stores which orders these events concern; they are sorted.
    pub(super) fn events(&mut self, sorted: &[Concerns]) -> Result<(), ViewError> {
        let Self { insert_events, body, .. } = self;
        let runs: Vec<&[Concerns]> = runs::runs(sorted).collect();
        insert_events.all(runs.into_iter(), |run, into| {
            body.clear();
            runs::encode(run, body);
            into.bind(run.last().map(|last| sortable::seq(last.root)))?;
            into.bind(run.last().map(|last| sortable::seq(last.seq)))?;
            into.bind(body.as_slice())
        })
    }

    pub(super) fn execution(&mut self, seq: Seq, time: Time, symbol: &str, e: &ExecutionRecorded) -> Result<(), ViewError> {
        self.insert_execution
            .execute(params![
                sortable::seq(seq),
                e.exec_id.as_str(),
                id(e.order_id.as_u128()),
                id(e.root_order_id.as_u128()),
                id(e.account_id.as_u128()),
                e.instrument_id.0,
                symbol,
                e.side.code(),
                e.venue.as_str(),
                sortable::qty(e.last_qty),
                e.last_px.raw(),
                e.liquidity.code(),
                sortable::money(e.fee),
                e.transact_time.0,
                time.0,
                e.manual,
                ExecType::Trade.code(),
            ])
            .during("insert an execution")?;
        Ok(())
    }

    pub(super) fn execution_reversed(&mut self, e: &ExecutionReversed) -> Result<(), ViewError> {
        self.change_execution(
            "UPDATE executions SET exec_type = ?4 WHERE exec_id = ?1 AND venue = ?2 AND order_id = ?3",
            params![e.exec_id.as_str(), e.venue.as_str(), id(e.order_id.as_u128()), ExecType::TradeCancel.code()],
        )
    }

    pub(super) fn execution_corrected(&mut self, e: &ExecutionCorrected) -> Result<(), ViewError> {
        self.change_execution(
            "UPDATE executions SET exec_type = ?4, last_qty = ?5, last_px = ?6, fee = ?7
             WHERE exec_id = ?1 AND venue = ?2 AND order_id = ?3",
            params![
                e.exec_id.as_str(),
                e.venue.as_str(),
                id(e.order_id.as_u128()),
                ExecType::TradeCorrect.code(),
                sortable::qty(e.last_qty),
                e.last_px.raw(),
                sortable::money(e.fee),
            ],
        )
    }

    pub(super) fn commission(&mut self, e: &CommissionRecorded) -> Result<(), ViewError> {
        self.change_execution(
            "UPDATE executions SET fee = ?4 WHERE exec_id = ?1 AND venue = ?2 AND order_id = ?3",
            params![e.exec_id.as_str(), e.venue.as_str(), id(e.order_id.as_u128()), sortable::money(e.fee)],
        )
    }

    fn change_execution(&mut self, sql: &str, values: impl Params) -> Result<(), ViewError> {
        const DURING: &str = "change an execution";
        let changed = self.conn.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).during(DURING)?;
        if changed > 0 { Ok(()) } else { Err(ViewError::damaged(DURING, "it has no row")) }
    }

    pub(super) fn suspense_resolved(&mut self, time: Time, e: &SuspenseResolved) -> Result<(), ViewError> {
        self.conn
            .prepare_cached("UPDATE suspense SET resolved_at = ?3 WHERE exec_id = ?1 AND venue = ?2 AND resolved_at IS NULL")
            .and_then(|mut statement| statement.execute(params![e.exec_id.as_str(), e.venue.as_str(), time.0]))
            .during("resolve an unmatched execution")?;
        Ok(())
    }

    pub(super) fn frozen(&mut self, seq: Seq, e: &PositionFrozen) -> Result<(), ViewError> {
        self.body.clear();
        e.encode(&mut self.body);
        self.conn
            .prepare_cached("INSERT INTO frozen_positions (seq, day, account_id, instrument_id, body) VALUES (?1, ?2, ?3, ?4, ?5)")
            .and_then(|mut statement| {
                statement.execute(params![sortable::seq(seq), e.day, id(e.account_id.as_u128()), e.instrument_id.0, self.body])
            })
            .during("store a frozen position")?;
        Ok(())
    }

    pub(super) fn suspense(&mut self, seq: Seq, time: Time, e: &ExecutionUnmatched) -> Result<(), ViewError> {
        self.conn
            .prepare_cached(
                "INSERT INTO suspense (seq, exec_id, venue, wire_id, last_qty, last_px, transact_time, recorded_at, exec_ref,
                    commission, currency)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    sortable::seq(seq),
                    e.exec_id.as_str(),
                    e.venue.as_str(),
                    e.wire_id,
                    sortable::qty(e.last_qty),
                    e.last_px.raw(),
                    e.transact_time.0,
                    time.0,
                    e.exec_ref.as_ref().map(ExecId::as_str),
                    sortable::money(e.commission),
                    e.commission_currency.as_ref().map(Currency::as_str),
                ])
            })
            .during("insert an unmatched execution")?;
        Ok(())
    }

    pub(super) fn anomaly(&mut self, seq: Seq, time: Time, e: &OrderAnomaly) -> Result<(), ViewError> {
        self.conn
            .prepare_cached("INSERT INTO anomalies (seq, order_id, kind, detail, recorded_at) VALUES (?1, ?2, ?3, ?4, ?5)")
            .and_then(|mut statement| {
                statement.execute(params![sortable::seq(seq), id(e.order_id.as_u128()), e.anomaly.code(), e.detail, time.0])
            })
            .during("insert an anomaly")?;
        Ok(())
    }

    /// Records an instrument. What was listed under another symbol before is found under the new one from now on.
    pub(super) fn instrument(&mut self, instrument: &Instrument, symbol_before: &str) -> Result<(), ViewError> {
        const DURING: &str = "store an instrument";
        let (instrument_id, symbol) = (instrument.instrument_id.0, instrument.symbol.as_str());
        self.conn
            .prepare_cached(
                "INSERT INTO instruments (instrument_id, symbol, listing) VALUES (?1, ?2, ?3)
                 ON CONFLICT (instrument_id) DO UPDATE SET symbol = excluded.symbol, listing = excluded.listing",
            )
            .and_then(|mut statement| statement.execute(params![instrument_id, symbol, instrument.listing.as_str()]))
            .during(DURING)?;
        if symbol == symbol_before {
            return Ok(());
        }
        for sql in [
            "UPDATE orders SET symbol = ?1 WHERE symbol = ?2 AND instrument_id = ?3",
            "UPDATE executions SET symbol = ?1 WHERE symbol = ?2 AND instrument_id = ?3",
        ] {
            self.conn.execute(sql, params![symbol, symbol_before, instrument_id]).during(DURING)?;
        }
        Ok(())
    }

    pub(super) fn position(&mut self, account: AccountId, instrument: InstrumentId) -> Result<Option<Position>, ViewError> {
        const DURING: &str = "read a position";
        let body: Option<Vec<u8>> = self
            .conn
            .prepare_cached(SELECT_POSITION)
            .and_then(|mut statement| statement.query_row(params![id(account.as_u128()), instrument.0], |row| row.get(0)).optional())
            .during(DURING)?;
        body.map(|body| Position::decode(&body).map_err(|e| ViewError::damaged(DURING, e))).transpose()
    }

    pub(super) fn put_position(&mut self, position: &Position) -> Result<(), ViewError> {
        self.body.clear();
        position.encode(&mut self.body);
        self.conn
            .prepare_cached(PUT_POSITION)
            .and_then(|mut statement| {
                statement.execute(params![
                    id(position.account_id.as_u128()),
                    position.instrument_id.0,
                    sortable::qty(position.qty),
                    self.body
                ])
            })
            .during("store a position")?;
        Ok(())
    }
}

/// The symbol of every instrument.
pub(super) fn symbols(conn: &Connection) -> Result<IdMap<InstrumentId, Symbol>, ViewError> {
    const DURING: &str = "read the instruments";
    let mut statement = conn.prepare_cached("SELECT instrument_id, symbol FROM instruments").during(DURING)?;
    let mut rows = statement.query([]).during(DURING)?;
    let mut symbols = IdMap::default();
    while let Some(row) = rows.next().during(DURING)? {
        let symbol = row.get_ref(1).during(DURING)?.as_str().map_err(|e| ViewError::damaged(DURING, e))?;
        let symbol = Symbol::new(symbol).map_err(|e| ViewError::damaged(DURING, format!("symbol {symbol:?} {e}")))?;
        symbols.insert(InstrumentId(row.get(0).during(DURING)?), symbol);
    }
    Ok(symbols)
}
