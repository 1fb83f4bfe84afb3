//! What is so: facts in the past tense, never edited.

mod allocation;
mod booking;
mod risk;

use crate::amount::{Notional, Price, Qty};
use crate::breaker::Breaker;
use crate::command::{Actor, Placed};
use crate::compliance::{Compliance, Locate, Restriction};
use crate::ids::{
    AccountId, ApiKeyId, BrokerOrderId, ClOrdId, CommandId, ExecId, InstrumentId, Mic, OrderId, PolicyName, QuoteId, QuoteRef, QuoteReqId,
    Seq, TenantId, Time, TraceId, UserId,
};
use crate::instrument::{Account, Instrument, Venue};
use crate::limit::{CheckResult, LimitType, Period, RiskLimit, Scope};
use crate::order::{Basis, Routing, Terms};
use crate::policy::SorPolicy;
use crate::position::Position;
use crate::refusal::{Code, Refusal};
use crate::strategy::StrategyEnvelope;
use crate::terms::{
    Anomaly, EndedBy, IntentKind, Liquidity, OrdState, OrdType, OrderKind, Outcome, SagaPhase, Side, SorMode, Source, TimeInForce,
    TradingState, terms,
};

use crate::work::{AlgoAction, TriggerSource, Work};
pub use allocation::{Allocation, AllocationApproved, AllocationProposed, AllocationRejected, Member, OrdersGrouped, OrdersUngrouped};
pub use booking::{
    CommissionRecorded, CostMethodSet, DayClosed, ExecutionCorrected, ExecutionReversed, FxRateSet, OrderFillAdjusted, PositionFrozen,
    SuspenseResolved,
};
pub use risk::{
    BreakerMoved, BreakerRemoved, KillSwitchConfirmed, LimitRequired, Mark, OrderHeld, OrderReleased, PositionsMarked, RestrictionRemoved,
    RiskCurrencySet, SelfMatchPrevented, SelfMatchRuleSet, ShortSaleStateSet, ThrottleReset, ThrottleTripped,
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

/// An order was recorded: a client's, or a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of `Order`")]
pub struct OrderCreated {
    pub order_id: OrderId,
    pub parent_order_id: Option<OrderId>,
    pub root_order_id: OrderId,
    pub cl_ord_id: ClOrdId,
    pub account_id: AccountId,
    pub user_id: UserId,
    pub instrument_id: InstrumentId,
    pub side: Side,
    pub ord_type: OrdType,
    pub time_in_force: TimeInForce,
    pub source: Source,
    pub order_qty: Qty,
    pub price: Option<Price>,
    pub stop_px: Option<Price>,
    pub expire_at: Option<Time>,
    pub routing: Option<Box<Routing>>,
    pub venue: Option<Mic>,
    pub metadata: Option<Box<str>>,
    pub kind: Option<OrderKind>,
    pub work: Option<Box<Work>>,
    pub basis: Option<Box<Basis>>,
    pub number: u32,
    pub compliance: Option<Box<Compliance>>,
}

/// The gate looked at an order, or at the change that a replace would make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RiskChecked {
    /// The order.
    pub order_id: OrderId,
    /// The worst price that the order is reserved at; `None` where it was refused.
    pub worst_price: Option<Price>,
    /// Every check in order of precedence.
    pub results: Vec<CheckResult>,
}

/// An order was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderRejected {
    /// The order.
    pub order_id: OrderId,
    /// Who refused it.
    pub by: EndedBy,
    /// With which code.
    pub code: Code,
    /// In which words.
    pub text: String,
}

