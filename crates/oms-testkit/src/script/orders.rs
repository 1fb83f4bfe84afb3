//! Lines about orders: what is sent, changed, switched off and on, and what a desk does with a care order.

use super::parse::Line;
use super::run::{Run, user};
use crate::fixture::{ACCOUNT, USER};
use oms_engine::input::InputBody;
use oms_model::algo::{AlgoParams, CurvePart, Peg};
use oms_model::command::{Actor, Change, Command, NewOrder, NewPart};
use oms_model::order::Routing;
use oms_model::{ClOrdId, OrdType, Qty, Side, SorMode, TimeInForce, UserId};

impl Run {
    pub(super) fn submit(&mut self, line: &mut Line<'_>) -> String {
        let (id, order) = self.new_order(line);
        let output = self.desk.command(Command::CreateOrder(Box::new(order)));
        self.remember(&output);
        id
    }

    pub(super) fn queue(&mut self, line: &mut Line<'_>) -> String {
        let (id, order) = self.new_order(line);
        self.queued.push(order);
        id
    }

    pub(super) fn submit_list(&mut self, line: &mut Line<'_>) -> String {
        let contingency = line.value();
        let arm = line.words.pop_front().map_or_else(Default::default, |word| word.parse().unwrap());
        let orders = std::mem::take(&mut self.queued);
        let output = self.desk.command(Command::CreateOrderList { orders, contingency, arm });
        self.remember(&output);
        String::new()
    }

    fn new_order(&self, line: &mut Line<'_>) -> (String, NewOrder) {
        let id = line.word().to_owned();
        let side = match line.word() {
            "buy" => Side::Buy,
            "sell" => Side::Sell,
            "short" => Side::SellShort,
            "exempt" => Side::SellShortExempt,
            "subscribe" => Side::Subscribe,
            "redeem" => Side::Redeem,
            other => panic!("{other:?} is no side"),
        };
        let cash_order_qty = line.take("cash").then(|| line.value());
        let order_qty = if cash_order_qty.is_some() { Qty::ZERO } else { line.value() };
        let mut order = NewOrder {
            cl_ord_id: Some(ClOrdId::new(&id).unwrap()),
            side,
            order_qty,
            cash_order_qty,
            symbol: line.value(),
            ..NewOrder::default()
        };
        while let Some(word) = line.words.pop_front() {
            self.submit_word(word, line, &mut order);
        }
        let named = order.ord_type;
        order.ord_type = match (order.price.is_some(), order.stop_px.is_some()) {
            (false, false) => OrdType::Market,
            (true, false) => OrdType::Limit,
            (false, true) => OrdType::Stop,
            (true, true) => OrdType::StopLimit,
        };
        if named != OrdType::default() {
            order.ord_type = named;
        }
        (id, order)
    }

    fn submit_word(&self, word: &str, line: &mut Line<'_>, order: &mut NewOrder) {
        match word {
            "@" => order.price = Some(line.value()),
            "stop" => order.stop_px = Some(line.value()),
            "at" => order.routing = Routing { mode: Some(SorMode::Named), venue: Some(line.value()), policy: None, care: false },
            "policy" => order.routing.policy = Some(line.value()),
            "for" => {
                let other = line.word() == "other";
                order.account_id = Some(if other { crate::fixture::OTHER_ACCOUNT } else { ACCOUNT });
            }
            "CARE" => order.routing.care = true,
            "strategy" => order.compliance.strategy = Some(line.value()),
            "acknowledged" => order.compliance.acknowledged = true,
            "leave" => order.compliance.override_ids.push(self.leave(line.word())),
            "by" => order.instructions.trigger_source = Some(line.value()),
            "emulated" => order.instructions.emulate = true,
            "show" => order.instructions.max_floor = Some(line.value()),
            "after" => order.instructions.good_after = Some(self.desk.now.plus(line.value::<i64>() * 1_000_000_000)),
            "trail" | "offset" => trail(word, line.word(), order),
            "peg" => order.instructions.peg = Some(Peg { reference: line.value(), ..Peg::default() }),
            "algo" => order.instructions.algo = Some(self.algo(line)),
            _ if word.parse::<OrdType>().is_ok() => order.ord_type = word.parse().unwrap(),
            _ if word.starts_with("GTD+") => {
                let seconds: i64 = word.trim_start_matches("GTD+").parse().unwrap();
                order.time_in_force = TimeInForce::Gtd;
                order.expire_at = Some(self.desk.now.plus(seconds * 1_000_000_000));
            }
            _ => match word.parse::<TimeInForce>() {
                Ok(tif) => order.time_in_force = tif,
                Err(_) => order.routing.mode = Some(word.parse().unwrap_or_else(|_| panic!("cannot read {word:?}"))),
            },
        }
    }

