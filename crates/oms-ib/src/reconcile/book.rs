//! Runs and breaks as they are kept: what a run finds is folded in, and what persons do about breaks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use oms_model::{Time, UserId};

use super::compare::Compared;
use super::{Difference, Outcome, Standing, Subject, Trigger};

/// Runs that are kept, the latest.
pub const MAX_RUNS: usize = 200;
/// Breaks that are open at once; what a run finds beyond is counted in the run and not opened.
pub const MAX_OPEN: usize = 10_000;
/// Closed breaks that are kept, the latest.
pub const MAX_CLOSED: usize = 2_000;
/// What may be done to one break.
pub const MAX_DEEDS: usize = 100;
/// Longest note, bytes.
pub const MAX_NOTE: usize = 1_000;
/// How long an idempotency key is known, nanoseconds.
const KEY_NS: i64 = 24 * 3_600 * 1_000_000_000;

/// What makes a request repeatable: its key, and what it asked.
pub type Key = (u128, [u8; 32]);

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Counts up.
    pub number: u64,
    /// Why it was made.
    pub trigger: Trigger,
    /// Who asked for it, where a person did.
    pub user_id: Option<UserId>,
    /// When it began.
    pub began: Time,
    /// When it ended.
    pub ended: Time,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it is incomplete, or why it was asked for.
    pub text: String,
    /// Whole looks that it took.
    pub looks: u32,
    /// What was compared: orders, executions, positions.
    pub compared: [u64; 3],
    /// Breaks that it opened.
    pub opened: u64,
    /// Breaks that it closed.
    pub closed: u64,
    /// Breaks that were open after it.
    pub open: u64,
    /// Differences that were not opened because too many breaks are.
    pub left_out: u64,
    /// Of the request that asked for it.
    pub key: Option<Key>,
}

/// How a break ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// A whole look did not show it any more.
    Look {
        /// The run that it was of.
        run: u64,
    },
    /// A person has said why these figures are no break.
    Person {
        /// Who.
        user_id: UserId,
        /// Why.
        note: String,
    },
}

/// What a person did to a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Time,
    /// Who.
    pub user_id: UserId,
    /// The owner that it was given to; `None` where it was closed.
    pub owner: Option<UserId>,
    /// In words.
    pub note: String,
    /// The version of the break since.
    pub version: u32,
    /// Of the request.
    pub key: Option<Key>,
}

/// A break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// Counts up.
    pub number: u64,
    /// What differs, by the last look that showed it.
    pub difference: Difference,
    /// How it stands.
    pub standing: Standing,
    /// Who has taken it on.
    pub owner: Option<UserId>,
    /// When it was first seen.
    pub first_seen: Time,
    /// When it was last seen.
    pub last_seen: Time,
    /// The run that opened it.
    pub first_run: u64,
    /// Raised by every change of it; the ETag.
    pub version: u32,
    /// When and how it ended.
    pub closed: Option<(Time, Closing)>,
    /// A person closed it, and every look since has shown it with the same figures.
    pub is_accepted: bool,
    /// What persons did to it, oldest first.
    pub deeds: Vec<Deed>,
}

impl Break {
    fn is_open(&self) -> bool {
        self.standing != Standing::Closed
    }
}

/// What a person wants done to a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which.
    pub number: u64,
    /// Who.
    pub user_id: UserId,
    /// The owner to be; `None` closes it.
    pub owner: Option<UserId>,
    /// In words.
    pub note: String,
    /// Only if it has this version.
    pub version: Option<u32>,
    /// What makes it repeatable.
    pub key: Option<Key>,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// There is no such break.
    #[error("there is no such break")]
    Unknown,
    /// It is over.
    #[error("the break is closed")]
    Closed,
    /// It has another version.
    #[error("the break has version {0}")]
    Version(u32),
    /// The key was used for something else.
    #[error("the idempotency key was used with another request")]
    Key,
    /// Too much was done to it.
    #[error("a break takes at most {MAX_DEEDS} actions")]
    Full,
}

/// An entry of the log about runs and breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A break as it is from now on.
    Break(Box<Break>),
    /// A run that has ended. What it opened and closed stands before it.
    Run(Box<Run>),
}

