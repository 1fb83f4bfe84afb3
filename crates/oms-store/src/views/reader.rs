//! The reading end: a bounded pool of connections, and what can be asked.
//!
//! Every answer is of one moment: cursor and rows are read in one transaction.

pub(super) mod limits;
mod pool;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use oms_model::command::OrderRef;
use oms_model::event::{ExecutionRecorded, ExecutionUnmatched, PositionFrozen};
use oms_model::instrument::Currency;
use oms_model::position::Position;
use oms_model::{
    AccountId, Anomaly, ExecId, ExecType, InstrumentId, Liquidity, Mic, Notional, Order, OrderId, Price, Qty, Seq, Side, Symbol, Time,
};
use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection, OptionalExtension, Params, Row, params, params_from_iter};

pub(super) use pool::Pool;

use super::error::{During, ViewError};
use super::query::{self, ListQuery, MAX_LIMIT, QueryError, Resource};
use super::runs::Concerns;
use super::{page, rows, runs, schema, sortable};
use crate::codec::Message;

/// Orders of one tree that are answered at most, the oldest first.
pub const MAX_TREE: u32 = 10_000;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` where this is the last.
    pub next: Option<String>,
    /// The last event that the rows know.
    pub seq: Seq,
}

/// That an event concerns an order. What it says is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef {
    /// Its sequence.
    pub seq: Seq,
    /// The order.
    pub order_id: OrderId,
    /// [`oms_model::Event::code`].
    pub kind: u16,
}

/// An execution with what the log says besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionRow {
    /// Its sequence in the log.
    pub seq: Seq,
    /// When it was booked.
    pub recorded_at: Time,
    /// The instrument's symbol; empty where it was never listed.
    pub symbol: String,
    /// The execution, with its figures as they are now.
    pub execution: ExecutionRecorded,
    /// What became of it.
    pub exec_type: ExecType,
}

/// Something that should not have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnomalyRow {
    /// Its sequence in the log.
    pub seq: Seq,
    /// When it was noticed.
    pub recorded_at: Time,
    /// To which order.
    pub order_id: OrderId,
    /// What kind.
    pub anomaly: Anomaly,
    /// What was seen.
    pub detail: String,
}

/// An execution that belongs to no order we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspenseRow {
    /// Its sequence in the log.
    pub seq: Seq,
    /// When it came.
    pub recorded_at: Time,
    /// The execution.
    pub execution: ExecutionUnmatched,
}

/// Which positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PositionFilter {
    /// Of this account alone.
    pub account_id: Option<AccountId>,
    /// In this instrument alone.
    pub instrument_id: Option<InstrumentId>,
    /// Leave out those that are flat.
    pub open_only: bool,
    /// Only those behind this one; they are ordered by account, then instrument.
    pub after: Option<(AccountId, InstrumentId)>,
    /// At most so many, up to [`MAX_LIMIT`], which 0 stands for.
    pub limit: u32,
}

/// Which frozen positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrozenFilter {
    /// Of this account alone.
    pub account_id: Option<AccountId>,
    /// In this instrument alone.
    pub instrument_id: Option<InstrumentId>,
    /// Of these days, both included: numbers like 20261121.
    pub days: (u32, u32),
    /// Only those recorded before this one.
    pub before: Option<Seq>,
    /// At most so many, up to [`MAX_LIMIT`], which 0 stands for.
    pub limit: u32,
}

/// The reading end of the views. Cheap to clone. Its methods block: call them where that is allowed.
#[derive(Clone)]
pub struct ViewReader {
    pool: Arc<Pool>,
}

impl ViewReader {
    pub(super) fn new(pool: Arc<Pool>) -> Self {
        Self { pool }
    }

    /// The last event that a read which starts now knows at least.
    #[must_use]
    pub fn cursor(&self) -> Seq {
        self.pool.cursor()
    }

    /// Waits until reads know the event at `seq`, so that a client reads what it wrote.
    ///
    /// # Errors
    /// [`ViewError::Behind`] where they do not within `timeout`.
    pub fn wait_for(&self, seq: Seq, timeout: Duration) -> Result<Seq, ViewError> {
        self.pool.wait_for(seq, timeout)
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, ViewError>) -> Result<T, ViewError> {
        self.pool.read(|conn| {
            // Undone when dropped; nothing was written.
            let _moment = conn.unchecked_transaction().during("begin to read")?;
            read(conn)
        })
    }

    /// The order, by our id or the client's; by the client's it is the root, and the first one should there be several.
    ///
    /// # Errors
    /// As every read: [`ViewError::Busy`], [`ViewError::Damaged`], [`ViewError::Sqlite`].
    pub fn order(&self, order: &OrderRef) -> Result<Option<Order>, ViewError> {
        self.read(|conn| match order {
            OrderRef::Id(order_id) => {
                one(conn, "SELECT body FROM orders WHERE order_id = ?1", params![rows::id(order_id.as_u128())], order_of)
            }
            OrderRef::ClOrdId(cl_ord_id) => one(
                conn,
                "SELECT body FROM orders WHERE cl_ord_id = ?1 AND parent_order_id IS NULL ORDER BY created_seq LIMIT 1",
                params![cl_ord_id.as_str()],
                order_of,
            ),
        })
    }

    /// Every order of the tree that this one belongs to, oldest first, [`MAX_TREE`] at most.
    ///
    /// # Errors
    /// As every read.
    pub fn tree(&self, order_id: OrderId) -> Result<Vec<Order>, ViewError> {
        const SQL: &str = "SELECT body FROM orders WHERE root_order_id = (SELECT root_order_id FROM orders WHERE order_id = ?1)
            ORDER BY created_seq LIMIT ?2";
        self.read(|conn| all(conn, SQL, params![rows::id(order_id.as_u128()), MAX_TREE], order_of))
    }

    /// Which events concern the order, or anything in its tree, after `after`: the first `limit` of them, [`MAX_LIMIT`] at most.
    ///
    /// # Errors
    /// As every read; [`QueryError::BadLimit`].
    pub fn event_seqs(&self, order_id: OrderId, whole_tree: bool, after: Seq, limit: u32) -> Result<Vec<EventRef>, ViewError> {
        const ASKED: &str = "SELECT root_seq, created_seq FROM orders WHERE order_id = ?1";
        const RUNS: &str = "SELECT events FROM order_events WHERE root_seq = ?1 AND last_seq > ?2 ORDER BY last_seq";
        const ORDER: &str = "SELECT order_id FROM orders WHERE created_seq = ?1";
        let limit = checked(limit)? as usize;
        self.read(|conn| {
            let asked = one(conn, ASKED, params![rows::id(order_id.as_u128())], |row| Ok((seq(row, 0)?, seq(row, 1)?)))?;
            let Some((root, asked)) = asked else { return Ok(Vec::new()) };
            let mut wanted: Vec<Concerns> = Vec::new();
            let mut runs_of = conn.prepare_cached(RUNS).during(READ)?;
            let mut found = runs_of.query(params![sortable::seq(root), sortable::seq(after)]).during(READ)?;
            while wanted.len() < limit
                && let Some(row) = found.next().during(READ)?
            {
                let run = row.get_ref(0).during(READ)?.as_blob().map_err(|e| ViewError::damaged(READ, e))?;
                runs::decode(root, run, |event| {
                    if event.seq > after && (whole_tree || event.order == asked) {
                        wanted.push(event);
                    }
                })?;
            }
            wanted.truncate(limit);
            let mut ids: BTreeMap<Seq, OrderId> = BTreeMap::new();
            let mut refs = Vec::with_capacity(wanted.len());
            for Concerns { seq, order, kind, .. } in wanted {
                let order_id = match ids.get(&order) {
                    Some(known) => *known,
                    None => {
                        let id = one(conn, ORDER, params![sortable::seq(order)], |row| uuid(row, 0).map(OrderId::from_u128))?;
                        let id = id.ok_or_else(|| ViewError::damaged(READ, format!("no order was created at {order}")))?;
                        *ids.entry(order).or_insert(id)
                    }
                };
                refs.push(EventRef { seq, order_id, kind });
            }
            Ok(refs)
        })
    }

    /// A page of orders; roots and their parts alike, unless the query says `is_root`.
    ///
    /// # Errors
    /// As every read; [`ViewError::Query`].
    pub fn orders(&self, query: &ListQuery) -> Result<Page<Order>, ViewError> {
        self.page(Resource::Orders, "body", 1, "orders", query, order_of)
    }

    /// Client orders that were created before `before`, the youngest first and `most` at most, each with the sequence of its
    /// last event; and the last event that they know. For whoever reads all of them: no list is bounded so.
    ///
    /// # Errors
    /// As every read.
    pub fn roots_before(&self, before: Seq, most: u32) -> Result<(Vec<(Order, Seq)>, Seq), ViewError> {
        const SQL: &str = "SELECT body, last_seq FROM orders WHERE parent_order_id IS NULL AND created_seq < ?1
            ORDER BY created_seq DESC LIMIT ?2";
        self.read(|conn| {
            let found = all(conn, SQL, params![sortable::seq(before), most], |row| Ok((order_of(row)?, seq(row, 1)?)))?;
            Ok((found, schema::position(conn)?.last_seq))
        })
    }

    /// The parts of orders whose outcome is not known, each with the client order that it is of; and the last event that this
    /// knows. All that there are: as many as were sent and not answered.
    ///
    /// # Errors
    /// As every read.
    pub fn parts_in_doubt(&self) -> Result<(Vec<(OrderId, OrderId)>, Seq), ViewError> {
        const SQL: &str = "SELECT order_id, root_order_id FROM orders WHERE in_doubt = 1 AND parent_order_id IS NOT NULL";
        self.read(|conn| {
            let of = |row: &Row<'_>| Ok((OrderId::from_u128(uuid(row, 0)?), OrderId::from_u128(uuid(row, 1)?)));
            Ok((all(conn, SQL, params![], of)?, schema::position(conn)?.last_seq))
        })
    }

    /// A page of executions.
    ///
    /// # Errors
    /// As every read; [`ViewError::Query`].
    pub fn executions(&self, query: &ListQuery) -> Result<Page<ExecutionRow>, ViewError> {
        const COLUMNS: &str = "seq, exec_id, order_id, root_order_id, account_id, instrument_id, symbol, side, venue, last_qty, last_px,
            liquidity, fee, transact_time, recorded_at, manual, exec_type";
        self.page(Resource::Executions, COLUMNS, 17, "executions", query, execution_of)
    }

    /// Shows every execution at a venue to `each`, in the order in which they were booked. Walks all that there are.
    ///
    /// # Errors
    /// As every read.
    pub fn executions_at(&self, venue: Mic, mut each: impl FnMut(&ExecutionRow)) -> Result<(), ViewError> {
        const DURING: &str = "read the executions of a venue";
        const SQL: &str = "SELECT seq, exec_id, order_id, root_order_id, account_id, instrument_id, symbol, side, venue, last_qty, last_px,
            liquidity, fee, transact_time, recorded_at, manual, exec_type FROM executions WHERE venue = ?1 ORDER BY seq";
        self.read(|conn| {
            let mut statement = conn.prepare_cached(SQL).during(DURING)?;
            let mut rows = statement.query(params![venue.as_str()]).during(DURING)?;
            while let Some(row) = rows.next().during(DURING)? {
                each(&execution_of(row)?);
            }
            Ok(())
        })
    }

    fn page<T>(
        &self,
        resource: Resource,
        columns: &'static str,
        width: usize,
        table: &'static str,
        query: &ListQuery,
        of: impl Fn(&Row<'_>) -> Result<T, ViewError>,
    ) -> Result<Page<T>, ViewError> {
        const DURING: &str = "read a list";
        let select = query::select(resource, columns, table, query)?;
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&select.sql).during(DURING)?;
            let mut rows = statement.query(params_from_iter(&select.values)).during(DURING)?;
            let (mut items, mut key, mut next) = (Vec::new(), Vec::new(), None);
            while let Some(row) = rows.next().during(DURING)? {
                if items.len() == select.limit {
                    next = Some(page::seal(select.hash, &key));
                    break;
                }
                items.push(of(row)?);
                if items.len() == select.limit {
                    key = (width..width + select.keys).map(|at| get::<Value>(row, at)).collect::<Result<_, _>>()?;
                }
            }
            Ok(Page { items, next, seq: schema::position(conn)?.last_seq })
        })
    }

    /// Positions, by account and instrument.
    ///
    /// # Errors
    /// As every read; [`QueryError::BadLimit`].
    pub fn positions(&self, filter: &PositionFilter) -> Result<Vec<Position>, ViewError> {
        const SQL: &str = "SELECT body FROM positions WHERE (?1 IS NULL OR account_id = ?1) AND (?2 IS NULL OR instrument_id = ?2)
            AND (NOT ?3 OR qty <> ?4) AND (account_id, instrument_id) > (?5, ?6) ORDER BY account_id, instrument_id LIMIT ?7";
        let PositionFilter { account_id, instrument_id, open_only, after, limit } = *filter;
        let limit = if limit == 0 { MAX_LIMIT } else { checked(limit)? };
        // An empty blob sorts before every id.
        let (after_account, after_instrument) = match after {
            Some((account, instrument)) => (rows::id(account.as_u128()).to_vec(), i64::from(instrument.0)),
            None => (Vec::new(), -1),
        };
        let account = account_id.map(|id| rows::id(id.as_u128()));
        let values =
            params![account, instrument_id.map(|id| id.0), open_only, sortable::qty(Qty::ZERO), after_account, after_instrument, limit];
        self.read(|conn| all(conn, SQL, values, position_of))
    }

    /// Positions as closed days left them, the newest day first.
    ///
    /// # Errors
    /// As every read; [`QueryError::BadLimit`].
    pub fn frozen(&self, filter: &FrozenFilter) -> Result<Vec<(Seq, PositionFrozen)>, ViewError> {
        const SQL: &str = "SELECT seq, body FROM frozen_positions WHERE (?1 IS NULL OR account_id = ?1)
            AND (?2 IS NULL OR instrument_id = ?2) AND day BETWEEN ?3 AND ?4 AND seq < ?5 ORDER BY seq DESC LIMIT ?6";
        let FrozenFilter { account_id, instrument_id, days: (from, to), before, limit } = *filter;
        let limit = if limit == 0 { MAX_LIMIT } else { checked(limit)? };
        let account = account_id.map(|id| rows::id(id.as_u128()));
        let values = params![account, instrument_id.map(|id| id.0), from, to, before.map_or(i64::MAX, sortable::seq), limit];
        self.read(|conn| {
            all(conn, SQL, values, |row| {
                const DURING: &str = "read a frozen position";
                let body = row.get_ref(1).during(DURING)?.as_blob().map_err(|e| ViewError::damaged(DURING, e))?;
                Ok((seq(row, 0)?, PositionFrozen::decode(body).map_err(|e| ViewError::damaged(DURING, e))?))
            })
        })
    }

    /// Anomalies before `before`, newest first: `limit` of them, [`MAX_LIMIT`] at most.
    ///
    /// # Errors
    /// As every read; [`QueryError::BadLimit`].
    pub fn anomalies(&self, before: Option<Seq>, limit: u32) -> Result<Vec<AnomalyRow>, ViewError> {
        const SQL: &str = "SELECT seq, order_id, kind, detail, recorded_at FROM anomalies WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
        let limit = checked(limit)?;
        self.read(|conn| {
            all(conn, SQL, params![before.map_or(i64::MAX, sortable::seq), limit], |row| {
                Ok(AnomalyRow {
                    seq: seq(row, 0)?,
                    order_id: OrderId::from_u128(uuid(row, 1)?),
                    anomaly: term(get(row, 2)?, Anomaly::from_code)?,
                    detail: get(row, 3)?,
                    recorded_at: Time(get(row, 4)?),
                })
            })
        })
    }

    /// Executions in suspense about which nobody has decided, before `before`, newest first: `limit` of them, [`MAX_LIMIT`] at most.
    ///
    /// # Errors
    /// As every read; [`QueryError::BadLimit`].
    pub fn suspense(&self, before: Option<Seq>, limit: u32) -> Result<Vec<SuspenseRow>, ViewError> {
        const SQL: &str =
            "SELECT seq, exec_id, venue, wire_id, last_qty, last_px, transact_time, recorded_at, exec_ref, commission, currency
            FROM suspense WHERE resolved_at IS NULL AND seq < ?1 ORDER BY seq DESC LIMIT ?2";
        let limit = checked(limit)?;
        self.read(|conn| all(conn, SQL, params![before.map_or(i64::MAX, sortable::seq), limit], suspense_of))
    }

    /// Every instrument's symbol, by instrument.
    ///
    /// # Errors
    /// As every read.
    pub fn symbols(&self) -> Result<Vec<(InstrumentId, Symbol)>, ViewError> {
        let mut symbols: Vec<_> = self.read(rows::symbols)?.into_iter().collect();
        symbols.sort_unstable_by_key(|(instrument, _)| *instrument);
        Ok(symbols)
    }
}

fn checked(limit: u32) -> Result<u32, ViewError> {
    if (1..=MAX_LIMIT).contains(&limit) { Ok(limit) } else { Err(QueryError::BadLimit { given: limit, max: MAX_LIMIT }.into()) }
}

const READ: &str = "read a row";

fn one<T>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
    of: impl FnOnce(&Row<'_>) -> Result<T, ViewError>,
) -> Result<Option<T>, ViewError> {
    let mut statement = conn.prepare_cached(sql).during(READ)?;
    statement.query_row(values, |row| Ok(of(row))).optional().during(READ)?.transpose()
}

fn all<T>(conn: &Connection, sql: &str, values: impl Params, of: impl Fn(&Row<'_>) -> Result<T, ViewError>) -> Result<Vec<T>, ViewError> {
    let mut statement = conn.prepare_cached(sql).during(READ)?;
    let mut rows = statement.query(values).during(READ)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().during(READ)? {
        found.push(of(row)?);
    }
    Ok(found)
}

fn get<T: FromSql>(row: &Row<'_>, at: usize) -> Result<T, ViewError> {
    row.get(at).during(READ)
}

fn seq(row: &Row<'_>, at: usize) -> Result<Seq, ViewError> {
    get(row, at).map(sortable::to_seq)
}

fn uuid(row: &Row<'_>, at: usize) -> Result<u128, ViewError> {
    get(row, at).map(u128::from_be_bytes)
}

fn wide(row: &Row<'_>, at: usize) -> Result<i128, ViewError> {
    get(row, at).map(sortable::from_wide)
}

fn term<T>(code: u8, from: fn(u8) -> Option<T>) -> Result<T, ViewError> {
    from(code).ok_or_else(|| ViewError::damaged(READ, format!("no term has the number {code}")))
}

fn text<T>(row: &Row<'_>, at: usize, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, ViewError> {
    let text = row.get_ref(at).during(READ)?.as_str().map_err(|e| ViewError::damaged(READ, e))?;
    parse(text).ok_or_else(|| ViewError::damaged(READ, format!("{text:?} is not an identifier")))
}

fn order_of(row: &Row<'_>) -> Result<Order, ViewError> {
    let body = row.get_ref(0).during(READ)?.as_blob().map_err(|e| ViewError::damaged(READ, e))?;
    Order::decode(body).map_err(|e| ViewError::damaged(READ, e))
}

fn position_of(row: &Row<'_>) -> Result<Position, ViewError> {
    let body = row.get_ref(0).during(READ)?.as_blob().map_err(|e| ViewError::damaged(READ, e))?;
    Position::decode(body).map_err(|e| ViewError::damaged(READ, e))
}

fn execution_of(row: &Row<'_>) -> Result<ExecutionRow, ViewError> {
    Ok(ExecutionRow {
        seq: seq(row, 0)?,
        symbol: get(row, 6)?,
        recorded_at: Time(get(row, 14)?),
        execution: ExecutionRecorded {
            exec_id: text(row, 1, |text| ExecId::new(text).ok())?,
            order_id: OrderId::from_u128(uuid(row, 2)?),
            root_order_id: OrderId::from_u128(uuid(row, 3)?),
            account_id: AccountId::from_u128(uuid(row, 4)?),
            instrument_id: InstrumentId(get(row, 5)?),
            side: term(get(row, 7)?, Side::from_code)?,
            venue: text(row, 8, |text| text.parse::<Mic>().ok())?,
            last_qty: Qty::from_raw(wide(row, 9)?),
            last_px: Price::from_raw(get(row, 10)?),
            liquidity: term(get(row, 11)?, Liquidity::from_code)?,
            fee: Notional::from_raw(wide(row, 12)?),
            transact_time: Time(get(row, 13)?),
            manual: get(row, 15)?,
        },
        exec_type: term(get(row, 16)?, ExecType::from_code)?,
    })
}

fn suspense_of(row: &Row<'_>) -> Result<SuspenseRow, ViewError> {
    Ok(SuspenseRow {
        seq: seq(row, 0)?,
        recorded_at: Time(get(row, 7)?),
        execution: ExecutionUnmatched {
            exec_id: text(row, 1, |text| ExecId::new(text).ok())?,
            venue: text(row, 2, |text| text.parse::<Mic>().ok())?,
            wire_id: get(row, 3)?,
            last_qty: Qty::from_raw(wide(row, 4)?),
            last_px: Price::from_raw(get(row, 5)?),
            transact_time: Time(get(row, 6)?),
            exec_ref: get::<Option<String>>(row, 8)?.and_then(|text| ExecId::new(&text).ok()),
            commission: Notional::from_raw(wide(row, 9)?),
            commission_currency: get::<Option<String>>(row, 10)?.and_then(|text| Currency::of(&text)),
        },
    })
}