terms! {
    /// Why the router left a venue out.
    Exclusion {
        /// It is switched off in the configuration.
        Disabled = 1 "DISABLED",
        /// Its session is down.
        Disconnected = 2 "DISCONNECTED",
        /// The policy or the client does not allow it.
        NotAllowed = 3 "NOT_ALLOWED",
        /// It shows no quote on the side that the order would trade against, and the order cannot rest.
        NoQuote = 4 "NO_QUOTE",
        /// Its quote is too old.
        StaleQuote = 5 "STALE_QUOTE",
        /// Its own bid is at or above its own offer.
        CrossedQuote = 6 "CROSSED_QUOTE",
        /// It has halted the instrument or is closed.
        Halted = 7 "HALTED",
        /// It is not the venue that the client named.
        NotNamed = 8 "NOT_NAMED",
        /// It failed this order before.
        FailedBefore = 9 "FAILED_BEFORE",
        /// A kill switch is engaged for it.
        KillSwitch = 10 "KILL_SWITCH",
        /// Orders there are in doubt; nothing more is sent until they are resolved.
        InDoubt = 11 "IN_DOUBT",
        /// It has no order of this type.
        OrderTypeLacked = 12 "ORDER_TYPE_LACKED",
        /// Trading there is halted by a person or a breaker.
        TradingHalted = 13 "TRADING_HALTED",
        /// A restricted list has it, or an allow list has it not.
        Restricted = 14 "RESTRICTED",
    }
}

/// What the router saw of a venue and how it scored it. Scores are parts per million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The venue.
    pub venue: Mic,
    /// Why it was left out; `None` where it was eligible.
    pub excluded: Option<Exclusion>,
    /// Its bid.
    pub bid: Option<Price>,
    /// Displayed at the bid.
    pub bid_size: Qty,
    /// Its offer.
    pub ask: Option<Price>,
    /// Displayed at the offer.
    pub ask_size: Qty,
    /// Age of the quote on the side that the order would trade against, nanoseconds.
    pub quote_age_ns: u64,
    /// Latency that was scored, nanoseconds.
    pub latency_ns: u64,
    /// Fill probability that was scored.
    pub fill_ppm: u32,
    /// Fee per unit that was scored; a rebate is negative.
    pub fee: Price,
    /// Price component.
    pub price_score: u32,
    /// Latency component.
    pub latency_score: u32,
    /// Fill component.
    pub fill_score: u32,
    /// Fee component.
    pub fee_score: u32,
    /// Weighted sum, less the penalty for earlier failures of this order.
    pub score: u32,
}

/// One leg of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leg {
    /// The order that it became.
    pub order_id: OrderId,
    /// Where.
    pub venue: Mic,
    /// How much.
    pub qty: Qty,
    /// At which limit; `None` for a market order.
    pub price: Option<Price>,
    /// For how long.
    pub time_in_force: TimeInForce,
    /// Whether it was priced to trade at once against the quote that was seen.
    pub aggressive: bool,
}

/// The router's decision with everything it saw. Nothing is looked up again later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteDecided {
    /// The order that was placed.
    pub order_id: OrderId,
    /// 1 for the first plan, then one more for each re-plan.
    pub attempt: u32,
    /// Under which policy.
    pub policy: PolicyName,
    /// Which version of it.
    pub policy_version: u32,
    /// In which mode.
    pub mode: SorMode,
    /// Best bid seen.
    pub bid: Option<Price>,
    /// Best offer seen.
    pub ask: Option<Price>,
    /// Every venue considered.
    pub candidates: Vec<Candidate>,
    /// The plan; empty where no place was found.
    pub legs: Vec<Leg>,
    /// The order's `place_qty` with these legs.
    pub place_qty: Qty,
    /// Why it was planned again.
    pub replan_reason: Option<Box<str>>,
}

/// An intent is durable: the venue follower will hand it over, once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderSent {
    /// The leg.
    pub order_id: OrderId,
    /// What is handed over.
    pub intent: IntentKind,
    /// With the order it gives the wire id.
    pub revision: u32,
    /// Where.
    pub venue: Mic,
    /// Not handed over after this time.
    pub deadline: Time,
    /// Terms of a replace.
    pub terms: Option<Terms>,
}

