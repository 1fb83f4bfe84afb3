//! The orders of a tenant in memory, with the rank indexes of the shapes that views ask for.
//!
//! Rows follow events at once, indexes at the end of a turn ([`Book::settle`]): an order that ten events changed meanwhile
//! moves once.

use super::column::{Row, Symbols};
use super::shape::Shape;
use oms_model::event::{Batch, Event};
use oms_model::{Order, OrderId, Seq, Time};
use oms_rank::{Entry, Ordered, RankIndex};
use oms_store::views::query::Owned;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Rows, by number.
type Rows = Vec<Option<Box<Row>>>;
/// The rows that changed in this turn, as they were before; `None` for one that was not there.
type Before = HashMap<u32, Option<Box<Row>>>;

/// The order of a shape over rows; where `before` is given, over rows as they were before this turn.
struct InOrder<'a> {
    shape: &'a Shape,
    rows: &'a Rows,
    before: Option<&'a Before>,
    symbols: &'a Symbols,
}

impl InOrder<'_> {
    fn row(&self, number: u32) -> Option<&Row> {
        match self.before.and_then(|before| before.get(&number)) {
            Some(before) => before.as_deref(),
            None => self.rows.get(number as usize)?.as_deref(),
        }
    }
}

impl Ordered for InOrder<'_> {
    fn compare(&self, a: Entry, b: Entry) -> Ordering {
        a.key.cmp(&b.key).then_with(|| match (self.row(a.row), self.row(b.row)) {
            _ if a.row == b.row => Ordering::Equal,
            (Some(of_a), Some(of_b)) => self.shape.compare(of_a, of_b, self.symbols),
            // An index holds rows that there are. Were one lost, its number would still tell it from others.
            _ => a.row.cmp(&b.row),
        })
    }
}

/// A shape's rows in order.
pub(super) struct Ranked {
    pub(super) shape: Arc<Shape>,
    pub(super) index: RankIndex,
    /// How many rows each group has.
    pub(super) groups: BTreeMap<Owned, usize>,
    /// Whether a row of it changed in the last turn.
    pub(super) changed: bool,
}

impl Ranked {
    fn count(&mut self, group: Option<Owned>, enters: bool) {
        let Some(group) = group else { return };
        let count = self.groups.entry(group).or_default();
        if enters {
            *count += 1;
        } else {
            *count = count.saturating_sub(1);
        }
    }
}

/// The orders, and who is where.
#[derive(Default)]
pub(super) struct Book {
    rows: Rows,
    free: Vec<u32>,
    by_id: HashMap<OrderId, u32>,
    /// By age, of those that may be forgotten.
    done: BTreeSet<(Seq, u32)>,
    symbols: Symbols,
    before: Before,
    ranked: BTreeMap<String, Ranked>,
    /// Everything up to here is in it.
    seq: Seq,
    most: usize,
    /// Whether there are, or were, older orders that are not in it.
    cut: bool,
    /// A symbol changed, so that no index is sorted any more.
    renamed: bool,
}

impl Book {
    /// A book of at most so many orders, without any, as of `seq`.
    pub(super) fn new(symbols: Symbols, seq: Seq, most: usize) -> Self {
        Self { symbols, seq, most, ..Self::default() }
    }

