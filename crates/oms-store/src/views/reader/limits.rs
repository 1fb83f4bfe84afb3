//! When limits were changed, and which order last went beyond one.

use oms_model::limit::LimitKey;
use oms_model::{OrderId, Seq, Time};
use rusqlite::params;

use super::super::error::ViewError;
use super::super::sortable;
use super::{ViewReader, all, checked, get, seq, uuid};

/// What is known of the breaches of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitBreach {
    /// Of which limit: see [`limit_key`].
    pub limit_key: String,
    /// How many orders went beyond it on the day of the last one (UTC).
    pub count: u64,
    /// The last one's check.
    pub seq: Seq,
    /// When it was.
    pub at: Time,
    /// The last one.
    pub order_id: OrderId,
}

impl LimitBreach {
    /// How many there were on the day of `now` (UTC).
    #[must_use]
    pub fn count_on(&self, now: Time) -> u64 {
        if sortable::day(self.at) == sortable::day(now) { self.count } else { 0 }
    }
}

/// The name under which the views know a limit.
#[must_use]
pub fn limit_key(key: LimitKey) -> String {
    sortable::limit_key(key)
}

impl ViewReader {
    /// The events that changed a limit, or any limit, the newest first, before `before`; `limit` of them at most.
    ///
    /// # Errors
    /// As every read; [`QueryError::BadLimit`](super::super::QueryError::BadLimit).
    pub fn limit_changes(&self, key: Option<LimitKey>, before: Option<Seq>, limit: u32) -> Result<Vec<Seq>, ViewError> {
        const ONE: &str = "SELECT seq FROM limit_changes WHERE limit_key = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";
        const ALL: &str = "SELECT seq FROM limit_changes WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
        let (before, limit) = (before.map_or(i64::MAX, sortable::seq), checked(limit)?);
        self.read(|conn| match key {
            Some(key) => all(conn, ONE, params![sortable::limit_key(key), before, limit], |row| seq(row, 0)),
            None => all(conn, ALL, params![before, limit], |row| seq(row, 0)),
        })
    }

    /// The breaches of every limit that had one.
    ///
    /// # Errors
    /// As every read.
    pub fn limit_breaches(&self) -> Result<Vec<LimitBreach>, ViewError> {
        const SQL: &str = "SELECT limit_key, count, seq, at, order_id FROM limit_breaches ORDER BY limit_key";
        self.read(|conn| {
            all(conn, SQL, [], |row| {
                Ok(LimitBreach {
                    limit_key: get(row, 0)?,
                    count: get(row, 1).map(sortable::to_seq)?.0,
                    seq: seq(row, 2)?,
                    at: Time(get(row, 3)?),
                    order_id: OrderId::from_u128(uuid(row, 4)?),
                })
            })
        })
    }
}
