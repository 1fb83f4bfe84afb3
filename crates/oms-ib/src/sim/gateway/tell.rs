//! What sessions are told, and when.

use oms_model::{InstrumentId, Price, Time};

use super::{Gateway, MAX_WAITING, SessionId, Told};
use crate::codec::{
    AccountMulti, AccountSummary, AccountTime, AccountValue, Contract, Notice, Number, Pnl, PortfolioValue, Position, Reply,
};
use crate::sim::account::{Account, number};
use crate::sim::book::{Held, size};
use crate::sim::faults::Telling;
use crate::sim::journal::Line;
use crate::sim::stamp::clock;

/// Nanoseconds of a millisecond.
const MS: i64 = 1_000_000;

impl Gateway {
    /// Tells a session, unless it is gone.
    pub(super) fn tell(&mut self, session: SessionId, reply: Reply) {
        self.tell_at(self.now, session, reply);
    }

    /// Tells a session later.
    pub(super) fn tell_at(&mut self, at: Time, session: SessionId, reply: Reply) {
        let (now, latency) = (self.now, self.faults.latency);
        let Some(known) = self.sessions.get_mut(&session) else { return };
        // A connection keeps the order of what is written to it, also where the latency has become less.
        let due = at.plus(latency).max(known.told_until);
        if at <= now {
            known.told_until = due;
        }
        if self.waiting.len() >= MAX_WAITING {
            self.close(session);
            return;
        }
        let reply = Box::new(reply);
        self.push(due, if self.answers { Told::Answer(session, reply) } else { Told::Reply(session, reply) });
    }

    pub(super) fn push(&mut self, at: Time, told: Told) {
        self.told += 1;
        self.waiting.insert((at, self.told), told);
    }

    /// Tells the end of a list, when and if it is to be told.
    pub(super) fn tell_end(&mut self, session: SessionId, reply: Reply) {
        match self.faults.end {
            Telling::Prompt => self.tell(session, reply),
            Telling::Late(ns) => self.tell_at(self.now.plus(ns), session, reply),
            Telling::Missing => (),
        }
    }

    pub(super) fn notice(&mut self, session: SessionId, id: i32, code: i32, text: &str) {
        let time = self.now.0 / MS;
        self.tell(session, Reply::Notice(Notice { id, time, code, text: text.to_owned(), reject_json: String::new() }));
    }

    /// Says something to every session that has begun.
    pub(super) fn notice_all(&mut self, code: i32, text: &str) {
        for session in self.begun() {
            self.notice(session, -1, code, text);
        }
    }

    pub(super) fn begun(&self) -> Vec<SessionId> {
        self.sessions.iter().filter(|(_, session)| session.client.is_some()).map(|(id, _)| *id).collect()
    }

    /// The session of a client.
    pub(super) fn session_of(&self, client: i32) -> Option<SessionId> {
        self.sessions.iter().find(|(_, session)| session.client == Some(client)).map(|(id, _)| *id)
    }

    /// Says something about an order to its client.
    pub(super) fn notice_order(&mut self, perm: i64, code: i32, text: &str) {
        let Some((client, order_id)) = self.orders.by_perm.get(&perm).map(|order| (order.client, order.order_id)) else { return };
        if let Some(session) = self.session_of(client) {
            self.notice(session, order_id, code, text);
        }
    }

    pub(super) fn contract(&self, instrument: InstrumentId) -> Contract {
        self.catalog.get(instrument).map(|item| item.contract.clone()).unwrap_or_default()
    }

    /// Records how an order stands and tells its client.
    pub(super) fn tell_order(&mut self, perm: i64) {
        self.keep_order(perm);
        let Some(order) = self.orders.by_perm.get_mut(&perm) else { return };
        if self.faults.execution_first && !order.done && order.cum.is_zero() {
            return;
        }
        let shown = if self.faults.perm_zero && order.told == 0 { 0 } else { perm };
        order.told += 1;
        let order = order.clone();
        let contract = self.contract(order.instrument);
        if let Some(session) = self.session_of(order.client) {
            self.tell(session, Reply::OpenOrder(order.row(contract, shown)));
            self.tell_status(session, &order, shown);
        }
    }

    fn tell_status(&mut self, session: SessionId, order: &Held, perm: i64) {
        if self.faults.no_status {
            return;
        }
        let status = Reply::OrderStatus(order.status_row(perm));
        if self.faults.duplicate_status {
            self.tell(session, status.clone());
        }
        self.tell(session, status);
    }

    /// Tells a session of an order because it asked.
    pub(super) fn show_order(&mut self, session: SessionId, perm: i64) {
        let Some(order) = self.orders.by_perm.get(&perm).cloned() else { return };
        let contract = self.contract(order.instrument);
        self.tell(session, Reply::OpenOrder(order.row(contract, perm)));
        self.tell(session, Reply::OrderStatus(order.status_row(perm)));
    }