/// A parent's state or placed quantity follows its children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderStateSynced {
    /// The parent.
    pub order_id: OrderId,
    /// Its state.
    pub state: OrdState,
    /// Its quantity with children.
    pub place_qty: Qty,
}

/// The venue works the order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderAccepted {
    /// The leg.
    pub order_id: OrderId,
    /// The venue's id.
    pub broker_order_id: Option<BrokerOrderId>,
}

/// An order's executed quantity rose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// The order: the leg, or one above it.
    pub order_id: OrderId,
    /// By which execution.
    pub exec_id: ExecId,
    /// By how much.
    pub last_qty: Qty,
    /// At which price.
    pub last_px: Price,
    /// Price times quantity, exact.
    pub last_notional: Notional,
}

/// A cancel was taken on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderCancelRequested {
    /// The order.
    pub order_id: OrderId,
    /// Who asked.
    pub by: EndedBy,
}

/// An order ended without being wholly executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderEnded {
    /// The order.
    pub order_id: OrderId,
    /// What ended it.
    pub by: EndedBy,
    /// In which words.
    pub text: String,
}

/// A cancel or replace was refused; the order works on as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestRejected {
    /// The order.
    pub order_id: OrderId,
    /// Who refused.
    pub by: EndedBy,
    /// In which words.
    pub text: String,
}

/// A replace was taken on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderReplaceRequested {
    /// The order.
    pub order_id: OrderId,
    /// The terms asked for.
    pub terms: Terms,
}

/// New terms hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderReplaced {
    /// The order.
    pub order_id: OrderId,
    /// The terms.
    pub terms: Terms,
    /// The revision under which the venue now knows the order.
    pub revision: u32,
}

/// The outcome of an intent is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderInDoubt {
    /// The leg.
    pub order_id: OrderId,
    /// What was handed over.
    pub intent: IntentKind,
    /// Its revision.
    pub revision: u32,
    /// Why it is not known.
    pub reason: String,
}

/// Evidence ended the doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderOutcomeResolved {
    /// The leg.
    pub order_id: OrderId,
    /// What was in doubt.
    pub intent: IntentKind,
    /// Its revision.
    pub revision: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// The evidence.
    pub evidence: String,
}

/// The order was cleaned up and leaves the hot state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderClosed {
    /// The order.
    pub order_id: OrderId,
}

/// Something a person should look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderAnomaly {
    /// The order.
    pub order_id: OrderId,
    /// What kind.
    pub anomaly: Anomaly,
    /// What was seen.
    pub detail: String,
}

/// An execution was booked; the position follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionRecorded {
    /// The venue's id of it.
    pub exec_id: ExecId,
    /// The order that was executed: a leg, or where `manual` any; the nil id where it is booked on an account alone.
    pub order_id: OrderId,
    /// The client's order.
    pub root_order_id: OrderId,
    /// Whose.
    pub account_id: AccountId,
    /// In what.
    pub instrument_id: InstrumentId,
    /// Bought or sold.
    pub side: Side,
    /// Where.
    pub venue: Mic,
    /// How much.
    pub last_qty: Qty,
    /// At which price.
    pub last_px: Price,
    /// Added or removed liquidity.
    pub liquidity: Liquidity,
    /// Charge; a rebate is negative.
    pub fee: Notional,
    /// When, by the venue's clock.
    pub transact_time: Time,
    /// A person booked it; no venue told it.
    pub manual: bool,
}

/// An execution that belongs to no order we know: kept in suspense for a person, never dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionUnmatched {
    /// The venue's id of it.
    pub exec_id: ExecId,
    /// Where.
    pub venue: Mic,
    /// The id that the venue gave as ours.
    pub wire_id: String,
    /// How much.
    pub last_qty: Qty,
    /// At which price.
    pub last_px: Price,
    /// When, by the venue's clock.
    pub transact_time: Time,
    /// The execution that it takes back or corrects; `None` where it is a trade of its own.
    pub exec_ref: Option<ExecId>,
}

