//! Planted bugs. Each is a layer around a real part (disk, commit, recovery, gateway, translation of reports): the
//! parts themselves are never changed. A simulator that does not find one of them is not worth its runs.

macro_rules! mutants {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A planted bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutant { $($(#[doc = $doc])+ $name,)+ }

        impl Mutant {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What it does, in words.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii_start(),)+ }
            }
        }

        impl std::str::FromStr for Mutant {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $(stringify!($name) => Ok(Self::$name),)+
                    _ => Err(format!("there is no planted bug {text:?}")),
                }
            }
        }
    };
}
pub(crate) use mutants;

mutants! {
    /// Commit: an answer leaves as soon as it is decided.
    AnswerBeforeDurable,
    /// Commit: the gateway is shown batches that are not durable.
    SendBeforeDurable,
    /// Disk: writes are reported durable and are not.
    WritesNotDurable,
    /// Disk: renames and new names are never made durable.
    NamesNotDurable,
    /// Recovery: what was not answered is not put in doubt.
    RecoveredStepSkipped,
    /// Recovery: unanswered intents are handed over once more.
    ResentAfterRestart,
    /// Recovery: idempotency keys are forgotten.
    IdempotencyForgotten,
    /// Recovery: engaged kill switches are forgotten.
    KillForgotten,
    /// Recovery: an engaged kill switch counts as confirmed.
    KillConfirmedEarly,
    /// Recovery: limits are forgotten.
    LimitsForgotten,
    /// Recovery: the versions of limits that were taken away are forgotten.
    LimitVersionsForgotten,
    /// Recovery: restricted and allow lists are forgotten.
    ListsForgotten,
    /// Recovery: lent shares are forgotten.
    LocatesForgotten,
    /// Recovery: the short-sale price test is forgotten.
    PriceTestForgotten,
    /// Recovery: rules for own orders that meet are forgotten.
    SelfMatchForgotten,
    /// Recovery: the bounds of strategies are forgotten.
    StrategiesForgotten,
    /// Recovery: what repeated itself is on again.
    ThrottleForgotten,
    /// Recovery: which limits must be there is forgotten.
    RequiredForgotten,
    /// Recovery: a used override may be used again.
    OverrideRevived,
    /// Recovery: an override holds longer than it was given.
    OverrideStretched,
    /// Recovery: nobody has to consent to overrides any more.
    ConsentForgotten,
    /// Recovery: scheduled changes of limits are forgotten.
    SchedulesForgotten,
    /// Recovery: dead-man switches are forgotten.
    DeadMenForgotten,
    /// Recovery: a dead-man switch that fired is armed again.
    DeadManRearmed,
    /// Recovery: what orders were told in flight is forgotten.
    BreachesForgotten,
    /// Recovery: the rule for what is left of orders is forgotten.
    InFlightRuleForgotten,
    /// Recovery: breakers are forgotten.
    BreakersForgotten,
    /// Recovery: trading states are forgotten.
    HaltsForgotten,
    /// Door: a heartbeat is answered and not taken.
    HeartbeatDropped,
    /// Decision: the rest of an order beyond a limit works on.
    RestGoesOn,
    /// Fold: a breaker that calms down puts its scope on again, whatever else holds it.
    CalmBreakerOpensAll,
    /// Recovery: what was sold short today is forgotten.
    ShortedForgotten,
    /// Recovery: what works in a holding is forgotten.
    HoldingsForgotten,
    /// Recovery: the last batch behind the snapshot is folded twice.
    TailFoldedTwice,
    /// Recovery: the tail behind the snapshot is not folded.
    TailSkipped,
    /// Recovery: what a replace has changed of an order's parts is forgotten.
    SagaForgotten,
    /// Recovery: which executions were booked on a leg is forgotten.
    ExecutionsForgotten,
    /// Recovery: groups are forgotten.
    GroupsForgotten,
    /// Recovery: what a group has shared out is forgotten.
    AllocationForgotten,
    /// Recovery: an allocation that waits for a second person is forgotten.
    ProposalForgotten,
    /// Recovery: executions in suspense are forgotten.
    SuspenseForgotten,
    /// Recovery: recorded rates are forgotten.
    RatesForgotten,
    /// Recovery: the positions that the last closed day left are forgotten.
    FrozenForgotten,
    /// Recovery: what was booked on orders themselves is forgotten.
    DirectForgotten,
    /// Fold: an execution that was taken back stays in its position.
    BustLeavesPosition,
    /// Fold: executions of a position stand in the order of their arrival.
    ArrivalOrder,
    /// Fold: a member does not get its share.
    ShareLost,
    /// Fold: a closed day is not frozen.
    DayNotFrozen,
    /// Recovery: quotes and requests for them are forgotten.
    QuotesForgotten,
    /// Recovery: an accepted quote is live again.
    QuoteRevived,
    /// Recovery: a quote lives longer than it was given.
    QuoteLifeStretched,
    /// Gateway: an order on a quote is handed over at another price than was quoted.
    QuotedPriceMoved,
    /// Recovery: triggered stops wait again.
    TriggerForgotten,
    /// Recovery: a trailing stop stands where it began.
    TrailForgotten,
    /// Recovery: an algorithm waits for nothing any more.
    WakeForgotten,
    /// Recovery: a suspended order goes on.
    SuspensionForgotten,
    /// Recovery: what the others of its list have executed is forgotten.
    TakenForgotten,
    /// Recovery: protection is armed for more than was executed.
    ArmedWhole,
    /// Market: its moves are not looked at.
    MovesDropped,
    /// Fold: a refused order keeps its reservation.
    ReservationKept,
    /// Gateway: a broken send is reported as not sent.
    BrokenSendIsNotSent,
    /// Gateway: no answer in time counts as a refusal.
    TimeoutIsReject,
    /// Gateway: an incomplete answer counts as an empty one.
    IncompleteIsEmpty,
    /// Gateway: a venue is asked without waiting for what is under way to it.
    AskedWithoutBarrier,
    /// Gateway: a cancel that the venue has not decided counts as done.
    PendingCancelIsCanceled,
    /// Gateway: intents are handed over after their deadline.
    DeadlineIgnored,
    /// Gateway: an order decided before a kill switch is handed over after it.
    KillIgnoredAtHandOut,
    /// Gateway: legs that nobody doubts are not reconciled after a disconnect.
    LiveLegsNotReconciled,
    /// Gateway: a leg of a re-plan is handed over with the whole quantity of its order.
    ReplanOverplaced,
    /// Gateway: a leg that has ended is forgotten, though it works again where its execution is taken back.
    EndedLegForgotten,
    /// Reports: a repeated execution is taken for a new one.
    RepeatedFillBooked,
    /// Reports: an execution of an order that had ended is dropped.
    LateFillDropped,
    /// Reports: a reversal of an execution is dropped.
    BustDropped,
    /// Reports: a reversal takes another execution of the order back.
    BustOfAnother,
    /// Reports: a correction is taken for one more execution.
    CorrectionAdded,
    /// Reports: a charge is told at twice its amount.
    ChargeDoubled,
    /// Reports: an execution that matches no order is dropped.
    ForeignFillDropped,
    /// Reports: a charge for an execution that matches no order is dropped.
    ForeignChargeDropped,
    /// Reports: that an order has ended is dropped where a fill has answered it before.
    EndEvidenceDropped,
    /// Reports: a refused cancel is taken for an accepted one.
    CancelRejectIsCancel,
}
