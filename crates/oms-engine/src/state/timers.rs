//! What is due when.

use super::State;
use oms_model::{OrderId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum TimerKind {
    /// The order's time in force ends.
    Expire = 1,
    /// The venue should have answered by now.
    Answer = 2,
    /// An order that is done leaves the hot state.
    Close = 3,
    /// A stage of STAGED routing is over.
    Stage = 4,
    /// An order that the engine works is looked at again.
    Work = 7,
    /// A quote dies; the id is the quote's.
    QuoteLife = 11,
    /// A request for quotes is over; the id is the request's.
    QuoteRequestLife = 12,
    /// The time of an override is over; the id is the override's.
    Override = 20,
    /// A scheduled change of a limit begins or ends; the id is the change's.
    LimitSchedule = 21,
}

impl TimerKind {
    /// The stored number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
    /// The kind with this stored number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Expire),
            2 => Some(Self::Answer),
            3 => Some(Self::Close),
            4 => Some(Self::Stage),
            7 => Some(Self::Work),
            11 => Some(Self::QuoteLife),
            12 => Some(Self::QuoteRequestLife),
            20 => Some(Self::Override),
            21 => Some(Self::LimitSchedule),
            _ => None,
        }
    }
}

/// What is due at one moment: orders of a day end together, other things mostly alone.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Together {
    One(OrderId),
    #[expect(clippy::box_collection, reason = "what is due alone, which most is, needs eight bytes less")]
    Many(Box<BTreeSet<OrderId>>),
}

impl Together {
    fn insert(&mut self, order: OrderId) {
        match self {
            Self::One(known) if *known == order => (),
            Self::One(known) => *self = Self::Many(Box::new(BTreeSet::from([*known, order]))),
            Self::Many(orders) => drop(orders.insert(order)),
        }
    }

    /// Whether nothing is left.
    fn remove(&mut self, order: OrderId) -> bool {
        match self {
            Self::One(known) => *known == order,
            Self::Many(orders) => {
                orders.remove(&order);
                orders.is_empty()
            }
        }
    }

    fn contains(&self, order: OrderId) -> bool {
        match self {
            Self::One(known) => *known == order,
            Self::Many(orders) => orders.contains(&order),
        }
    }

    /// In the order of their ids.
    fn iter(&self) -> impl Iterator<Item = OrderId> {
        let (one, many) = match self {
            Self::One(order) => (Some(*order), None),
            Self::Many(orders) => (None, Some(orders.iter().copied())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

/// What is due, each kind on its own: an order is due once for each.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers([BTreeMap<Time, Together>; 9]);

const KINDS: [TimerKind; 9] = [
    TimerKind::Expire,
    TimerKind::Answer,
    TimerKind::Close,
    TimerKind::Stage,
    TimerKind::Work,
    TimerKind::QuoteLife,
    TimerKind::QuoteRequestLife,
    TimerKind::Override,
    TimerKind::LimitSchedule,
];

impl Timers {
    fn of(&self, kind: TimerKind) -> &BTreeMap<Time, Together> {
        let Self([expire, answer, close, stage, work, quote, request, granted, schedule]) = self;
        match kind {
            TimerKind::Expire => expire,
            TimerKind::Answer => answer,
            TimerKind::Close => close,
            TimerKind::Stage => stage,
            TimerKind::Work => work,
            TimerKind::QuoteLife => quote,
            TimerKind::QuoteRequestLife => request,
            TimerKind::Override => granted,
            TimerKind::LimitSchedule => schedule,
        }
    }

    fn of_mut(&mut self, kind: TimerKind) -> &mut BTreeMap<Time, Together> {
        let Self([expire, answer, close, stage, work, quote, request, granted, schedule]) = self;
        match kind {
            TimerKind::Expire => expire,
            TimerKind::Answer => answer,
            TimerKind::Close => close,
            TimerKind::Stage => stage,
            TimerKind::Work => work,
            TimerKind::QuoteLife => quote,
            TimerKind::QuoteRequestLife => request,
            TimerKind::Override => granted,
            TimerKind::LimitSchedule => schedule,
        }
    }
}

impl State {
    pub(crate) fn next_timer(&self) -> Option<Time> {
        self.timers.0.iter().filter_map(BTreeMap::first_key_value).map(|(&due, _)| due).min()
    }

    /// What is due at `now`, oldest first, at most `limit`.
    pub(crate) fn due(&self, now: Time, limit: usize) -> Vec<(Time, TimerKind, OrderId)> {
        let first = |kind| {
            let timers = self.timers.of(kind).range(..=now).flat_map(|(&due, orders)| orders.iter().map(move |order| (due, order)));
            timers.map(move |(due, order)| (due, kind, order)).take(limit)
        };
        let mut due: Vec<_> = KINDS.into_iter().flat_map(first).collect();
        due.sort_unstable();
        due.truncate(limit);
        due
    }

    pub(crate) fn is_set(&self, due: Time, kind: TimerKind, order: OrderId) -> bool {
        self.timers.of(kind).get(&due).is_some_and(|orders| orders.contains(order))
    }

    pub(super) fn set_timer(&mut self, due: Time, kind: TimerKind, order: OrderId) {
        self.timers.of_mut(kind).entry(due).and_modify(|orders| orders.insert(order)).or_insert(Together::One(order));
    }

    pub(super) fn clear_timer(&mut self, due: Time, kind: TimerKind, order: OrderId) {
        let timers = self.timers.of_mut(kind);
        if timers.get_mut(&due).is_some_and(|orders| orders.remove(order)) {
            timers.remove(&due);
        }
    }
}

#[cfg(test)]
mod tests;
