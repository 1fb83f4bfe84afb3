//! Orders that are worked as one, and how what they executed is shared out.

use super::World;
use super::clients::price;
use crate::fixture::{ACCOUNT, OTHER_ACCOUNT, OTHER_USER, USER, dec, limit_order};
use crate::simulator::node::Asker;
use crate::simulator::plan::Kind;
use crate::simulator::rng::Rng;
use oms_model::command::{Command, NewGroup, OrderRef};
use oms_model::{AllocMode, ClOrdId, OrderId, Qty, Side, TimeInForce, UserId};

impl World {
    pub(super) fn grouping(&mut self, kind: Kind, rng: &mut Rng) {
        if kind == Kind::Group {
            return self.group(rng);
        }
        let groups: Vec<OrderId> = self.orders.groups.standing().collect();
        let Some(&id) = groups.get(rng.place(groups.len())) else { return };
        let group = OrderRef::Id(id);
        let (command, by) = match (rng.below(12), self.orders.groups.proposal(id)) {
            (0..=4, None) => (Command::ProposeAllocation { group }, USER),
            (0..=6, Some(alloc_id)) => (Command::ApproveAllocation { alloc_id }, if rng.chance(800) { OTHER_USER } else { USER }),
            (7, Some(alloc_id)) => (Command::RejectAllocation { alloc_id, reason: "not so".into() }, OTHER_USER),
            (8, _) => (Command::CancelOrder { order: group, if_version: None }, USER),
            (9, _) => (Command::ReplaceOrder { order: group, change: changed(rng), if_version: None }, USER),
            _ => (Command::UngroupOrders { group, reason: "worked on their own".into() }, USER),
        };
        self.ask_as(by, command, rng);
    }

    /// A few clients' orders for two accounts, and the order that stands for them.
    fn group(&mut self, rng: &mut Rng) {
        let (symbol, side) = (rng.pick(&["XYZ", "XYZ", "ABC"]), rng.pick(&[Side::Buy, Side::Sell]));
        let mut members = Vec::new();
        for _ in 0..2 + rng.below(3) {
            self.serial += 1;
            let id = format!("C{}", self.serial);
            let mut order = limit_order(&id, side, "100", symbol, "20");
            order.order_qty = dec::<Qty>(rng.pick(&["100", "150", "70", "30", "333", "700"]));
            order.price = Some(price(rng));
            order.account_id = Some(rng.pick(&[ACCOUNT, OTHER_ACCOUNT]));
            order.routing.care = true;
            order.time_in_force = rng.pick(&[TimeInForce::Day, TimeInForce::Gtc]);
            members.extend(ClOrdId::new(&id).ok().map(OrderRef::ClOrdId));
            self.ask(Command::CreateOrder(Box::new(order)), rng);
        }
        self.serial += 1;
        let group = NewGroup {
            cl_ord_id: ClOrdId::new(&format!("G{}", self.serial)).ok(),
            members,
            account_id: Some(rng.pick(&[ACCOUNT, OTHER_ACCOUNT])),
            price: None,
            mode: rng.pick(&[AllocMode::Stp, AllocMode::Stp, AllocMode::Manual]),
            ..NewGroup::default()
        };
        self.ask(Command::GroupOrders(Box::new(group)), rng);
    }

    pub(super) fn command_as(&mut self, user_id: UserId, command: Command) {
        let from = oms_model::command::Actor { user_id, ..crate::fixture::actor() };
        self.enter(from, oms_engine::input::InputBody::Command { command, idempotency: None }, Asker::Nobody);
    }

    /// Everything that groups have executed is shared out, by two people where that is needed.
    pub(super) fn share_all_out(&mut self, rng: &mut Rng) {
        let groups: Vec<OrderId> = self.orders.groups.standing().filter(|id| self.orders.groups.is_manual(*id)).collect();
        for id in groups {
            if let Some(alloc_id) = self.orders.groups.proposal(id) {
                self.command_as(OTHER_USER, Command::RejectAllocation { alloc_id, reason: "begun again".into() });
            }
            self.command_as(USER, Command::ProposeAllocation { group: OrderRef::Id(id) });
            self.commit();
            if let Some(alloc_id) = self.orders.groups.proposal(id) {
                self.command_as(OTHER_USER, Command::ApproveAllocation { alloc_id });
            }
        }
        self.settle(rng);
    }
}

fn changed(rng: &mut Rng) -> oms_model::command::Change {
    oms_model::command::Change {
        order_qty: rng.chance(500).then(|| dec(rng.pick(&["100", "200", "400"]))),
        price: Some(price(rng)),
        stop_px: None,
        acknowledged: false,
    }
}
