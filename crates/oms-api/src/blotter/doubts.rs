//! Which client orders have a part whose outcome is not known.
//!
//! The log tells a doubt of the part that was sent. Views show client orders, so whoever reads them has to know whose part it is.

use oms_model::event::Event;
use oms_model::{OrderId, Seq};
use std::collections::HashMap;

/// Parts that work, and those in doubt, each with the client order that it is of.
#[derive(Default)]
pub(super) struct Doubts {
    /// Parts that were created since the orders were read, until they end.
    working: HashMap<OrderId, OrderId>,
    doubted: HashMap<OrderId, OrderId>,
    /// Doubts that the log tells up to here are in it.
    known: Seq,
    strangers: Vec<Stranger>,
}

/// A part of which nobody has said whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stranger {
    pub(super) seq: Seq,
    pub(super) part: OrderId,
    in_doubt: bool,
}

/// A client order that has another number of parts in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doubted {
    pub(super) root: OrderId,
    /// One more, or one fewer.
    pub(super) more: bool,
}

impl Doubts {
    /// Begins with the parts that are in doubt at `known`.
    pub(super) fn begin(&mut self, parts: &[(OrderId, OrderId)], known: Seq) {
        self.doubted.extend(parts.iter().copied());
        self.known = known;
    }

    /// How many parts of a client order are in doubt that was not there yet when the doubts were read.
    pub(super) fn of(&self, root: OrderId, created: Seq) -> usize {
        if created > self.known { 0 } else { self.doubted.values().filter(|of| **of == root).count() }
    }

    pub(super) fn created(&mut self, part: OrderId, root: OrderId) {
        self.working.insert(part, root);
    }

    /// Follows an event of a part.
    pub(super) fn follow(&mut self, seq: Seq, part: OrderId, event: &Event) -> Option<Doubted> {
        let in_doubt = match event {
            Event::OrderInDoubt(_) => true,
            Event::OrderOutcomeResolved(_) => false,
            Event::OrderFilled(_) | Event::OrderCanceled(_) | Event::OrderExpired(_) | Event::OrderRejected(_) | Event::OrderClosed(_) => {
                self.working.remove(&part);
                return None;
            }
            _ => return None,
        };
        if seq <= self.known {
            return None;
        }
        match self.working.get(&part).or_else(|| self.doubted.get(&part)).copied() {
            Some(root) => self.turn(part, root, in_doubt),
            None => {
                self.strangers.push(Stranger { seq, part, in_doubt });
                None
            }
        }
    }

    /// The parts that have to be looked up, in the order of their events.
    pub(super) fn strangers(&mut self) -> Vec<Stranger> {
        std::mem::take(&mut self.strangers)
    }

    /// Takes in what was found of a stranger.
    pub(super) fn found(&mut self, stranger: Stranger, root: OrderId) -> Option<Doubted> {
        self.turn(stranger.part, root, stranger.in_doubt)
    }

    fn turn(&mut self, part: OrderId, root: OrderId, in_doubt: bool) -> Option<Doubted> {
        let was = if in_doubt { self.doubted.insert(part, root) } else { self.doubted.remove(&part) };
        (was.is_some() != in_doubt).then_some(Doubted { root, more: in_doubt })
    }
}
