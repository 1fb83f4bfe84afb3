//! A bounded cache of what is being changed, in two generations.
//!
//! - What was used since the last turn is in the young one; the turn makes it the old one and drops what
//!   was used in neither.
//! - Nothing that is not stored may be in it when it turns; the caller sees to that.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A hasher for our own ids. They are given by us, so nobody can choose them to collide.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl IdHasher {
    fn mix(&mut self, word: u64) {
        // The product's upper half depends on every bit of the word, its lower half on the low ones.
        let product = u128::from(self.0.rotate_left(32) ^ word) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        // Ids hash as their sixteen bytes: two words.
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        for &byte in rest {
            self.mix(u64::from(byte));
        }
    }
    fn write_usize(&mut self, word: usize) {
        self.mix(word as u64);
    }
    fn write_u32(&mut self, word: u32) {
        self.mix(u64::from(word));
    }
    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }
    fn write_u128(&mut self, word: u128) {
        self.mix((word >> 64) as u64);
        self.mix(word as u64);
    }
}

pub(super) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// The cache. Values are boxed: a table that grows moves pointers, and one that is searched fits into fewer pages.
pub(super) struct Hot<K, V> {
    young: IdMap<K, Box<V>>,
    old: IdMap<K, Box<V>>,
    bound: usize,
}

impl<K: Copy + Eq + Hash, V> Hot<K, V> {
    /// An empty cache that turns once more than `bound` were used; it holds at most twice that after a turn.
    pub(super) fn new(bound: usize) -> Self {
        Self { young: IdMap::default(), old: IdMap::default(), bound }
    }

    /// What is cached under `key`.
    pub(super) fn get(&mut self, key: K) -> Option<&mut V> {
        self.get_or(key, || Err(())).ok()
    }

    /// What is cached under `key`, without counting as a use of it.
    pub(super) fn peek(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key)).map(Box::as_ref)
    }

    /// What is cached under `key`, or else what `load` finds.
    pub(super) fn get_or<E>(&mut self, key: K, load: impl FnOnce() -> Result<V, E>) -> Result<&mut V, E> {
        match self.young.entry(key) {
            Entry::Occupied(cached) => Ok(cached.into_mut()),
            Entry::Vacant(place) => {
                let old = if self.old.is_empty() { None } else { self.old.remove(&key) };
                Ok(place.insert(old.map_or_else(|| load().map(Box::new), Ok)?))
            }
        }
    }

    /// Caches `value` and gives it back. What is cached under `key` before is not found again.
    pub(super) fn put(&mut self, key: K, value: V) -> &mut V {
        // In the old generation it would stay unseen behind this one until it goes.
        self.young.entry(key).insert_entry(Box::new(value)).into_mut()
    }

    /// Drops what was not used for a while, if there is too much. Everything in it must be stored.
    pub(super) fn turn(&mut self) {
        if self.young.len() > self.bound {
            self.old = std::mem::take(&mut self.young);
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Hot;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut hot: Hot<u32, u32> = Hot::new(4);
        for key in 0..1000 {
            hot.put(key, key * 10);
            assert_eq!(hot.get(7).copied(), (key >= 7).then_some(70), "7 is used all the time");
            hot.turn();
            assert!(hot.young.len() + hot.old.len() <= 10, "two generations of at most five");
        }
        assert_eq!(hot.get(3), None, "3 was not used for long");
        hot.clear();
        assert_eq!(hot.get(7), None);
    }
}
