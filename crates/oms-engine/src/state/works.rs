//! Orders that the engine works: which of them wait for which move of the market, and which belong to a list.

use super::{State, TimerKind};
use core::ops::Bound;
use oms_model::work::TriggerSource;
use oms_model::{InstrumentId, Order, OrderId, Price, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Indexes of worked orders. They follow from the orders, so a snapshot has none of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Works {
    count: usize,
    /// Orders that every move is a reason to look at.
    watching: BTreeMap<InstrumentId, BTreeSet<OrderId>>,
    /// Stops that are held here, by the price that reaches them: a move looks at those that it reaches and no others.
    stops: BTreeMap<Lookout, BTreeSet<(Price, OrderId)>>,
    /// Of those the ones that follow the market, by the price beyond which they do.
    trails: BTreeMap<Lookout, BTreeSet<(Price, OrderId)>>,
    /// Raised whenever another set of instruments is watched.
    epoch: u64,
    lists: BTreeMap<OrderId, Vec<OrderId>>,
}

/// The price that stops wait for, and from which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lookout {
    pub(crate) instrument: InstrumentId,
    pub(crate) source: TriggerSource,
    pub(crate) is_buy: bool,
}

/// What of the market is a reason to look at an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Watch {
    #[default]
    Nothing,
    EveryMove,
    Stop {
        lookout: Lookout,
        stop_px: Price,
        follows_beyond: Option<Price>,
    },
}

impl Watch {
    fn of(order: &Order) -> Self {
        if !order.is_watching() {
            return Self::Nothing;
        }
        let Some(work) = order.extras.work.as_deref() else { return Self::Nothing };
        let waits = work.emulated && !work.triggered && order.ord_type.has_stop();
        let Some(stop_px) = order.stop_at().filter(|_| waits) else { return Self::EveryMove };
        let source = work.instructions.trigger_source.unwrap_or_default();
        let lookout = Lookout { instrument: order.instrument_id, source, is_buy: order.side.is_buy() };
        let trail = work.instructions.trail.filter(|_| order.ord_type.is_trailing());
        Self::Stop { lookout, stop_px, follows_beyond: trail.map(|trail| trail.follows_beyond(stop_px, order.side.is_buy())) }
    }
}

/// What an order waited for before something changed it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waits {
    wake: Option<Time>,
    watch: Watch,
}

impl Waits {
    pub(super) fn of(order: &Order) -> Self {
        if order.extras.work.is_none() {
            return Self::default();
        }
        Self { wake: order.wake(), watch: Watch::of(order) }
    }
}

fn put<K: Ord + Copy, V: Ord>(index: &mut BTreeMap<K, BTreeSet<V>>, key: K, value: V) {
    index.entry(key).or_default().insert(value);
}

fn take<K: Ord + Copy, V: Ord>(index: &mut BTreeMap<K, BTreeSet<V>>, key: K, value: &V) {
    if let Some(values) = index.get_mut(&key) {
        values.remove(value);
        if values.is_empty() {
            index.remove(&key);
        }
    }
}

/// The first of `prices` behind `after` that `seen` is at or beyond: at or below it for those that rise to be reached.
fn first_within(
    prices: Option<&BTreeSet<(Price, OrderId)>>,
    seen: Price,
    rising: bool,
    after: Option<(Price, OrderId)>,
) -> Option<(Price, OrderId)> {
    const LAST: OrderId = OrderId::from_u128(u128::MAX);
    let prices = prices?;
    let begin = match after {
        Some(after) => Bound::Excluded(after),
        None if rising => Bound::Unbounded,
        None => Bound::Included((seen, OrderId::from_u128(0))),
    };
    let end = if rising { Bound::Included((seen, LAST)) } else { Bound::Unbounded };
    if let (Bound::Excluded(begin), Bound::Included(end)) = (begin, end)
        && begin >= end
    {
        return None;
    }
    prices.range((begin, end)).next().copied()
}

impl State {
    /// Orders in the hot state that the engine works.
    pub(crate) fn works(&self) -> usize {
        self.works.count
    }

    /// The first order behind `after` that every move of the market in an instrument is a reason to look at.
    pub(crate) fn watching(&self, instrument: InstrumentId, after: Option<OrderId>) -> Option<OrderId> {
        let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.works.watching.get(&instrument)?.range((begin, Bound::Unbounded)).next().copied()
    }