    pub(super) fn seq(&self) -> Seq {
        self.seq
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether it leaves older orders out.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    pub(super) fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    pub(super) fn row(&self, number: u32) -> Option<&Row> {
        self.rows.get(number as usize)?.as_deref()
    }

    pub(super) fn ranked(&self, name: &str) -> Option<&Ranked> {
        self.ranked.get(name)
    }

    /// Takes an order in that was stored, before anything of the log. False where there is no room left for it.
    pub(super) fn load(&mut self, order: Order, last_seq: Seq, known: Seq) -> bool {
        if self.by_id.len() >= self.most {
            self.cut = true;
            return false;
        }
        self.put(Row { order, last_seq, known });
        true
    }

    fn put(&mut self, mut row: Row) -> u32 {
        // Views show none of its parts.
        row.order.children = oms_model::children::Children::new();
        let number = self.free.pop().unwrap_or(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
        self.by_id.insert(row.order.order_id, number);
        if row.order.state.is_done() {
            self.done.insert((row.order.created_seq, number));
        }
        let row = Some(Box::new(row));
        match self.rows.get_mut(number as usize) {
            Some(free) => *free = row,
            None => self.rows.push(row),
        }
        number
    }

    /// Follows a batch of the log.
    pub(super) fn apply(&mut self, batch: &Batch) {
        for (seq, event) in batch.numbered() {
            match event {
                Event::OrderCreated(created) if created.parent_order_id.is_none() => {
                    if !self.by_id.contains_key(&created.order_id) {
                        let order = Order::create(created, seq, batch.time);
                        let number = self.put(Row { order, last_seq: seq, known: seq });
                        self.before.insert(number, None);
                    }
                }
                // A part: nobody is shown it.
                Event::OrderCreated(_) => (),
                Event::OrdersGrouped(e) => {
                    self.changed(seq, batch.time, e.group_order_id, event);
                    e.members.iter().for_each(|member| self.changed(seq, batch.time, member.order_id, event));
                }
                Event::OrdersUngrouped(e) => {
                    self.changed(seq, batch.time, e.group_order_id, event);
                    e.members.iter().for_each(|member| self.changed(seq, batch.time, *member, event));
                }
                Event::InstrumentListed(listed) => self.renamed |= self.symbols.list(listed),
                event => {
                    if let Some(order_id) = event.order_id() {
                        self.changed(seq, batch.time, order_id, event);
                    }
                }
            }
        }
        self.seq = self.seq.max(batch.last_seq());
        self.forget();
    }

    fn changed(&mut self, seq: Seq, time: Time, order_id: OrderId, event: &Event) {
        let Some(number) = self.by_id.get(&order_id).copied() else { return };
        let Some(row) = self.rows.get_mut(number as usize).and_then(Option::as_deref_mut) else { return };
        if seq <= row.known {
            return;
        }
        let was_done = row.order.state.is_done();
        self.before.entry(number).or_insert_with(|| Some(Box::new(row.clone())));
        row.order.apply(event, time);
        (row.last_seq, row.known) = (seq, seq);
        let at = (row.order.created_seq, number);
        match (was_done, row.order.state.is_done()) {
            (false, true) => drop(self.done.insert(at)),
            (true, false) => drop(self.done.remove(&at)),
            _ => (),
        }
    }

    /// Forgets the oldest orders that are done, where there are too many. What works is never forgotten.
    fn forget(&mut self) {
        while self.by_id.len() > self.most {
            let Some((_, number)) = self.done.pop_first() else { return };
            self.cut = true;
            let Some(row) = self.rows.get_mut(number as usize).and_then(Option::take) else { continue };
            self.by_id.remove(&row.order.order_id);
            // Its number is free for another once no index holds it.
            self.before.entry(number).or_insert(Some(row));
        }
    }

    /// Brings the indexes up to the rows. Each knows then whether a row of it changed since the last time.
    pub(super) fn settle(&mut self) {
        let Self { rows, free, symbols, before, ranked, renamed, .. } = self;
        if std::mem::take(renamed) {
            ranked.values_mut().for_each(|one| *one = rank(one.shape.clone(), rows, symbols));
        } else {
            ranked.values_mut().for_each(|one| resort(one, rows, before, symbols));
        }
        for number in before.keys() {
            if rows.get(*number as usize).is_some_and(Option::is_none) {
                free.push(*number);
            }
        }
        before.clear();
    }

    /// Sorts the orders that a shape means, unless that is done already. Everything must be settled.
    pub(super) fn rank(&mut self, shape: &Arc<Shape>) {
        if !self.ranked.contains_key(&shape.name) {
            let ranked = rank(shape.clone(), &self.rows, &self.symbols);
            self.ranked.insert(shape.name.clone(), ranked);
        }
    }

    /// Drops a shape's index, which nobody looks at any more.
    pub(super) fn drop_index(&mut self, name: &str) {
        self.ranked.remove(name);
    }
}

fn rank(shape: Arc<Shape>, rows: &Rows, symbols: &Symbols) -> Ranked {
    let mut groups = BTreeMap::new();
    let mut entries = Vec::new();
    for (number, row) in (0_u32..).zip(rows) {
        if let Some(row) = row.as_deref().filter(|row| shape.takes(row, symbols)) {
            entries.push(shape.entry(number, row, symbols));
            if let Some(group) = shape.group_of(row, symbols) {
                *groups.entry(group).or_default() += 1;
            }
        }
    }
    let index = RankIndex::of(entries, &InOrder { shape: &shape, rows, before: None, symbols });
    Ranked { shape, index, groups, changed: true }
}

/// Takes out what changed, by what it was, and puts it in by what it is.
fn resort(ranked: &mut Ranked, rows: &Rows, before: &Before, symbols: &Symbols) {
    let shape = ranked.shape.clone();
    ranked.changed = false;
    let mut enter: Vec<(Entry, Option<Owned>)> = Vec::new();
    let was_in_order = InOrder { shape: &shape, rows, before: Some(before), symbols };
    for (number, was) in before {
        let was = was.as_deref().filter(|was| shape.takes(was, symbols));
        let is = rows.get(*number as usize).and_then(Option::as_deref).filter(|is| shape.takes(is, symbols));
        ranked.changed |= was.is_some() || is.is_some();
        if let (Some(was), Some(is)) = (was, is)
            && shape.compare(was, is, symbols) == Ordering::Equal
        {
            // Where it stands depends on nothing that changed.
            continue;
        }
        if let Some(was) = was {
            let removed = ranked.index.remove(shape.entry(*number, was, symbols), &was_in_order);
            assert!(removed, "what a view's index holds is found where it was put");
            ranked.count(shape.group_of(was, symbols), false);
        }
        if let Some(is) = is {
            enter.push((shape.entry(*number, is, symbols), shape.group_of(is, symbols)));
        }
    }
    let in_order = InOrder { shape: &shape, rows, before: None, symbols };
    for (entry, group) in enter {
        ranked.index.insert(entry, &in_order);
        ranked.count(group, true);
    }
    if ranked.changed {
        ranked.groups.retain(|_, count| *count > 0);
    }
}

#[cfg(test)]
pub(super) mod tests;
