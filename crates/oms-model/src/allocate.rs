//! How what was executed of a group is shared out to its members: one function without state, so that anyone can do
//! it again from a receipt's inputs.
//!
//! - Quantity goes pro rata to what each member had left when it was grouped, rounded down to lots; the lots that are
//!   left over go by largest remainder, ties to the older order, then to the smaller id. No member gets more than it
//!   had left.
//! - The value goes in proportion to the quantity shared, so that every member has the group's average price; the
//!   10^-18 units that are left over go by largest remainder too. Both sums are exact.
//! - The shares follow from the totals alone, not from the order of executions: one more, one less or one corrected
//!   gives what would have been had it always been so.

use crate::amount::{Notional, Qty, mul_div};
use crate::ids::{OrderId, Time};
use core::cmp::Ordering;

/// The version of the rule; a receipt names the one that it was made by.
pub const RULE: u32 = 1;
/// The most members of a group.
pub const MAX_MEMBERS: usize = 1_000;

/// A member of a group, as the rule sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// The order.
    pub order_id: OrderId,
    /// When it was created; the older one is first among equals.
    pub created_at: Time,
    /// What it had left when it was grouped.
    pub remaining: Qty,
}

/// What a member gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// The order.
    pub order_id: OrderId,
    /// How much of the quantity.
    pub qty: Qty,
    /// How much of the exact value.
    pub notional: Notional,
}

/// Shares `qty`, executed for `notional`, out to `members`; in their order. What is beyond all that they had left is
/// shared to nobody, and its part of the value with it. `None` where a figure is below zero or leaves its range.
#[must_use]
pub fn allocate(qty: Qty, notional: Notional, lot: Qty, members: &[Weight]) -> Option<Vec<Share>> {
    let sizes: Vec<u128> = members.iter().map(|member| u128::try_from(member.remaining.raw()).ok()).collect::<Option<_>>()?;
    let whole = sizes.iter().try_fold(0_u128, |sum, size| sum.checked_add(*size))?;
    let executed = u128::try_from(qty.raw()).ok()?;
    let shared = executed.min(whole);
    let lot = u128::try_from(lot.raw().max(1)).ok()?;
    let quantities = share_out(shared, lot, &sizes, &sizes, members)?;
    // The value of what is shared, then each member's part of that.
    let value = u128::try_from(notional.raw()).ok()?;
    let value = if shared == executed { value } else { mul_div(value, shared, executed)?.0 };
    let caps = vec![u128::MAX; members.len()];
    let values = share_out(value, 1, &quantities, &caps, members)?;
    members
        .iter()
        .zip(quantities.iter().zip(&values))
        .map(|(member, (&qty, &value))| {
            let (qty, notional) = (Qty::from_raw(i128::try_from(qty).ok()?), Notional::from_raw(i128::try_from(value).ok()?));
            Some(Share { order_id: member.order_id, qty, notional })
        })
        .collect()
}

/// Shares `total` out in proportion to `weights`, in multiples of `unit` where it can be, to nobody more than its cap.
fn share_out(total: u128, unit: u128, weights: &[u128], caps: &[u128], members: &[Weight]) -> Option<Vec<u128>> {
    let whole = weights.iter().try_fold(0_u128, |sum, weight| sum.checked_add(*weight))?;
    if whole == 0 || total == 0 {
        return Some(vec![0; weights.len()]);
    }
    // What each gets of its exact share, and what rounding took from it: whole units, then a part of one.
    let mut shares = Vec::with_capacity(weights.len());
    let mut lost = Vec::with_capacity(weights.len());
    for &weight in weights {
        let (exact, rest) = mul_div(total, weight, whole)?;
        shares.push(exact - exact % unit);
        lost.push((exact % unit, rest));
    }
    let mut left = total - shares.iter().sum::<u128>();
    let mut order: Vec<usize> = (0..weights.len()).filter(|&at| weights.get(at).is_some_and(|weight| *weight > 0)).collect();
    order.sort_unstable_by(|&a, &b| by_remainder(a, b, &lost, members));
    // Every round but the last gives each member a unit or brings it to its cap.
    while left > 0 {
        let before = left;
        for &at in &order {
            let (Some(share), Some(cap)) = (shares.get_mut(at), caps.get(at)) else { continue };
            let given = unit.min(left).min(cap - *share);
            *share += given;
            left -= given;
        }
        if left == before {
            return None;
        }
    }
    Some(shares)
}

/// The larger remainder first, then the older order, then the smaller id.
fn by_remainder(a: usize, b: usize, lost: &[(u128, u128)], members: &[Weight]) -> Ordering {
    let key = |at: usize| members.get(at).map(|member| (member.created_at, member.order_id));
    lost.get(b).cmp(&lost.get(a)).then_with(|| key(a).cmp(&key(b)))
}

/// A value as two lots of prices one billionth apart, because no single price may say an average exactly: the quantity
/// at the lower price, that price, and the quantity at the next one. `None` where the price leaves its range.
#[must_use]
pub fn exact_lots(qty: Qty, notional: Notional) -> Option<(Qty, crate::amount::Price, Qty)> {
    if !qty.is_positive() || notional.is_negative() {
        return None;
    }
    let (price, above) = (notional.raw() / qty.raw(), notional.raw() % qty.raw());
    let price = crate::amount::Price::from_raw(i64::try_from(price).ok().filter(|price| *price < i64::MAX)?);
    Some((Qty::from_raw(qty.raw() - above), price, Qty::from_raw(above)))
}

#[cfg(test)]
mod tests;
