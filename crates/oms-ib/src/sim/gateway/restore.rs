//! The gateway as it was before it was killed.

use oms_model::{Notional, Price, Qty};
use oms_runtime::port::{Answer, RequestState, VenueOrder, VenueState};

use super::{Done, Gateway};
use crate::codec::{Commission, ExecutionReport, Number, OpenOrder, Reply};
use crate::sim::book::{Held, Status, Trigger, size};
use crate::sim::journal::Line;
use crate::sim::stamp;

impl Gateway {
    /// Reads what the journal holds, then asks the venues what happened that it does not.
    pub(super) fn restore(&mut self, lines: Vec<Line>) {
        for line in lines {
            match line {
                Line::Order { venue, revision, current, triggered, done, row: Reply::OpenOrder(row) } => {
                    self.restore_order(row, &venue, (revision, current), triggered, done);
                }
                Line::Execution { venue_id, row: Reply::Execution(report) } => self.restore_execution(venue_id, report),
                Line::Commission(Reply::Commission(commission)) => self.restore_commission(commission),
                Line::Ids(order_id) => self.order_ids = self.order_ids.max(order_id),
                // Other rows are never written.
                _ => (),
            }
        }
        self.order_ids = self.order_ids.max(self.orders.highest_order_id());
        for perm in self.orders.live(|order| order.venue.is_some()) {
            self.ask_venue(perm);
        }
    }

    fn restore_order(&mut self, row: OpenOrder, venue: &str, (revision, current): (u32, u32), triggered: bool, done: bool) {
        let Some(instrument) = self.catalog.find(&row.contract).map(|item| item.instrument) else { return };
        let status = Status::ALL.into_iter().find(|status| status.word() == row.state.status).unwrap_or(Status::Inactive);
        let known = self.orders.by_perm.get(&row.order.perm_id);
        let mut order = Held {
            perm: row.order.perm_id,
            client: row.order.client_id,
            order_id: row.order_id,
            instrument,
            exchange: row.contract.exchange,
            status,
            done,
            cum: known.map_or(Qty::ZERO, |order| order.cum),
            spent: known.map_or(Notional::ZERO, |order| order.spent),
            last: known.map_or(Price::ZERO, |order| order.last),
            fees: known.map_or(Notional::ZERO, |order| order.fees),
            why_held: "",
            reject_reason: row.state.reject_reason,
            completed: row.state.completed_time,
            venue: venue.parse().ok(),
            revision,
            current,
            asked: None,
            trigger: Trigger::None,
            told: 1,
            terms: row.order,
        };
        if !triggered {
            order.trigger = self.trigger_of(&order);
        }
        self.orders.insert(order);
    }

    fn restore_execution(&mut self, venue_id: String, report: ExecutionReport) {
        let execution = &report.execution;
        let Some(instrument) = self.catalog.find(&report.contract).map(|item| item.instrument) else { return };
        let (qty, price) = (execution.shares.0.qty().unwrap_or_default(), execution.price.price().unwrap_or_default());
        let root = |id: &str| id.rsplit_once('.').map(|(root, _)| root.to_owned());
        let at = stamp::read(&execution.time).unwrap_or(self.now);
        self.next_execution += 1;
        let corrected = self.executions.iter_mut().find(|done| root(&done.report.execution.exec_id) == root(&execution.exec_id));
        let before = match corrected {
            Some(done) => {
                let before = std::mem::replace(&mut done.report, report.clone()).execution;
                Some((before.shares.0.qty().unwrap_or_default(), before.price.price().unwrap_or_default()))
            }
            None => {
                self.executions.push(Done { at, instrument, report: report.clone(), commission: None });
                None
            }
        };
        let sign = |qty: Qty| if execution.side == "BOT" { qty } else { qty.negated() };
        if let Some(held) = self.accounts.iter_mut().find(|held| held.name == execution.account) {
            if let Some((qty, price)) = before {
                held.book(instrument, sign(qty).negated(), price, Notional::ZERO);
            }
            held.book(instrument, sign(qty), price, Notional::ZERO);
        }
        if let Some(order) = self.orders.by_perm.get_mut(&execution.perm_id) {
            let (was_qty, was_price) = before.unwrap_or_default();
            let was = was_price.notional(was_qty).unwrap_or_default();
            order.cum = order.cum.saturating_sub(was_qty).saturating_add(qty);
            order.spent = order.spent.saturating_sub(was).saturating_add(price.notional(qty).unwrap_or_default());
            order.last = price;
        }
        self.venue_executions.insert(venue_id);
    }

