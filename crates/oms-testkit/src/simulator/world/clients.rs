//! What clients and operators ask.

use super::World;
use crate::fixture::{ACCOUNT, OTHER_ACCOUNT, OTHER_USER, THIRD_USER, USER, VENUES, actor, dec, limit_order};
use crate::reference::Asked;
use crate::simulator::node::Asker;
use crate::simulator::plan::Kind;
use crate::simulator::rng::Rng;
use oms_engine::input::InputBody;
use oms_model::command::{Actor, Change, Command, CommandOutcome, NewOrder, NewPart, OrderRef, Placed, RiskCommand};
use oms_model::compliance::{ListKind, Locate, Restriction, SelfMatchPolicy};
use oms_model::limit::{Check, LimitKey, LimitType, Period, RiskLimit, Scope};
use oms_model::order::Routing;
use oms_model::overrides::{Override, OverrideRule, OverrideState};
use oms_model::strategy::StrategyEnvelope;
use oms_model::{
    ClOrdId, InstrumentId, LimitScheduleId, OrdType, Order, OverrideId, Price, Qty, Side, SorMode, StrategyId, Time, TimeInForce,
    TradingState, UserId,
};

/// Who asks for it: leave is given by others than those who send orders, mostly.
fn person(command: &Command, rng: &mut Rng) -> UserId {
    match command {
        Command::Risk(risk) => match **risk {
            RiskCommand::GrantOverride { .. } | RiskCommand::RevokeOverride { .. } => OTHER_USER,
            RiskCommand::ConsentOverride { .. } => rng.pick(&[OTHER_USER, THIRD_USER, THIRD_USER]),
            _ => USER,
        },
        _ => USER,
    }
}

/// A price around the market.
pub(super) fn price(rng: &mut Rng) -> Price {
    Price::from_raw(i64::try_from((1_985 + rng.below(30)) * 10_000_000).unwrap_or(0))
}

fn qty(rng: &mut Rng) -> Qty {
    dec(rng.pick(&["100", "100", "200", "300", "700", "1000"]))
}

/// A part of a care order, for a venue or for another hand.
fn part(rng: &mut Rng) -> NewPart {
    let mut part = NewPart { order_qty: dec(rng.pick(&["50", "100", "100", "200"])), ..NewPart::default() };
    part.routing.care = rng.chance(450);
    if !part.routing.care && rng.chance(300) {
        part.routing.mode = Some(SorMode::Staged);
    }
    part
}

impl World {
    pub(super) fn client(&mut self, kind: Kind, rng: &mut Rng) {
        match kind {
            Kind::Place if self.work_care(rng) => (),
            Kind::Place => {
                let order = self.new_order(rng);
                self.ask(Command::CreateOrder(Box::new(order)), rng);
            }
            Kind::PlaceMany => {
                let orders = (0..=rng.below(3)).map(|_| self.new_order(rng)).collect();
                let atomic = rng.chance(500);
                self.ask(Command::CreateOrders { orders, atomic }, rng);
            }
            Kind::Cancel => {
                if let Some(order) = self.some_order(rng) {
                    self.ask(Command::CancelOrder { order, if_version: None }, rng);
                }
            }
            Kind::Replace => {
                if let Some(order) = self.some_order(rng) {
                    let order_qty = rng.chance(700).then(|| qty(rng));
                    let change = Change { order_qty, price: rng.chance(500).then(|| price(rng)), stop_px: None, acknowledged: false };
                    self.ask(Command::ReplaceOrder { order, change, if_version: None }, rng);
                }
            }
            Kind::Retry => self.retry(rng),
            Kind::OtherPayload => self.other_payload(rng),
            Kind::UsedClOrdId => self.used_cl_ord_id(rng),
            _ => self.operator(kind, rng),
        }
    }

