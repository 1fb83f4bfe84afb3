//! The repeated-execution throttle: the same order again and again is a machine that went wrong. Once it trips, the scope
//! stays off until a named person says otherwise. Control: RTS 6 article 15(3).

use crate::check::{Inquiry, refuse};
use crate::rate::RateWindow;
use core::hash::BuildHasher;
use foldhash::fast::FixedState;
use oms_model::limit::{Check, CheckResult, LimitType, Verdict};
use oms_model::{AccountId, Code, Decimal, InstrumentId, Order, Qty, Side, Time};
use std::collections::BTreeMap;

/// The most kinds of orders that one scope remembers; beyond it new kinds are refused until one is over.
pub const MAX_KINDS: usize = 4096;

/// What makes two orders alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alike {
    /// For whom.
    pub account_id: AccountId,
    /// In what.
    pub instrument_id: InstrumentId,
    /// Bought, not sold.
    pub is_buy: bool,
    /// How much.
    pub order_qty: Qty,
}

impl Alike {
    fn of(account_id: AccountId, instrument_id: InstrumentId, side: Side, order_qty: Qty) -> Self {
        Self { account_id, instrument_id, is_buy: side.is_buy(), order_qty }
    }

    fn key(&self) -> u64 {
        FixedState::default().hash_one(self)
    }
}

/// When orders alike were accepted in one scope. Kept only where a limit is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repeats {
    kinds: BTreeMap<u64, RateWindow>,
}

impl Repeats {
    pub(crate) fn count(&mut self, order: &Order, now: Time, longest: i64) {
        let key = Alike::of(order.account_id, order.instrument_id, order.side, order.order_qty).key();
        if self.kinds.len() >= MAX_KINDS && !self.kinds.contains_key(&key) {
            self.kinds.retain(|_, window| window.used(now, longest) > 0);
        }
        // The gate takes no new kind where there is no room, so that this only meets a limit that was just set.
        if self.kinds.len() < MAX_KINDS || self.kinds.contains_key(&key) {
            self.kinds.entry(key).or_default().count(now, longest);
        }
    }

    fn is_full_for(&self, key: u64, now: Time, longest: i64) -> bool {
        self.kinds.len() >= MAX_KINDS && !self.kinds.contains_key(&key) && self.kinds.values().all(|window| window.used(now, longest) > 0)
    }

    fn used(&self, key: u64, now: Time, period: i64) -> usize {
        self.kinds.get(&key).map_or(0, |window| window.used(now, period))
    }

    pub(crate) fn clear(&mut self) {
        self.kinds.clear();
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = (u64, Vec<Time>)> + '_ {
        self.kinds.iter().map(|(key, window)| (*key, window.times().collect()))
    }

    pub(crate) fn restore(&mut self, key: u64, times: Vec<Time>) {
        self.kinds.insert(key, RateWindow::restore(times));
    }
}

/// New orders only. A scope that is off refuses everything; one that has seen too many alike refuses this one, and the
/// engine turns it off.
pub(crate) fn check(inquiry: &Inquiry<'_>) -> CheckResult {
    if !inquiry.is_new() {
        return inquiry.not_applicable(Check::RepeatedExecution);
    }
    if let Some((scope, _)) = inquiry.scopes().find(|(_, book)| book.is_some_and(|book| book.tripped)) {
        return refuse(Check::RepeatedExecution, Code::RateLimited, scope);
    }
    let (order, now) = (&inquiry.order, inquiry.ctx.now);
    let key = Alike::of(order.account_id, order.instrument_id, order.side, order.order_qty).key();
    for (scope, book) in inquiry.scopes() {
        let Some(book) = book else { continue };
        let Some(longest) = book.limits.longest_period(LimitType::RepeatedExecution) else { continue };
        if book.repeats.is_full_for(key, now, longest) {
            return refuse(Check::RepeatedExecution, Code::Overloaded, scope);
        }
    }
    let bound = crate::limits::Bound::decimal(Check::RepeatedExecution, LimitType::RepeatedExecution, Code::RateLimited);
    inquiry.bound(bound, |at| {
        let used = at.book.map_or(0, |book| book.repeats.used(key, now, at.period_ns));
        Some(Decimal::from_count((used as u64).saturating_add(1)).raw())
    })
}

/// Whether a refusal by this check is the one that turns the scope off.
pub(crate) fn trips(result: &CheckResult) -> bool {
    result.check == Check::RepeatedExecution
        && result.verdict == Verdict::Fail
        && result.code == Some(Code::RateLimited)
        && result.value.is_some()
        && !result.soft
}
