//! Limits and lists from a file: one decision, one batch, all or nothing.

use super::admin::{check_reason, is_known};
use super::risk::NO_ENTRY;
use crate::state::State;
use crate::step::Step;
use oms_model::command::MAX_IMPORT;
use oms_model::compliance::Restriction;
use oms_model::event::{Event, RestrictionRemoved, RiskImported, RiskLimitRemoved};
use oms_model::limit::{RiskLimit, Scope};
use oms_model::{Code, Refusal};
use oms_risk::Changes;
use std::collections::BTreeSet;

/// The most items that a refusal names.
const MAX_NAMED: usize = 100;

fn unknown(state: &State, scope: Scope) -> Option<String> {
    is_known(state, scope).err().map(|refusal| refusal.message)
}

/// The limits of a file that cannot be taken: the place of each, from 0, and why.
#[must_use]
pub fn limit_problems(state: &State, limits: &[RiskLimit]) -> Vec<(usize, String)> {
    let mut keys = BTreeSet::new();
    let mut problem = |limit: &RiskLimit| {
        let invalid = || oms_risk::validate_limit(limit).err().map(|error| error.to_string());
        let twice = (!keys.insert(limit.key().normal())).then(|| "the same limit stands there before".to_owned());
        twice.or_else(|| unknown(state, limit.scope)).or_else(invalid)
    };
    limits.iter().enumerate().filter_map(|(at, limit)| Some((at, problem(limit)?))).collect()
}

/// The entries of a file that cannot be taken: the place of each, from 0, and why.
#[must_use]
pub fn list_problems(state: &State, entries: &[Restriction]) -> Vec<(usize, String)> {
    let mut keys = BTreeSet::new();
    let mut problem = |entry: &Restriction| {
        if !keys.insert((entry.list, entry.scope, entry.subject)) {
            return Some("the same entry stands there before".to_owned());
        }
        if !oms_risk::lists::is_entry(entry.scope, entry.subject) {
            return Some(NO_ENTRY.to_owned());
        }
        let reason = || check_reason(&entry.reason).err().map(|refusal| refusal.message);
        unknown(state, entry.scope).or_else(|| unknown(state, entry.subject)).or_else(reason)
    };
    entries.iter().enumerate().filter_map(|(at, entry)| Some((at, problem(entry)?))).collect()
}

/// Refuses a file that is too long, that was looked at before something changed, or that has an item that cannot be taken.
fn check(len: usize, revision: u64, if_revision: Option<u64>, problems: &[(usize, String)]) -> Result<(), Refusal> {
    if len > MAX_IMPORT {
        return Err(Refusal::new(Code::ValidationError, format!("a file has at most {MAX_IMPORT} items, not {len}")));
    }
    if let Some(asked) = if_revision.filter(|asked| *asked != revision) {
        let text = format!("what is there is at revision {revision}, not {asked}: look at it again");
        return Err(Refusal::new(Code::VersionMismatch, text).with("revision", revision));
    }
    if problems.is_empty() {
        return Ok(());
    }
    let text = format!("{} of {len} items cannot be taken, so none was", problems.len());
    let refusal = Refusal::new(Code::ValidationError, text);
    Err(problems.iter().take(MAX_NAMED).fold(refusal, |refusal, (at, why)| refusal.with(&format!("item {at}"), why)))
}

fn counts<T: Clone>(changes: &Changes<T>, lists: bool, replace_all: bool) -> RiskImported {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (added, changed, removed) = (count(changes.added.len()), count(changes.changed.len()), count(changes.removed.len()));
    RiskImported { lists, replace_all, added, changed, removed }
}

pub(crate) fn limits(step: &mut Step<'_>, limits: &[RiskLimit], replace_all: bool, if_revision: Option<u64>) -> Result<(), Refusal> {
    let limits: Vec<RiskLimit> =
        limits.iter().take(MAX_IMPORT + 1).map(|limit| RiskLimit::of(limit.key().normal(), limit.value, 0)).collect();
    check(limits.len(), step.state().risk().revisions().limits, if_revision, &limit_problems(step.state(), &limits))?;
    let changes = step.state().risk().changes_of_limits(&limits, replace_all);
    step.emit(Event::RiskImported(counts(&changes, false, replace_all)));
    for limit in changes.new_values() {
        let version = step.state().risk().next_version(limit.key());
        step.emit(Event::RiskLimitSet(RiskLimit { version, ..*limit }));
    }
    for limit in changes.removed {
        step.emit(Event::RiskLimitRemoved(RiskLimitRemoved::of(limit.key())));
    }
    Ok(())
}

pub(crate) fn lists(step: &mut Step<'_>, entries: &[Restriction], replace_all: bool, if_revision: Option<u64>) -> Result<(), Refusal> {
    check(entries.len(), step.state().risk().revisions().lists, if_revision, &list_problems(step.state(), entries))?;
    let changes = step.state().risk().changes_of_lists(entries, replace_all);
    let after = (step.state().risk().restriction_count() + changes.added.len()).saturating_sub(changes.removed.len());
    if after > oms_risk::lists::MAX_ENTRIES {
        return Err(Refusal::new(Code::Overloaded, "the lists are full").with("entries", after));
    }
    step.emit(Event::RiskImported(counts(&changes, true, replace_all)));
    for entry in changes.new_values() {
        step.emit(Event::RestrictionSet(Box::new(entry.clone())));
    }
    for Restriction { list, scope, subject, .. } in changes.removed {
        let reason = "not in the imported file".to_owned();
        step.emit(Event::RestrictionRemoved(Box::new(RestrictionRemoved { list, scope, subject, reason })));
    }
    Ok(())
}
