//! The orders in the hot state, found by either of their ids.
//!
//! An order takes a slot, and the indexes hold slots: nine bytes for each order, whatever its ids are made of.

use super::Entry;
use core::hash::{BuildHasher, Hash};
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable, hash_table};
use oms_model::{ClOrdId, OrderId};

/// Where an order stands, with a part of its id's hash, so that an index grows without looking at orders.
#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u32,
    slot: u32,
}

impl Place {
    /// The hash as the tables want it: they take its place from the low bits and a tag from the high ones.
    fn spread(hash: u32) -> u64 {
        u64::from(hash) << 32 | u64::from(hash)
    }
}

fn hash_of(id: &impl Hash) -> u32 {
    (FixedState::default().hash_one(id) >> 32) as u32
}

/// An order that was taken out for the moment. Its slot waits for it.
pub(super) struct Taken {
    slot: usize,
    pub(super) entry: Box<Entry>,
}

/// Where the orders stand that were asked for last. One decision asks for the same few again and again.
#[derive(Clone, Debug, Default)]
struct Recent {
    places: [Option<(OrderId, u32)>; 4],
    next: u8,
}

impl Recent {
    fn slot(&self, id: OrderId) -> Option<u32> {
        self.places.iter().flatten().find(|(known, _)| *known == id).map(|(_, slot)| *slot)
    }

    fn note(&mut self, id: OrderId, slot: u32) {
        if let Some(place) = self.places.get_mut(usize::from(self.next)) {
            *place = Some((id, slot));
        }
        self.next = (self.next + 1) % 4;
    }
}

/// Every order in the hot state, and every id that a client has used.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    slots: Vec<Option<Box<Entry>>>,
    // A slot may have another order by now, so what is found there is looked at.
    recent: Recent,
    free: Vec<u32>,
    by_id: HashTable<Place>,
    by_cl_ord_id: HashTable<Place>,
    // Kept for ever: an id that was used once is never taken again. Those of orders that are still here stand in them;
    // those of requests about them stand here.
    retired: HashMap<ClOrdId, OrderId, FixedState>,
}

impl Orders {
    fn slot(&self, id: OrderId) -> Option<usize> {
        let stands_there = |slot: u32| self.at(slot).is_some_and(|entry| entry.order.order_id == id);
        if let Some(slot) = self.recent.slot(id)
            && stands_there(slot)
        {
            return Some(slot as usize);
        }
        let hash = hash_of(&id);
        let is_it = |place: &Place| place.hash == hash && stands_there(place.slot);
        self.by_id.find(Place::spread(hash), is_it).map(|place| place.slot as usize)
    }

    /// [`Orders::slot`] that is found at once the next time.
    fn slot_again(&mut self, id: OrderId) -> Option<usize> {
        let slot = self.slot(id)?;
        if self.recent.slot(id) != Some(slot as u32) {
            self.recent.note(id, slot as u32);
        }
        Some(slot)
    }

    fn at(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(slot as usize)?.as_deref()
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().filter_map(Option::as_deref)
    }

    pub(super) fn get(&self, id: OrderId) -> Option<&Entry> {
        self.slots.get(self.slot(id)?)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, id: OrderId) -> Option<&mut Entry> {
        let slot = self.slot_again(id)?;
        self.slots.get_mut(slot)?.as_deref_mut()
    }

    /// Takes an order out, so that the rest may change beside it. Until [`Orders::put_back`] it is not found.
    pub(super) fn take(&mut self, id: OrderId) -> Option<Taken> {
        let slot = self.slot_again(id)?;
        let entry = self.slots.get_mut(slot)?.take()?;
        Some(Taken { slot, entry })
    }

    pub(super) fn put_back(&mut self, taken: Taken) {
        if let Some(slot) = self.slots.get_mut(taken.slot) {
            *slot = Some(taken.entry);
        }
    }

    /// # Panics
    /// Where an order with this id is here.
    pub(super) fn insert(&mut self, entry: Entry) {
        let id = entry.order.order_id;
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        assert!(slot < u32::MAX, "there is room for 2^32 orders");
        let hash = hash_of(&id);
        let Self { slots, by_id, .. } = self;
        let order = |slot: u32| slots.get(slot as usize)?.as_deref();
        let is_it = |place: &Place| place.hash == hash && order(place.slot).is_some_and(|entry| entry.order.order_id == id);
        // One look says that it is not there and where it goes.
        let place = by_id.entry(Place::spread(hash), is_it, |place| Place::spread(place.hash));
        assert!(matches!(place, hash_table::Entry::Vacant(_)), "order id {id} is used twice");
        place.insert(Place { hash, slot });
        if entry.order.has_own_id() {
            let hash = hash_of(&entry.order.cl_ord_id);
            self.by_cl_ord_id.insert_unique(Place::spread(hash), Place { hash, slot }, |place| Place::spread(place.hash));
        }
        self.recent.note(id, slot);
        let entry = Some(Box::new(entry));
        match self.slots.get_mut(slot as usize) {
            Some(free) => *free = entry,
            None => self.slots.push(entry),
        }
    }

    /// Takes an order out for good. The id that its client gave it stays used.
    pub(super) fn retire(&mut self, id: OrderId) -> Option<Box<Entry>> {
        let Taken { slot, entry } = self.take(id)?;
        let slot = slot as u32;
        forget(&mut self.by_id, hash_of(&id), slot);
        if entry.order.has_own_id() {
            forget(&mut self.by_cl_ord_id, hash_of(&entry.order.cl_ord_id), slot);
            self.retired.insert(entry.order.cl_ord_id.clone(), id);
        }
        self.free.push(slot);
        Some(entry)
    }

    /// The order that its client knows by this id.
    pub(super) fn find(&self, id: &ClOrdId) -> Option<&Entry> {
        let hash = hash_of(id);
        let is_it = |place: &Place| place.hash == hash && self.at(place.slot).is_some_and(|entry| entry.order.cl_ord_id == *id);
        let own = self.by_cl_ord_id.find(Place::spread(hash), is_it).and_then(|place| self.at(place.slot));
        own.or_else(|| self.get(*self.retired.get(id)?))
    }

    /// The client uses this id for a request about an order, and so for the order.
    pub(super) fn name(&mut self, id: &ClOrdId, order: OrderId) {
        self.retired.insert(id.clone(), order);
    }

    /// The order that used this id, also where it is gone.
    pub(super) fn user_of(&self, id: &ClOrdId) -> Option<OrderId> {
        self.find(id).map(|entry| entry.order.order_id).or_else(|| self.retired.get(id).copied())
    }

    /// The ids of orders that are gone, in no order.
    pub(super) fn retired(&self) -> impl Iterator<Item = (&ClOrdId, OrderId)> {
        self.retired.iter().map(|(id, order)| (id, *order))
    }

    pub(super) fn restore_retired(&mut self, retired: Vec<(ClOrdId, OrderId)>) {
        self.retired = retired.into_iter().collect();
    }

    /// Makes room for `more` orders, `named` of them with an id of their client's.
    pub(super) fn reserve(&mut self, more: usize, named: usize) {
        self.slots.reserve(more);
        self.by_id.reserve(more, |place| Place::spread(place.hash));
        self.by_cl_ord_id.reserve(named, |place| Place::spread(place.hash));
    }
}

fn forget(index: &mut HashTable<Place>, hash: u32, slot: u32) {
    if let Ok(found) = index.find_entry(Place::spread(hash), |place| place.slot == slot) {
        found.remove();
    }
}