/// A venue's session came up or went down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerSession {
    /// The venue.
    pub venue: Mic,
    /// Why.
    pub reason: String,
}

/// A kill switch was engaged or released.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KillSwitchChanged {
    /// For what.
    pub scope: Scope,
    /// Why.
    pub reason: String,
}

/// A trading state was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TradingStateSet {
    /// For what.
    pub scope: Scope,
    /// To what.
    pub state: TradingState,
    /// Why.
    pub reason: String,
}

/// A limit was taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskLimitRemoved {
    /// Which.
    pub limit_type: LimitType,
    /// Whose.
    pub scope: Scope,
    /// Its period, where it is not the usual one.
    pub period: Option<Period>,
    /// Whether it was a soft one.
    pub soft: bool,
}

/// The tenant of this partition was named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantCreated {
    /// Its id.
    pub tenant_id: TenantId,
    /// Its short name.
    pub slug: String,
    /// Mixed into the order ids of this log.
    pub id_salt: u64,
}

/// A machine's credential was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiKeyCreated {
    /// Its id.
    pub api_key_id: ApiKeyId,
    /// The user that it acts for.
    pub user_id: UserId,
    /// The first characters.
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub sha256: [u8; 32],
}

/// A client asks dealers for prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of `QuoteRequest`")]
pub struct QuoteRequested {
    pub quote_req_id: QuoteReqId,
    pub account_id: AccountId,
    pub user_id: UserId,
    pub instrument_id: InstrumentId,
    pub side: Option<Side>,
    pub order_qty: Qty,
    pub dealers: Vec<Mic>,
    pub expire_at: Time,
}

/// A dealer answered; the first answer makes the request QUOTED.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of `Quote`")]
pub struct QuoteReceived {
    pub quote_id: QuoteId,
    pub quote_req_id: QuoteReqId,
    pub dealer: Mic,
    pub quote_ref: QuoteRef,
    pub bid_px: Option<Price>,
    pub bid_size: Qty,
    pub offer_px: Option<Price>,
    pub offer_size: Qty,
    pub valid_until: Time,
}

/// A quote was accepted, and with it its request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuoteAccepted {
    /// Which.
    pub quote_id: QuoteId,
    /// Of which request.
    pub quote_req_id: QuoteReqId,
    /// The order that accepts it.
    pub order_id: OrderId,
}

/// A quote ended without being accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuoteEnded {
    /// Which.
    pub quote_id: QuoteId,
    /// Why, in words; empty where its life was over.
    pub text: String,
}

/// A dealer put another quote in the place of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuoteReplaced {
    /// Which.
    pub quote_id: QuoteId,
    /// The other.
    pub by: QuoteId,
}

/// A request ended without a quote being accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuoteRequestEnded {
    /// Which.
    pub quote_req_id: QuoteReqId,
}

/// A fund was valued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NavSet {
    /// Which fund.
    pub instrument_id: InstrumentId,
    /// Net asset value per unit.
    pub nav: Price,
    /// The valuation point.
    pub as_of: Time,
    /// Orders that were taken up to then are priced at it; later ones wait for the next.
    pub cut_off: Time,
}

/// An execution told how much the money of an order buys or raises; its quantity is no estimate any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderSized {
    /// The order.
    pub order_id: OrderId,
    /// Its quantity.
    pub order_qty: Qty,
}

/// An idempotency key was used; the same key and payload within the window get the same answer.
/// Always the last event of its batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdempotencyRecorded {
    /// SHA-256 of (endpoint, key), its first 16 bytes.
    pub key: u128,
    /// SHA-256 of the canonical payload.
    pub fingerprint: [u8; 32],
    /// What the command came to.
    pub result: IdempotentResult,
}

