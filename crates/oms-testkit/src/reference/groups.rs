//! Groups and what they share out, as the durable facts tell them, with the rule worked out once more in plain integers.

use crate::hold;
use oms_engine::State;
use oms_model::event::{Allocation, Batch, Event, Member, OrdersGrouped};
use oms_model::{AllocId, AllocMode, OrderId, Price, UserId};
use std::collections::BTreeMap;

/// A member with its quantity and value.
type Shared = (OrderId, i128, i128);

/// Orders that are worked as one.
#[derive(Clone, Debug)]
struct Group {
    mode: AllocMode,
    members: Vec<Member>,
    /// Quantity, value and shares as they are booked.
    booked: Option<(i128, i128, Vec<Shared>)>,
    proposed: Option<(AllocId, UserId, i128)>,
    dissolved: bool,
}

impl Group {
    fn wanted(&self) -> i128 {
        self.members.iter().map(|member| member.remaining.raw()).sum()
    }

    fn shared(&self) -> (i128, i128) {
        self.booked.as_ref().map_or((0, 0), |(qty, value, _)| (*qty, *value))
    }
}

/// Every group.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    all: BTreeMap<OrderId, Group>,
    /// The groups that orders are worked in.
    of: BTreeMap<OrderId, OrderId>,
}

impl Groups {
    /// A batch is durable.
    pub fn durable(&mut self, batch: &Batch) {
        let mut approved = None;
        for event in &batch.events {
            match event {
                Event::OrdersGrouped(e) => self.grouped(e),
                Event::OrdersUngrouped(e) => self.ungrouped(e.group_order_id, &e.members),
                Event::AllocationProposed(e) => {
                    hold_shares(&e.allocation);
                    let Some(group) = self.all.get_mut(&e.allocation.group_order_id) else { continue };
                    hold!(25, group.mode == AllocMode::Manual, "a group that shares out straight through waits for approval");
                    hold!(25, group.proposed.is_none(), "a second proposal stands");
                    group.proposed = Some((e.allocation.alloc_id, e.user_id, e.allocation.qty.raw()));
                }
                Event::AllocationApproved(e) => {
                    let proposed = self.all.get_mut(&e.group_order_id).and_then(|group| group.proposed.take());
                    let second = proposed.is_some_and(|(id, by, _)| id == e.alloc_id && by != e.user_id);
                    hold!(25, second, "allocation {} is approved by {} and was proposed by {proposed:?}", e.alloc_id, e.user_id);
                    approved = proposed;
                }
                Event::AllocationRejected(e) => {
                    let proposed = self.all.get_mut(&e.group_order_id).and_then(|group| group.proposed.take());
                    hold!(25, proposed.is_some_and(|(id, _, _)| id == e.alloc_id), "{} is turned down and did not wait", e.alloc_id);
                }
                Event::AllocationBooked(e) => self.allocated(e, approved.take().map(|(id, _, _)| id)),
                _ => (),
            }
        }
    }

    fn grouped(&mut self, e: &OrdersGrouped) {
        for member in &e.members {
            let before = self.of.insert(member.order_id, e.group_order_id);
            hold!(13, before.is_none(), "order {} is worked in two groups", member.order_id);
        }
        let group = Group { mode: e.mode, members: e.members.clone(), booked: None, proposed: None, dissolved: false };
        self.all.insert(e.group_order_id, group);
    }

    fn ungrouped(&mut self, group_order_id: OrderId, members: &[OrderId]) {
        for member in members {
            self.of.remove(member);
        }
        if let Some(group) = self.all.get_mut(&group_order_id) {
            // A bust can leave a proposal with nothing to share out; it lapses with its group.
            (group.dissolved, group.proposed) = (true, None);
        }
    }

    fn allocated(&mut self, e: &Allocation, approved: Option<AllocId>) {
        hold_shares(e);
        let Some(group) = self.all.get_mut(&e.group_order_id) else { return };
        hold!(13, group.members == e.members, "group {} shares out to others than its members", e.group_order_id);
        let (qty, value) = group.shared();
        let second = approved == Some(e.alloc_id) || e.qty.raw() <= qty;
        hold!(
            25,
            group.mode == AllocMode::Stp || second,
            "group {} shares out {} after {qty}, and nobody approved it",
            e.group_order_id,
            e.qty
        );
        hold!(13, (e.qty.raw(), e.notional.raw()) != (qty, value), "group {} shares out twice what it has", e.group_order_id);
        let shares = e.shares.iter().map(|share| (share.order_id, share.qty.raw(), share.notional.raw())).collect();
        group.booked = Some((e.qty.raw(), e.notional.raw(), shares));
    }

    /// The group that an order is worked in.
    #[must_use]
    pub fn of(&self, order_id: OrderId) -> Option<OrderId> {
        self.of.get(&order_id).copied()
    }

    /// Groups that were not dissolved.
    pub fn standing(&self) -> impl Iterator<Item = OrderId> {
        self.all.iter().filter(|(_, group)| !group.dissolved).map(|(id, _)| *id)
    }

    /// The newest proposal that waits of a group.
    #[must_use]
    pub fn proposal(&self, group: OrderId) -> Option<AllocId> {
        self.all.get(&group)?.proposed.map(|(id, _, _)| id)
    }

