//! Limits and lists from a file: one decision, one batch, all or nothing.

use super::admin::{MAX_REASON, check_scope};
use crate::step::Step;
use oms_model::command::MAX_IMPORT;
use oms_model::compliance::Restriction;
use oms_model::event::{Event, RestrictionRemoved, RiskImported, RiskLimitRemoved};
use oms_model::limit::RiskLimit;
use oms_model::{Code, Refusal};
use oms_risk::Changes;
use std::collections::BTreeSet;

fn counts<T: Clone>(changes: &Changes<T>, lists: bool, replace_all: bool) -> RiskImported {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (added, changed, removed) = (count(changes.added.len()), count(changes.changed.len()), count(changes.removed.len()));
    RiskImported { lists, replace_all, added, changed, removed }
}

/// The item at `at`, counted from 0, cannot be taken.
fn item(at: usize, text: impl core::fmt::Display) -> Refusal {
    Refusal::new(Code::ValidationError, format!("item {at}: {text}")).with("item", at)
}

fn check_bounds(len: usize, now: u64, if_revision: Option<u64>) -> Result<(), Refusal> {
    if len > MAX_IMPORT {
        return Err(Refusal::new(Code::ValidationError, format!("an import has at most {MAX_IMPORT} lines")).with("lines", len));
    }
    if let Some(asked) = if_revision.filter(|asked| *asked != now) {
        let text = format!("they are at revision {now}, not {asked}: look at the preview again");
        return Err(Refusal::new(Code::VersionMismatch, text).with("revision", now));
    }
    Ok(())
}

pub(crate) fn limits(step: &mut Step<'_>, limits: &[RiskLimit], replace_all: bool, if_revision: Option<u64>) -> Result<(), Refusal> {
    check_bounds(limits.len(), step.state().risk().revisions().limits, if_revision)?;
    let limits: Vec<RiskLimit> = limits.iter().map(|limit| RiskLimit::of(limit.key().normal(), limit.value, 0)).collect();
    let mut keys = BTreeSet::new();
    for (at, limit) in limits.iter().enumerate() {
        check_scope(step, limit.scope).map_err(|refusal| item(at, refusal.message))?;
        oms_risk::validate_limit(limit).map_err(|error| item(at, error))?;
        if !keys.insert(limit.key()) {
            return Err(item(at, "the limit stands there twice"));
        }
    }
    let changes = step.state().risk().changes_of_limits(&limits, replace_all);
    step.emit(Event::RiskImported(counts(&changes, false, replace_all)));
    for limit in changes.new_values() {
        let version = step.state().risk().next_version(limit.key());
        step.emit(Event::RiskLimitSet(RiskLimit { version, ..*limit }));
    }
    for RiskLimit { limit_type, scope, period, soft, .. } in changes.removed {
        step.emit(Event::RiskLimitRemoved(RiskLimitRemoved { limit_type, scope, period, soft }));
    }
    Ok(())
}

pub(crate) fn lists(step: &mut Step<'_>, entries: &[Restriction], replace_all: bool, if_revision: Option<u64>) -> Result<(), Refusal> {
    check_bounds(entries.len(), step.state().risk().revisions().lists, if_revision)?;
    let mut keys = BTreeSet::new();
    for (at, entry) in entries.iter().enumerate() {
        check_scope(step, entry.scope).and_then(|()| check_scope(step, entry.subject)).map_err(|refusal| item(at, refusal.message))?;
        if !oms_risk::lists::is_entry(entry.scope, entry.subject) {
            return Err(item(
                at,
                "a list is the tenant's, an account's, a user's or a strategy's, and has instruments, classes, venues or accounts",
            ));
        }
        if entry.reason.trim().is_empty() || entry.reason.len() > MAX_REASON {
            return Err(item(at, format_args!("a reason of 1 to {MAX_REASON} bytes is needed")));
        }
        if !keys.insert((entry.list, entry.scope, entry.subject)) {
            return Err(item(at, "the entry stands there twice"));
        }
    }
    let changes = step.state().risk().changes_of_lists(entries, replace_all);
    let after = step.state().risk().restriction_count() + changes.added.len() - changes.removed.len();
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
