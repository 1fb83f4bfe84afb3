//! Changes of limits, and orders that went beyond one.

use oms_model::limit::{CheckResult, LimitKey, Verdict};
use oms_model::{Code, OrderId, Seq, Time};
use rusqlite::params;

use super::super::error::{During, ViewError};
use super::super::sortable;
use super::{Rows, id};

/// The limit that an order went beyond: refused for it, warned, held, or by a person's leave.
fn broken(result: &CheckResult) -> Option<LimitKey> {
    let beyond = match result.verdict {
        Verdict::Warn | Verdict::Overridden => true,
        // What could not be measured broke nothing.
        Verdict::Fail => !matches!(
            result.code,
            Some(Code::NoReferenceData | Code::NoReferencePrice | Code::NoFxRate | Code::LimitMissing | Code::CurrencyMismatch)
        ),
        Verdict::Pass | Verdict::NotApplicable | Verdict::Hold => false,
    };
    let limit_type = result.check.limit_type().filter(|_| beyond && result.limit_version > 0)?;
    Some(LimitKey { limit_type, scope: result.scope, period: result.period, soft: result.soft })
}

impl Rows<'_> {
    /// A limit was set or taken away.
    pub(in super::super) fn limit_changed(&mut self, seq: Seq, key: LimitKey) -> Result<(), ViewError> {
        self.conn
            .prepare_cached("INSERT INTO limit_changes (seq, limit_key) VALUES (?1, ?2)")
            .and_then(|mut statement| statement.execute(params![sortable::seq(seq), sortable::limit_key(key)]))
            .during("store a change of a limit")?;
        Ok(())
    }

    /// A check found something about a limit: one row for each limit, with the last order that went beyond it.
    pub(in super::super) fn limit_broken(
        &mut self,
        seq: Seq,
        time: Time,
        order_id: OrderId,
        result: &CheckResult,
    ) -> Result<(), ViewError> {
        let Some(key) = broken(result) else { return Ok(()) };
        self.conn
            .prepare_cached(
                "INSERT INTO limit_breaches (limit_key, day, count, seq, at, order_id) VALUES (?1, ?2, 1, ?3, ?4, ?5)
                 ON CONFLICT (limit_key) DO UPDATE SET count = CASE WHEN day = excluded.day THEN count + 1 ELSE 1 END,
                    day = excluded.day, seq = excluded.seq, at = excluded.at, order_id = excluded.order_id",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    sortable::limit_key(key),
                    sortable::day(time),
                    sortable::seq(seq),
                    time.0,
                    id(order_id.as_u128())
                ])
            })
            .during("count a breach")?;
        Ok(())
    }
}