    fn operator(&mut self, kind: Kind, rng: &mut Rng) {
        let command = match kind {
            Kind::MassCancel => Command::MassCancel { scope: scope(rng) },
            Kind::Engage => Command::EngageKillSwitch { scope: scope(rng), reason: "drill".into() },
            Kind::Release => {
                let killed: Vec<Scope> = self.orders.killed().collect();
                let scope = if killed.is_empty() { Scope::Tenant } else { rng.pick(&killed) };
                Command::ReleaseKillSwitch { scope, reason: "drill over".into() }
            }
            Kind::Limit if rng.chance(450) => self.gate_command(rng),
            Kind::Limit => {
                let (limit_type, value) = rng.pick(&[
                    (LimitType::MaxOpenOrders, "6"),
                    (LimitType::MaxOpenOrders, "100"),
                    (LimitType::MaxOrderQty, "500"),
                    (LimitType::MaxOrderQty, "100000"),
                    (LimitType::OrderRate, "3"),
                    (LimitType::MaxPositionQty, "2000"),
                    (LimitType::PriceCollarPct, "1"),
                    (LimitType::DuplicateWindow, "1"),
                    (LimitType::MaxOpenNotional, "50000"),
                    (LimitType::MaxGrossExposure, "60000"),
                    (LimitType::MaxNetExposure, "40000"),
                    (LimitType::BuyingPower, "100000"),
                    (LimitType::DailyLoss, "500"),
                    (LimitType::ApprovalNotional, "8000"),
                    (LimitType::WashWindow, "1"),
                ]);
                let scope = rng.pick(&[Scope::Tenant, Scope::Account(ACCOUNT), Scope::Instrument(InstrumentId(0))]);
                Command::SetRiskLimit(RiskLimit { limit_type, scope, value: dec(value), ..RiskLimit::default() })
            }
            _ => {
                let state = rng.pick(&[TradingState::Active, TradingState::Active, TradingState::Reducing, TradingState::Halted]);
                Command::SetTradingState { scope: Scope::Tenant, state, reason: "drill".into() }
            }
        };
        self.ask_as(person(&command, rng), command, rng);
    }

    /// The order that a person gave leave for, sent again.
    fn overridden(&self, rng: &mut Rng, order: &mut NewOrder) {
        let mut known: Vec<&Override> = self.gate.overrides().collect();
        if rng.chance(800) && known.iter().any(|one| one.state == OverrideState::Active) {
            known.retain(|one| one.state == OverrideState::Active);
        }
        if known.is_empty() {
            return;
        }
        let like = rng.pick(&known);
        order.account_id = Some(like.account_id);
        order.symbol = if like.instrument_id.0 == 0 { "XYZ" } else { "ABC" }.parse().unwrap_or_default();
        (order.side, order.ord_type, order.order_qty) = (like.side, like.ord_type, like.max_qty);
        (order.price, order.stop_px, order.routing) = (like.price, like.stop_px, Routing::default());
        (order.time_in_force, order.expire_at) = (TimeInForce::Day, None);
        order.compliance.override_ids = known.iter().filter(|one| one.refused == like.refused).take(8).map(|one| one.override_id).collect();
    }

