//! What is so: facts in the past tense, never edited.

mod allocation;
mod booking;
mod desk;
mod execution;
mod leave;
mod order;
mod quote;
mod risk;
mod route;
mod work;

use crate::breaker::Breaker;
use crate::command::Actor;
use crate::compliance::{Locate, PriceBand, Restriction};
use crate::ids::{CommandId, OrderId, Seq, Time, TraceId};
use crate::instrument::{Account, Instrument, Venue};
use crate::limit::RiskLimit;
use crate::overrides::{Override, OverrideRule};
use crate::policy::SorPolicy;
use crate::position::Position;
use crate::schedule::LimitSchedule;
use crate::strategy::StrategyEnvelope;

pub use allocation::{Allocation, AllocationApproved, AllocationProposed, AllocationRejected, Member, OrdersGrouped, OrdersUngrouped};
pub use booking::{
    CommissionRecorded, CostMethodSet, DayClosed, ExecutionCorrected, ExecutionReversed, FxRateSet, OrderFillAdjusted, PositionFrozen,
    SuspenseResolved,
};
pub use desk::{
    ApiKeyCreated, BrokerSession, IdempotencyRecorded, IdempotentResult, KillSwitchChanged, NavSet, RiskLimitRemoved, TenantCreated,
    TradingStateSet,
};
pub use execution::{ExecutionRecorded, ExecutionUnmatched, Filled};
pub use leave::{LimitScheduleMoved, OverrideConsented, OverrideExpired, OverrideRevoked, RiskImported, RiskOverridden};
pub use order::{
    OrderAccepted, OrderAnomaly, OrderCancelRequested, OrderClosed, OrderCreated, OrderEnded, OrderInDoubt, OrderOutcomeResolved,
    OrderRejected, OrderReplaceRequested, OrderReplaced, OrderSent, OrderSized, OrderStateSynced, RequestNamed, RequestRejected,
    RiskChecked,
};
pub use quote::{QuoteAccepted, QuoteEnded, QuoteReceived, QuoteReplaced, QuoteRequestEnded, QuoteRequested};
pub use risk::{
    BreakerMoved, BreakerRemoved, DeadManArmed, DeadManBeat, DeadManDisarmed, DeadManFired, InFlightRuleSet, KillSwitchConfirmed,
    LimitRequired, Mark, OrderHeld, OrderReleased, PositionsMarked, PriceBandRemoved, PriorCloseSet, RestrictionRemoved, RiskBreached,
    RiskCurrencySet, SelfMatchPrevented, SelfMatchRuleSet, ShadowRulesPromoted, ShadowRulesRemoved, ShadowRulesSet, ShortSaleStateSet,
    ShortSaleTriggered, ThrottleReset, ThrottleTripped,
};
pub use route::{Candidate, Exclusion, Leg, RouteDecided};
pub use work::{
    AlgoStepped, CareAccepted, CarePassed, OrderArmed, OrderTriggered, PeerFilled, SagaStepped, SliceReleased, StageEnded, StageStarted,
    StopMoved,
};

/// The events that one input led to: one atomic entry of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Sequence of the first event; the others follow without a gap.
    pub first_seq: Seq,
    /// When the engine decided; never before the batch before it.
    pub time: Time,
    /// The input.
    pub command_id: CommandId,
    /// Who caused it.
    pub actor: Actor,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// The facts.
    pub events: Vec<Event>,
}

impl Batch {
    /// Sequence of the last event.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        Seq(self.first_seq.0 + self.events.len().max(1) as u64 - 1)
    }
    /// The events with their sequences.
    pub fn numbered(&self) -> impl Iterator<Item = (Seq, &Event)> {
        self.events.iter().enumerate().map(|(at, event)| (Seq(self.first_seq.0 + at as u64), event))
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $code:literal $name:ident($body:ty),)*) => {
        /// A fact.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Event { $($(#[$doc])* $name($body),)* }

        impl Event {
            /// Every event's name with its stored number.
            pub const KINDS: &'static [(u16, &'static str)] = &[$(($code, stringify!($name)),)*];
            /// The stored number of its kind; never reused.
            #[must_use]
            pub const fn code(&self) -> u16 { match self { $(Self::$name(_) => $code,)* } }
            /// The name of its kind.
            #[must_use]
            pub const fn name(&self) -> &'static str { match self { $(Self::$name(_) => stringify!($name),)* } }
        }
    };
}

