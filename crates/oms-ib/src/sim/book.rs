//! Orders as the simulator keeps them.

use std::collections::{BTreeMap, BTreeSet};

use oms_model::{InstrumentId, Mic, Notional, OrderId, Price, Qty, WireId};

use crate::codec::{Number, OpenOrder, Order, OrderState, OrderStatus, Size};

/// What an order costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeeSchedule {
    /// For each share.
    pub per_share: Price,
    /// For each order at least.
    pub at_least: Notional,
}

impl FeeSchedule {
    /// So much for each share, however few they are.
    #[must_use]
    pub const fn per_share(per_share: Price) -> Self {
        Self { per_share, at_least: Notional::ZERO }
    }

    /// What so many shares of one order cost.
    pub(super) fn of(self, qty: Qty) -> Notional {
        self.per_share.notional(qty).unwrap_or_default().max(self.at_least)
    }
}

impl Default for FeeSchedule {
    /// As the broker publishes it: half a cent for each share, a dollar for each order at least.
    fn default() -> Self {
        Self { per_share: Price::from_raw(5_000_000), at_least: Notional::from_raw(10_i128.pow(18)) }
    }
}

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    /// Taken and not worked, or rejected.
    Inactive,
    /// On its way.
    PendingSubmit,
    /// Held here.
    PreSubmitted,
    /// At a venue.
    Submitted,
    /// A cancel is on its way.
    PendingCancel,
    /// Canceled.
    Cancelled,
    /// Wholly executed.
    Filled,
}

impl Status {
    pub(super) const ALL: [Self; 7] =
        [Self::Inactive, Self::PendingSubmit, Self::PreSubmitted, Self::Submitted, Self::PendingCancel, Self::Cancelled, Self::Filled];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Inactive => "Inactive",
            Self::PendingSubmit => "PendingSubmit",
            Self::PreSubmitted => "PreSubmitted",
            Self::Submitted => "Submitted",
            Self::PendingCancel => "PendingCancel",
            Self::Cancelled => "Cancelled",
            Self::Filled => "Filled",
        }
    }
}

/// What an order needs from the market before it goes to a venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trigger {
    /// Nothing.
    None,
    /// A trade at the price or beyond.
    Stop(Price),
    /// A trade at the price or better.
    Touch(Price),
    /// The close.
    Close,
}

/// An order.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) perm: i64,
    pub(super) client: i32,
    /// 0 where a person placed it and nobody bound it.
    pub(super) order_id: i32,
    pub(super) instrument: InstrumentId,
    pub(super) exchange: String,
    pub(super) terms: Order,
    pub(super) status: Status,
    /// It never works again.
    pub(super) done: bool,
    pub(super) cum: Qty,
    pub(super) spent: Notional,
    pub(super) last: Price,
    pub(super) fees: Notional,
    pub(super) why_held: &'static str,
    pub(super) reject_reason: String,
    pub(super) completed: String,
    /// Where it works.
    pub(super) venue: Option<Mic>,
    /// The last request to the venue about it.
    pub(super) revision: u32,
    /// The request under which the venue knows it now.
    pub(super) current: u32,
    /// New terms that the venue has not answered.
    pub(super) asked: Option<Box<Order>>,
    pub(super) trigger: Trigger,
    /// How often it was told.
    pub(super) told: u32,
}

impl Held {
    /// The id of a request about it.
    pub(super) fn wire(&self, revision: u32) -> WireId {
        WireId::derive(OrderId::from_u128(u128::from(self.perm.cast_unsigned())), revision)
    }

    pub(super) fn is_buy(&self) -> bool {
        self.terms.action == "BUY"
    }

    pub(super) fn qty(&self) -> Qty {
        self.terms.quantity.0.qty().unwrap_or_default()
    }

    pub(super) fn left(&self) -> Qty {
        self.qty().saturating_sub(self.cum)
    }

    pub(super) fn avg(&self) -> Price {
        self.spent.avg_px(self.cum).unwrap_or_default()
    }

    /// What an execution of `qty` more costs: what all of the order does, less what was charged.
    pub(super) fn fee_for(&self, qty: Qty, fees: FeeSchedule) -> Notional {
        fees.of(self.cum.saturating_add(qty)).saturating_sub(self.fees)
    }

