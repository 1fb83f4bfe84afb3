//! What is asked, by whom. A command may be refused.

mod allocation;
mod booking;
mod risk;

use crate::amount::{Decimal, Price, Qty};
use crate::compliance::Compliance;
use crate::ids::{
    AccountId, AllocId, ApiKeyId, ClOrdId, ExecId, Mic, OrderId, QuoteId, QuoteRef, QuoteReqId, Symbol, TenantId, Time, UserId,
};
use crate::instrument::{Account, Currency, Instrument, Venue};
use crate::limit::{LimitKey, RiskLimit, Scope};
use crate::order::{Routing, Terms};
use crate::policy::SorPolicy;
use crate::refusal::{Code, Refusal};
use crate::terms::{CostMethod, OrdType, Reversal, Side, Source, TimeInForce, TradingState};
use crate::work::{ArmRule, ContingencyType, Instructions};
pub use allocation::NewGroup;
pub use booking::{BookOn, Correction, ExecutionRef, Figures, NewExecution};
pub use risk::{MAX_IMPORT, RiskCommand};

/// Who asks, and through which door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// For which tenant; comes from the credential only.
    pub tenant_id: TenantId,
    /// Which person or machine.
    pub user_id: UserId,
    /// With which key, where one was used.
    pub api_key_id: Option<ApiKeyId>,
    /// Through which door.
    pub source: Source,
}

/// A client's new order. The edge has parsed it; the engine checks it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewOrder {
    /// The client's id; the order's own id in text where none is given.
    pub cl_ord_id: Option<ClOrdId>,
    /// For which account; the tenant's only one where none is given.
    pub account_id: Option<AccountId>,
    /// What.
    pub symbol: Symbol,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 38; zero where `cash_order_qty` is given.
    pub order_qty: Qty,
    /// FIX 152: an amount of the instrument's currency in place of `order_qty`, where the asset class takes it.
    pub cash_order_qty: Option<Decimal>,
    /// FIX 44, for LIMIT and STOP_LIMIT.
    pub price: Option<Price>,
    /// FIX 99, for STOP and STOP_LIMIT.
    pub stop_px: Option<Price>,
    /// FIX 59.
    pub time_in_force: TimeInForce,
    /// FIX 126, for GTD.
    pub expire_at: Option<Time>,
    /// FIX 117: the live quote that a PREVIOUSLY_QUOTED order accepts.
    pub quote_id: Option<QuoteId>,
    /// How it should be placed.
    pub routing: Routing,
    /// The client's own JSON object, 8 KiB at most.
    pub metadata: Option<Box<str>>,
    /// What it asks beyond quantity and price.
    pub instructions: Instructions,
    /// What it says for the gate.
    pub compliance: Compliance,
}

/// A client's request for quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewQuoteRequest {
    /// For which account; the tenant's only one where none is given.
    pub account_id: Option<AccountId>,
    /// What.
    pub symbol: Symbol,
    /// FIX 54; `None` asks for both sides.
    pub side: Option<Side>,
    /// FIX 38.
    pub order_qty: Qty,
    /// The dealers to ask; all of them where it is empty.
    pub dealers: Vec<Mic>,
    /// How long it may be answered and accepted, milliseconds.
    pub life_ms: u32,
}

/// A dealer's answer to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewQuote {
    /// The request.
    pub quote_req_id: QuoteReqId,
    /// Who answers: the venue that an order on it goes to.
    pub dealer: Mic,
    /// The dealer's own id of it.
    pub quote_ref: QuoteRef,
    /// FIX 132.
    pub bid_px: Option<Price>,
    /// FIX 134.
    pub bid_size: Qty,
    /// FIX 133.
    pub offer_px: Option<Price>,
    /// FIX 135.
    pub offer_size: Qty,
    /// How long it lives, milliseconds; never longer than its request.
    pub life_ms: u32,
    /// The dealer's live quote that it takes the place of.
    pub replaces: Option<QuoteId>,
}

/// An order, named by our id or by the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderRef {
    /// By ours.
    Id(OrderId),
    /// By the client's.
    ClOrdId(ClOrdId),
}

/// A change of terms; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// New total quantity, executed part included.
    pub order_qty: Option<Qty>,
    /// New limit.
    pub price: Option<Price>,
    /// New trigger.
    pub stop_px: Option<Price>,
    /// Whether its sender knows that it is beyond a soft limit and wants it all the same.
    pub acknowledged: bool,
}

