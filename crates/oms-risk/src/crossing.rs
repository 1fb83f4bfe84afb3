//! Self-match: own working orders by price, and whether a new one would trade against them.
//!
//! Orders that a person works, that wait for a trigger or that are held are not in the market and meet nobody.

use crate::book::RiskBook;
use crate::check::{Inquiry, Purpose, pass, refuse};
use crate::exposure::Reservation;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use oms_model::compliance::SelfMatchPolicy;
use oms_model::limit::{Check, CheckResult, Scope, Verdict};
use oms_model::{AccountId, Code, Decimal, InstrumentId, Order, OrderId, Price, Qty};
use std::collections::BTreeMap;

/// The most own orders that one order may meet; one that meets more is refused whatever the rule.
pub const MAX_MEETINGS: usize = 16;
/// How many orders at crossing prices are looked at; other accounts' ones count.
const MAX_LOOKS: usize = 64;

/// An own working order that would trade against a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// The working order.
    pub order_id: OrderId,
    /// What is open of it.
    pub open_qty: Qty,
}

#[derive(Clone, Copy, Debug)]
struct Resting {
    open_qty: Qty,
    /// Its account's place in [`Crossing::accounts`]: a quarter of the room that its id takes.
    account: u32,
}

/// The working orders in one instrument, the most aggressive first on each side.
#[derive(Clone, Debug, Default)]
struct Sides {
    buys: BTreeMap<(i64, OrderId), Resting>,
    sells: BTreeMap<(i64, OrderId), Resting>,
}

impl Sides {
    fn side_mut(&mut self, is_buy: bool) -> &mut BTreeMap<(i64, OrderId), Resting> {
        if is_buy { &mut self.buys } else { &mut self.sells }
    }
}

/// Working orders by instrument, side and price. It follows from the orders, so a snapshot has none of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crossing {
    instruments: HashMap<InstrumentId, Sides, FixedState>,
    /// Accounts that have had a working order, numbered as they came.
    accounts: HashMap<AccountId, u32, FixedState>,
}

/// How aggressive a price is on a side: the lower, the more. An order without a limit takes any price.
fn rank(is_buy: bool, price: Option<Price>) -> i64 {
    match price {
        None => i64::MIN,
        Some(price) if is_buy => price.raw().saturating_neg(),
        Some(price) => price.raw(),
    }
}

/// Where an order stands among the working ones; `None` where it is not in the market. A pending replace counts with
/// the more aggressive price.
pub(crate) fn resting_rank(order: &Order, open_qty: Qty) -> Option<i64> {
    let extras = &order.extras;
    let untriggered = order.ord_type.has_stop() && !extras.work.as_deref().is_some_and(|work| work.triggered);
    if open_qty.is_zero() || extras.care.is_some() || extras.hold.is_some() || untriggered {
        return None;
    }
    let is_buy = order.side.is_buy();
    let asked = extras.replacing.as_deref().map(|terms| rank(is_buy, terms.price));
    Some(asked.into_iter().fold(rank(is_buy, order.price), i64::min))
}

impl Crossing {
    pub(crate) fn follow(&mut self, order: &Order, reserved: &mut Reservation) {
        let now = resting_rank(order, reserved.qty);
        if now == reserved.resting && now.is_none() {
            return;
        }
        let is_buy = order.side.is_buy();
        let next = self.accounts.len() as u32;
        let account = *self.accounts.entry(order.account_id).or_insert(next);
        let side = self.instruments.entry(order.instrument_id).or_default().side_mut(is_buy);
        if let Some(before) = reserved.resting.filter(|before| Some(*before) != now) {
            side.remove(&(before, order.order_id));
        }
        if let Some(now) = now {
            side.insert((now, order.order_id), Resting { open_qty: reserved.qty, account });
        }
        reserved.resting = now;
    }
}

/// What an order meets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    pub(crate) meetings: Vec<Meeting>,
    /// There are more than are told.
    pub(crate) more: bool,
}