    fn restore_commission(&mut self, commission: Commission) {
        let Some(done) = self.executions.iter_mut().find(|done| done.report.execution.exec_id == commission.exec_id) else { return };
        let amount: Notional = commission.amount.to_string().parse().unwrap_or_default();
        let (execution, instrument) = (&done.report.execution, done.instrument);
        if let Some(order) = self.orders.by_perm.get_mut(&execution.perm_id) {
            order.fees = order.fees.saturating_add(amount);
        }
        if let Some(held) = self.accounts.iter_mut().find(|held| held.name == execution.account) {
            held.charge(instrument, amount, commission.realized_pnl.is_some());
        }
        done.commission = Some(commission);
    }

    /// What a venue knows of an order that worked there when the gateway was killed.
    fn ask_venue(&mut self, perm: i64) {
        let Some(order) = self.orders.by_perm.get(&perm) else { return };
        let (Some(mic), first, now) = (order.venue, order.wire(0), self.now) else { return };
        let answer = self.floor.venue_mut(mic).map(|venue| venue.query(now, &first));
        let Some(Answer::Complete(Some(known))) = answer else {
            // It was on its way and never arrived: it goes again, under the same id.
            if let Some(order) = self.orders.by_perm.get_mut(&perm) {
                order.venue = None;
            }
            return;
        };
        for (_, fill) in &known.fills {
            if self.venue_executions.insert(fill.exec_id.to_string()) {
                self.execute(perm, mic, fill.exec_id.as_str(), fill.last_qty, fill.last_px, fill.liquidity);
            }
        }
        self.take_over(perm, &known);
    }

    fn take_over(&mut self, perm: i64, known: &VenueOrder) {
        let Some(order) = self.orders.by_perm.get_mut(&perm).filter(|order| !order.done) else { return };
        order.revision =
            known.requests.iter().filter_map(|(id, _)| id.parts()).map(|(_, revision)| revision).fold(order.revision, u32::max);
        match known.state {
            VenueState::Live => {
                order.status = Status::Submitted;
                // What was accepted of an order that works is a replace.
                let accepted = known.requests.iter().filter(|(_, state)| *state == RequestState::Accepted);
                if let Some(revision) = accepted.filter_map(|(id, _)| id.parts()).map(|(_, revision)| revision).max()
                    && revision > order.current
                {
                    order.current = revision;
                    order.terms.quantity = size(known.order_qty);
                    order.terms.limit = known.price.map(Number::from).or(order.terms.limit);
                }
                self.keep_order(perm);
            }
            VenueState::Canceled | VenueState::Expired => self.finish_cancel(perm),
            VenueState::Rejected => self.reject(perm, "refused by the venue"),
            // Its executions have filled it already; one that was amended down to them has not.
            VenueState::Filled => {
                order.status = Status::Filled;
                order.done = true;
                self.keep_order(perm);
            }
        }
    }

    /// Places an order for a person.
    pub(super) fn manual(&mut self, action: &str, qty: Qty, symbol: &str, limit: Price) -> Result<String, String> {
        let wanted = crate::codec::Contract { symbol: symbol.to_owned(), ..Default::default() };
        let item = self.catalog.find(&wanted).cloned().ok_or("no such symbol")?;
        let terms = crate::codec::Order {
            action: action.to_owned(),
            quantity: size(qty),
            order_type: "LMT".to_owned(),
            limit: Some(limit.into()),
            tif: "GTC".to_owned(),
            account: self.accounts.first().map(|account| account.name.clone()).unwrap_or_default(),
            transmit: true,
            ..Default::default()
        };
        self.objection(&item, &terms).map_err(|(code, text)| format!("{code} {text}"))?;
        let perm = self.take_order(0, 0, item.instrument, crate::sim::catalog::SMART.to_owned(), terms);
        let binder = self.session_of(0).filter(|id| self.sessions.get(id).is_some_and(|session| session.auto_bind));
        if let Some(session) = binder {
            self.bind(session, perm);
        }
        Ok(format!("order {perm}"))
    }
}
