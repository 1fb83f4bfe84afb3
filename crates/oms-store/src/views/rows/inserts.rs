//! Rows that are inserted many at a time.
//!
//! A statement opens the table and each of its indexes anew. Within one statement SQLite keeps its place in each of them, and
//! most keys rise with age: the next one belongs where the last one went, and is not searched for.

use std::sync::LazyLock;

use rusqlite::{CachedStatement, Connection, ToSql};

use super::super::error::{During, ViewError};

/// How many rows the statements of a table insert, the most first. SQLite copies each page before a statement of several rows
/// first changes it, in case it has to take the whole statement back; with fewer rows that is more to copy for each.
const ROWS: [usize; 3] = [64, 8, 1];

/// A table with its statements.
pub(super) struct Table {
    columns: usize,
    /// One for each of [`ROWS`].
    inserts: [String; ROWS.len()],
    during: &'static str,
}

pub(super) static ORDERS: LazyLock<Table> = LazyLock::new(|| {
    let columns = "created_seq, order_id, parent_order_id, root_order_id, root_seq, cl_ord_id, account_id, user_id, instrument_id, symbol,
        side, ord_type, time_in_force, source, venue, created_at, state, ord_status, pending, in_doubt, order_qty, cum_qty, leaves_qty,
        price, stop_px, avg_px, broker_order_id, ended_by, reject_code, updated_at, last_seq, version, body";
    Table::new("orders", columns, "insert orders")
});

pub(super) static EVENTS: LazyLock<Table> = LazyLock::new(|| Table::new("order_events", "root_seq, last_seq, events", "insert events"));

impl Table {
    fn new(table: &str, columns: &str, during: &'static str) -> Self {
        let count = columns.split(',').count();
        let row = format!("({})", vec!["?"; count].join(", "));
        let inserts = ROWS.map(|rows| format!("INSERT INTO {table} ({columns}) VALUES {}", vec![row.as_str(); rows].join(", ")));
        Self { columns: count, inserts, during }
    }
}

/// The statements of a table at hand.
pub(super) struct Inserts<'c> {
    table: &'static Table,
    statements: Vec<(usize, CachedStatement<'c>)>,
}

impl<'c> Inserts<'c> {
    pub(super) fn new(conn: &'c Connection, table: &'static Table) -> Result<Self, ViewError> {
        let mut statements = Vec::with_capacity(ROWS.len());
        for (rows, sql) in ROWS.into_iter().zip(&table.inserts) {
            statements.push((rows, conn.prepare_cached(sql).during("prepare")?));
        }
        Ok(Self { table, statements })
    }

    /// Inserts these rows; `bind` binds every column of one.
    pub(super) fn all<T>(
        &mut self,
        mut rows: impl ExactSizeIterator<Item = T>,
        mut bind: impl FnMut(T, &mut Columns<'_, 'c>) -> rusqlite::Result<()>,
    ) -> Result<(), ViewError> {
        for (count, statement) in &mut self.statements {
            while rows.len() >= *count {
                let mut columns = Columns { statement, bound: 0 };
                for row in rows.by_ref().take(*count) {
                    bind(row, &mut columns).during(self.table.during)?;
                }
                assert_eq!(columns.bound, *count * self.table.columns, "every column is bound");
                statement.raw_execute().during(self.table.during)?;
            }
        }
        Ok(())
    }
}

/// Binds one column after another.
pub(super) struct Columns<'s, 'c> {
    statement: &'s mut CachedStatement<'c>,
    bound: usize,
}

impl Columns<'_, '_> {
    #[inline]
    pub(super) fn bind(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.bound += 1;
        self.statement.raw_bind_parameter(self.bound, value)
    }
}

#[cfg(test)]
mod tests {
    use super::{EVENTS, Inserts};
    use rusqlite::Connection;

    #[test]
    fn rows_of_any_number_are_each_stored_once() {
        for count in [0, 1, 7, 8, 9, 63, 64, 65, 200_i64] {
            let conn = Connection::open_in_memory().unwrap();
            conn.execute_batch(include_str!("../../../migrations/0001_views.sql")).unwrap();
            let rows: Vec<(i64, i64, Vec<u8>)> = (0..count).map(|n| (n, 3 * n, n.to_be_bytes().to_vec())).collect();
            let mut inserts = Inserts::new(&conn, &EVENTS).unwrap();
            let bound = inserts.all(rows.iter(), |(root, last, events), into| {
                into.bind(root)?;
                into.bind(last)?;
                into.bind(events)
            });
            bound.unwrap();
            let mut stored = conn.prepare("SELECT root_seq, last_seq, events FROM order_events ORDER BY root_seq").unwrap();
            let found = stored.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
            assert_eq!(found.collect::<Result<Vec<(i64, i64, Vec<u8>)>, _>>().unwrap(), rows);
        }
    }
}