    /// A change of what the gate knows besides limits.
    fn gate_command(&mut self, rng: &mut Rng) -> Command {
        let reason = "drill".to_owned();
        let instrument_id = InstrumentId(u32::try_from(rng.below(2)).unwrap_or(0));
        let (scope, subject) = (rng.pick(&[Scope::Tenant, Scope::Account(ACCOUNT)]), Scope::Instrument(instrument_id));
        let limit_type = rng.pick(&[LimitType::MaxOpenOrders, LimitType::MaxOrderQty, LimitType::MaxGrossExposure, LimitType::BuyingPower]);
        let strategy = StrategyId::of(b"MM-1");
        if rng.chance(250) {
            return self.leave_command(rng);
        }
        if rng.chance(150) {
            return Command::RemoveRiskLimit(LimitKey::hard(limit_type, scope));
        }
        if rng.chance(150) {
            let limit_type = LimitType::RepeatedExecution;
            let value = dec(rng.pick(&["1", "2", "50"]));
            return Command::SetRiskLimit(RiskLimit { limit_type, scope, value, period: Some(Period::Minute), ..RiskLimit::default() });
        }
        let command = match rng.below(9) {
            0 => RiskCommand::SetRestriction(Restriction { list: ListKind::Restricted, scope, subject, reason }),
            1 | 2 => RiskCommand::RemoveRestriction { list: ListKind::Restricted, scope, subject, reason },
            3 => {
                let (qty, until) = (dec(rng.pick(&["500", "1000000"])), Time(i64::MAX));
                RiskCommand::SetLocate(Locate { account_id: ACCOUNT, instrument_id, qty, until, source: reason })
            }
            4 => {
                let symbol = if instrument_id.0 == 0 { "XYZ" } else { "ABC" };
                RiskCommand::SetShortSaleState { symbol: symbol.parse().unwrap_or_default(), restricted: rng.chance(300), reason }
            }
            5 => RiskCommand::SetSelfMatchRule { scope, policy: rng.pick(SelfMatchPolicy::ALL) },
            6 => RiskCommand::SetStrategyEnvelope(StrategyEnvelope { strategy, enabled: rng.chance(800), ..StrategyEnvelope::default() }),
            7 => RiskCommand::RequireLimit { limit_type, required: rng.chance(200) },
            _ => RiskCommand::ResetThrottle { scope: self.gate.off().unwrap_or(scope), reason },
        };
        Command::Risk(Box::new(command))
    }

    /// A person gives leave, consents, or schedules a limit.
    fn leave_command(&mut self, rng: &mut Rng) -> Command {
        let reason = "drill".to_owned();
        let overrides: Vec<OverrideId> = self.gate.overrides().map(|known| known.override_id).collect();
        let schedules: Vec<LimitScheduleId> = self.gate.schedules().collect();
        let known = if overrides.is_empty() { OverrideId::default() } else { rng.pick(&overrides) };
        let waits = self.gate.overrides().find(|known| known.state == OverrideState::Pending).map(|known| known.override_id);
        let drawn = rng.below(10);
        if let Some(override_id) = waits
            && rng.chance(300)
        {
            return Command::Risk(Box::new(RiskCommand::ConsentOverride { override_id }));
        }
        let command = match drawn {
            0 => RiskCommand::SetOverrideRule(OverrideRule { second_person: rng.chance(200), lists: rng.chance(500) }),
            1 => RiskCommand::ConsentOverride { override_id: known },
            2 => RiskCommand::RevokeOverride { override_id: known, reason },
            3 if !schedules.is_empty() => RiskCommand::UnscheduleLimit { schedule_id: rng.pick(&schedules), reason },
            3..6 => {
                let (limit_type, value) =
                    (rng.pick(&[LimitType::MaxOrderQty, LimitType::MaxOpenOrders]), dec(rng.pick(&["3", "300", "9000"])));
                let limit = RiskLimit { limit_type, scope: Scope::Account(ACCOUNT), value, ..RiskLimit::default() };
                let from = rng.chance(500).then(|| self.now.plus(1 << (26 + rng.below(10))));
                let until = Some(from.unwrap_or(self.now).plus(1 << (26 + rng.below(12)))).filter(|_| from.is_none() || rng.chance(700));
                RiskCommand::ScheduleLimit { limit, from, until }
            }
            _ => {
                let (order, failed) = self.gate.refused().unwrap_or_default();
                let check = if rng.chance(800) { failed } else { rng.pick(Check::ALL) };
                let life_s = u32::try_from(1 + rng.below(600)).unwrap_or(1);
                let order = OrderRef::Id(order);
                RiskCommand::GrantOverride { order, check, reason, life_s }
            }
        };
        Command::Risk(Box::new(command))
    }

