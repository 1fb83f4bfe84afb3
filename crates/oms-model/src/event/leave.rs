//! Facts of the gate's administration: overrides, scheduled limits, imports.

use crate::amount::Decimal;
use crate::ids::{LimitScheduleId, OrderId, OverrideId, UserId};
use crate::limit::{Check, Scope};
use crate::schedule::ScheduleState;

/// A second person consented to an override: it holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OverrideConsented {
    /// Which.
    pub override_id: OverrideId,
    /// Who.
    pub user_id: UserId,
}

/// An override was taken back before it was used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverrideRevoked {
    /// Which.
    pub override_id: OverrideId,
    /// By whom.
    pub user_id: UserId,
    /// Why, in words.
    pub reason: String,
}

/// The time of an override is over: it holds for nothing any more, and leaves the hot state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OverrideExpired {
    /// Which.
    pub override_id: OverrideId,
}

/// An accepted order broke a rule by a person's leave, and used that up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RiskOverridden {
    /// The order.
    pub order_id: OrderId,
    /// By which leave.
    pub override_id: OverrideId,
    /// The check that it failed.
    pub check: Check,
    /// The scope whose limit it broke.
    pub scope: Scope,
    /// What was measured.
    pub value: Option<Decimal>,
    /// What it was measured against.
    pub limit: Option<Decimal>,
    /// The version of that limit; 0 where it is not a configured one.
    pub limit_version: u32,
    /// Who granted it.
    pub granted_by: UserId,
    /// Who consented, where somebody had to.
    pub consented_by: Option<UserId>,
    /// Why, in the words of the one who granted it.
    pub reason: String,
}

/// A scheduled change of a limit has come further. What follows for the limit is the next event of the batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitScheduleMoved {
    /// Which.
    pub schedule_id: LimitScheduleId,
    /// How it stands now.
    pub state: ScheduleState,
    /// The version that the limit gets by it, where it begins.
    pub version: u32,
    /// The bound that was there before, where it begins; `None` where there was none.
    pub before: Option<Decimal>,
    /// Who did it; `None` where time did.
    pub user_id: Option<UserId>,
    /// Who had scheduled it.
    pub scheduled_by: UserId,
    /// Why, in words.
    pub text: String,
}

/// Limits or lists were taken over from a file. The changes follow in the same batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskImported {
    /// Whether it was lists; limits otherwise.
    pub lists: bool,
    /// Whether what the file had not was taken away.
    pub replace_all: bool,
    /// How many were new.
    pub added: u32,
    /// How many became others.
    pub changed: u32,
    /// How many were taken away.
    pub removed: u32,
}