events! {
    /// See the body.
    1 OrderCreated(Box<OrderCreated>),
    /// See the body.
    2 RiskChecked(Box<RiskChecked>),
    /// See the body.
    3 OrderRejected(OrderRejected),
    /// See the body.
    4 RouteDecided(Box<RouteDecided>),
    /// See the body.
    5 OrderSent(OrderSent),
    /// See the body.
    6 OrderStateSynced(OrderStateSynced),
    /// See the body.
    7 OrderAccepted(OrderAccepted),
    /// The order is not yet wholly executed.
    8 OrderPartiallyFilled(Filled),
    /// The order is wholly executed.
    9 OrderFilled(Filled),
    /// See the body.
    10 OrderCancelRequested(OrderCancelRequested),
    /// It was canceled.
    11 OrderCanceled(OrderEnded),
    /// See the body.
    12 CancelRejected(RequestRejected),
    /// See the body.
    13 OrderReplaceRequested(OrderReplaceRequested),
    /// See the body.
    14 OrderReplaced(OrderReplaced),
    /// See the body.
    15 ReplaceRejected(RequestRejected),
    /// Its time in force ended it.
    16 OrderExpired(OrderEnded),
    /// See the body.
    17 OrderInDoubt(OrderInDoubt),
    /// See the body.
    18 OrderOutcomeResolved(OrderOutcomeResolved),
    /// See the body.
    19 OrderClosed(OrderClosed),
    /// See the body.
    20 OrderAnomaly(OrderAnomaly),
    /// See the body.
    21 ExecutionRecorded(Box<ExecutionRecorded>),
    /// See the body.
    22 ExecutionUnmatched(Box<ExecutionUnmatched>),
    /// Orders may be sent there.
    23 BrokerConnected(BrokerSession),
    /// Nothing may be sent there.
    24 BrokerDisconnected(BrokerSession),
    /// See the body.
    25 KillSwitchEngaged(KillSwitchChanged),
    /// See the body.
    26 KillSwitchReleased(KillSwitchChanged),
    /// See the body.
    27 TradingStateSet(TradingStateSet),
    /// With its new version.
    28 RiskLimitSet(RiskLimit),
    /// See the body.
    29 RiskLimitRemoved(RiskLimitRemoved),
    /// With its new version.
    30 SorPolicySet(Box<SorPolicy>),
    /// As it now is.
    31 VenueConfigured(Box<Venue>),
    /// As it now is.
    32 InstrumentListed(Box<Instrument>),
    /// As it now is.
    33 AccountOpened(Account),
    /// See the body.
    34 TenantCreated(TenantCreated),
    /// See the body.
    35 ApiKeyCreated(Box<ApiKeyCreated>),
    /// See the body.
    36 IdempotencyRecorded(Box<IdempotencyRecorded>),
    /// See the body.
    37 CareAccepted(CareAccepted),
    /// See the body.
    38 CarePassed(CarePassed),
    /// See the body.
    39 SagaStepped(Box<SagaStepped>),
    /// See the body.
    40 StageStarted(StageStarted),
    /// See the body.
    41 StageEnded(StageEnded),
    /// The market took a trade back.
    50 ExecutionBusted(Box<ExecutionReversed>),
    /// A wrong booking of ours was undone.
    51 ExecutionWhacked(Box<ExecutionReversed>),
    /// See the body.
    52 ExecutionCorrected(Box<ExecutionCorrected>),
    /// See the body.
    53 CommissionRecorded(Box<CommissionRecorded>),
    /// See the body.
    54 OrderFillAdjusted(Box<OrderFillAdjusted>),
    /// See the body.
    55 SuspenseResolved(Box<SuspenseResolved>),
    /// See the body.
    56 FxRateSet(FxRateSet),
    /// See the body.
    57 PositionFrozen(Box<PositionFrozen>),
    /// See the body.
    58 DayClosed(DayClosed),
    /// See the body.
    59 CostMethodSet(CostMethodSet),
    /// See the body.
    60 OrdersGrouped(Box<OrdersGrouped>),
    /// See the body.
    61 OrdersUngrouped(Box<OrdersUngrouped>),
    /// See the body.
    62 AllocationProposed(Box<AllocationProposed>),
    /// See the body.
    63 AllocationApproved(AllocationApproved),
    /// See the body.
    64 AllocationRejected(Box<AllocationRejected>),
    /// What is shared out from now on; it takes the place of what was before.
    65 AllocationBooked(Box<Allocation>),
    /// A position as it is once it was worked out again: an execution came late, was corrected or was taken back.
    /// Where an execution is simply the last one, nothing is said: its position follows from it, first in first out.
    66 PositionChanged(Box<Position>),
    /// See the body.
    70 OrderTriggered(OrderTriggered),
    /// See the body.
    71 StopMoved(StopMoved),
    /// See the body.
    72 SliceReleased(SliceReleased),
    /// See the body.
    73 AlgoStepped(Box<AlgoStepped>),
    /// See the body.
    74 OrderArmed(OrderArmed),
    /// See the body.
    75 PeerFilled(PeerFilled),
    /// What is on a list now.
    76 RestrictionSet(Box<Restriction>),
    /// See the body.
    77 RestrictionRemoved(Box<RestrictionRemoved>),
    /// As it now is.
    78 LocateSet(Box<Locate>),
    /// See the body.
    79 ShortSaleStateSet(Box<ShortSaleStateSet>),
    /// See the body.
    80 SelfMatchRuleSet(SelfMatchRuleSet),
    /// See the body.
    81 SelfMatchPrevented(SelfMatchPrevented),
    /// With its new version.
    82 StrategyEnvelopeSet(Box<StrategyEnvelope>),
    /// See the body.
    83 ThrottleTripped(ThrottleTripped),
    /// See the body.
    84 ThrottleReset(Box<ThrottleReset>),
    /// See the body.
    85 QuoteRequested(Box<QuoteRequested>),
    /// See the body.
    86 QuoteReceived(Box<QuoteReceived>),
    /// See the body.
    87 QuoteAccepted(QuoteAccepted),
    /// Its life, or that of its request, is over.
    88 QuoteExpired(QuoteEnded),
    /// The dealer took it back.
    89 QuoteWithdrawn(QuoteEnded),
    /// See the body.
    90 QuoteReplaced(QuoteReplaced),
    /// Its time is over.
    91 QuoteRequestExpired(QuoteRequestEnded),
    /// The client withdrew it.
    92 QuoteRequestCanceled(QuoteRequestEnded),
    /// See the body.
    93 NavSet(NavSet),
    /// See the body.
    94 OrderSized(OrderSized),
    /// See the body.
    95 OrderHeld(Box<OrderHeld>),
    /// See the body.
    96 OrderReleased(Box<OrderReleased>),
    /// See the body.
    97 PositionsMarked(Box<PositionsMarked>),
    /// See the body.
    98 RiskCurrencySet(RiskCurrencySet),
    /// See the body.
    99 LimitRequired(LimitRequired),
    /// See the body.
    100 KillSwitchConfirmed(KillSwitchConfirmed),
    /// With its new version.
    101 BreakerSet(Breaker),
    /// See the body.
    102 BreakerRemoved(BreakerRemoved),
    /// See the body.
    103 BreakerMoved(Box<BreakerMoved>),
    /// See the body.
    104 ShadowRulesSet(Box<ShadowRulesSet>),
    /// See the body.
    105 ShadowRulesRemoved(ShadowRulesRemoved),
    /// See the body.
    106 ShadowRulesPromoted(Box<ShadowRulesPromoted>),
    /// As it was granted.
    110 OverrideGranted(Box<Override>),
    /// See the body.
    111 OverrideConsented(OverrideConsented),
    /// See the body.
    112 OverrideRevoked(Box<OverrideRevoked>),
    /// See the body.
    113 OverrideExpired(OverrideExpired),
    /// See the body.
    114 RiskOverridden(Box<RiskOverridden>),
    /// As it now is.
    115 OverrideRuleSet(OverrideRule),
    /// As it was scheduled.
    116 LimitScheduled(Box<LimitSchedule>),
    /// See the body.
    117 LimitScheduleMoved(Box<LimitScheduleMoved>),
    /// See the body.
    118 RiskImported(RiskImported),
    /// See the body.
    120 RiskBreached(Box<RiskBreached>),
    /// See the body.
    121 InFlightRuleSet(InFlightRuleSet),
    /// See the body.
    122 DeadManArmed(Box<DeadManArmed>),
    /// See the body.
    123 DeadManBeat(Box<DeadManBeat>),
    /// See the body.
    124 DeadManDisarmed(Box<DeadManDisarmed>),
    /// See the body.
    125 DeadManFired(Box<DeadManFired>),
    /// As it now is.
    126 PriceBandSet(PriceBand),
    /// See the body.
    127 PriceBandRemoved(PriceBandRemoved),
    /// See the body.
    128 ShortSaleTriggered(ShortSaleTriggered),
    /// See the body.
    129 PriorCloseSet(PriorCloseSet),
    /// See the body.
    140 RequestNamed(Box<RequestNamed>),
}

