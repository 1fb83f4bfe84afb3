//! A venue rebuilt from its ledger.
//!
//! Orders, requests and executions are as they were. Places in the queue are not kept: what still
//! works queues again in its old order once the market is seen. Answers that were under way when
//! the process ended are lost; whoever wants them asks.

use oms_model::report::VenueFill;
use oms_model::{IntentKind, Price, Qty, Time, WireId};
use oms_runtime::port::{RequestState, VenueState, WireOrder};

use super::PaperVenue;
use super::ledger::{LedgerError, LedgerRecord};
use super::order::Order;

impl PaperVenue {
    pub(super) fn restore(&mut self, records: &[LedgerRecord]) -> Result<(), LedgerError> {
        for record in records {
            self.pass(record.at());
            match record {
                LedgerRecord::Accepted { at, number, order } => self.restore_order(*at, *number, order, VenueState::Live)?,
                LedgerRecord::Rejected { at, number, order, .. } => {
                    self.restore_order(*at, *number, order, VenueState::Rejected)?;
                }
                LedgerRecord::Filled { number, fill, .. } => self.restore_fill(*number, fill)?,
                LedgerRecord::Canceled { number, wire_id, .. } => self.restore_cancel(*number, wire_id)?,
                LedgerRecord::Replaced { number, wire_id, order_qty, price, stop_px, .. } => {
                    self.restore_replace(*number, wire_id, *order_qty, *price, *stop_px)?;
                }
                LedgerRecord::RequestRejected { number, wire_id, .. } => {
                    self.known.insert(wire_id.clone(), *number);
                    if let Some(order) = self.order_mut(*number) {
                        order.set_request(wire_id, RequestState::Rejected);
                    }
                }
                LedgerRecord::Elected { number, .. } => self.restored(*number)?.held = false,
                LedgerRecord::Expired { number, .. } => {
                    self.restored(*number)?;
                    self.end(*number, VenueState::Expired);
                }
                LedgerRecord::Duplicate { kind, .. } => match kind {
                    IntentKind::New | IntentKind::Replace => self.stats.duplicates_seen += 1,
                    IntentKind::Cancel => self.stats.repeated_cancels += 1,
                },
            }
        }
        self.put_to_work();
        Ok(())
    }

    /// Working orders go into their books when all is read, with the terms they have by then.
    fn put_to_work(&mut self) {
        for &number in &self.working {
            let Some(order) = super::index(number).and_then(|at| self.orders.get(at)) else { continue };
            self.books.entry(order.symbol.clone()).or_default().insert(order);
            if let Some(at) = order.expire_at {
                self.expiries.insert((at, number));
            }
        }
    }

    fn restored(&mut self, number: u64) -> Result<&mut Order, LedgerError> {
        self.order_mut(number).ok_or(LedgerError::UnknownOrder { number })
    }

    fn restore_order(&mut self, at: Time, number: u64, wire: &WireOrder, state: VenueState) -> Result<(), LedgerError> {
        if number != self.orders.len() as u64 + 1 {
            return Err(LedgerError::UnknownOrder { number });
        }
        let mut order = Order::new(number, wire, at);
        order.state = state;
        self.known.insert(wire.wire_id.clone(), number);
        if state == VenueState::Live {
            self.stats.accepted += 1;
            self.priorities += 1;
            order.priority = self.priorities;
            self.working.insert(number);
        } else {
            self.stats.rejected += 1;
        }
        self.orders.push(order);
        Ok(())
    }

    fn restore_fill(&mut self, number: u64, fill: &VenueFill) -> Result<(), LedgerError> {
        let order = self.restored(number)?;
        if order.cash.is_some() {
            order.qty = order.cum.saturating_add(fill.last_qty);
        }
        self.book_fill(number, fill.clone());
        Ok(())
    }

    fn restore_cancel(&mut self, number: u64, wire_id: &WireId) -> Result<(), LedgerError> {
        let order = self.restored(number)?;
        // Unasked cancels carry the order's own id and are no request.
        if order.current != *wire_id {
            order.set_request(wire_id, RequestState::Accepted);
            self.known.insert(wire_id.clone(), number);
        }
        self.end(number, VenueState::Canceled);
        Ok(())
    }

    fn restore_replace(
        &mut self,
        number: u64,
        wire_id: &WireId,
        order_qty: Qty,
        price: Option<Price>,
        stop_px: Option<Price>,
    ) -> Result<(), LedgerError> {
        let before = self.restored(number)?.clone();
        self.known.insert(wire_id.clone(), number);
        self.restored(number)?.set_request(wire_id, RequestState::Accepted);
        self.amend(number, wire_id, order_qty, price, stop_px, &before);
        Ok(())
    }
}
