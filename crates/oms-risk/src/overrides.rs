//! Leave of a person for one order to break one rule. What is not listed here as a rule that may be broken is none.

use crate::book::RiskBook;
use crate::check::{Inquiry, Purpose};
use oms_model::limit::{Check, CheckResult, Scope, Verdict};
use oms_model::overrides::{Override, OverrideRule, OverrideState};
use oms_model::{Code, Decimal, OrderId, OverrideId, Time, UserId};
use std::collections::BTreeMap;

/// The most overrides that are known at once.
pub const MAX_OVERRIDES: usize = 1_000;

/// All overrides whose time is not over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    known: BTreeMap<OverrideId, Override>,
    rule: OverrideRule,
}

/// A check that an accepted order failed by a person's leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overridden {
    /// The leave.
    pub override_id: OverrideId,
    /// The check.
    pub check: Check,
    /// The scope whose limit it broke.
    pub scope: Scope,
    /// What was measured.
    pub value: Option<Decimal>,
    /// What it was measured against.
    pub limit: Option<Decimal>,
    /// The version of that limit; 0 where it is not a configured one.
    pub limit_version: u32,
}

/// Whether a check is one that a person may give leave to fail: it compares with a limit of the firm's own. Never the
/// kill switch and trading states, never what an instrument, a venue or the law (Regulation SHO rules 201 and 203,
/// RTS 6 article 15(3)) says, and the lists only where the tenant allows it.
#[must_use]
pub const fn is_overridable(check: Check, rule: OverrideRule) -> bool {
    match check {
        Check::Restricted => rule.lists,
        Check::Duplicate
        | Check::WashTrade
        | Check::PriceCollar
        | Check::OrderQty
        | Check::OrderNotional
        | Check::PctAdv
        | Check::OrderRate
        | Check::OpenOrders
        | Check::OpenNotional
        | Check::PositionQty
        | Check::PositionNotional
        | Check::AssetClassExposure
        | Check::Concentration
        | Check::GrossExposure
        | Check::NetExposure
        | Check::Leverage
        | Check::BuyingPower
        | Check::DailyLoss
        | Check::TrailingDrawdown
        | Check::StrategyEnvelope => true,
        // A check that comes later may not be overridden either, until somebody says so here.
        _ => false,
    }
}

/// Whether what a check found is a breach with its numbers. What could not be measured is nobody's to allow.
const fn is_breach(result: &CheckResult) -> bool {
    match result.code {
        Some(Code::ComplianceBlocked) => true,
        Some(
            Code::DuplicateOrder
            | Code::WashTrade
            | Code::PriceCollar
            | Code::RiskLimitBreach
            | Code::SoftLimitBreach
            | Code::RateLimited
            | Code::InsufficientBuyingPower,
        ) => result.value.is_some() && result.limit.is_some(),
        _ => false,
    }
}

impl RiskBook {
    /// An override was granted.
    pub fn grant(&mut self, granted: &Override) {
        self.overrides.known.insert(granted.override_id, granted.clone());
    }

    /// A second person consented to it.
    pub fn consent(&mut self, override_id: OverrideId, user_id: UserId) {
        if let Some(known) = self.overrides.known.get_mut(&override_id) {
            known.consented_by = Some(user_id);
            known.state = OverrideState::Active;
        }
    }

    /// It was taken back.
    pub fn revoke(&mut self, override_id: OverrideId) {
        if let Some(known) = self.overrides.known.get_mut(&override_id) {
            known.state = OverrideState::Revoked;
        }
    }

    /// An order used it.
    pub fn use_override(&mut self, override_id: OverrideId, order_id: OrderId) {
        if let Some(known) = self.overrides.known.get_mut(&override_id) {
            known.state = OverrideState::Used;
            known.used_by = Some(order_id);
        }
    }

    /// Its time is over.
    pub fn expire_override(&mut self, override_id: OverrideId) {
        self.overrides.known.remove(&override_id);
    }

    /// What the tenant says about overrides was decided.
    pub fn set_override_rule(&mut self, rule: OverrideRule) {
        self.overrides.rule = rule;
    }

    /// What the tenant says about overrides.
    #[must_use]
    pub fn override_rule(&self) -> OverrideRule {
        self.overrides.rule
    }

    /// An override whose time is not over.
    #[must_use]
    pub fn override_of(&self, override_id: OverrideId) -> Option<&Override> {
        self.overrides.known.get(&override_id)
    }