impl RiskBook {
    /// The rule for an account's orders, and whose working orders they must not meet: those of an account with a rule of
    /// its own are the account's, others the whole tenant's.
    fn self_match_rule(&self, account_id: AccountId) -> Option<(Scope, SelfMatchPolicy)> {
        let own = Scope::Account(account_id);
        let found = [own, Scope::Tenant].into_iter().find_map(|scope| Some((scope, *self.self_match.get(&scope)?)));
        found.filter(|(_, policy)| *policy != SelfMatchPolicy::Off)
    }
}

impl Inquiry<'_> {
    /// The rule that holds for the order, where it comes to the market now.
    pub(crate) fn self_match_rule(&self) -> Option<(Scope, SelfMatchPolicy)> {
        let comes = match self.purpose {
            Purpose::New => true,
            Purpose::Replace { current, .. } => self.order.price != current.price,
            Purpose::Replan { current, .. } => current.extras.hold.is_some(),
        };
        let untriggered = self.order.ord_type.has_stop();
        if !comes || untriggered || self.order.is_care { None } else { self.book.self_match_rule(self.order.account_id) }
    }

    /// The own working orders that it would trade against, the most aggressive first.
    pub(crate) fn met(&self, scope: Scope) -> Met {
        let mut met = Met::default();
        let order = &self.order;
        let Some(sides) = self.book.crossing.instruments.get(&order.instrument_id) else { return met };
        let is_buy = order.side.is_buy();
        let others = if is_buy { &sides.sells } else { &sides.buys };
        let account = self.book.crossing.accounts.get(&order.account_id).copied();
        // A purchase at p meets sales at p or lower; a sale at p purchases at p or higher.
        let last = match order.price {
            None => i64::MAX,
            Some(price) => rank(!is_buy, Some(price)),
        };
        for (looks, (&(_, order_id), resting)) in others.iter().take_while(|((rank, _), _)| *rank <= last).enumerate() {
            let own = scope == Scope::Tenant || Some(resting.account) == account;
            if looks >= MAX_LOOKS || (own && met.meetings.len() >= MAX_MEETINGS) {
                met.more = true;
                break;
            }
            if own && order_id != order.order_id {
                met.meetings.push(Meeting { order_id, open_qty: resting.open_qty });
            }
        }
        met
    }

    /// What the rule comes to for what it meets: the new order is refused, or waits until the others are gone.
    pub(crate) fn self_match_verdict(&self, policy: SelfMatchPolicy, met: &Met) -> Verdict {
        if met.meetings.is_empty() && !met.more {
            return Verdict::Pass;
        }
        let met_qty = met.meetings.iter().fold(Qty::ZERO, |sum, meeting| sum.saturating_add(meeting.open_qty));
        match policy {
            SelfMatchPolicy::Off => Verdict::Pass,
            _ if met.more || !matches!(self.purpose, Purpose::New) => Verdict::Fail,
            SelfMatchPolicy::CancelNewest | SelfMatchPolicy::CancelBoth => Verdict::Fail,
            SelfMatchPolicy::CancelOldest => Verdict::Hold,
            SelfMatchPolicy::Decrement if self.order.order_qty <= met_qty => Verdict::Fail,
            SelfMatchPolicy::Decrement => Verdict::Hold,
        }
    }
}

/// Whether the order would trade against an own working one. What is recorded is how many it meets, of none.
pub(crate) fn check(inquiry: &Inquiry<'_>) -> CheckResult {
    let Some((scope, policy)) = inquiry.self_match_rule() else { return inquiry.not_applicable(Check::SelfMatch) };
    let met = inquiry.met(scope);
    let value = Some(Decimal::from_count(met.meetings.len() as u64));
    let limit = Some(Decimal::ZERO);
    match inquiry.self_match_verdict(policy, &met) {
        Verdict::Fail => CheckResult { value, limit, ..refuse(Check::SelfMatch, Code::SelfMatch, scope) },
        verdict => CheckResult { scope, value, limit, verdict, ..pass(Check::SelfMatch) },
    }
}