    pub(super) fn new_order(&mut self, rng: &mut Rng) -> NewOrder {
        use TimeInForce::{Day, Fok, Gtc, Gtd, Ioc};
        self.serial += 1;
        let symbol = rng.pick(&["XYZ", "XYZ", "ABC"]);
        let side = rng.pick(&[Side::Buy, Side::Sell, Side::SellShort]);
        let mut order = limit_order(&format!("C{}", self.serial), side, "100", symbol, "20");
        order.account_id = Some(if rng.chance(850) { ACCOUNT } else { OTHER_ACCOUNT });
        order.order_qty = qty(rng);
        if rng.chance(100) {
            order.compliance.strategy = Some(StrategyId::of(b"MM-1"));
        }
        order.price = Some(price(rng));
        order.time_in_force = rng.pick(&[Day, Day, Day, Gtc, Ioc, Fok, Gtd]);
        if order.time_in_force == Gtd {
            order.expire_at = Some(self.now.plus(1 << (30 + rng.below(8))));
        }
        if rng.chance(100) {
            order.ord_type = OrdType::Market;
            order.price = None;
        } else if rng.chance(50) {
            order.ord_type = OrdType::StopLimit;
            order.stop_px = Some(price(rng));
        }
        let mode = rng.pick(&[
            None,
            Some(SorMode::Split),
            Some(SorMode::Sweep),
            Some(SorMode::SingleBest),
            Some(SorMode::Named),
            Some(SorMode::Staged),
        ]);
        let venue = (mode == Some(SorMode::Named)).then(|| rng.pick(&VENUES));
        order.routing = Routing { mode, venue, policy: None, care: false };
        let waits = !matches!(order.time_in_force, Ioc | Fok);
        order.routing.care = waits && rng.chance(150);
        let leave = self.gate.overrides().any(|known| known.state == OverrideState::Active);
        if rng.chance(if leave { 400 } else { 80 }) {
            self.overridden(rng, &mut order);
        }
        order
    }

    /// Now and then the holder of a care order goes on with it. Whether they did.
    fn work_care(&mut self, rng: &mut Rng) -> bool {
        let Some(node) = self.node.as_ref() else { return false };
        let care: Vec<Order> = node
            .engine
            .state()
            .orders_sorted()
            .into_iter()
            .filter(|entry| entry.order.extras.care.is_some() && !entry.order.state.is_done())
            .map(|entry| entry.order.clone())
            .collect();
        if care.is_empty() || !rng.chance(500) {
            return false;
        }
        // The newest are the deepest.
        let newest = if rng.chance(500) { care.len().saturating_sub(2) } else { 0 };
        let chosen = &care[newest + rng.place(care.len() - newest)];
        let (order, if_version) = (OrderRef::Id(chosen.order_id), None);
        let command = if chosen.extras.care.as_deref().is_some_and(|care| care.holder.is_none()) {
            Command::ClaimOrder { order, if_version }
        } else if rng.chance(200) {
            Command::ReleaseOrder { order, if_version }
        } else {
            let parts = (0..=rng.below(2)).map(|_| part(rng)).collect();
            Command::SplitOrder { order, parts, if_version }
        };
        self.ask(command, rng);
        true
    }

    /// Asks something new.
    pub(super) fn ask(&mut self, command: Command, rng: &mut Rng) {
        self.ask_as(USER, command, rng);
    }

    /// The same, by another person. Who asks again is never looked at: the key answers.
    pub(super) fn ask_as(&mut self, user_id: UserId, command: Command, rng: &mut Rng) {
        let keyless = rng.chance(self.rates.keyless);
        let key = (!keyless).then(|| self.next_key());
        let at = self.answers.asked.len();
        self.notes.add(|| format!("  asks {at}: {}", told(&command)));
        self.answers.ask(command.clone(), key, self.now);
        let from = Actor { user_id, ..actor() };
        self.enter(from, InputBody::Command { command, idempotency: key }, Asker::Client(at));
    }

    /// A client that lost its answer, or thinks so, asks again.
    fn retry(&mut self, rng: &mut Rng) {
        let keyed: Vec<usize> = (0..self.answers.asked.len()).filter(|at| self.answers.asked[*at].key.is_some()).collect();
        if !keyed.is_empty() && self.answers.keeps_all(self.now) {
            let at = rng.pick(&keyed);
            self.ask_again(at);
        }
    }

    pub(super) fn ask_again(&mut self, at: usize) {
        let asked = self.answers.asked[at].clone();
        self.notes.add(|| format!("  asks {at} again"));
        self.command(asked.command, asked.key, Asker::Client(at));
    }

