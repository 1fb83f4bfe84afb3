//! The messages about an order, found in the connector's log.
//!
//! A message is about an order by the ids that were made for the order or one of its legs: our reference, then the numbers
//! that the broker gave it. The log keeps what was sent, and of what came that which said something new: a status that is
//! told again is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use oms_model::{OrderId, Time, WireId};
use oms_store::{JournalError, JournalReader};

use crate::codec::Reply;
use crate::connector::record::{Damaged, Message, Record};
use crate::reconcile::sides::root;

/// Entries of the log that are looked at for one answer.
pub const MAX_LOOKED_AT: u64 = 200_000;

/// Which messages are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The order and its legs.
    pub orders: BTreeSet<OrderId>,
    /// Not before.
    pub from: Time,
    /// Not after.
    pub until: Time,
    /// Only those behind this entry of the log.
    pub after: u64,
    /// The most messages.
    pub most: usize,
}

/// A message about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutMessage {
    /// The entry of the log that has it.
    pub entry: u64,
    /// When it came, or was about to leave.
    pub at: Time,
    /// The order or leg.
    pub order_id: OrderId,
    /// What it says.
    pub message: Message,
}

/// Messages about an order, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The messages.
    pub messages: Vec<AboutMessage>,
    /// There are more behind this entry.
    pub next: Option<u64>,
    /// Whether there are no more: the log was read to the end of the time that was asked for.
    pub complete: bool,
}

/// The log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store.
    #[error("the log of the connector: {0}")]
    Journal(#[from] JournalError),
    /// An entry of it.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Where it stands.
    pub entry: u64,
    /// When it was made.
    pub at: Time,
    /// What it says.
    pub record: Record,
}

/// Visits the entries from one on.
///
/// # Errors
/// [`ArchiveError`].
pub fn past(reader: &mut dyn JournalReader, from: u64, visit: &mut dyn FnMut(Past) -> ControlFlow<()>) -> Result<(), ArchiveError> {
    let mut damage = None;
    reader.scan(from, &mut |stored| match Record::read(stored.entry.body) {
        Ok(record) => visit(Past { entry: stored.entry.first_seq, at: Time(stored.entry.time_ns), record }),
        Err(error) => {
            damage = Some(error);
            ControlFlow::Break(())
        }
    })?;
    damage.map_or(Ok(()), |error| Err(error.into()))
}

/// Looks for the messages about an order. `client_id` is the connector's at the broker.
///
/// # Errors
/// [`ArchiveError`].
pub fn about(reader: &mut dyn JournalReader, client_id: i32, about: &About) -> Result<Found, ArchiveError> {
    let first = first_since(reader, about.from)?;
    let mut names = Names { client_id, ..Names::default() };
    // What an execution cost may be told before the execution, and so what is called how is learnt first.
    walk(reader, first, about.until, &mut |past| {
        names.learn(&about.orders, &past.record);
        ControlFlow::Continue(())
    })?;
    let (mut messages, mut next) = (Vec::<AboutMessage>::new(), None);
    let complete = walk(reader, first, about.until, &mut |past| {
        if past.entry <= about.after {
            return ControlFlow::Continue(());
        }
        let Some(order_id) = names.order_of(&about.orders, &past.record) else { return ControlFlow::Continue(()) };
        let Some(message) = past.record.message() else { return ControlFlow::Continue(()) };
        if messages.len() == about.most {
            next = messages.last().map(|last| last.entry);
            return ControlFlow::Break(());
        }
        messages.push(AboutMessage { entry: past.entry, at: past.at, order_id, message });
        ControlFlow::Continue(())
    })?;
    Ok(Found { messages, next, complete })
}

/// What orders are called at the broker.
#[derive(Debug, Default)]
struct Names {
    client_id: i32,
    by_ib: BTreeMap<i32, OrderId>,
    by_perm: BTreeMap<i64, OrderId>,
    by_exec: BTreeMap<String, OrderId>,
}

fn wanted(orders: &BTreeSet<OrderId>, wire_id: &WireId) -> Option<OrderId> {
    wire_id.parts().map(|(order_id, _)| order_id).filter(|order_id| orders.contains(order_id))
}

