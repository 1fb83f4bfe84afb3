//! How often a subscription is told of what is new.

use crate::blotter::MAX_HZ;
use crate::json::Fields;
use oms_model::Refusal;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The shortest time between two looks.
pub(super) struct Pace {
    interval: Duration,
    /// Nothing is looked at before.
    not_before: Instant,
    /// It was too early for a look: there may be something that was not told.
    waits: bool,
}

impl Pace {
    pub(super) fn every(interval: Duration) -> Self {
        Self { interval, not_before: Instant::now(), waits: false }
    }

    /// As the client wants it; `None` where everything is told as it comes.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, also where the topic has a pace of its own.
    pub(super) fn asked(topic: &str, fields: &Fields<'_, '_>) -> Result<Option<Self>, Refusal> {
        let Some(max_hz) = fields.count::<u32>("max_hz")? else { return Ok(None) };
        if !matches!(topic, "executions" | "risk" | "marketdata") {
            return Err(fields.bad("max_hz", format_args!("goes not with {topic}")));
        }
        if !(1..=MAX_HZ).contains(&max_hz) {
            return Err(fields.bad("max_hz", format_args!("must be 1 to {MAX_HZ}")));
        }
        Ok(Some(Self::every(Duration::from_secs(1) / max_hz)))
    }

    /// Whether it is too early.
    pub(super) fn holds_back(&mut self) -> bool {
        self.waits = Instant::now() < self.not_before;
        self.waits
    }

    /// The next look is an interval from now.
    pub(super) fn begin(&mut self) {
        self.not_before = Instant::now() + self.interval;
    }

    /// When a look that was too early is to be taken.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waits.then_some(self.not_before)
    }

    /// Waits until it is not too early.
    pub(super) async fn passed(&self) {
        sleep_until(self.not_before).await;
    }
}
