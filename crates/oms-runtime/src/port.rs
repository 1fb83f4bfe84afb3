//! What the runtime asks of a venue and of a market-data feed. Owned here, implemented elsewhere.
//!
//! - A venue is handed each intent at most once; whatever it answers comes back as a [`Report`].
//! - An empty answer, an incomplete one and a failed one are different: only [`Answer::Complete`] is evidence.

use oms_model::report::{Report, VenueFill};
use oms_model::{BrokerOrderId, Decimal, InstrumentId, Mic, OrdType, Price, Qty, QuoteRef, Side, Symbol, Time, TimeInForce, WireId};

/// A new order as a venue gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireOrder {
    /// Our id of it, never used twice.
    pub wire_id: WireId,
    /// What.
    pub instrument: InstrumentId,
    /// Its ticker.
    pub symbol: Symbol,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 38; only an estimate where `cash_order_qty` is given.
    pub order_qty: Qty,
    /// FIX 152: the money that the order is for.
    pub cash_order_qty: Option<Decimal>,
    /// FIX 117: the dealer's own id of the quote that the order accepts.
    pub quote_ref: Option<QuoteRef>,
    /// FIX 44.
    pub price: Option<Price>,
    /// FIX 99.
    pub stop_px: Option<Price>,
    /// FIX 59.
    pub time_in_force: TimeInForce,
    /// FIX 126.
    pub expire_at: Option<Time>,
    /// Must not be handed over after this time.
    pub deadline: Time,
}

/// A cancel request as a venue gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireCancel {
    /// Our id of the request.
    pub wire_id: WireId,
    /// The id under which the venue knows the order (FIX 41).
    pub orig_wire_id: WireId,
    /// Must not be handed over after this time.
    pub deadline: Time,
}

/// A replace request as a venue gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireReplace {
    /// Our id of the request; the order's id once accepted.
    pub wire_id: WireId,
    /// The id under which the venue knows the order (FIX 41).
    pub orig_wire_id: WireId,
    /// New total quantity, executed part included.
    pub order_qty: Qty,
    /// New limit.
    pub price: Option<Price>,
    /// New trigger.
    pub stop_px: Option<Price>,
    /// Must not be handed over after this time.
    pub deadline: Time,
}

/// What became of handing something over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handed {
    /// It is on its way; reports follow.
    Over,
    /// It provably never left: session down, deadline passed, queue full.
    NotSent(String),
    /// It may or may not have left. Not evidence of anything.
    Unknown(String),
}

/// A venue's answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// All there is.
    Complete(T),
    /// Some of it; what it lacks may exist.
    Incomplete(T),
    /// No answer.
    Failed(String),
}

/// Where an order stands at a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueState {
    /// It works there.
    Live,
    /// Wholly executed.
    Filled,
    /// Canceled.
    Canceled,
    /// Refused.
    Rejected,
    /// Ended by its time in force.
    Expired,
}

/// What a venue did with one cancel or replace request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// It has it and has not decided.
    Pending,
    /// It did what was asked.
    Accepted,
    /// It refused.
    Rejected,
}

/// An order as a venue knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueOrder {
    /// The id it was sent with.
    pub wire_id: WireId,
    /// The venue's id.
    pub broker_order_id: BrokerOrderId,
    /// Where it stands.
    pub state: VenueState,
    /// FIX 38.
    pub order_qty: Qty,
    /// FIX 44.
    pub price: Option<Price>,
    /// Every execution, oldest first.
    pub fills: Vec<(Time, VenueFill)>,
    /// Every cancel and replace request that it has seen for the order, oldest first.
    pub requests: Vec<(WireId, RequestState)>,
}

/// The narrow port to a venue.
pub trait VenuePort: Send {
    /// Which venue.
    fn venue(&self) -> Mic;
    /// Hands a new order over.
    fn send(&mut self, order: &WireOrder) -> Handed;
    /// Hands a cancel request over.
    fn cancel(&mut self, request: &WireCancel) -> Handed;
    /// Hands a replace request over.
    fn replace(&mut self, request: &WireReplace) -> Handed;
    /// The order that was sent with `order` as its first wire id; `Complete(None)`: the venue never saw it.
    fn query(&mut self, order: &WireId) -> Answer<Option<VenueOrder>>;
    /// Every order that works there.
    fn open_orders(&mut self) -> Answer<Vec<VenueOrder>>;
    /// Every execution since `since`, with the id of its order.
    fn executions_since(&mut self, since: Time) -> Answer<Vec<(WireId, Time, VenueFill)>>;
}

/// The runtime no longer takes reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkClosed;

/// Where a venue puts its reports. Bounded: a full queue makes the venue wait, nothing is dropped.
pub trait ReportSink: Send + Sync {
    /// Delivers one report, in the venue's order.
    ///
    /// # Errors
    /// [`SinkClosed`] once the runtime has stopped.
    fn report(&self, report: Report) -> Result<(), SinkClosed>;
}

/// A sink that tells when reports are safe.
pub trait DurableSink: ReportSink {
    /// Waits until everything that was reported before is decided and durable: a venue that keeps what it says until then
    /// needs to keep it no longer.
    ///
    /// # Errors
    /// [`SinkClosed`] once the runtime has stopped.
    fn settled(&self) -> Result<(), SinkClosed>;
}

/// Where a feed puts market data. Never blocks: readers that are slow see the latest only.
pub trait MarketSink: Send + Sync {
    /// A venue's quote of one side; `None` withdraws it.
    fn quote(&self, instrument: InstrumentId, venue: Mic, bid_side: bool, level: Option<(Price, Qty)>, received_at: Time);
    /// A trade print. `venue` is `None` for trades off exchange.
    fn trade(&self, instrument: InstrumentId, venue: Option<Mic>, price: Price, qty: Qty, received_at: Time);
}