/// One part of a care order, as its holder wants it worked. What is `None` is as in the order above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewPart {
    /// The client's id of it; the part's own id in text where none is given.
    pub cl_ord_id: Option<ClOrdId>,
    /// FIX 38.
    pub order_qty: Qty,
    /// FIX 40.
    pub ord_type: Option<OrdType>,
    /// FIX 44; never worse for the client than the price of the order above.
    pub price: Option<Price>,
    /// FIX 99.
    pub stop_px: Option<Price>,
    /// FIX 59; never longer than the order above.
    pub time_in_force: Option<TimeInForce>,
    /// FIX 126, for GTD.
    pub expire_at: Option<Time>,
    /// How it should be placed; with `care` it is staged for another person.
    pub routing: Routing,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Place one order.
    CreateOrder(Box<NewOrder>),
    /// Place up to [`MAX_BATCH`] orders; `atomic`: all of them or none.
    CreateOrders {
        /// In order.
        orders: Vec<NewOrder>,
        /// Whether one refusal refuses all.
        atomic: bool,
    },
    /// Take the slices of an order that the engine works back, and release none until it is resumed (FIX 18 = S).
    SuspendOrder {
        /// Which.
        order: OrderRef,
        /// Refused where the order is at another version.
        if_version: Option<u32>,
    },
    /// Go on with an order that was suspended (FIX 18 = q).
    ResumeOrder {
        /// Which.
        order: OrderRef,
        /// Refused where the order is at another version.
        if_version: Option<u32>,
    },
    /// Place orders that mean something for each other: all of them or none.
    CreateOrderList {
        /// In order; the first one arms the others, where the contingency says so.
        orders: Vec<NewOrder>,
        /// What they mean for each other.
        contingency: ContingencyType,
        /// When the first one arms the others.
        arm: ArmRule,
    },
    /// Cancel an order and everything below it.
    CancelOrder {
        /// Which.
        order: OrderRef,
        /// Refuse unless this is its version.
        if_version: Option<u32>,
    },
    /// Change an order's terms.
    ReplaceOrder {
        /// Which.
        order: OrderRef,
        /// To what.
        change: Change,
        /// Refuse unless this is its version.
        if_version: Option<u32>,
    },
    /// Acknowledge a care order.
    AcceptOrder {
        /// Which.
        order: OrderRef,
        /// Refuse unless this is its version.
        if_version: Option<u32>,
    },
    /// Take a care order that nobody holds, to work it.
    ClaimOrder {
        /// Which.
        order: OrderRef,
        /// Refuse unless this is its version.
        if_version: Option<u32>,
    },
    /// Hand a care order to another user, or put it back for anybody to claim.
    PassOrder {
        /// Which.
        order: OrderRef,
        /// To whom; `None` puts it back.
        to: Option<UserId>,
        /// Why, in words.
        text: String,
        /// Refuse unless this is its version.
        if_version: Option<u32>,
    },
    /// Work parts of a care order, each with its own terms and routing.
    SplitOrder {
        /// Which.
        order: OrderRef,
        /// Up to [`MAX_BATCH`], all of them or none.
        parts: Vec<NewPart>,
        /// Refuse unless this is its version.
        if_version: Option<u32>,
    },
    /// Hand what is unplaced of a care order to the router.
    ReleaseOrder {
        /// Which.
        order: OrderRef,
        /// Refuse unless this is its version.
        if_version: Option<u32>,
    },
    /// A cancel or replace to which its client gave an id of its own (FIX 11 of F and G). The id is used for ever, as an
    /// order's is, and names the order too once it was taken on.
    Named {
        /// The id.
        cl_ord_id: ClOrdId,
        /// [`Command::CancelOrder`] or [`Command::ReplaceOrder`].
        request: Box<Command>,
    },
    /// Cancel those of these client orders that still work; at most as many as a mass cancel takes.
    CancelOrders {
        /// Which.
        orders: Vec<OrderId>,
    },
    /// Cancel every working order in a scope.
    MassCancel {
        /// Which.
        scope: Scope,
    },
    /// Refuse new orders in a scope and cancel the working ones.
    EngageKillSwitch {
        /// Which.
        scope: Scope,
        /// Why, in words.
        reason: String,
    },
    /// Take orders in a scope again.
    ReleaseKillSwitch {
        /// Which.
        scope: Scope,
        /// Why, in words.
        reason: String,
    },
    /// Set the trading state of a scope.
    SetTradingState {
        /// Which.
        scope: Scope,
        /// To what.
        state: TradingState,
        /// Why, in words.
        reason: String,
    },
    /// Set a limit; its version is assigned.
    SetRiskLimit(RiskLimit),
    /// Take a limit away.
    RemoveRiskLimit(LimitKey),
    /// A change of what the gate knows besides limits.
    Risk(Box<RiskCommand>),
    /// Set a routing policy; its version is assigned.
    SetSorPolicy(Box<SorPolicy>),
    /// Add or change a venue.
    ConfigureVenue(Box<Venue>),
    /// Add or change an instrument; a new one's id is assigned.
    ListInstrument(Box<Instrument>),
    /// Ask dealers for prices.
    RequestQuote(Box<NewQuoteRequest>),
    /// Withdraw a request; its live quotes end.
    CancelQuoteRequest {
        /// Which.
        quote_req_id: QuoteReqId,
    },
    /// Answer a request, for a dealer.
    SubmitQuote(Box<NewQuote>),
    /// Take a live quote back, for its dealer.
    WithdrawQuote {
        /// Which.
        quote_id: QuoteId,
        /// Whose it is.
        dealer: Mic,
        /// Why, in words.
        text: String,
    },
    /// Accept a live quote: place the order that does.
    AcceptQuote {
        /// Which.
        quote_id: QuoteId,
        /// FIX 54; needed where the request asked for both sides.
        side: Option<Side>,
        /// How much; what was asked for where none is given.
        order_qty: Option<Qty>,
        /// The client's id of the order.
        cl_ord_id: Option<ClOrdId>,
    },
    /// Publish a fund's net asset value per unit.
    SetNav {
        /// Of which fund.
        symbol: Symbol,
        /// Currency per unit.
        nav: Price,
        /// The valuation point: when the fund was worth that.
        as_of: Time,
    },
    /// Add or change an account.
    OpenAccount(Account),
    /// Name the tenant of this partition.
    CreateTenant {
        /// Its id.
        tenant_id: TenantId,
        /// Its short name.
        slug: String,
    },
    /// Record a machine's credential; only its hash is known.
    CreateApiKey {
        /// Its id.
        api_key_id: ApiKeyId,
        /// The user that it acts for.
        user_id: UserId,
        /// The first characters, for recognition.
        prefix: String,
        /// SHA-256 of the whole key.
        sha256: [u8; 32],
    },
    /// Book an execution by hand, or one in suspense (ExecutionCreateCmd).
    CreateExecution(Box<NewExecution>),
    /// Correct an execution's figures (ExecutionCorrectCmd).
    CorrectExecution {
        /// Which.
        execution: Box<ExecutionRef>,
        /// To what.
        correction: Correction,
        /// Why, in words.
        reason: String,
    },
    /// Take an execution back (ExecutionBustCmd, ExecutionWhackCmd).
    ReverseExecution {
        /// Which.
        execution: Box<ExecutionRef>,
        /// Because the market did, or because we had booked wrongly.
        reversal: Reversal,
        /// Why, in words.
        reason: String,
    },
    /// An execution in suspense is not ours.
    DismissSuspense {
        /// Where.
        venue: Mic,
        /// The venue's id of it.
        exec_id: ExecId,
        /// Why, in words.
        reason: String,
    },
    /// Record a rate: one unit of `from` is `rate` units of `to`.
    SetFxRate {
        /// Of this currency.
        from: Currency,
        /// In this one.
        to: Currency,
        /// How much.
        rate: Decimal,
    },
    /// Choose how realised profit is worked out; while nothing was executed yet.
    SetCostMethod(CostMethod),
    /// Work orders as one.
    GroupOrders(Box<NewGroup>),
    /// Work a group's members on their own again.
    UngroupOrders {
        /// The group.
        group: OrderRef,
        /// Why, in words.
        reason: String,
    },
    /// Propose to share out what a group has executed.
    ProposeAllocation {
        /// The group.
        group: OrderRef,
    },
    /// Approve a proposal, as a second person.
    ApproveAllocation {
        /// Which.
        alloc_id: AllocId,
    },
    /// Turn a proposal down.
    RejectAllocation {
        /// Which.
        alloc_id: AllocId,
        /// Why, in words.
        reason: String,
    },
    /// Close the trading day: freeze positions and profit, end DAY orders.
    CloseDay {
        /// The day that it is, as a number: 20261121. Named so that a request that came late closes no other day.
        day: u32,
    },
}

