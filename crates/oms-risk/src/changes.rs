//! What a file of limits or lists would change.

use crate::book::RiskBook;
use oms_model::compliance::Restriction;
use oms_model::limit::{LimitKey, RiskLimit};
use std::collections::BTreeMap;

/// How often limits, and lists, were changed: a preview names it, and what it showed is asked for at no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revisions {
    /// Of limits.
    pub limits: u64,
    /// Of restricted and allow lists.
    pub lists: u64,
}

/// What a file changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes<T> {
    /// What is not there yet, in the order of the file.
    pub added: Vec<T>,
    /// What is there and becomes another: before, after; in the order of the file.
    pub changed: Vec<(T, T)>,
    /// What is there and the file has not, in the order of the book.
    pub removed: Vec<T>,
}

impl<T: Clone> Changes<T> {
    /// `key` tells what is one thing, `same` whether it stays as it is. Of what the file has twice the last holds.
    fn of<K: Ord>(now: Vec<T>, file: &[T], replace_all: bool, key: impl Fn(&T) -> K, same: impl Fn(&T, &T) -> bool) -> Self {
        let mut left: BTreeMap<K, T> = now.into_iter().map(|one| (key(&one), one)).collect();
        let (mut added, mut changed) = (Vec::new(), Vec::new());
        for one in file {
            match left.remove(&key(one)) {
                None => added.push(one.clone()),
                Some(before) if same(&before, one) => (),
                Some(before) => changed.push((before, one.clone())),
            }
        }
        Self { added, changed, removed: if replace_all { left.into_values().collect() } else { Vec::new() } }
    }

    /// What would hold that does not now.
    pub fn new_values(&self) -> impl Iterator<Item = &T> {
        self.added.iter().chain(self.changed.iter().map(|(_, after)| after))
    }
}

impl RiskBook {
    /// How often limits and lists were changed.
    #[must_use]
    pub fn revisions(&self) -> Revisions {
        self.revisions
    }

    /// What these limits would change; with `replace_all` every other one goes. Keys are normal ones.
    #[must_use]
    pub fn changes_of_limits(&self, file: &[RiskLimit], replace_all: bool) -> Changes<RiskLimit> {
        let key = |limit: &RiskLimit| -> LimitKey { limit.key() };
        Changes::of(self.limits(), file, replace_all, key, |before, after| before.value == after.value)
    }

    /// What these entries would change on the lists; with `replace_all` every other one goes.
    #[must_use]
    pub fn changes_of_lists(&self, file: &[Restriction], replace_all: bool) -> Changes<Restriction> {
        let key = |entry: &Restriction| (entry.list, entry.scope, entry.subject);
        Changes::of(self.restrictions(), file, replace_all, key, |before, after| before.reason == after.reason)
    }
}