    /// Whether an order was taken by leave to fail this check, which still holds: its rest is placed by it, and is not
    /// held against what it may break. `named` are the overrides that the order names.
    #[must_use]
    pub fn is_overridden(&self, order_id: OrderId, named: &[OverrideId], check: Check, now: Time) -> bool {
        let own = |known: &Override| known.state == OverrideState::Used && known.used_by == Some(order_id);
        let holds = |known: &Override| known.check == check && own(known) && !is_over(known, now);
        named.iter().filter_map(|id| self.override_of(*id)).any(holds)
    }

    /// Every override whose time is not over, by id.
    pub fn overrides(&self) -> impl Iterator<Item = &Override> {
        self.overrides.known.values()
    }
}

/// What overrides made of the results.
#[derive(Debug, Default)]
pub(crate) struct Lifted {
    /// The checks that are passed by.
    pub(crate) used: Vec<Overridden>,
    /// The first override of a failed check that does not hold, with why.
    pub(crate) idle: Option<(OverrideId, &'static str)>,
}

/// Passes failed checks by for which the order names an override that holds. Each result keeps its numbers.
pub(crate) fn lift(inquiry: &Inquiry<'_>, results: &mut [CheckResult]) -> Lifted {
    let mut lifted = Lifted::default();
    if inquiry.ctx.overrides.is_empty() || matches!(inquiry.purpose, Purpose::Replace { .. }) {
        // A replace is a new judgement, of terms that nobody gave leave for.
        return lifted;
    }
    for result in results.iter_mut().filter(|result| result.verdict == Verdict::Fail) {
        for id in inquiry.ctx.overrides {
            let holds = match inquiry.book.override_of(*id) {
                None => Err("is not known, or its time is over"),
                Some(granted) if granted.check != result.check => continue,
                Some(granted) => holds(inquiry, granted, result),
            };
            if let Err(why) = holds {
                lifted.idle = lifted.idle.or(Some((*id, why)));
                continue;
            }
            let CheckResult { check, scope, value, limit, limit_version, .. } = *result;
            (result.verdict, result.code) = (Verdict::Overridden, None);
            lifted.used.push(Overridden { override_id: *id, check, scope, value, limit, limit_version });
            break;
        }
    }
    lifted
}

/// Whether an override holds for what is asked; why not, in words that follow its id.
fn holds(inquiry: &Inquiry<'_>, granted: &Override, result: &CheckResult) -> Result<(), &'static str> {
    let (order, rule) = (&inquiry.order, inquiry.book.override_rule());
    if !is_overridable(result.check, rule) || !is_breach(result) || !matches!(inquiry.worst_price, Some(Ok(_))) {
        return Err("is for what cannot be overridden");
    }
    if is_over(granted, inquiry.ctx.now) {
        return Err("is not known, or its time is over");
    }
    if inquiry.is_replan() {
        // What was taken by it is placed by it.
        let own = inquiry.book.is_overridden(order.order_id, &[granted.override_id], result.check, inquiry.ctx.now);
        return if own { Ok(()) } else { Err("was not used by this order") };
    }
    match granted.state {
        OverrideState::Pending => return Err("waits for the consent of a second person"),
        OverrideState::Used => return Err("was used by another order"),
        OverrideState::Revoked => return Err("was taken back"),
        OverrideState::Active if rule.second_person && granted.consented_by.is_none() => {
            return Err("waits for the consent of a second person");
        }
        OverrideState::Active => (),
    }
    if order.user_id == granted.granted_by || Some(order.user_id) == granted.consented_by {
        return Err("was granted by the one who sends the order");
    }
    let meant = (order.account_id, order.instrument_id, order.side, order.ord_type, order.stop_px);
    if meant != (granted.account_id, granted.instrument_id, granted.side, granted.ord_type, granted.stop_px) {
        return Err("is for another account, instrument, side or type of order");
    }
    if order.order_qty > granted.max_qty {
        return Err("is for a smaller quantity");
    }
    match (granted.price, order.price) {
        (None, None) => Ok(()),
        (Some(granted), Some(price)) if if order.side.is_buy() { price <= granted } else { price >= granted } => Ok(()),
        _ => Err("is for a better price"),
    }
}

fn is_over(granted: &Override, now: Time) -> bool {
    now >= granted.expires_at
}
