//! An order as a paper venue keeps it.

use oms_model::{BrokerOrderId, Decimal, Mic, OrdType, Price, Qty, Side, Symbol, Time, TimeInForce, WireId};
use oms_runtime::port::{RequestState, VenueState, WireOrder};

/// What waits in front of a resting order in the venue's displayed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// The venue's quote has not been at our price since we joined: not known.
    Unseen,
    /// So much.
    Known(Qty),
}

/// An order that the venue took or refused. Kept for ever: its ids must never be taken again.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// The venue's number of it, from 1.
    pub(super) number: u64,
    /// ClOrdID it was sent with.
    pub(super) first: WireId,
    /// ClOrdID of the last accepted replace, or the first.
    pub(super) current: WireId,
    pub(super) symbol: Symbol,
    pub(super) side: Side,
    pub(super) ord_type: OrdType,
    pub(super) time_in_force: TimeInForce,
    pub(super) qty: Qty,
    /// The money that it is for, in place of a quantity.
    pub(super) cash: Option<Decimal>,
    /// When the venue took it.
    pub(super) taken_at: Time,
    pub(super) cum: Qty,
    pub(super) price: Option<Price>,
    pub(super) stop_px: Option<Price>,
    pub(super) expire_at: Option<Time>,
    pub(super) state: VenueState,
    /// A stop that has not been elected.
    pub(super) held: bool,
    /// Entered marketable and has met no quote since that it does not cross: it trades at the
    /// market's price, not at its own.
    pub(super) aggressive: bool,
    pub(super) ahead: Ahead,
    /// Time priority among our own orders at one price.
    pub(super) priority: u64,
    /// Indexes into the venue's executions.
    pub(super) fills: Vec<u32>,
    pub(super) requests: Vec<(WireId, RequestState)>,
}

impl Order {
    pub(super) fn new(number: u64, order: &WireOrder, taken_at: Time) -> Self {
        Self {
            number,
            first: order.wire_id.clone(),
            current: order.wire_id.clone(),
            symbol: order.symbol.clone(),
            side: order.side,
            ord_type: order.ord_type,
            time_in_force: order.time_in_force,
            qty: order.order_qty,
            cash: order.cash_order_qty,
            taken_at,
            cum: Qty::ZERO,
            price: if order.ord_type.has_price() { order.price } else { None },
            stop_px: if order.ord_type.has_stop() { order.stop_px } else { None },
            expire_at: if order.time_in_force == TimeInForce::Gtd { order.expire_at } else { None },
            state: VenueState::Live,
            held: order.ord_type.has_stop(),
            aggressive: true,
            ahead: Ahead::Unseen,
            priority: number,
            fills: Vec::new(),
            requests: Vec::new(),
        }
    }

    pub(super) fn leaves(&self) -> Qty {
        if self.state == VenueState::Live { self.qty.saturating_sub(self.cum) } else { Qty::ZERO }
    }

    /// Whether it may trade at `price`.
    pub(super) fn accepts(&self, price: Price) -> bool {
        match (self.price, self.side.is_buy()) {
            (None, _) => true,
            (Some(limit), true) => price <= limit,
            (Some(limit), false) => price >= limit,
        }
    }

    /// Whether a last sale at `price` elects it.
    pub(super) fn elected_by(&self, price: Price) -> bool {
        match (self.stop_px, self.side.is_buy()) {
            (None, _) => false,
            (Some(stop), true) => price >= stop,
            (Some(stop), false) => price <= stop,
        }
    }

    /// Sorts resting orders of one side, best price and then oldest first. Orders without a limit
    /// come first.
    pub(super) fn rank(&self) -> (i64, u64) {
        let price = match (self.price, self.side.is_buy()) {
            (None, _) => i64::MIN,
            (Some(limit), true) => -limit.raw(),
            (Some(limit), false) => limit.raw(),
        };
        (price, self.priority)
    }

    pub(super) fn set_request(&mut self, wire_id: &WireId, state: RequestState) {
        self.requests.push((wire_id.clone(), state));
    }
}

/// The venue's permanent id of its `number`th order.
pub(super) fn broker_order_id(mic: Mic, number: u64) -> BrokerOrderId {
    BrokerOrderId::new(&format!("{mic}-{number}")).unwrap_or_default()
}