impl Names {
    fn order_of(&self, orders: &BTreeSet<OrderId>, record: &Record) -> Option<OrderId> {
        match record {
            Record::Placed(wire_id, _) | Record::Cancel(wire_id, _) => wanted(orders, wire_id),
            Record::Heard(reply) => self.told_of(orders, reply),
            Record::Ids(_)
            | Record::Refused(..)
            | Record::Covered(_)
            | Record::Hole
            | Record::Reconciled(_)
            | Record::LookedAt(_)
            | Record::Told(_) => None,
        }
    }

    fn told_of(&self, orders: &BTreeSet<OrderId>, reply: &Reply) -> Option<OrderId> {
        match reply {
            Reply::OpenOrder(row) => self.named(orders, &row.order.order_ref, (row.order.perm_id, row.order.client_id, row.order_id)),
            Reply::CompletedOrder(row) => self.named(orders, &row.order.order_ref, (row.order.perm_id, row.order.client_id, 0)),
            Reply::Execution(report) => {
                let done = &report.execution;
                self.named(orders, &done.order_ref, (done.perm_id, done.client_id, done.order_id))
            }
            Reply::OrderStatus(row) => self.numbered((row.perm_id, row.client_id, row.order_id)),
            Reply::Commission(row) => self.by_exec.get(root(&row.exec_id).0).copied(),
            Reply::Notice(notice) => self.by_ib.get(&notice.id).copied(),
            _ => None,
        }
    }

    /// By our reference, where there is one: what carries that of another order is not about this one.
    fn named(&self, orders: &BTreeSet<OrderId>, order_ref: &str, numbers: (i64, i32, i32)) -> Option<OrderId> {
        match WireId::new(order_ref).ok().filter(|wire_id| wire_id.parts().is_some()) {
            Some(wire_id) => wanted(orders, &wire_id),
            None => self.numbered(numbers),
        }
    }

    fn numbered(&self, (perm_id, client_id, ib_id): (i64, i32, i32)) -> Option<OrderId> {
        let own = || self.by_ib.get(&ib_id).filter(|_| client_id == self.client_id);
        self.by_perm.get(&perm_id).or_else(own).copied()
    }

    fn learn(&mut self, orders: &BTreeSet<OrderId>, record: &Record) {
        let Some(order_id) = self.order_of(orders, record) else { return };
        let (ib_id, perm_id) = match record {
            Record::Placed(_, place) => (place.order_id, 0),
            Record::Cancel(_, ib_id) => (*ib_id, 0),
            Record::Heard(reply) => match &**reply {
                Reply::OpenOrder(row) => (if row.order.client_id == self.client_id { row.order_id } else { 0 }, row.order.perm_id),
                Reply::CompletedOrder(row) => (0, row.order.perm_id),
                Reply::OrderStatus(row) => (0, row.perm_id),
                Reply::Execution(report) => {
                    self.by_exec.insert(root(&report.execution.exec_id).0.to_owned(), order_id);
                    (0, report.execution.perm_id)
                }
                _ => (0, 0),
            },
            _ => (0, 0),
        };
        if 0 < ib_id {
            self.by_ib.insert(ib_id, order_id);
        }
        if perm_id != 0 {
            self.by_perm.insert(perm_id, order_id);
        }
    }
}

/// Visits the entries from one on until one that is later than `until`, or the bound. Whether it was read to the end.
fn walk(
    reader: &mut dyn JournalReader,
    first: u64,
    until: Time,
    visit: &mut dyn FnMut(Past) -> ControlFlow<()>,
) -> Result<bool, ArchiveError> {
    let (mut complete, mut left) = (true, MAX_LOOKED_AT);
    past(reader, first, &mut |past| {
        if until < past.at {
            return ControlFlow::Break(());
        }
        if left == 0 {
            complete = false;
            return ControlFlow::Break(());
        }
        left -= 1;
        let walked = visit(past);
        complete &= walked.is_continue();
        walked
    })?;
    Ok(complete)
}

/// The first entry that is not older than a time. Entries are in the order of their times but for a clock that was set back,
/// which the caller allows for.
fn first_since(reader: &mut dyn JournalReader, since: Time) -> Result<u64, ArchiveError> {
    let (mut low, mut high) = (1, reader.tip().last_seq.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let mut at = None;
        reader.scan(middle, &mut |stored| {
            at = Some(stored.entry.time_ns);
            ControlFlow::Break(())
        })?;
        match at {
            Some(at) if Time(at) < since => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests;
