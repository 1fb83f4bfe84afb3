//! An equal order a moment ago, on the same side or on the other. Equal is: account, instrument, quantity, price and trigger.

use crate::check::Inquiry;
use crate::gate::Proposed;
use crate::parts::RecentOrder;
use core::hash::BuildHasher;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use oms_model::limit::{Check, CheckResult, LimitType, Verdict};
use oms_model::{Code, Decimal, Order, Side, Time};
use std::collections::VecDeque;

/// The most orders that are remembered (about 30 MB). When this many came within the longest window, new orders are
/// refused with OVERLOADED until the oldest leaves it: not knowing is not passing.
pub const MAX_RECENT_ORDERS: usize = 1 << 18;

/// Accepted orders within the longest duplicate window, oldest first, and for each distinct order its last place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    entries: VecDeque<RecentOrder>,
    /// The number of the entry at the front; numbers only rise.
    first: u64,
    last_of: HashTable<u64>,
    retention_ns: Option<i64>,
}

fn hash(order: &RecentOrder) -> u64 {
    FixedState::default().hash_one((order.account_id, order.instrument_id, order.side, order.order_qty, order.price, order.stop_px))
}

fn equal(a: &RecentOrder, b: &RecentOrder) -> bool {
    RecentOrder { at: b.at, ..*a } == *b
}

/// The entry with this number.
fn numbered(entries: &VecDeque<RecentOrder>, first: u64, number: u64) -> Option<&RecentOrder> {
    entries.get(usize::try_from(number.checked_sub(first)?).ok()?)
}

impl Recent {
    /// When an equal order was last accepted.
    fn last(&self, order: &RecentOrder) -> Option<Time> {
        let (entries, first) = (&self.entries, self.first);
        let is_equal = |number: &u64| numbered(entries, first, *number).is_some_and(|e| equal(e, order));
        let number = self.last_of.find(hash(order), is_equal)?;
        numbered(entries, first, *number).map(|e| e.at)
    }

    /// Whether nothing more can be remembered at `now`.
    fn is_full(&self, now: Time) -> bool {
        self.entries.len() >= MAX_RECENT_ORDERS && self.entries.front().is_some_and(|oldest| !self.is_over(oldest.at, now))
    }

    fn is_over(&self, at: Time, now: Time) -> bool {
        self.retention_ns.is_none_or(|ns| now.since(at) >= ns)
    }

    /// A new order passed the gate. It is remembered while a window is in force anywhere.
    pub(crate) fn on_accepted(&mut self, order: &Order, now: Time) {
        while self.entries.front().is_some_and(|oldest| self.is_over(oldest.at, now)) {
            self.forget_oldest();
        }
        if self.retention_ns.is_some() {
            if self.entries.len() >= MAX_RECENT_ORDERS {
                self.forget_oldest();
            }
            self.remember(RecentOrder { at: now, ..recent(&Proposed::of(order)) });
        }
    }

    fn remember(&mut self, order: RecentOrder) {
        let number = self.first + self.entries.len() as u64;
        self.entries.push_back(order);
        let (entries, first) = (&self.entries, self.first);
        let is_equal = |n: &u64| numbered(entries, first, *n).is_some_and(|e| equal(e, &order));
        if let Some(last) = self.last_of.find_mut(hash(&order), is_equal) {
            *last = number;
        } else {
            self.last_of.insert_unique(hash(&order), number, |n| numbered(entries, first, *n).map_or(0, hash));
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.entries.front() else { return };
        let number = self.first;
        if let Ok(entry) = self.last_of.find_entry(hash(oldest), |n| *n == number) {
            entry.remove();
        }
        self.entries.pop_front();
        self.first += 1;
    }

    /// The longest window in force changed; seconds.
    pub(crate) fn retain_for(&mut self, window: Option<Decimal>) {
        self.retention_ns = window.map(|w| i64::try_from(w.raw()).unwrap_or(i64::MAX));
        if self.retention_ns.is_none() {
            self.entries = VecDeque::new();
            self.last_of = HashTable::new();
        }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &RecentOrder> {
        self.entries.iter()
    }

    pub(crate) fn restore(&mut self, entries: Vec<RecentOrder>) {
        for entry in entries {
            self.remember(entry);
        }
    }
}

fn recent(order: &Proposed) -> RecentOrder {
    RecentOrder {
        at: Time::default(),
        account_id: order.account_id,
        instrument_id: order.instrument_id,
        side: order.side,
        order_qty: order.order_qty,
        price: order.price,
        stop_px: order.stop_px,
    }
}

/// Only new orders are compared. The recorded value is the age of the last equal order, seconds; none where there is
/// none.
pub(crate) fn check(inquiry: &Inquiry<'_>) -> CheckResult {
    compared(inquiry, Check::Duplicate, LimitType::DuplicateWindow, Code::DuplicateOrder, &[inquiry.order.side])
}

/// The same order on the other side a moment ago changes nobody's position and moves the market's figures: a heuristic
/// for wash trades.
pub(crate) fn check_wash(inquiry: &Inquiry<'_>) -> CheckResult {
    let sides: &[Side] = match inquiry.order.side {
        Side::Buy => &[Side::Sell, Side::SellShort, Side::SellShortExempt],
        Side::Sell | Side::SellShort | Side::SellShortExempt => &[Side::Buy],
        Side::Subscribe => &[Side::Redeem],
        Side::Redeem => &[Side::Subscribe],
    };
    compared(inquiry, Check::WashTrade, LimitType::WashWindow, Code::WashTrade, sides)
}

fn compared(inquiry: &Inquiry<'_>, check: Check, limit_type: LimitType, code: Code, sides: &[Side]) -> CheckResult {
    if !inquiry.is_new() || !inquiry.scopes().any(|(_, book)| book.is_some_and(|book| book.limits.has(limit_type))) {
        return if inquiry.is_new() { inquiry.window(check, limit_type, code, None) } else { inquiry.not_applicable(check) };
    }
    let now = inquiry.ctx.now;
    let known = inquiry.book.recent();
    let order = recent(&inquiry.order);
    let last = sides.iter().filter_map(|side| known.last(&RecentOrder { side: *side, ..order })).max();
    let age = last.map(|at| Decimal::from_raw(now.since(at).into()));
    let result = inquiry.window(check, limit_type, code, age);
    if result.verdict == Verdict::Pass && known.is_full(now) {
        return CheckResult { verdict: Verdict::Fail, code: Some(Code::Overloaded), ..result };
    }
    result
}
