//! The log's side of a reconciliation.

use std::collections::BTreeMap;

use oms_model::{Qty, Time};
use oms_runtime::port::VenueState;

use super::standing::{Booked, Standing};
use super::{Ledger, Owner};
use crate::connector::moment;
use crate::reconcile::sides::{ContractName, ExecutionView, OrderView};

impl Standing {
    /// As the log has it.
    pub(in crate::connector) fn view(&self) -> OrderView {
        OrderView {
            order_qty: self.order_qty,
            cum_qty: self.traded(),
            price: self.place.as_ref().and_then(|place| place.order.limit).and_then(crate::codec::Number::price),
            is_working: self.state == VenueState::Live,
        }
    }

    fn execution(&self, booked: &Booked) -> Option<ExecutionView> {
        let (contract, worth, is_buy) = self.terms()?;
        let (qty, price) = (booked.fill.last_qty, booked.fill.last_px);
        Some(ExecutionView { is_buy, qty, price, contract, worth, order_id: Some(self.order_id) })
    }
}

impl Ledger {
    /// Orders that are compared whatever the look shows: those that work, and those of which the gateway counts more than it told.
    pub(in crate::connector) fn to_compare(&self) -> impl Iterator<Item = &Standing> {
        self.orders.values().filter(|order| order.state == VenueState::Live || !order.agrees())
    }

    /// An execution in the account and when it was done, by the root of its id.
    pub(in crate::connector) fn execution(&self, root: &str) -> Option<(Time, ExecutionView)> {
        match self.by_exec.get(root)? {
            Owner::Foreign { view, .. } => Some((**view).clone()),
            Owner::Own(order_id) => {
                let order = self.orders.get(order_id)?;
                let booked = order.fills.get(root)?;
                Some((booked.at, order.execution(booked)?))
            }
        }
    }

    /// The roots of the ids of the executions since a day of the gateway's.
    pub(in crate::connector) fn roots_since(&self, day: i64) -> impl Iterator<Item = &String> {
        let is_since = move |at: Time| day <= moment::day(at, self.zone.as_ref());
        let is_in = move |root: &str, owner: &Owner| match owner {
            Owner::Foreign { view, .. } => is_since(view.0),
            Owner::Own(order_id) => {
                self.orders.get(order_id).and_then(|order| order.fills.get(root)).is_some_and(|booked| is_since(booked.at))
            }
        };
        self.by_exec.iter().filter(move |(root, owner)| is_in(root, owner)).map(|(root, _)| root)
    }

    /// What all executions of the log, the desk's and others', come to.
    pub(in crate::connector) fn derived(&self) -> BTreeMap<ContractName, Qty> {
        let mut held: BTreeMap<ContractName, Qty> = BTreeMap::new();
        let mut add = |contract: ContractName, is_buy: bool, qty: Qty| {
            let sum = held.entry(contract).or_default();
            *sum = sum.saturating_add(if is_buy { qty } else { qty.negated() });
        };
        for order in self.orders.values().filter(|order| !order.fills.is_empty()) {
            if let Some((contract, _, is_buy)) = order.terms() {
                add(contract, is_buy, order.traded());
            }
        }
        for owner in self.by_exec.values() {
            if let Owner::Foreign { view, .. } = owner {
                add(view.1.contract.clone(), view.1.is_buy, view.1.qty);
            }
        }
        held
    }
}