    /// How much of a group is shared out, in 10^-9.
    #[must_use]
    pub fn shared(&self, group: OrderId) -> i128 {
        self.all.get(&group).map_or(0, |group| group.shared().0)
    }

    /// Whether it waits for a second person before it shares out.
    #[must_use]
    pub fn is_manual(&self, group: OrderId) -> bool {
        self.all.get(&group).is_some_and(|group| group.mode == AllocMode::Manual)
    }

    /// The state says what the log says, and nobody has more than the group executed.
    pub fn hold_in(&self, state: &State) {
        for (id, group) in &self.all {
            let found = state.group(*id);
            hold!(
                42,
                found.is_some() != group.dissolved,
                "group {id} is dissolved: {}, and is there: {}",
                group.dissolved,
                found.is_some()
            );
            let Some((found, order)) = state.group_ever(*id).zip(state.order(*id)) else { continue };
            let booked = found.booked.as_deref().map_or((0, 0), |booked| (booked.qty.raw(), booked.notional.raw()));
            hold!(42, booked == group.shared(), "group {id} has shared out {booked:?}, by the log {:?}", group.shared());
            let proposed = found.proposed.as_deref().map(|proposed| proposed.allocation.alloc_id);
            hold!(42, proposed == group.proposed.map(|(id, _, _)| id), "of group {id} waits {proposed:?}, by the log {:?}", group.proposed);
            let (cum, shared) = (order.cum_qty.raw(), group.shared().0);
            hold!(13, shared <= cum, "group {id} has shared out {shared} of {cum}");
            let all = cum.min(group.wanted());
            let follows = group.mode == AllocMode::Stp && !group.dissolved;
            hold!(13, !follows || shared == all, "group {id} has shared out {shared}, it has {all} for its members");
            hold!(23, state.entry(*id).is_some_and(|entry| entry.reserved().is_empty()), "group {id} reserves beside its members");
            if !group.dissolved {
                hold!(
                    13,
                    order.order_qty.raw() <= group.wanted(),
                    "group {id} is for {}, its members had {}",
                    order.order_qty,
                    group.wanted()
                );
                let limits = group.members.iter().filter_map(|member| state.order(member.order_id)?.price);
                let keeps =
                    |limit: Price| order.price.is_some_and(|price| if order.side.is_buy() { price <= limit } else { price >= limit });
                hold!(24, limits.into_iter().all(keeps), "the limit {:?} of group {id} breaks a member's", order.price);
            }
            for (member, qty, value) in group.booked.iter().flat_map(|(_, _, shares)| shares) {
                let Some(order) = state.order(*member) else { continue };
                let (direct, other) = (order.direct_qty().raw(), order.cum_qty.raw());
                hold!(
                    13,
                    *qty <= direct && *qty <= other && *value <= order.cum_notional.raw(),
                    "member {member} was given {qty} and has {direct}"
                );
            }
        }
    }
}

/// The shares are what the rule gives, and add up exactly to what is shared out.
fn hold_shares(e: &Allocation) {
    let (qty, value) = (e.qty.raw(), e.notional.raw());
    let weights: Vec<i128> = e.members.iter().map(|member| member.remaining.raw()).collect();
    let whole: i128 = weights.iter().sum();
    hold!(13, qty <= whole, "{qty} are shared out to members that had {whole} left");
    let (got, paid) = e.shares.iter().fold((0, 0), |sum, share| (sum.0 + share.qty.raw(), sum.1 + share.notional.raw()));
    hold!(13, (got, paid) == (qty, value), "shares of {} make {got} for {paid}, and {qty} for {value} are shared out", e.group_order_id);
    let wanted = pro_rata(qty, e.lot.raw(), &weights, e);
    let shares: Vec<i128> = e.shares.iter().map(|share| share.qty.raw()).collect();
    hold!(13, shares == wanted, "of {qty} members with {weights:?} get {shares:?}, by the rule {wanted:?}");
    for share in &e.shares {
        // The group's average price to the last unit: nobody is one unit of value or more away from its exact part.
        let off = if qty == 0 { 0 } else { (value % qty) * share.qty.raw() / qty + value / qty * share.qty.raw() - share.notional.raw() };
        hold!(12, off.abs() <= 1, "the share of {} is {off} units of value away from the group's average price", share.order_id);
    }
}

/// Whole lots in proportion, and what is left by the largest remainder; the older first among equals, then the smaller id.
fn pro_rata(qty: i128, lot: i128, weights: &[i128], e: &Allocation) -> Vec<i128> {
    let whole: i128 = weights.iter().sum::<i128>().max(1);
    let mut shares: Vec<i128> = weights.iter().map(|weight| qty * weight / whole / lot * lot).collect();
    // The remainder of `qty * weight` after whole lots, over the common denominator.
    let rest = |at: usize| qty * weights[at] - shares[at] * whole;
    let mut order: Vec<usize> = (0..weights.len()).filter(|at| weights[*at] > 0).collect();
    let rests: Vec<i128> = (0..weights.len()).map(rest).collect();
    order.sort_by_key(|at| (-rests[*at], e.members[*at].created_at, e.members[*at].order_id));
    let mut left = qty - shares.iter().sum::<i128>();
    while left > 0 && !order.is_empty() {
        for at in &order {
            let given = lot.min(left).min(weights[*at] - shares[*at]);
            shares[*at] += given;
            left -= given;
        }
    }
    shares
}
