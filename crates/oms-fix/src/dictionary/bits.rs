//! Sets of fields, by their place in the dictionary.

const WORDS: usize = 20;

/// Most fields of a dictionary: those of FIX 4.4 are 912, and an overlay has room for some more.
pub(super) const MAX_FIELDS: usize = WORDS * 64;

/// A set of fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bits([u64; WORDS]);

impl Default for Bits {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl Bits {
    pub(super) fn contains(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// Adds a field; false if it was there.
    pub(super) fn insert(&mut self, place: usize) -> bool {
        let Some(word) = self.0.get_mut(place / 64) else { return false };
        let bit = 1 << (place % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// The first field that is here and not in `other`.
    pub(super) fn first_missing_from(&self, other: &Self) -> Option<usize> {
        let words = self.0.iter().zip(&other.0).enumerate();
        words
            .map(|(at, (here, there))| (at, here & !there))
            .find(|(_, word)| *word != 0)
            .map(|(at, word)| at * 64 + word.trailing_zeros() as usize)
    }
}
