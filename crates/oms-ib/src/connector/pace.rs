//! What waits to leave, and how fast it may: cancels first, then orders, then questions, then data.

use std::collections::VecDeque;

use oms_model::{OrderId, Time, WireId};

use super::config::SECOND;
use crate::codec::{PlaceOrder, Request};

/// Orders and requests that wait at most; beyond it nothing is taken.
const MAX_WAITING: usize = 4_096;

/// Something that waits to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A new order, or new terms of one. Its order id is given when it leaves.
    Place { wire_id: WireId, place: Box<PlaceOrder>, deadline: Time },
    /// A cancel.
    Cancel { wire_id: WireId, deadline: Time },
    /// Messages that leave together: the requests of a look around, of that number.
    Look { round: u64, requests: Vec<Request> },
    /// A question what an order would cost, of that number. Its order id is given when it leaves.
    WhatIf { number: u64, place: Box<PlaceOrder> },
    /// Anything else.
    Plain(Box<Request>),
}

impl Item {
    fn cost(&self) -> usize {
        match self {
            Self::Look { requests, .. } => requests.len(),
            _ => 1,
        }
    }

    /// The wire id of an intent.
    pub(super) fn wire_id(&self) -> Option<&WireId> {
        match self {
            Self::Place { wire_id, .. } | Self::Cancel { wire_id, .. } => Some(wire_id),
            Self::Look { .. } | Self::WhatIf { .. } | Self::Plain(_) => None,
        }
    }
}

/// How urgent something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Heartbeats and cancels.
    First,
    /// Orders and new terms.
    Order,
    /// Questions.
    Question,
    /// Market data.
    Data,
}

/// The queue and its budget.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: [VecDeque<Item>; 4],
    /// When messages left in the last second, and how many.
    left: VecDeque<(i64, usize)>,
    /// The gateway said that it was too much: nothing leaves until then, but what is first.
    held_until: i64,
}

impl Pace {
    /// Whether one more order or request is taken.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.iter().map(VecDeque::len).sum::<usize>() < MAX_WAITING
    }

    pub(super) fn push(&mut self, class: Class, item: Item) {
        if let Some(queue) = self.waiting.get_mut(class as usize) {
            queue.push_back(item);
        }
    }

    /// The gateway wants a pause.
    pub(super) fn hold(&mut self, until: i64) {
        self.held_until = until;
    }

    fn spent(&self, mono: i64) -> usize {
        self.left.iter().filter(|(at, _)| mono - *at < SECOND).map(|(_, cost)| cost).sum()
    }

    /// The next that may leave now.
    pub(super) fn next(&mut self, mono: i64, per_second: usize) -> Option<Item> {
        while self.left.front().is_some_and(|(at, _)| SECOND <= mono - *at) {
            self.left.pop_front();
        }
        let room = per_second.saturating_sub(self.spent(mono));
        let classes = if mono < self.held_until { 1 } else { self.waiting.len() };
        let queue = self.waiting.iter_mut().take(classes).find(|queue| !queue.is_empty())?;
        // What costs more than a second has waits for a second of its own.
        let cost = queue.front()?.cost().min(per_second);
        if room < cost {
            return None;
        }
        self.left.push_back((mono, cost));
        queue.pop_front()
    }

    /// When something that waits may leave.
    pub(super) fn due(&self, mono: i64) -> Option<i64> {
        let first_waits = self.waiting.first().is_some_and(|queue| !queue.is_empty());
        if !first_waits && self.waiting.iter().all(VecDeque::is_empty) {
            return None;
        }
        let budget = self.left.front().map_or(mono, |(at, _)| at + SECOND);
        Some(if first_waits { budget } else { budget.max(self.held_until) }.max(mono + 1))
    }

    /// Whether an intent waits.
    pub(super) fn waits(&self, wire_id: &WireId) -> bool {
        self.waiting.iter().flatten().any(|item| item.wire_id() == Some(wire_id))
    }

    /// Whether an order or new terms of one wait.
    pub(super) fn place_waits(&self, order_id: OrderId) -> bool {
        let of = |item: &Item| matches!(item, Item::Place { wire_id, .. } if wire_id.parts().is_some_and(|(id, _)| id == order_id));
        self.waiting.iter().flatten().any(of)
    }

    /// Takes out what waits of some orders and is no cancel.
    pub(super) fn take_places(&mut self, which: impl Fn(OrderId) -> bool) -> VecDeque<Item> {
        let of = |item: &Item| matches!(item, Item::Place { wire_id, .. } if wire_id.parts().is_some_and(|(id, _)| which(id)));
        let Some(queue) = self.waiting.get_mut(Class::Order as usize) else { return VecDeque::new() };
        let (taken, kept) = std::mem::take(queue).into_iter().partition(of);
        *queue = kept;
        taken
    }

    /// Takes out everything.
    pub(super) fn clear(&mut self) -> Vec<Item> {
        self.held_until = 0;
        self.left.clear();
        self.waiting.iter_mut().flat_map(std::mem::take).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::RequestTime;

    fn cancel(order: u128) -> Item {
        Item::Cancel { wire_id: WireId::derive(OrderId::from_u128(order), 1), deadline: Time(0) }
    }

    fn place(order: u128) -> Item {
        let wire_id = WireId::derive(OrderId::from_u128(order), 0);
        Item::Place { wire_id, place: Box::default(), deadline: Time(0) }
    }

    #[test]
    fn cancels_overtake_orders_and_no_second_has_more_than_its_budget() {
        let mut pace = Pace::default();
        for order in 0..10 {
            pace.push(Class::Order, place(order));
        }
        for _ in 0..4 {
            assert!(matches!(pace.next(0, 5), Some(Item::Place { .. })));
        }
        pace.push(Class::First, cancel(77));
        assert_eq!(pace.next(1, 5), Some(cancel(77)));
        assert_eq!((pace.next(2, 5), pace.due(2)), (None, Some(SECOND)));
        // As those before leave the last second, others may go; never more than five in any second.
        let mut left = 0;
        while pace.next(SECOND, 5).is_some() {
            left += 1;
        }
        assert_eq!(left, 4);
        assert!(pace.next(SECOND + 1, 5).is_some());
    }

    #[test]
    fn while_the_gateway_wants_a_pause_only_what_is_first_leaves() {
        let mut pace = Pace::default();
        pace.hold(5 * SECOND);
        pace.push(Class::Order, place(1));
        assert_eq!((pace.next(0, 45), pace.due(0)), (None, Some(5 * SECOND)));
        pace.push(Class::First, Item::Plain(Box::new(Request::CurrentTime(RequestTime {}))));
        assert!(pace.next(0, 45).is_some());
        assert!(pace.next(5 * SECOND, 45).is_some());
    }

    #[test]
    fn a_look_leaves_as_a_whole() {
        let mut pace = Pace::default();
        let look = Item::Look { round: 1, requests: vec![Request::CurrentTime(RequestTime {}); 4] };
        pace.push(Class::Order, place(1));
        pace.push(Class::Order, place(2));
        pace.push(Class::Question, look.clone());
        assert!(pace.next(0, 5).is_some() && pace.next(0, 5).is_some());
        assert_eq!(pace.next(0, 5), None);
        assert_eq!(pace.next(SECOND, 5), Some(look));
    }
}
