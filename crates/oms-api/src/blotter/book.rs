//! The orders of a tenant in memory, with the rank indexes of the shapes that views ask for.
//!
//! Rows follow events at once, indexes at the end of a turn ([`Book::settle`]): an order that ten events changed meanwhile
//! moves once. A new index is made in pieces ([`Book::build`]), the rows by their numbers: so far as it has come it follows
//! the events as every index does, so that nothing has to wait until it is whole.

use super::column::{Row, Symbols};
use super::doubts::{Doubted, Doubts, Stranger};
use super::shape::Shape;
use oms_model::event::{Batch, Event};
use oms_model::{Order, OrderId, Seq, Time};
use oms_rank::{Entry, Ordered, RankIndex};
use oms_store::views::query::Owned;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Range;
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
    /// Whether a row of it is shown otherwise since the last turn.
    pub(super) changed: bool,
    /// Only rows with lower numbers are in it yet; `None` where it is whole.
    below: Option<usize>,
}

/// A row that changed and is meant by a filter, before or now.
struct Meant {
    number: u32,
    was: bool,
    is: bool,
}

impl Ranked {
    /// Without any row so far.
    fn new(shape: Arc<Shape>) -> Self {
        Self { shape, index: RankIndex::default(), groups: BTreeMap::new(), changed: false, below: Some(0) }
    }

    /// Whether every row that its shape takes is in it.
    pub(super) fn is_whole(&self) -> bool {
        self.below.is_none()
    }

    /// Whether it has come to the row with this number.
    fn has_reached(&self, number: u32) -> bool {
        self.below.is_none_or(|below| (number as usize) < below)
    }

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
    doubts: Doubts,
    before: Before,
    ranked: BTreeMap<String, Ranked>,
    /// The indexes that are not whole yet, in the order in which they were asked for.
    rising: VecDeque<String>,
    /// Everything up to here is in it.
    seq: Seq,
    most: usize,
    /// Whether there are, or were, older orders that are not in it.
    cut: bool,
    /// A symbol changed, so that no index is in order any more that symbols decide anything in.
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
        self.put(Row::new(order, last_seq, known));
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
                        let mut row = Row::new(order, seq, seq);
                        row.parts_in_doubt = u32::try_from(self.doubts.of(created.order_id, seq)).unwrap_or(u32::MAX);
                        let number = self.put(row);
                        self.before.insert(number, None);
                    }
                }
                // A part: nobody is shown it, but whether its outcome is known.
                Event::OrderCreated(created) => self.doubts.created(created.order_id, created.root_order_id),
                Event::OrdersGrouped(e) => {
                    self.changed(seq, batch.time, e.group_order_id, event);
                    e.members.iter().for_each(|member| self.changed(seq, batch.time, member.order_id, event));
                }
                Event::OrdersUngrouped(e) => {
                    self.changed(seq, batch.time, e.group_order_id, event);
                    e.members.iter().for_each(|member| self.changed(seq, batch.time, *member, event));
                }
                Event::InstrumentListed(listed) => self.renamed |= self.symbols.list(listed, seq),
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
        let Some(number) = self.by_id.get(&order_id).copied() else {
            if let Some(doubted) = self.doubts.follow(seq, order_id, event) {
                self.doubted(seq, doubted);
            }
            return;
        };
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

    /// Shows that an order has a part in doubt, or one fewer.
    fn doubted(&mut self, seq: Seq, Doubted { root, more }: Doubted) {
        let Some(number) = self.by_id.get(&root).copied() else { return };
        let Some(row) = self.rows.get_mut(number as usize).and_then(Option::as_deref_mut) else { return };
        self.before.entry(number).or_insert_with(|| Some(Box::new(row.clone())));
        row.parts_in_doubt = if more { row.parts_in_doubt.saturating_add(1) } else { row.parts_in_doubt.saturating_sub(1) };
        row.doubted = seq;
    }

    /// Parts in doubt, or not any more, whose client orders have to be looked up, in the order of their events.
    pub(super) fn strangers(&mut self) -> Vec<Stranger> {
        self.doubts.strangers()
    }

    /// Takes in what was found of a stranger.
    pub(super) fn found(&mut self, stranger: Stranger, root: OrderId) {
        if let Some(doubted) = self.doubts.found(stranger, root) {
            self.doubted(stranger.seq, doubted);
        }
    }

    /// Takes in which parts were in doubt when the orders were read, each with its client order.
    pub(super) fn load_doubts(&mut self, parts: &[(OrderId, OrderId)], known: Seq) {
        self.doubts.begin(parts, known);
        parts.iter().for_each(|(_, root)| self.doubted(known, Doubted { root: *root, more: true }));
        // Nobody was told of it before.
        self.before.clear();
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
        let Self { rows, free, symbols, before, ranked, rising, renamed, .. } = self;
        // Views with one filter in several orders ask each row once.
        let mut meant: BTreeMap<&str, Vec<Meant>> = BTreeMap::new();
        let shapes: Vec<Arc<Shape>> = ranked.values().map(|one| one.shape.clone()).collect();
        for (one, shape) in ranked.values_mut().zip(&shapes) {
            if *renamed && shape.reads_symbols() {
                if one.is_whole() {
                    rising.push_back(shape.name.clone());
                }
                *one = Ranked::new(shape.clone());
                continue;
            }
            resort(one, meant.entry(&shape.meaning).or_insert_with(|| judge(shape, rows, before, symbols)), rows, before, symbols);
            one.changed |= *renamed;
        }
        *renamed = false;
        for number in before.keys() {
            if rows.get(*number as usize).is_some_and(Option::is_none) {
                free.push(*number);
            }
        }
        before.clear();
    }

    /// Has the orders that a shape means put in order, unless they are or will be already. It is whole once it was built.
    pub(super) fn want(&mut self, shape: &Arc<Shape>) {
        if !self.ranked.contains_key(&shape.name) {
            self.ranked.insert(shape.name.clone(), Ranked::new(shape.clone()));
            self.rising.push_back(shape.name.clone());
        }
    }

    /// Whether an index waits to be built.
    pub(super) fn is_building(&self) -> bool {
        !self.rising.is_empty()
    }

    /// Puts the next rows, at most so many, into the index that was asked for first. Whether it is whole by that. Everything
    /// must be settled.
    pub(super) fn build(&mut self, most: usize) -> bool {
        let Self { rows, symbols, before, ranked, rising, .. } = self;
        assert!(before.is_empty(), "an index is built of rows that the others know as they are");
        let Some(one) = rising.front().and_then(|name| ranked.get_mut(name)) else { return false };
        let from = one.below.unwrap_or(rows.len());
        let to = from.saturating_add(most).min(rows.len());
        take_in(one, from..to, rows, symbols);
        let whole = to == rows.len();
        one.below = (!whole).then_some(to);
        if whole {
            rising.pop_front();
        }
        whole
    }

    /// Drops a shape's index, which nobody looks at any more.
    pub(super) fn drop_index(&mut self, name: &str) {
        self.ranked.remove(name);
        self.rising.retain(|rising| rising != name);
    }
}

