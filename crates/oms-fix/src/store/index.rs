//! Where in the log the messages of a session are: sparse, so that it stays small.

use std::collections::VecDeque;

use super::packed::{Pack as _, Packed};
use crate::session::Stored;
use crate::session::outbox::{Acted, Mark};

/// Messages between two points of the index.
const STRIDE: u64 = 64;
/// Actions that are remembered of a session; all are in the log.
pub(super) const ACTED: usize = 64;

/// The message with number `seq`, and no later one, is in the entry `entry` of the log or after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Point {
    seq: u64,
    entry: u64,
}

/// What is known of one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SessionIndex {
    pub(super) stored: Stored,
    points: Vec<Point>,
    last: u64,
    pub(super) mark: Mark,
    /// Kept messages so far.
    pub(super) taken: u64,
    /// What was done to it last.
    pub(super) acted: VecDeque<Acted>,
    /// Those that were not dealt with, and the entry in which each is.
    waiting: VecDeque<(u64, u64)>,
}

impl SessionIndex {
    /// Nothing before counts any more.
    pub(super) fn reset(&mut self) {
        self.points.clear();
        self.last = 0;
    }

    /// Takes in that a message is kept in an entry.
    pub(super) fn keep(&mut self, ordinal: u64, entry: u64) {
        self.taken = self.taken.max(ordinal);
        self.waiting.push_back((ordinal, entry));
    }

    /// Takes in what somebody has done.
    pub(super) fn act(&mut self, acted: &Acted) {
        if self.acted.len() == ACTED {
            self.acted.pop_front();
        }
        self.acted.push_back(acted.clone());
    }

    /// Takes in how far the application has come.
    pub(super) fn advance(&mut self, mark: Mark) {
        self.mark = Mark { handled: mark.handled.or(self.mark.handled), cursor: mark.cursor.or(self.mark.cursor) };
        let handled = self.mark.handled.unwrap_or_default();
        while self.waiting.front().is_some_and(|(ordinal, _)| *ordinal <= handled) {
            self.waiting.pop_front();
        }
    }

    /// The entry from which on all kept messages are that come after `handled`.
    pub(super) fn waiting_after(&self, handled: u64) -> Option<u64> {
        let at = self.waiting.partition_point(|(ordinal, _)| *ordinal <= handled);
        self.waiting.get(at).map(|(_, entry)| *entry)
    }

    /// Takes in that a message is in an entry.
    pub(super) fn add(&mut self, seq: u64, entry: u64) {
        let back = seq <= self.last;
        if back {
            // The numbers were set back: what had them before is void from here on.
            self.points.retain(|point| point.seq < seq);
        }
        if back || self.points.last().is_none_or(|point| point.seq + STRIDE <= seq) {
            self.points.push(Point { seq, entry });
        }
        self.last = seq;
    }

    /// The entry from which messages from `seq` on are found; `None` if there is none.
    pub(super) fn start(&self, seq: u64) -> Option<u64> {
        if self.last < seq {
            return None;
        }
        let after = self.points.partition_point(|point| point.seq <= seq);
        self.points.get(after.saturating_sub(1)).map(|point| point.entry)
    }

    /// Whether a message found in an entry still counts: its number was not given again later.
    pub(super) fn counts(&self, seq: u64, entry: u64) -> bool {
        let later = self.points.partition_point(|point| point.entry <= entry);
        self.points.get(later).is_none_or(|point| seq < point.seq) && seq <= self.last
    }

    /// Appends all of it.
    pub(super) fn save(&self, out: &mut Vec<u8>) {
        out.number(self.stored.next_in);
        out.number(self.stored.next_out);
        out.maybe(self.stored.created, |out, created| out.signed(created));
        for pairs in [self.points.iter().map(|point| (point.seq, point.entry)).collect(), self.waiting.clone()] {
            let pairs: VecDeque<(u64, u64)> = pairs;
            out.many(pairs.iter(), |out, (a, b)| {
                out.number(*a);
                out.number(*b);
            });
        }
        out.number(self.last);
        out.number(self.taken);
        for mark in [self.mark.handled, self.mark.cursor] {
            out.maybe(mark, |out, mark| out.number(mark));
        }
        out.many(self.acted.iter(), |out, acted| {
            out.signed(acted.at);
            [&acted.actor, &acted.action, &acted.reason].into_iter().for_each(|text| out.text(text));
        });
    }

    /// What was saved; `None` where it cannot be read.
    pub(super) fn load(saved: &mut Packed<'_>) -> Option<Self> {
        let pair = |saved: &mut Packed<'_>| Some((saved.number()?, saved.number()?));
        Some(Self {
            stored: Stored { next_in: saved.number()?, next_out: saved.number()?, created: saved.maybe(Packed::signed)? },
            points: saved.many(|saved| pair(saved).map(|(seq, entry)| Point { seq, entry }))?,
            waiting: saved.many(pair)?,
            last: saved.number()?,
            taken: saved.number()?,
            mark: Mark { handled: saved.maybe(Packed::number)?, cursor: saved.maybe(Packed::number)? },
            acted: saved.many(|saved| {
                let at = saved.signed()?;
                let mut text = || saved.text().map(str::to_owned);
                Some(Acted { at, actor: text()?, action: text()?, reason: text()? })
            })?,
        })
    }
}
