//! Idempotency keys and where their answers stand.

use super::{IDEMPOTENCY_WINDOW_NS, IdempotencyParts, MAX_IDEMPOTENCY_KEYS};
use core::hash::BuildHasher;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use oms_model::{Seq, Time};
use std::collections::VecDeque;

/// One key. Two halves, because a `u128` would be aligned to 16 bytes.
#[derive(Clone, Copy, Debug)]
struct Answer {
    time: Time,
    key: [u64; 2],
    fingerprint: u64,
    seq: Seq,
}

/// The number of an answer, cut to 32 bits, with a part of its key's hash.
#[derive(Clone, Copy, Debug)]
struct Numbered {
    hash: u32,
    number: u32,
}

/// Answers of the last day, oldest first, with an index by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    entries: VecDeque<Answer>,
    /// The number of the entry at the front; numbers only rise, and wrap.
    first: u32,
    by_key: HashTable<Numbered>,
}

fn halves(key: u128) -> [u64; 2] {
    [(key >> 64) as u64, key as u64]
}

fn hash_of(key: [u64; 2]) -> u32 {
    (FixedState::default().hash_one(key) >> 32) as u32
}

fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl Answers {
    /// The head of the fingerprint under which a key was used, and where its answer stands.
    pub(super) fn get(&self, key: u128) -> Option<(u64, Seq)> {
        let key = halves(key);
        let hash = hash_of(key);
        let entry = |of: &Numbered| self.entries.get(of.number.wrapping_sub(self.first) as usize);
        let is_it = |of: &Numbered| of.hash == hash && entry(of).is_some_and(|answer| answer.key == key);
        let found = entry(self.by_key.find(spread(hash), is_it)?)?;
        Some((found.fingerprint, found.seq))
    }

    /// Keeps an answer and forgets those that have been kept for long enough.
    pub(super) fn record(&mut self, time: Time, key: u128, fingerprint: u64, seq: Seq) {
        let keep_from = time.plus(-IDEMPOTENCY_WINDOW_NS);
        while self.entries.front().is_some_and(|oldest| oldest.time < keep_from || self.entries.len() >= MAX_IDEMPOTENCY_KEYS) {
            self.forget_oldest();
        }
        self.push(Answer { time, key: halves(key), fingerprint, seq });
    }

    fn push(&mut self, answer: Answer) {
        let hash = hash_of(answer.key);
        let number = self.first.wrapping_add(self.entries.len() as u32);
        self.entries.push_back(answer);
        self.by_key.insert_unique(spread(hash), Numbered { hash, number }, |of| spread(of.hash));
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.entries.pop_front() else { return };
        let number = self.first;
        if let Ok(found) = self.by_key.find_entry(spread(hash_of(oldest.key)), |of| of.number == number) {
            found.remove();
        }
        self.first = self.first.wrapping_add(1);
    }

    /// All of them, oldest first.
    pub(super) fn parts(&self) -> Vec<IdempotencyParts> {
        let part = |of: &Answer| IdempotencyParts {
            time: of.time,
            key: u128::from(of.key[0]) << 64 | u128::from(of.key[1]),
            fingerprint: of.fingerprint,
            seq: of.seq,
        };
        self.entries.iter().map(part).collect()
    }

    pub(super) fn from_parts(parts: &[IdempotencyParts]) -> Self {
        let mut answers = Self { entries: VecDeque::with_capacity(parts.len()), ..Self::default() };
        answers.by_key.reserve(parts.len(), |of| spread(of.hash));
        for of in parts {
            answers.push(Answer { time: of.time, key: halves(of.key), fingerprint: of.fingerprint, seq: of.seq });
        }
        answers
    }
}

#[cfg(test)]
mod tests;