/// Everything that is kept of runs and breaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    runs: VecDeque<Run>,
    breaks: BTreeMap<u64, Break>,
    /// Those that are open, and those that a person closed and looks still show.
    known: BTreeMap<Subject, u64>,
    closed: VecDeque<u64>,
    last_run: u64,
    last_break: u64,
}

impl Book {
    /// Takes in an entry: the same whether it happens now or is read from the log.
    pub fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Run(run) => self.ran(*run),
            Entry::Break(one) => self.changed(*one),
        }
    }

    fn ran(&mut self, run: Run) {
        self.last_run = self.last_run.max(run.number);
        if run.outcome == Outcome::Complete {
            self.breaks.values_mut().filter(|one| one.is_open()).for_each(|one| one.last_seen = run.ended);
        }
        self.runs.push_back(run);
        while MAX_RUNS < self.runs.len() {
            self.runs.pop_front();
        }
    }

    fn changed(&mut self, one: Break) {
        let (number, subject) = (one.number, one.difference.subject.clone());
        self.last_break = self.last_break.max(number);
        let was_open = self.breaks.get(&number).is_some_and(Break::is_open);
        if one.is_open() || one.is_accepted {
            self.known.insert(subject, number);
        } else if self.known.get(&subject) == Some(&number) {
            self.known.remove(&subject);
        }
        if was_open && !one.is_open() {
            self.closed.push_back(number);
        }
        self.breaks.insert(number, one);
        while MAX_CLOSED < self.closed.len() {
            let Some(oldest) = self.closed.pop_front() else { return };
            if let Some(gone) = self.breaks.remove(&oldest)
                && self.known.get(&gone.difference.subject) == Some(&oldest)
            {
                self.known.remove(&gone.difference.subject);
            }
        }
    }

    /// The runs, oldest first.
    pub fn runs(&self) -> impl DoubleEndedIterator<Item = &Run> {
        self.runs.iter()
    }

    /// Every break that is kept, oldest first.
    pub fn breaks(&self) -> impl DoubleEndedIterator<Item = &Break> {
        self.breaks.values()
    }

    /// A break.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Break> {
        self.breaks.get(&number)
    }

    /// Breaks that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.breaks.values().filter(|one| one.is_open()).count()
    }

    /// What the breaks are about that are open, or that a person closed and looks still show: it is compared in any case.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.known.keys()
    }

    /// The number of the next run.
    #[must_use]
    pub fn next_run(&self) -> u64 {
        self.last_run + 1
    }

    /// The run that a request with this key asked for.
    ///
    /// # Errors
    /// [`NotDone::Key`] where it asked for something else.
    pub fn run_of(&self, key: Key, now: Time) -> Result<Option<&Run>, NotDone> {
        let known = |run: &&Run| run.key.is_some_and(|(known, _)| known == key.0) && now.since(run.ended) < KEY_NS;
        match self.runs.iter().rev().find(known) {
            Some(run) if run.key != Some(key) => Err(NotDone::Key),
            found => Ok(found),
        }
    }

    /// The differences that are neither known nor accepted as they are: those that would open a break.
    #[must_use]
    pub fn news(&self, found: &[Difference]) -> Vec<Difference> {
        found.iter().filter(|one| self.is_news(one)).cloned().collect()
    }

    fn is_news(&self, difference: &Difference) -> bool {
        let known = self.known.get(&difference.subject).and_then(|number| self.breaks.get(number));
        known.is_none_or(|one| !one.is_open() && one.difference.gap != difference.gap)
    }

    /// What a run that ended wholly says: `compared` by its last look, `suspected` by the one before it, where there was
    /// one. The entries are to be kept, and are taken in here.
    pub fn conclude(&mut self, mut run: Run, compared: &Compared, suspected: &[Difference]) -> Vec<Entry> {
        let mut entries = Vec::new();
        let found = &compared.differences;
        let shown: BTreeSet<&Subject> = found.iter().map(|one| &one.subject).collect();
        let over = self.known.iter().filter(|(subject, _)| !shown.contains(subject)).map(|(_, number)| *number);
        for number in over.collect::<Vec<_>>() {
            let was_open = self.breaks.get(&number).is_some_and(Break::is_open);
            let Some(entry) = self.vanished(number, &run, &compared.unseen) else { continue };
            run.closed += u64::from(was_open);
            entries.push(entry);
        }
        let alike = |one: &Difference| suspected.iter().any(|other| other.subject == one.subject && other.gap == one.gap);
        let mut open = self.open();
        for difference in found {
            if !self.is_news(difference) {
                entries.extend(self.moved(difference, &run));
            } else if alike(difference) {
                if MAX_OPEN <= open {
                    run.left_out += 1;
                    continue;
                }
                open += 1;
                run.opened += 1;
                self.last_break += 1;
                let one = Break {
                    number: self.last_break,
                    difference: difference.clone(),
                    standing: Standing::Open,
                    owner: None,
                    first_seen: run.began,
                    last_seen: run.ended,
                    first_run: run.number,
                    version: 1,
                    closed: None,
                    is_accepted: false,
                    deeds: Vec::new(),
                };
                self.changed(one.clone());
                entries.push(Entry::Break(Box::new(one)));
            }
        }
        run.open = open as u64;
        self.ran(run.clone());
        entries.push(Entry::Run(Box::new(run)));
        entries
    }

    /// A whole look does not show it any more. The word of a person who closed it is spent: should it come back, it is another.
    /// That the broker does not list an execution of a day that it does not tell any more says nothing.
    fn vanished(&mut self, number: u64, run: &Run, unseen: &BTreeSet<String>) -> Option<Entry> {
        let one = self.breaks.get(&number)?;
        if one.difference.broker.is_none() && unseen.contains(&one.difference.subject.what) {
            return None;
        }
        let mut one = one.clone();
        if one.is_open() {
            one.closed = Some((run.ended, Closing::Look { run: run.number }));
            (one.standing, one.version) = (Standing::Closed, one.version + 1);
        }
        one.is_accepted = false;
        self.changed(one.clone());
        Some(Entry::Break(Box::new(one)))
    }

    /// It is there still, perhaps with other figures.
    fn moved(&mut self, difference: &Difference, run: &Run) -> Option<Entry> {
        let one = self.known.get(&difference.subject).and_then(|number| self.breaks.get(number))?;
        if !one.is_open() || one.difference == *difference {
            return None;
        }
        let one = Break { difference: difference.clone(), last_seen: run.ended, version: one.version + 1, ..one.clone() };
        self.changed(one.clone());
        Some(Entry::Break(Box::new(one)))
    }

    /// A run that did not end: it is kept, and nothing else changes.
    pub fn gave_up(&mut self, run: Run) -> Entry {
        let run = Run { open: self.open() as u64, ..run };
        self.ran(run.clone());
        Entry::Run(Box::new(run))
    }

    /// What a person does to a break. The break as it is then, which of its deeds this is, and the entry to be kept; no entry
    /// where the request was made before.
    ///
    /// # Errors
    /// [`NotDone`]: nothing has changed.
    pub fn act(&mut self, asked: &Asked, now: Time) -> Result<(Deed, Option<Entry>), NotDone> {
        if let Some(key) = asked.key {
            let deeds = self.breaks.values().flat_map(|one| &one.deeds);
            let known = deeds.filter(|deed| now.since(deed.at) < KEY_NS).find(|deed| deed.key.is_some_and(|(known, _)| known == key.0));
            match known {
                Some(deed) if deed.key == Some(key) => return Ok((deed.clone(), None)),
                Some(_) => return Err(NotDone::Key),
                None => (),
            }
        }
        let one = self.breaks.get(&asked.number).ok_or(NotDone::Unknown)?;
        if asked.version.is_some_and(|version| version != one.version) {
            return Err(NotDone::Version(one.version));
        }
        if !one.is_open() {
            return Err(NotDone::Closed);
        }
        if MAX_DEEDS <= one.deeds.len() {
            return Err(NotDone::Full);
        }
        let mut one = one.clone();
        one.version += 1;
        let Asked { user_id, owner, note, key, .. } = asked.clone();
        let deed = Deed { at: now, user_id, owner, note: note.clone(), version: one.version, key };
        one.deeds.push(deed.clone());
        match owner {
            Some(owner) => (one.owner, one.standing) = (Some(owner), Standing::Acknowledged),
            None => {
                one.closed = Some((now, Closing::Person { user_id, note }));
                (one.standing, one.is_accepted) = (Standing::Closed, true);
            }
        }
        self.changed(one.clone());
        Ok((deed, Some(Entry::Break(Box::new(one)))))
    }
}

#[cfg(test)]
mod tests;
