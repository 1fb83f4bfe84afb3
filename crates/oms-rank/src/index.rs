//! Rows in order, in blocks: a list of sorted pieces, each small enough to be moved about in the cache.
//!
//! A tree of two levels. With a million rows there are some three thousand blocks, so that finding one by its order is a
//! search of their first entries, and finding one by its rank a sum of their sizes. Both stay below a microsecond or two.

use core::cmp::Ordering;

/// The most entries of a block; one that is full is cut in half.
const BLOCK: usize = 512;
/// Entries of a block that was filled at once: there is room for what comes.
const FILLED: usize = 384;
/// A block with fewer is put together with its neighbour.
const SPARSE: usize = 96;

/// A row with what most of its comparisons are decided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Sorts as the rows do, as far as it says it.
    pub key: u128,
    /// The row.
    pub row: u32,
}

/// The order of entries: total, and the same for as long as an index holds them.
pub trait Ordered {
    /// How `a` stands to `b`; equal for the same row alone.
    fn compare(&self, a: Entry, b: Entry) -> Ordering;
}

/// Keys apart from rows, so that a search reads keys alone.
#[derive(Clone, Debug, Default)]
struct Block {
    keys: Vec<u128>,
    rows: Vec<u32>,
}

impl Block {
    fn of(entries: &[Entry]) -> Self {
        // Room for a whole block at once: blocks come and go rarely, entries all the time.
        let (mut keys, mut rows) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
        keys.extend(entries.iter().map(|entry| entry.key));
        rows.extend(entries.iter().map(|entry| entry.row));
        Self { keys, rows }
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn get(&self, at: usize) -> Option<Entry> {
        Some(Entry { key: *self.keys.get(at)?, row: *self.rows.get(at)? })
    }

    /// Where `entry` is, or would be.
    fn search(&self, entry: Entry, order: &impl Ordered) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            let Some(found) = self.get(middle) else { break };
            match order.compare(found, entry) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }
}

/// Rows in order.
#[derive(Clone, Debug, Default)]
pub struct RankIndex {
    // None is empty.
    blocks: Vec<Block>,
    // The first entry of each block, so that a search touches few places.
    firsts: Vec<Entry>,
    len: usize,
}

impl RankIndex {
    /// An index of these entries, in any order. No row may be there twice.
    #[must_use]
    pub fn of(mut entries: Vec<Entry>, order: &impl Ordered) -> Self {
        entries.sort_unstable_by(|a, b| order.compare(*a, *b));
        let blocks: Vec<Block> = entries.chunks(FILLED).map(Block::of).collect();
        let firsts = entries.chunks(FILLED).filter_map(|chunk| chunk.first().copied()).collect();
        Self { blocks, firsts, len: entries.len() }
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The block that `entry` is in, or would be.
    fn block_of(&self, entry: Entry, order: &impl Ordered) -> usize {
        self.firsts.partition_point(|first| order.compare(*first, entry) != Ordering::Greater).saturating_sub(1)
    }

    /// Puts a row in. False where it is there already.
    pub fn insert(&mut self, entry: Entry, order: &impl Ordered) -> bool {
        let number = self.block_of(entry, order);
        let Some(block) = self.blocks.get_mut(number) else {
            self.blocks.push(Block::of(&[entry]));
            self.firsts.push(entry);
            self.len = 1;
            return true;
        };
        let Err(at) = block.search(entry, order) else { return false };
        block.keys.insert(at, entry.key);
        block.rows.insert(at, entry.row);
        self.len += 1;
        if at == 0
            && let Some(first) = self.firsts.get_mut(number)
        {
            *first = entry;
        }
        if block.len() >= BLOCK {
            self.cut(number);
        }
        true
    }

    /// Takes a row out. False where it is not there.
    pub fn remove(&mut self, entry: Entry, order: &impl Ordered) -> bool {
        let number = self.block_of(entry, order);
        let Some(block) = self.blocks.get_mut(number) else { return false };
        let Ok(at) = block.search(entry, order) else { return false };
        block.keys.remove(at);
        block.rows.remove(at);
        self.len -= 1;
        match block.get(0) {
            None => {
                self.blocks.remove(number);
                self.firsts.remove(number);
            }
            Some(entry) => {
                let sparse = block.len() < SPARSE;
                if let Some(first) = self.firsts.get_mut(number) {
                    *first = entry;
                }
                if sparse {
                    self.join(number);
                }
            }
        }
        true
    }

    /// The rank of a row, from 0; `None` where it is not there.
    #[must_use]
    pub fn rank(&self, entry: Entry, order: &impl Ordered) -> Option<usize> {
        let number = self.block_of(entry, order);
        let at = self.blocks.get(number)?.search(entry, order).ok()?;
        Some(self.blocks.iter().take(number).map(Block::len).sum::<usize>() + at)
    }

    /// The rows from the rank `from` on.
    pub fn rows_from(&self, from: usize) -> impl Iterator<Item = u32> {
        let (mut number, mut at) = (0, from);
        while let Some(block) = self.blocks.get(number).filter(|block| block.len() <= at) {
            at -= block.len();
            number += 1;
        }
        self.blocks.iter().skip(number).flat_map(|block| block.rows.iter().copied()).skip(at)
    }

    fn cut(&mut self, number: usize) {
        let Some(block) = self.blocks.get_mut(number) else { return };
        let half = block.len() / 2;
        // What is split off has room for exactly itself; it gets that of a block.
        let (mut keys, mut rows) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
        keys.extend(block.keys.drain(half..));
        rows.extend(block.rows.drain(half..));
        let upper = Block { keys, rows };
        if let Some(first) = upper.get(0) {
            self.firsts.insert(number + 1, first);
            self.blocks.insert(number + 1, upper);
        }
    }

    /// Puts a sparse block together with the one behind it, where both fit into one.
    fn join(&mut self, number: usize) {
        let fits = |next: &Block, block: &Block| next.len() + block.len() <= FILLED;
        let (Some(block), Some(next)) = (self.blocks.get(number), self.blocks.get(number + 1)) else { return };
        if !fits(next, block) {
            return;
        }
        let next = self.blocks.remove(number + 1);
        self.firsts.remove(number + 1);
        if let Some(block) = self.blocks.get_mut(number) {
            block.keys.extend(next.keys);
            block.rows.extend(next.rows);
        }
    }
}

#[cfg(test)]
mod tests;