/// The most orders in one [`Command::CreateOrders`].
pub const MAX_BATCH: usize = 100;

/// What came of placing one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It was accepted and, where a route was found, its legs are on their way.
    Accepted {
        /// Its id.
        order_id: OrderId,
    },
    /// It was refused after being recorded.
    Refused {
        /// Its id.
        order_id: OrderId,
        /// The first failed check's code.
        code: Code,
    },
    /// It was refused before an order could be recorded.
    Invalid(Refusal),
}

/// What came of a command. A pure function of the batch of events that it led to, so that an
/// idempotent replay gives the same answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// [`Command::CreateOrder`], [`Command::CreateOrders`]: one for each order.
    Orders(Vec<Placed>),
    /// A cancel or replace was taken on, or a mass cancel: the orders concerned with their new versions.
    Pending {
        /// (order, version) of each.
        orders: Vec<(OrderId, u32)>,
    },
    /// [`Command::RequestQuote`].
    QuoteRequested {
        /// The request.
        quote_req_id: QuoteReqId,
    },
    /// [`Command::SubmitQuote`].
    QuoteReceived {
        /// The quote.
        quote_id: QuoteId,
    },
    /// An administrative change was made.
    Done,
    /// Refused; nothing changed.
    Refused(Refusal),
}

/// Terms after a change.
#[must_use]
pub fn changed(terms: Terms, change: &Change) -> Terms {
    Terms {
        order_qty: change.order_qty.unwrap_or(terms.order_qty),
        price: change.price.or(terms.price),
        stop_px: change.stop_px.or(terms.stop_px),
    }
}