    fn other_payload(&mut self, rng: &mut Rng) {
        let answered: Vec<usize> = (0..self.answers.asked.len()).filter(|at| self.answers.asked[*at].answer.is_some()).collect();
        if answered.is_empty() || !self.answers.keeps_all(self.now) {
            return;
        }
        let at = rng.pick(&answered);
        let Some(mut key) = self.answers.asked[at].key else { return };
        key.fingerprint = super::fingerprint(u64::MAX - self.serial);
        let order = self.new_order(rng);
        self.notes.add(|| format!("  uses the key of {at} for something else"));
        self.command(Command::CreateOrder(Box::new(order)), Some(key), Asker::Conflict);
    }

    fn used_cl_ord_id(&mut self, rng: &mut Rng) {
        let used: Vec<ClOrdId> = self.answers.asked.iter().filter_map(placed_id).collect();
        if used.is_empty() {
            return;
        }
        let mut order = self.new_order(rng);
        order.cl_ord_id = Some(used[rng.place(used.len())].clone());
        let key = self.next_key();
        self.notes.add(|| format!("  uses {:?} again", order.cl_ord_id));
        self.command(Command::CreateOrder(Box::new(order)), Some(key), Asker::UsedClOrdId);
    }

    /// An order that some client asked for, by the client's id.
    fn some_order(&self, rng: &mut Rng) -> Option<OrderRef> {
        let id = |asked: &Asked| match &asked.command {
            Command::CreateOrder(order) => order.cl_ord_id.clone(),
            _ => None,
        };
        let ids: Vec<ClOrdId> = self.answers.asked.iter().filter_map(id).collect();
        // The latest are the likeliest to work still.
        let newest = ids.len().saturating_sub(6);
        let recent = if rng.chance(800) { ids.get(newest..)? } else { &ids };
        (!recent.is_empty()).then(|| OrderRef::ClOrdId(recent[rng.place(recent.len())].clone()))
    }
}

/// The `cl_ord_id` of an order that was answered with an id of ours.
fn placed_id(asked: &Asked) -> Option<ClOrdId> {
    let (Command::CreateOrder(order), Some(CommandOutcome::Orders(placed))) = (&asked.command, &asked.answer) else { return None };
    let recorded = matches!(placed.as_slice(), [Placed::Accepted { .. } | Placed::Refused { .. }]);
    recorded.then(|| order.cl_ord_id.clone())?
}

fn scope(rng: &mut Rng) -> Scope {
    match rng.below(7) {
        0 => Scope::Tenant,
        5 => Scope::AssetClass(oms_model::AssetClass::Equity),
        6 => Scope::Strategy(StrategyId::of(b"MM-1")),
        1 => Scope::Account(rng.pick(&[ACCOUNT, ACCOUNT, OTHER_ACCOUNT])),
        2 => Scope::User(USER),
        3 => Scope::Instrument(InstrumentId(u32::try_from(rng.below(2)).unwrap_or(0))),
        _ => Scope::Venue(rng.pick(&VENUES)),
    }
}

fn told(command: &Command) -> String {
    match command {
        Command::CreateOrder(order) => {
            let price = order.price.map_or("market".into(), |price| price.to_string());
            let id = order.cl_ord_id.clone().unwrap_or_default();
            let mode = order.routing.mode.map(|mode| format!(" {mode}")).unwrap_or_default();
            let venue = order.routing.venue.map(|venue| format!(" at {venue}")).unwrap_or_default();
            format!("{id} {} {} {} @ {price} {}{mode}{venue}", order.side, order.order_qty, order.symbol, order.time_in_force)
        }
        Command::CreateOrders { orders, atomic } => format!("{} orders, atomic {atomic}", orders.len()),
        Command::CancelOrder { order, .. } => format!("cancel {order:?}"),
        Command::ReplaceOrder { order, change, .. } => format!("replace {order:?} qty {:?} price {:?}", change.order_qty, change.price),
        other => format!("{other:?}"),
    }
}
