//! Which events concern which topic.

use oms_model::event::Batch;

/// The events that the topic of executions tells.
pub(super) const EXECUTIONS: &[&str] = &[
    "ExecutionRecorded",
    "ExecutionUnmatched",
    "ExecutionBusted",
    "ExecutionWhacked",
    "ExecutionCorrected",
    "CommissionRecorded",
    "SuspenseResolved",
];
/// The events after which a position may be another.
pub(super) const MOVERS: &[&str] = &[
    "ExecutionRecorded",
    "ExecutionBusted",
    "ExecutionWhacked",
    "ExecutionCorrected",
    "CommissionRecorded",
    "SuspenseResolved",
    "AllocationBooked",
    "PositionChanged",
    "DayClosed",
    "CostMethodSet",
];
/// The events that the topic of risk tells.
pub(super) const RISK: &[&str] = &[
    "KillSwitchEngaged",
    "KillSwitchReleased",
    "KillSwitchConfirmed",
    "TradingStateSet",
    "RiskLimitSet",
    "RiskLimitRemoved",
    "LimitScheduled",
    "LimitScheduleMoved",
    "RiskImported",
    "RiskBreached",
    "RestrictionSet",
    "RestrictionRemoved",
    "LocateSet",
    "ShortSaleStateSet",
    "ShortSaleTriggered",
    "SelfMatchRuleSet",
    "SelfMatchPrevented",
    "ThrottleTripped",
    "ThrottleReset",
    "BreakerSet",
    "BreakerRemoved",
    "BreakerMoved",
    "OverrideGranted",
    "OverrideConsented",
    "OverrideRevoked",
    "OverrideExpired",
    "RiskOverridden",
    "DeadManArmed",
    "DeadManDisarmed",
    "DeadManFired",
    "PriceBandSet",
    "PriceBandRemoved",
    "ExecutionUnmatched",
    "SuspenseResolved",
];

/// Whether a position may be another after it.
pub(super) fn moved(batch: &Batch) -> bool {
    batch.events.iter().any(|event| MOVERS.contains(&event.name()))
}