    /// An algorithm like `TWAP slices=4 end=240`; times in seconds from now, parts in parts per million.
    fn algo(&self, line: &mut Line<'_>) -> AlgoParams {
        let mut algo = AlgoParams { algo: line.value(), ..AlgoParams::default() };
        while let Some((name, value)) = line.words.front().and_then(|word| word.split_once('=')) {
            line.words.pop_front();
            let seconds = || value.parse::<i64>().unwrap() * 1_000_000_000;
            match name {
                "start" => algo.start = self.desk.now.plus(seconds()),
                "end" => algo.end = self.desk.now.plus(seconds()),
                "interval" => algo.interval_ns = seconds(),
                "slices" => algo.slices = value.parse().unwrap(),
                "slice" => algo.slice_qty = value.parse().unwrap(),
                "variance" => algo.variance_ppm = value.parse().unwrap(),
                "most" => algo.max_participation_ppm = value.parse().unwrap(),
                "least" => algo.min_participation_ppm = value.parse().unwrap(),
                "urgency" => algo.urgency_ppm = value.parse().unwrap(),
                "volume" => algo.expected_volume = value.parse().unwrap(),
                "curve" => algo.curve = value.split(',').map(|weight| CurvePart { weight: weight.parse().unwrap() }).collect(),
                "peg" => algo.peg = Some(Peg { reference: value.parse().unwrap(), ..Peg::default() }),
                "leftover" => algo.leftover = value.parse().unwrap(),
                "seed" => algo.seed = value.parse().unwrap(),
                other => panic!("cannot read {other:?}"),
            }
        }
        algo
    }

    pub(super) fn change(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let id = line.word().to_owned();
        let (mut change, mut if_version, mut by, mut named) = (Change::default(), None, USER, None);
        while let Some(word) = line.words.pop_front() {
            match word {
                "as" => named = Some(line.value()),
                "qty" => change.order_qty = Some(line.value()),
                "price" => change.price = Some(line.value()),
                "stop" => change.stop_px = Some(line.value()),
                "if" => if_version = Some(line.value()),
                "by" => by = user(line.word()),
                other => panic!("cannot read {other:?}"),
            }
        }
        let order = self.order_ref(&id);
        let command =
            if verb == "cancel" { Command::CancelOrder { order, if_version } } else { Command::ReplaceOrder { order, change, if_version } };
        let command = match named {
            Some(cl_ord_id) => Command::Named { cl_ord_id, request: Box::new(command) },
            None => command,
        };
        let actor = Actor { user_id: by, ..crate::fixture::actor() };
        let output = self.desk.input(actor, InputBody::Command { command, idempotency: None });
        self.remember(&output);
        id
    }

    pub(super) fn switch(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let id = line.word().to_owned();
        let (order, if_version) = (self.order_ref(&id), None);
        let command =
            if verb == "suspend" { Command::SuspendOrder { order, if_version } } else { Command::ResumeOrder { order, if_version } };
        let output = self.desk.command(command);
        self.remember(&output);
        id
    }

    /// What a desk does with a care order.
    pub(super) fn care(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let id = line.word().to_owned();
        let order = self.order_ref(&id);
        let mut parts = Vec::new();
        let (mut to, mut by) = (None, USER);
        while let Some(word) = line.words.pop_front() {
            match word {
                "by" => by = user(line.word()),
                "to" => to = Some(user(line.word())).filter(|user| *user != UserId::default()),
                _ if verb == "split" => parts.push(self.part(word, line)),
                other => panic!("cannot read {other:?}"),
            }
        }
        let if_version = None;
        let command = match verb {
            "accept" => Command::AcceptOrder { order, if_version },
            "claim" => Command::ClaimOrder { order, if_version },
            "pass" => Command::PassOrder { order, to, text: "as the script says".to_owned(), if_version },
            "split" => Command::SplitOrder { order, parts, if_version },
            _ => Command::ReleaseOrder { order, if_version },
        };
        let actor = Actor { user_id: by, ..crate::fixture::actor() };
        let output = self.desk.input(actor, InputBody::Command { command, idempotency: None });
        self.remember(&output);
        id
    }

    /// A part like `40 @ 19.99 IOC at XNAS`, up to the next `+`.
    fn part(&self, qty: &str, line: &mut Line<'_>) -> NewPart {
        let mut part = NewPart { order_qty: qty.parse().unwrap(), ..NewPart::default() };
        while let Some(word) = line.words.pop_front() {
            match word {
                "+" => return part,
                "id" => part.cl_ord_id = Some(line.value()),
                "@" => (part.ord_type, part.price) = (Some(OrdType::Limit), Some(line.value())),
                "market" => part.ord_type = Some(OrdType::Market),
                "at" => (part.routing.mode, part.routing.venue) = (Some(SorMode::Named), Some(line.value())),
                "CARE" => part.routing.care = true,
                "by" => {
                    line.words.push_front(word);
                    return part;
                }
                _ => match word.parse::<TimeInForce>() {
                    Ok(tif) => part.time_in_force = Some(tif),
                    Err(_) => part.routing.mode = Some(word.parse().unwrap_or_else(|_| panic!("cannot read {word:?}"))),
                },
            }
        }
        part
    }
}

/// `trail 0.50`, `trail 1%` or `offset 0.10`.
fn trail(word: &str, value: &str, order: &mut NewOrder) {
    let trail = order.instructions.trail.get_or_insert_default();
    match value.strip_suffix('%') {
        Some(percent) => trail.ppm = percent.parse::<u32>().unwrap() * 10_000,
        None if word == "trail" => trail.amount = value.parse().unwrap(),
        None => trail.limit_offset = value.parse().unwrap(),
    }
}