    /// Records how an order stands.
    pub(super) fn keep_order(&mut self, perm: i64) {
        let Some(order) = self.orders.by_perm.get(&perm) else { return };
        let line = Line::Order {
            venue: order.venue.map(|mic| mic.to_string()).unwrap_or_default(),
            revision: order.revision,
            current: order.current,
            triggered: order.trigger == crate::sim::book::Trigger::None,
            done: order.done,
            row: Reply::OpenOrder(order.row(self.contract(order.instrument), perm)),
        };
        self.keep(&line);
    }

    pub(super) fn mark(&self, instrument: InstrumentId) -> Price {
        let place = usize::try_from(instrument.0).unwrap_or(usize::MAX);
        self.boards.get(place).map_or(Price::ZERO, super::market::Board::mark)
    }

    pub(super) fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name)
    }

    /// An account's values, as one list of rows.
    pub(super) fn values(&self, account: &str) -> Vec<(&'static str, String, &'static str)> {
        self.account(account).map(|account| account.values(|instrument| self.mark(instrument))).unwrap_or_default()
    }

    /// Tells every subscriber what an execution changed in an account.
    pub(super) fn tell_account(&mut self, account: &str, instrument: InstrumentId) {
        for session in self.begun() {
            let Some(known) = self.sessions.get(&session) else { continue };
            let (positions, data) = (known.positions, known.account_data.as_deref() == Some(account));
            let summaries: Vec<(i32, Vec<String>)> = known.summaries.iter().map(|(id, tags)| (*id, tags.clone())).collect();
            let multis: Vec<i32> = known.multis.iter().filter(|(_, name)| *name == account).map(|(id, _)| *id).collect();
            let pnls: Vec<i32> = known.pnls.iter().filter(|(_, name)| *name == account).map(|(id, _)| *id).collect();
            if positions {
                self.tell_position(session, account, instrument);
            }
            if data {
                self.tell_portfolio(session, account, instrument);
                self.tell_values(session, account);
            }
            for (req_id, tags) in summaries {
                self.tell_summary(session, req_id, account, &tags);
            }
            for req_id in multis {
                self.tell_multi(session, req_id, account);
            }
            for req_id in pnls {
                self.tell_pnl(session, req_id, account);
            }
        }
    }

    pub(super) fn tell_position(&mut self, session: SessionId, account: &str, instrument: InstrumentId) {
        let holding = self.account(account).and_then(|account| account.holdings.get(&instrument)).copied().unwrap_or_default();
        let row = Position {
            account: account.to_owned(),
            contract: self.contract(instrument),
            position: size(holding.qty),
            avg_cost: Number::from(holding.avg_cost()),
        };
        self.tell(session, Reply::Position(row));
    }

    pub(super) fn tell_portfolio(&mut self, session: SessionId, account: &str, instrument: InstrumentId) {
        let holding = self.account(account).and_then(|account| account.holdings.get(&instrument)).copied().unwrap_or_default();
        let mark = self.mark(instrument);
        let row = PortfolioValue {
            contract: self.contract(instrument),
            position: size(holding.qty),
            price: Number::from(mark),
            value: number(holding.value(mark)),
            avg_cost: Number::from(holding.avg_cost()),
            unrealized: number(holding.unrealized(mark)),
            realized: number(holding.realized),
            account: account.to_owned(),
        };
        self.tell(session, Reply::PortfolioValue(row));
    }

    pub(super) fn tell_values(&mut self, session: SessionId, account: &str) {
        for (key, value, currency) in self.values(account) {
            let row = AccountValue { key: key.to_owned(), value, currency: currency.to_owned(), account: account.to_owned() };
            self.tell(session, Reply::AccountValue(row));
        }
        let time = clock(self.now).get(..5).unwrap_or_default().to_owned();
        self.tell(session, Reply::AccountTime(AccountTime { time }));
    }

    pub(super) fn tell_summary(&mut self, session: SessionId, req_id: i32, account: &str, tags: &[String]) {
        for (tag, value, currency) in self.values(account) {
            if tags.iter().any(|wanted| wanted == tag) {
                let row = AccountSummary { req_id, account: account.to_owned(), tag: tag.to_owned(), value, currency: currency.to_owned() };
                self.tell(session, Reply::AccountSummary(row));
            }
        }
    }

    pub(super) fn tell_multi(&mut self, session: SessionId, req_id: i32, account: &str) {
        for (key, value, currency) in self.values(account) {
            let row = AccountMulti {
                req_id,
                account: account.to_owned(),
                model: String::new(),
                key: key.to_owned(),
                value,
                currency: currency.to_owned(),
            };
            self.tell(session, Reply::AccountMulti(row));
        }
    }

    pub(super) fn tell_pnl(&mut self, session: SessionId, req_id: i32, account: &str) {
        let Some(account) = self.account(account) else { return };
        let (mut unrealized, mut realized) = (oms_model::Notional::ZERO, oms_model::Notional::ZERO);
        for (instrument, holding) in &account.holdings {
            unrealized = unrealized.saturating_add(holding.unrealized(self.mark(*instrument)));
            realized = realized.saturating_add(holding.realized);
        }
        let row = Pnl {
            req_id,
            daily: Some(number(unrealized.saturating_add(realized))),
            unrealized: Some(number(unrealized)),
            realized: Some(number(realized)),
        };
        self.tell(session, Reply::Pnl(row));
    }
}
