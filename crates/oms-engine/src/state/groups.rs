//! Folding groups: who belongs to them, and what was shared out.

use super::State;
use oms_model::allocate::exact_lots;
use oms_model::event::{Allocation, AllocationProposed, Event, Member, OrdersGrouped, OrdersUngrouped};
use oms_model::position::Booking;
use oms_model::{AccountId, AllocMode, ExecId, InstrumentId, Mic, Notional, OrderId, Qty, Time};

/// Orders that are worked as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The order that stands for them.
    pub group_order_id: OrderId,
    /// When what it executes is shared out.
    pub mode: AllocMode,
    /// The orders.
    pub members: Vec<Member>,
    /// What is shared out as it stands; `None` before the first time.
    pub booked: Option<Box<Allocation>>,
    /// What waits for a second person.
    pub proposed: Option<Box<AllocationProposed>>,
    /// Its members are on their own again. It is kept as long as its order, for what may still be taken back.
    pub dissolved: bool,
}

impl Group {
    /// Of the executed quantity, what is shared out.
    #[must_use]
    pub fn alloc_qty(&self) -> Qty {
        self.booked.as_deref().map_or(Qty::ZERO, |booked| booked.qty)
    }
}

/// Bookings that an allocation moves have no venue.
const NOWHERE: Mic = Mic::from_u32(0);

impl State {
    /// A group that was not dissolved.
    #[must_use]
    pub fn group(&self, group_order_id: OrderId) -> Option<&Group> {
        self.group_ever(group_order_id).filter(|group| !group.dissolved)
    }
    /// A group, dissolved or not, while its order is in the hot state.
    #[must_use]
    pub fn group_ever(&self, group_order_id: OrderId) -> Option<&Group> {
        self.groups.get(&group_order_id)
    }
    /// Every group that was not dissolved, by id.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values().filter(|group| !group.dissolved)
    }
    /// Whether there is any group, dissolved or not.
    pub(crate) fn has_groups(&self) -> bool {
        !self.groups.is_empty()
    }

    pub(super) fn grouped(&mut self, event: &Event, e: &OrdersGrouped, time: Time) {
        for order_id in e.members.iter().map(|member| member.order_id).chain([e.group_order_id]) {
            if let Some(entry) = self.orders.get_mut(order_id) {
                entry.order.apply(event, time);
            }
        }
        let group = Group {
            group_order_id: e.group_order_id,
            mode: e.mode,
            members: e.members.clone(),
            booked: None,
            proposed: None,
            dissolved: false,
        };
        self.groups.insert(e.group_order_id, group);
    }

    pub(super) fn ungrouped(&mut self, event: &Event, e: &OrdersUngrouped, time: Time) {
        if let Some(group) = self.groups.get_mut(&e.group_order_id) {
            (group.dissolved, group.proposed) = (true, None);
        }
        for order_id in e.members.iter().copied().chain([e.group_order_id]) {
            if let Some(entry) = self.orders.get_mut(order_id) {
                entry.order.apply(event, time);
            }
            self.arm_close(order_id, time);
        }
    }

    pub(super) fn proposed(&mut self, e: &AllocationProposed) {
        if let Some(group) = self.groups.get_mut(&e.allocation.group_order_id) {
            group.proposed = Some(Box::new(e.clone()));
        }
    }

    pub(super) fn proposal_decided(&mut self, group_order_id: OrderId) {
        if let Some(group) = self.groups.get_mut(&group_order_id) {
            group.proposed = None;
        }
    }

    /// What was shared out before is taken back everywhere, and what is shared out now is booked.
    pub(super) fn allocated(&mut self, event: &Event, e: &Allocation, time: Time) {
        if let Some(entry) = self.orders.get_mut(e.group_order_id) {
            entry.order.apply(event, time);
        }
        let before = match self.groups.get_mut(&e.group_order_id) {
            Some(group) => group.booked.replace(Box::new(e.clone())),
            None => None,
        };
        if let Some(before) = before {
            self.move_shares(&before, time, Self::take_back);
        }
        self.move_shares(e, time, Self::put);
    }

    fn move_shares(&mut self, e: &Allocation, time: Time, book: fn(&mut Self, AccountId, InstrumentId, Booking, Time)) {
        for (member, share) in e.members.iter().zip(&e.shares) {
            // Within one account nothing moves.
            if member.account_id == e.account_id {
                continue;
            }
            let (of_member, of_group) = (self.strategy_of(share.order_id), self.strategy_of(e.group_order_id));
            for booking in lots(e, share.order_id, share.qty, share.notional) {
                let booking = Booking { strategy: of_member, ..booking };
                let out = Booking { is_buy: !booking.is_buy, strategy: of_group, ..booking.clone() };
                book(self, member.account_id, e.instrument_id, booking, time);
                book(self, e.account_id, e.instrument_id, out, time);
            }
        }
    }

    fn put(&mut self, account_id: AccountId, instrument_id: InstrumentId, booking: Booking, _: Time) {
        let method = self.cost_method;
        self.holding_mut(account_id, instrument_id).book(method, booking);
        self.revalue(account_id, instrument_id);
    }

    fn take_back(&mut self, account_id: AccountId, instrument_id: InstrumentId, booking: Booking, time: Time) {
        let method = self.cost_method;
        let holding = self.holding_mut(account_id, instrument_id);
        if !holding.reverse(method, &booking.exec_id, booking.venue, booking.order_id, time) {
            // It is of a day that was frozen long ago: what was closed stays as it was closed, and the open day takes it back.
            // The entry is the same as one against the last closed day, also in where it stands among entries of one moment.
            holding.book(method, booking.reversed(time));
        }
        if holding.is_blank() {
            self.holdings.remove(&(account_id, instrument_id));
        }
        self.revalue(account_id, instrument_id);
    }
}

/// A share as bookings: one, or two a billionth apart where no price says the average exactly.
fn lots(e: &Allocation, order_id: OrderId, qty: Qty, notional: Notional) -> Vec<Booking> {
    let Some((low, price, high)) = exact_lots(qty, notional) else { return Vec::new() };
    let next = oms_model::Price::from_raw(price.raw() + 1);
    let booking = |part: &str, qty: Qty, price| Booking {
        transact_time: e.transact_time,
        exec_id: ExecId::new(&format!("AL-{:032x}-{part}", order_id.as_u128())).unwrap_or_default(),
        venue: NOWHERE,
        order_id,
        is_buy: e.side.is_buy(),
        qty,
        price,
        ..Booking::default()
    };
    [booking("1", low, price), booking("2", high, next)].into_iter().filter(|booking| booking.qty.is_positive()).collect()
}
