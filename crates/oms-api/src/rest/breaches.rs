//! What the status says of a limit besides its use: the orders that went beyond it, and where it is going.

use super::{Parameter, query};
use crate::call::Call;
use crate::json::Writer;
use crate::past;
use crate::query::{Params, bad_parameter};
use oms_engine::State;
use oms_model::limit::{LimitKey, RiskLimit};
use oms_model::{Code, Decimal, Refusal, Time};
use oms_runtime::history::AsOf;
use oms_store::views::{LimitBreach, ViewReader, limit_key};
use std::collections::BTreeMap;

/// How far back a trend looks.
pub(super) const TREND: Parameter = query(
    "trend_s",
    "integer(1..3600)",
    "1 to 3600: each limit's use is compared with what it was so many seconds ago. It is worked out from the log; null where it is not given, or lies too far back.",
);
/// The longest trend, seconds.
const MAX_TREND_S: u32 = 3_600;

/// Takes `trend_s`.
///
/// # Errors
/// `VALIDATION_ERROR` where it is out of range, or asks about the past of a past moment.
pub(super) fn trend_s(params: &mut Params, is_past: bool) -> Result<Option<u32>, Refusal> {
    let trend_s: Option<u32> = params.parsed("trend_s")?;
    match trend_s {
        Some(seconds) if seconds == 0 || seconds > MAX_TREND_S => Err(bad_parameter("trend_s", format_args!("must be 1 to {MAX_TREND_S}"))),
        Some(_) if is_past => Err(bad_parameter("trend_s", "is for the present: it goes not with as_of")),
        other => Ok(other),
    }
}

/// What each limit's use was a while ago.
struct Trend {
    seconds: u32,
    used: BTreeMap<LimitKey, Option<Decimal>>,
}

impl Trend {
    /// The use of these limits so many seconds ago; `None` where that lies too far back to be worked out, or before the log.
    async fn of(call: &Call, seconds: u32, limits: Vec<RiskLimit>) -> Result<Option<Self>, Refusal> {
        let then = past::now().plus(-i64::from(seconds) * 1_000_000_000);
        let used = move |state: &State, time: Time| {
            let then = state.risk().status_of(limits, time, state.positions());
            then.into_iter().map(|status| (status.limit.key(), status.used)).collect()
        };
        match call.api.state_as_of(Some(AsOf::Time(then)), used).await {
            Ok((used, moment)) => Ok(moment.filter(|moment| moment.seq.0 > 0).map(|_| Self { seconds, used })),
            Err(refusal) if refusal.code == Code::HistoryTooFar => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

/// What is known of a limit besides its use.
#[derive(Default)]
pub(super) struct Beside {
    /// Set for the present, which breaches are counted for.
    now: Option<Time>,
    breaches: BTreeMap<String, LimitBreach>,
    trend: Option<Trend>,
}

impl Beside {
    /// What is known of these limits.
    ///
    /// # Errors
    /// As every read of the views and of the past.
    pub(super) async fn of(call: &Call, is_now: bool, trend_s: Option<u32>, limits: Vec<RiskLimit>) -> Result<Self, Refusal> {
        let mut beside = Self::default();
        if is_now {
            beside.now = Some(past::now());
            let breaches = call.api.query(ViewReader::limit_breaches).await?;
            beside.breaches = breaches.into_iter().map(|breach| (breach.limit_key.clone(), breach)).collect();
        }
        if let Some(seconds) = trend_s {
            beside.trend = Trend::of(call, seconds, limits).await?;
        }
        Ok(beside)
    }

    /// Its fields, within an object that is open.
    pub(super) fn write(&self, w: &mut Writer, limit: &RiskLimit, used: Option<Decimal>) {
        let breach = self.breaches.get(&limit_key(limit.key()));
        w.number_or_null("breaches", self.now.map(|now| breach.map_or(0, |breach| breach.count_on(now))));
        match breach {
            None => w.null("last_breach"),
            Some(breach) => w.object_at("last_breach", |w| {
                w.time("time", breach.at);
                w.text("order_id", breach.order_id);
                w.number("sequence", breach.seq.0);
            }),
        }
        let before = self.trend.as_ref().and_then(|trend| Some((trend.seconds, (*trend.used.get(&limit.key())?)?)));
        match (before, used) {
            (Some((seconds, before)), Some(used)) => w.object_at("trend", |w| {
                w.number("seconds", seconds);
                w.text("used", before);
                w.text("change", used.saturating_sub(before));
            }),
            _ => w.null("trend"),
        }
    }
}
