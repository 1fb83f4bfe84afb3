//! Rules beside the log: those that run in shadow, followed as far as the log goes when somebody asks, and runs over a
//! stretch of the past.
//!
//! - Nothing that decides waits for it: it reads the log on threads of its own, like every question about the past.
//! - What it holds follows from the log, so that a restart loses nothing: it is made again when somebody asks.

use crate::past::refusal;
use oms_engine::State;
use oms_engine::shadow::{Affected, Difference, Shadow};
use oms_model::event::Batch;
use oms_model::shadow::{Rule, RuleSet};
use oms_model::{Code, Refusal, RuleSetName, Seq, UserId};
use oms_runtime::history::{AsOf, History, Moment};
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The most differences that a set on live flow keeps; it counts all of them.
pub const MAX_KEPT: usize = 10_000;
/// The most events that one question reads.
pub const MAX_EVENTS: u64 = 10_000_000;
/// The most orders in the hot state that a set begins with.
const MAX_ORDERS: usize = 500_000;
/// The most runs at once.
const MAX_RUNS: usize = 2;

/// What rules would have changed between two moments.
#[derive(Clone, Debug)]
pub struct Report {
    /// Behind which event it begins.
    pub from: Moment,
    /// The last event that was looked at.
    pub to: Moment,
    /// Whether that is where the question, or the log, ends; else it was too much for one question.
    pub complete: bool,
    /// Orders and replaces that were judged.
    pub judged: u64,
    /// How many differences of each kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// The differences, oldest first.
    pub found: Vec<Affected>,
    /// Whether there are more, before these on live flow, behind them in a run.
    pub more: bool,
}

/// The name of a kind of difference.
#[must_use]
pub const fn kind(difference: &Difference) -> &'static str {
    match difference {
        Difference::Refused(_) => "REFUSED",
        Difference::Passed(_) => "PASSED",
        Difference::Held(_) => "HELD",
        Difference::NotHeld(_) => "NOT_HELD",
        Difference::ReplaceRefused(..) => "REPLACE_REFUSED",
        Difference::Routed { .. } => "ROUTED",
    }
}

/// Every kind of difference.
pub const KINDS: &[&str] = &["REFUSED", "PASSED", "HELD", "NOT_HELD", "REPLACE_REFUSED", "ROUTED"];

/// A set on live flow, as far as it came.
struct Live {
    user_id: UserId,
    from: Moment,
    shadow: Shadow,
    counts: BTreeMap<&'static str, u64>,
    found: VecDeque<Affected>,
    more: bool,
}

/// The shadows of one tenant.
#[derive(Default)]
pub struct Shadows {
    live: Mutex<BTreeMap<RuleSetName, Live>>,
    runs: AtomicUsize,
}

/// A place among the runs; given back when dropped.
struct Running<'s>(&'s AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn begin(history: &History, from: Moment) -> Result<State, Refusal> {
    let state = history.read(from, |state| (state.order_count() <= MAX_ORDERS).then(|| state.clone())).map_err(refusal)?;
    state.ok_or_else(|| Refusal::new(Code::Overloaded, format!("more than {MAX_ORDERS} orders are open; rules are not run beside so many")))
}

/// Follows the log with a shadow until `until`, or as far as one question goes. Whether it came to the end.
fn follow(
    history: &History,
    shadow: &mut Shadow,
    until: Option<Seq>,
    counts: &mut BTreeMap<&'static str, u64>,
    mut keep: impl FnMut(Affected),
) -> Result<bool, Refusal> {
    let first = shadow.last_seq().0;
    let mut found = Vec::new();
    let mut complete = true;
    let visit = |batch: &Batch| {
        shadow.follow(batch, &mut found);
        for affected in found.drain(..) {
            *counts.entry(kind(&affected.difference)).or_default() += 1;
            keep(affected);
        }
        complete = batch.last_seq().0 - first < MAX_EVENTS && !shadow.is_full();
        if complete { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    history.follow(Seq(first), until, visit).map_err(refusal)?;
    Ok(complete)
}

impl Shadows {
    /// What a set on live flow would have changed so far. Reads the log; may block.
    ///
    /// # Errors
    /// As a question about the past; `OVERLOADED` where too many orders are open.
    pub fn live(&self, history: &History, set: &RuleSet) -> Result<Report, Refusal> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let known = live.remove(&set.name).filter(|known| known.user_id == set.user_id && known.from.time == set.since);
        let mut one = match known {
            Some(known) => known,
            None => Live::begin(history, set)?,
        };
        let Live { shadow, counts, found, more, .. } = &mut one;
        let complete = follow(history, shadow, None, counts, |affected| {
            if found.len() >= MAX_KEPT {
                found.pop_front();
                *more = true;
            }
            found.push_back(affected);
        })?;
        let report = Report {
            from: one.from,
            to: Moment { seq: one.shadow.last_seq(), time: one.shadow.time() },
            complete,
            judged: one.shadow.judged(),
            counts: one.counts.clone(),
            found: one.found.iter().cloned().collect(),
            more: one.more,
        };
        live.insert(set.name.clone(), one);
        Ok(report)
    }

    /// Forgets sets that run no more.
    pub fn retain(&self, names: &[RuleSetName]) {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, _| names.contains(name));
    }

    /// What rules would have changed between two moments. The first `most` differences behind the event `after` are
    /// told. `rules` makes them of the state at the beginning. Reads the log; may block.
    ///
    /// # Errors
    /// As a question about the past; what `rules` refuses; `OVERLOADED` where too many run.
    pub fn run(
        &self,
        history: &History,
        (from, to): (Moment, Moment),
        rules: impl FnOnce(&State) -> Result<Vec<Rule>, Refusal>,
        (after, most): (Seq, usize),
    ) -> Result<Report, Refusal> {
        let before = self.runs.fetch_add(1, Ordering::Relaxed);
        let _place = Running(&self.runs);
        if before >= MAX_RUNS {
            return Err(Refusal::new(Code::Overloaded, format!("{before} runs are on already")));
        }
        let state = begin(history, from)?;
        let rules = rules(&state)?;
        let mut shadow = Shadow::begin(state, rules);
        let (mut counts, mut found, mut more) = (BTreeMap::new(), Vec::new(), false);
        let complete = follow(history, &mut shadow, Some(to.seq), &mut counts, |affected| {
            if affected.seq > after && found.len() < most {
                found.push(affected);
            } else {
                more |= affected.seq > after;
            }
        })?;
        let to = if complete { to } else { Moment { seq: shadow.last_seq(), time: shadow.time() } };
        Ok(Report { from, to, complete, judged: shadow.judged(), counts, found, more })
    }
}

impl Live {
    fn begin(history: &History, set: &RuleSet) -> Result<Self, Refusal> {
        let from = history.moment(AsOf::Time(set.since)).map_err(refusal)?;
        let shadow = Shadow::begin(begin(history, from)?, set.rules.clone());
        let from = Moment { seq: from.seq, time: set.since };
        Ok(Self { user_id: set.user_id, from, shadow, counts: BTreeMap::new(), found: VecDeque::new(), more: false })
    }
}