    pub(super) fn status_row(&self, perm: i64) -> OrderStatus {
        OrderStatus {
            order_id: self.order_id,
            status: self.status.word().to_owned(),
            filled: size(self.cum),
            remaining: size(self.left()),
            avg_price: Number::from(self.avg()),
            perm_id: perm,
            parent_id: self.terms.parent_id,
            last_price: Number::from(self.last),
            client_id: self.client,
            why_held: self.why_held.to_owned(),
            cap_price: Some(Number::ZERO),
        }
    }

    pub(super) fn state(&self) -> OrderState {
        OrderState {
            status: self.status.word().to_owned(),
            commission: (!self.fees.is_zero()).then(|| super::account::number(self.fees)),
            commission_currency: if self.fees.is_zero() { String::new() } else { "USD".to_owned() },
            reject_reason: self.reject_reason.clone(),
            completed_time: self.completed.clone(),
            completed_status: if self.done { self.ended() } else { String::new() },
            ..OrderState::default()
        }
    }

    fn ended(&self) -> String {
        match self.status {
            Status::Filled => format!("Filled Size: {}", self.cum),
            Status::Inactive => format!("Rejected: {}", self.reject_reason),
            _ => "Cancelled by Trader".to_owned(),
        }
    }

    /// As it is told.
    pub(super) fn row(&self, contract: crate::codec::Contract, perm: i64) -> OpenOrder {
        let mut order = self.terms.clone();
        (order.client_id, order.order_id, order.perm_id) = (self.client, self.order_id, perm);
        let contract = crate::codec::Contract { exchange: self.exchange.clone(), ..contract };
        OpenOrder { order_id: self.order_id, contract, order, state: self.state() }
    }
}

pub(super) fn size(qty: Qty) -> Size {
    // Quantities of the simulator come from the wire, which holds no more digits.
    Size(Number::try_from(qty).unwrap_or_default())
}

/// All orders, by permanent id and by whom.
#[derive(Debug, Default)]
pub(super) struct Orders {
    pub(super) by_perm: BTreeMap<i64, Held>,
    by_client: BTreeMap<(i32, i32), i64>,
    /// Those that are not done, and some that have just become so.
    live: BTreeSet<i64>,
    next_perm: i64,
}

/// The first permanent id.
const FIRST_PERM: i64 = 1_900_000_001;

impl Orders {
    pub(super) fn next_perm(&mut self) -> i64 {
        self.next_perm = self.next_perm.max(FIRST_PERM - 1) + 1;
        self.next_perm
    }

    pub(super) fn insert(&mut self, order: Held) {
        self.next_perm = self.next_perm.max(order.perm);
        if order.order_id != 0 {
            self.by_client.insert((order.client, order.order_id), order.perm);
        }
        self.live.insert(order.perm);
        self.by_perm.insert(order.perm, order);
    }

    /// The last order under a client's id.
    pub(super) fn of_client(&self, client: i32, order_id: i32) -> Option<&Held> {
        self.by_perm.get(self.by_client.get(&(client, order_id))?)
    }

    /// The permanent ids of orders that are not done.
    pub(super) fn live(&self, which: impl Fn(&Held) -> bool) -> Vec<i64> {
        self.working().filter(|order| which(order)).map(|order| order.perm).collect()
    }

    /// Orders that are not done.
    pub(super) fn working(&self) -> impl Iterator<Item = &Held> {
        self.live.iter().filter_map(|perm| self.by_perm.get(perm)).filter(|order| !order.done)
    }

    /// Passes over those that are done from now on.
    pub(super) fn prune(&mut self) {
        let orders = &self.by_perm;
        self.live.retain(|perm| orders.get(perm).is_some_and(|order| !order.done));
    }

    pub(super) fn highest_order_id(&self) -> i32 {
        self.by_client.keys().map(|(_, order_id)| *order_id).max().unwrap_or(0)
    }

    /// A person's order gets an order id.
    pub(super) fn bind(&mut self, perm: i64, order_id: i32) {
        if let Some(order) = self.by_perm.get_mut(&perm) {
            order.order_id = order_id;
            self.by_client.insert((order.client, order_id), perm);
        }
    }
}