impl Event {
    /// The order that it is about.
    #[must_use]
    pub fn order_id(&self) -> Option<OrderId> {
        match self {
            Self::OrderCreated(e) => Some(e.order_id),
            Self::RiskChecked(e) => Some(e.order_id),
            Self::OrderRejected(e) => Some(e.order_id),
            Self::RouteDecided(e) => Some(e.order_id),
            Self::OrderSent(e) => Some(e.order_id),
            Self::OrderStateSynced(e) => Some(e.order_id),
            Self::OrderAccepted(e) => Some(e.order_id),
            Self::OrderPartiallyFilled(e) | Self::OrderFilled(e) => Some(e.order_id),
            Self::OrderCancelRequested(e) => Some(e.order_id),
            Self::OrderCanceled(e) | Self::OrderExpired(e) => Some(e.order_id),
            Self::CancelRejected(e) | Self::ReplaceRejected(e) => Some(e.order_id),
            Self::OrderReplaceRequested(e) => Some(e.order_id),
            Self::OrderReplaced(e) => Some(e.order_id),
            Self::RequestNamed(e) => Some(e.order_id),
            Self::OrderInDoubt(e) => Some(e.order_id),
            Self::OrderOutcomeResolved(e) => Some(e.order_id),
            Self::OrderClosed(e) => Some(e.order_id),
            Self::OrderAnomaly(e) => Some(e.order_id),
            Self::OrderSized(e) => Some(e.order_id),
            Self::ExecutionRecorded(e) => named(e.order_id),
            Self::ExecutionBusted(e) | Self::ExecutionWhacked(e) => named(e.order_id),
            Self::ExecutionCorrected(e) => named(e.order_id),
            Self::CommissionRecorded(e) => named(e.order_id),
            Self::OrderFillAdjusted(e) => Some(e.order_id),
            Self::SuspenseResolved(e) => e.order_id,
            Self::CareAccepted(e) => Some(e.order_id),
            Self::CarePassed(e) => Some(e.order_id),
            Self::SagaStepped(e) => Some(e.order_id),
            Self::StageStarted(e) => Some(e.order_id),
            Self::StageEnded(e) => Some(e.order_id),
            Self::OrdersGrouped(e) => Some(e.group_order_id),
            Self::OrdersUngrouped(e) => Some(e.group_order_id),
            Self::AllocationProposed(e) => Some(e.allocation.group_order_id),
            Self::AllocationApproved(e) => Some(e.group_order_id),
            Self::AllocationRejected(e) => Some(e.group_order_id),
            Self::AllocationBooked(e) => Some(e.group_order_id),
            Self::OrderTriggered(e) => Some(e.order_id),
            Self::StopMoved(e) => Some(e.order_id),
            Self::SliceReleased(e) => Some(e.order_id),
            Self::AlgoStepped(e) => Some(e.order_id),
            Self::OrderArmed(e) => Some(e.order_id),
            Self::PeerFilled(e) => Some(e.order_id),
            Self::SelfMatchPrevented(e) => Some(e.order_id),
            Self::OrderHeld(e) => Some(e.order_id),
            Self::OrderReleased(e) => Some(e.order_id),
            Self::RiskOverridden(e) => Some(e.order_id),
            Self::RiskBreached(e) => Some(e.order_id),
            Self::RestrictionSet(_)
            | Self::RestrictionRemoved(_)
            | Self::LocateSet(_)
            | Self::ShortSaleStateSet(_)
            | Self::SelfMatchRuleSet(_)
            | Self::StrategyEnvelopeSet(_)
            | Self::ThrottleTripped(_)
            | Self::ThrottleReset(_)
            | Self::PositionsMarked(_)
            | Self::RiskCurrencySet(_)
            | Self::LimitRequired(_)
            | Self::KillSwitchConfirmed(_)
            | Self::BreakerSet(_)
            | Self::BreakerRemoved(_)
            | Self::BreakerMoved(_)
            | Self::ShadowRulesSet(_)
            | Self::ShadowRulesRemoved(_)
            | Self::ShadowRulesPromoted(_)
            | Self::OverrideGranted(_)
            | Self::OverrideConsented(_)
            | Self::OverrideRevoked(_)
            | Self::OverrideExpired(_)
            | Self::OverrideRuleSet(_)
            | Self::LimitScheduled(_)
            | Self::LimitScheduleMoved(_)
            | Self::RiskImported(_)
            | Self::InFlightRuleSet(_)
            | Self::DeadManArmed(_)
            | Self::DeadManBeat(_)
            | Self::DeadManDisarmed(_)
            | Self::DeadManFired(_)
            | Self::PriceBandSet(_)
            | Self::PriceBandRemoved(_)
            | Self::ShortSaleTriggered(_)
            | Self::PriorCloseSet(_)
            | Self::PositionChanged(_)
            | Self::FxRateSet(_)
            | Self::PositionFrozen(_)
            | Self::DayClosed(_)
            | Self::CostMethodSet(_)
            | Self::ExecutionUnmatched(_)
            | Self::BrokerConnected(_)
            | Self::BrokerDisconnected(_)
            | Self::KillSwitchEngaged(_)
            | Self::KillSwitchReleased(_)
            | Self::TradingStateSet(_)
            | Self::RiskLimitSet(_)
            | Self::RiskLimitRemoved(_)
            | Self::SorPolicySet(_)
            | Self::VenueConfigured(_)
            | Self::InstrumentListed(_)
            | Self::AccountOpened(_)
            | Self::TenantCreated(_)
            | Self::QuoteRequested(_)
            | Self::QuoteReceived(_)
            | Self::QuoteAccepted(_)
            | Self::QuoteExpired(_)
            | Self::QuoteWithdrawn(_)
            | Self::QuoteReplaced(_)
            | Self::QuoteRequestExpired(_)
            | Self::QuoteRequestCanceled(_)
            | Self::NavSet(_)
            | Self::ApiKeyCreated(_)
            | Self::IdempotencyRecorded(_) => None,
        }
    }
}

/// The order that an execution names; none where it was booked on an account.
#[must_use]
pub fn named(order_id: OrderId) -> Option<OrderId> {
    (order_id != OrderId::default()).then_some(order_id)
}
