//! What the engine may be told once, at its start.

/// Settings of the engine. They shape decisions, never the fold of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// An intent that was not handed over within this time is not handed over at all; nanoseconds.
    pub send_within_ns: i64,
    /// End of the trading day, seconds after midnight UTC: DAY orders expire then.
    pub day_end_utc_s: i64,
    /// Beginning of the trading day, seconds after midnight UTC: OPG orders are released then.
    pub day_open_utc_s: i64,
    /// How long before the end of the day orders on close are released; nanoseconds.
    pub on_close_lead_ns: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self { send_within_ns: 2_000_000_000, day_end_utc_s: 21 * 3600, day_open_utc_s: 14 * 3600 + 1800, on_close_lead_ns: 60_000_000_000 }
    }
}

impl Config {
    /// The end of the trading day that `now` belongs to.
    #[must_use]
    pub fn day_end(&self, now: oms_model::Time) -> oms_model::Time {
        const DAY: i64 = 86_400_000_000_000;
        let midnight = now.0 - now.0.rem_euclid(DAY);
        let end = midnight.saturating_add(self.day_end_utc_s.saturating_mul(1_000_000_000));
        oms_model::Time(if end > now.0 { end } else { end.saturating_add(DAY) })
    }

    /// The beginning of the trading day of the same date as `now`.
    #[must_use]
    pub fn day_open(&self, now: oms_model::Time) -> oms_model::Time {
        const DAY: i64 = 86_400_000_000_000;
        let midnight = now.0 - now.0.rem_euclid(DAY);
        oms_model::Time(midnight.saturating_add(self.day_open_utc_s.saturating_mul(1_000_000_000)))
    }
}