    /// The next stop behind `after` that a price of `seen` reaches.
    pub(crate) fn reached(&self, lookout: Lookout, seen: Price, after: Option<(Price, OrderId)>) -> Option<(Price, OrderId)> {
        first_within(self.works.stops.get(&lookout), seen, lookout.is_buy, after)
    }

    /// The next stop behind `after` that follows a price of `seen`.
    pub(crate) fn followed(&self, lookout: Lookout, seen: Price, after: Option<(Price, OrderId)>) -> Option<(Price, OrderId)> {
        // A buyer's stop follows the market down, so it waits for prices from the other side than its trigger does.
        first_within(self.works.trails.get(&lookout), seen, !lookout.is_buy, after)
    }

    /// The instruments whose market some order watches.
    pub fn watched(&self) -> impl Iterator<Item = InstrumentId> + '_ {
        self.works.watching.keys().copied().chain(self.works.stops.keys().map(|lookout| lookout.instrument))
    }

    /// Raised whenever [`State::watched`] may give another answer.
    #[must_use]
    pub fn watch_epoch(&self) -> u64 {
        self.works.epoch
    }

    /// The orders of a list, oldest first; nothing where it is unknown.
    #[must_use]
    pub fn list(&self, list_id: OrderId) -> &[OrderId] {
        self.works.lists.get(&list_id).map_or(&[], Vec::as_slice)
    }

    /// Whether there is a list at all.
    pub(super) fn has_lists(&self) -> bool {
        !self.works.lists.is_empty()
    }

    /// Whether an order of the list that `order` belongs to can still be executed. Until none can, what the others have
    /// executed is needed.
    pub(super) fn list_works(&self, order: &Order) -> bool {
        let Some(list_id) = order.list_id() else { return false };
        let works = |id: &OrderId| self.order(*id).is_some_and(|order| !order.state.is_done() || self.works_below(order));
        self.list(list_id).iter().any(works)
    }

    /// An order came into the hot state.
    pub(super) fn work_began(&mut self, order: &Order) {
        if order.extras.work.is_none() {
            return;
        }
        self.works.count += 1;
        if let Some(list_id) = order.list_id() {
            self.works.lists.entry(list_id).or_default().push(order.order_id);
        }
        self.work_changed(order, Waits::default());
    }

    /// Keeps timers and watches in line with an order.
    pub(super) fn work_changed(&mut self, order: &Order, before: Waits) {
        if order.extras.work.is_none() {
            return;
        }
        let (order_id, now) = (order.order_id, Waits::of(order));
        if now.wake != before.wake {
            if let Some(at) = before.wake {
                self.clear_timer(at, TimerKind::Work, order_id);
            }
            if let Some(at) = now.wake {
                self.set_timer(at, TimerKind::Work, order_id);
            }
        }
        if now.watch == before.watch {
            return;
        }
        let keys = (self.works.watching.len(), self.works.stops.len());
        match before.watch {
            Watch::Nothing => (),
            Watch::EveryMove => take(&mut self.works.watching, order.instrument_id, &order_id),
            Watch::Stop { lookout, stop_px, follows_beyond } => {
                take(&mut self.works.stops, lookout, &(stop_px, order_id));
                if let Some(price) = follows_beyond {
                    take(&mut self.works.trails, lookout, &(price, order_id));
                }
            }
        }
        let between = (self.works.watching.len(), self.works.stops.len());
        match now.watch {
            Watch::Nothing => (),
            Watch::EveryMove => put(&mut self.works.watching, order.instrument_id, order_id),
            Watch::Stop { lookout, stop_px, follows_beyond } => {
                put(&mut self.works.stops, lookout, (stop_px, order_id));
                if let Some(price) = follows_beyond {
                    put(&mut self.works.trails, lookout, (price, order_id));
                }
            }
        }
        let after = (self.works.watching.len(), self.works.stops.len());
        if keys != between || between != after {
            self.works.epoch += 1;
        }
    }

    /// An order left the hot state.
    pub(super) fn work_closed(&mut self, order: &Order) {
        if order.extras.work.is_none() {
            return;
        }
        self.works.count -= 1;
        let Some(list_id) = order.list_id() else { return };
        if let Some(list) = self.works.lists.get_mut(&list_id) {
            list.retain(|id| *id != order.order_id);
            if list.is_empty() {
                self.works.lists.remove(&list_id);
            }
        }
    }
}