/// Puts those of some rows in that are meant.
fn take_in(ranked: &mut Ranked, numbers: Range<usize>, rows: &Rows, symbols: &Symbols) {
    let shape = ranked.shape.clone();
    let mut entries = Vec::new();
    let first = u32::try_from(numbers.start).unwrap_or(u32::MAX);
    for (number, row) in (first..).zip(rows.get(numbers).unwrap_or_default()) {
        if let Some(row) = row.as_deref().filter(|row| shape.takes(row, symbols)) {
            entries.push(shape.entry(number, row, symbols));
            ranked.count(shape.group_of(row, symbols), true);
        }
    }
    ranked.index.merge(entries, &InOrder { shape: &shape, rows, before: None, symbols });
}

/// Which of the rows that changed the filter of a shape means.
fn judge(shape: &Shape, rows: &Rows, before: &Before, symbols: &Symbols) -> Vec<Meant> {
    let takes = |row: Option<&Row>| row.is_some_and(|row| shape.takes(row, symbols));
    let meant = before.iter().map(|(number, was)| {
        let is = rows.get(*number as usize).and_then(Option::as_deref);
        Meant { number: *number, was: takes(was.as_deref()), is: takes(is) }
    });
    meant.filter(|one| one.was || one.is).collect()
}

/// Takes out what changed, by what it was, and puts it in by what it is.
fn resort(ranked: &mut Ranked, meant: &[Meant], rows: &Rows, before: &Before, symbols: &Symbols) {
    let shape = ranked.shape.clone();
    ranked.changed = false;
    let mut enter: Vec<(Entry, Option<Owned>)> = Vec::new();
    let was_in_order = InOrder { shape: &shape, rows, before: Some(before), symbols };
    for Meant { number, was, is } in meant {
        if !ranked.has_reached(*number) {
            // It is put in as what it will be then.
            continue;
        }
        let was = before.get(number).and_then(Option::as_deref).filter(|_| *was);
        let is = rows.get(*number as usize).and_then(Option::as_deref).filter(|_| *is);
        ranked.changed = true;
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
