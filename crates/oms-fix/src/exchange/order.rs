//! An order of a venue's client, as the client was told of it.

use std::collections::BTreeMap;

use oms_model::{BrokerOrderId, Decimal, ExecId, Notional, Price, Qty, Symbol, WireId};

/// How an order ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Rejected,
    Canceled,
    Expired,
}

/// What a cancel or replace asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    Cancel,
    Replace(Terms),
}

/// A cancel or replace request, and whether it was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Request {
    pub(super) wire_id: WireId,
    /// OrigClOrdID(41), as it came.
    pub(super) orig: WireId,
    pub(super) asked: Asked,
    pub(super) answered: bool,
}

/// What a replace may change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Terms {
    pub(super) qty: Qty,
    pub(super) price: Option<Price>,
    pub(super) stop_px: Option<Price>,
}

/// An order. Fields that are only repeated are kept as they came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Order {
    /// ClOrdID(11) that it was sent with.
    pub(super) first: WireId,
    /// ClOrdID(11) of the last accepted replace, or the first.
    pub(super) current: WireId,
    pub(super) broker_order_id: Option<BrokerOrderId>,
    pub(super) account: Vec<u8>,
    pub(super) symbol: Symbol,
    pub(super) side: Vec<u8>,
    pub(super) ord_type: Vec<u8>,
    pub(super) time_in_force: Vec<u8>,
    pub(super) terms: Terms,
    pub(super) cash: Option<Decimal>,
    pub(super) cum: Qty,
    pub(super) notional: Notional,
    /// Every execution that was told: quantity and price.
    pub(super) executions: BTreeMap<ExecId, (Qty, Price)>,
    pub(super) acked: bool,
    pub(super) end: Option<End>,
    pub(super) requests: Vec<Request>,
}

impl Order {
    /// OrdStatus(39).
    pub(super) fn status(&self) -> u8 {
        match self.end {
            Some(End::Rejected) => b'8',
            Some(End::Canceled) => b'4',
            Some(End::Expired) => b'C',
            None if self.is_filled() => b'2',
            None if self.cum.is_positive() => b'1',
            None if self.acked => b'0',
            None => b'A',
        }
    }

    fn is_filled(&self) -> bool {
        self.cum.is_positive() && self.terms.qty <= self.cum
    }

    /// Nothing of it works any more.
    pub(super) fn is_done(&self) -> bool {
        self.end.is_some() || self.is_filled()
    }

    /// LeavesQty(151).
    pub(super) fn leaves(&self) -> Qty {
        if self.is_done() { Qty::ZERO } else { self.terms.qty.saturating_sub(self.cum) }
    }

    /// AvgPx(6).
    pub(super) fn avg_px(&self) -> Price {
        self.notional.avg_px(self.cum).unwrap_or(Price::ZERO)
    }

    /// Sets an execution, anew or corrected; `None` takes it back.
    pub(super) fn execute(&mut self, exec_id: &ExecId, execution: Option<(Qty, Price)>) {
        match execution {
            Some(execution) => drop(self.executions.insert(exec_id.clone(), execution)),
            None => drop(self.executions.remove(exec_id)),
        }
        let sum = |(qty, notional): (Qty, Notional), (last_qty, last_px): &(Qty, Price)| {
            (qty.saturating_add(*last_qty), notional.saturating_add(last_px.notional(*last_qty).unwrap_or_default()))
        };
        (self.cum, self.notional) = self.executions.values().fold((Qty::ZERO, Notional::ZERO), sum);
        if self.cash.is_some() {
            // What the money buys is known by what it bought.
            self.terms.qty = self.cum;
        }
    }

    pub(super) fn request(&self, wire_id: &WireId) -> Option<&Request> {
        self.requests.iter().rev().find(|request| request.wire_id == *wire_id)
    }

    /// Marks a request as answered, and says whether it was so before.
    pub(super) fn answer(&mut self, wire_id: &WireId) -> bool {
        let request = self.requests.iter_mut().rev().find(|request| request.wire_id == *wire_id);
        request.is_some_and(|request| std::mem::replace(&mut request.answered, true))
    }
}