/// The stored form of a command's outcome. What an order placement came to is read from its own
/// events; everything else stands here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdempotentResult {
    /// Orders placed, in order; an order that was recorded is named, one that was not has its refusal.
    pub placed: Vec<Placed>,
    /// Orders concerned by a cancel or replace, with their new versions.
    pub pending: Vec<(OrderId, u32)>,
    /// The refusal of the whole command.
    pub refused: Option<Refusal>,
    /// The request for quotes that was made.
    pub quote_req_id: Option<QuoteReqId>,
    /// The quote that was taken.
    pub quote_id: Option<QuoteId>,
}

/// A care order was acknowledged by the desk: somebody takes care of it. Nothing was sent by that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CareAccepted {
    /// The order.
    pub order_id: OrderId,
    /// Who acknowledged it.
    pub user_id: UserId,
}

/// A care order changed hands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CarePassed {
    /// The order.
    pub order_id: OrderId,
    /// Who held it; `None` where it waited for somebody to claim it.
    pub from: Option<UserId>,
    /// Who holds it now; `None` where it was put back.
    pub to: Option<UserId>,
    /// In which words.
    pub text: String,
}

/// A replace of an order with several working parts went a step on, or back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SagaStepped {
    /// The order.
    pub order_id: OrderId,
    /// In which direction, or that it is over.
    pub phase: SagaPhase,
    /// Which step it is in, from 1.
    pub step: u32,
    /// The part that is changed, put back or has refused.
    pub part: Option<OrderId>,
    /// Its terms before the replace.
    pub before: Option<Terms>,
    /// Why.
    pub text: String,
}

/// A stage of STAGED routing began, or goes on: one venue works the order until then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageStarted {
    /// The order.
    pub order_id: OrderId,
    /// The leg at the stage's venue.
    pub leg: OrderId,
    /// When what it has not executed goes on.
    pub until: Time,
}

/// A stage of STAGED routing is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageEnded {
    /// The order.
    pub order_id: OrderId,
    /// The leg at the stage's venue.
    pub leg: OrderId,
    /// What follows.
    pub text: String,
}

/// The trigger of an order was reached. What follows is released in the same batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderTriggered {
    /// The order.
    pub order_id: OrderId,
    /// Which price triggered it.
    pub source: TriggerSource,
    /// The stop that was reached; `None` for an order that waited for a time.
    pub stop_px: Option<Price>,
    /// The price that was seen: at the stop, or beyond it after a gap.
    pub seen_px: Option<Price>,
}

/// The stop of a trailing order followed the market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StopMoved {
    /// The order.
    pub order_id: OrderId,
    /// Where the stop stands now.
    pub stop_px: Price,
    /// The price that was seen.
    pub seen_px: Price,
}

/// A slice of an order was released.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SliceReleased {
    /// The order.
    pub order_id: OrderId,
    /// The slice.
    pub slice_id: OrderId,
    /// How much.
    pub qty: Qty,
    /// At which limit; `None` for a market order.
    pub price: Option<Price>,
    /// Whether it is the leftover of an algorithm.
    pub leftover: bool,
    /// Why, in words.
    pub reason: Box<str>,
}

/// An algorithm decided, or an order waits for a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlgoStepped {
    /// The order.
    pub order_id: OrderId,
    /// What.
    pub action: AlgoAction,
    /// The new price of slices that work.
    pub price: Option<Price>,
    /// When it looks again.
    pub wake: Option<Time>,
    /// Whether it looks again when the market moves.
    pub on_market: bool,
    /// What the market traded since the start.
    pub volume: Qty,
    /// The feed's volume when that was counted.
    pub volume_mark: Qty,
    /// Why, in words.
    pub reason: Box<str>,
}

/// Fills of the first order of a list armed another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderArmed {
    /// The order that is armed.
    pub order_id: OrderId,
    /// The order whose fills arm it.
    pub by: OrderId,
    /// How much of it may work.
    pub armed_qty: Qty,
}

/// Another order of the list was executed in place of this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerFilled {
    /// The order that is canceled or reduced for it.
    pub order_id: OrderId,
    /// The order that was executed.
    pub by: OrderId,
    /// What the others have executed in its place by now.
    pub taken_qty: Qty,
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
