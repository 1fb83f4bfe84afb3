//! Faults and actions.

use oms_model::Time;

use super::Gateway;
use crate::sim::book::Status;
use crate::sim::faults::{Command, Faults, Line};

impl Gateway {
    /// Does what a scenario or the admin port asks; the answer is for whoever asked.
    ///
    /// # Errors
    /// It cannot be done now.
    pub fn command(&mut self, now: Time, command: Command) -> Result<String, String> {
        self.pass(now);
        let ok = || Ok("done".to_owned());
        let faults = &mut self.faults;
        match command {
            Command::DropBefore(count) => faults.drop_before = count,
            Command::DropAfter(count) => faults.drop_after = count,
            Command::Freeze(on) => faults.frozen = on,
            Command::Linger(ns) => faults.linger = ns,
            Command::Rollback(back) => faults.rollback = back,
            Command::Swallow(count) => faults.swallow = count,
            Command::ExecutionFirst(on) => faults.execution_first = on,
            Command::DuplicateStatus(on) => faults.duplicate_status = on,
            Command::NoStatus(on) => faults.no_status = on,
            Command::Commission(telling) => faults.commission = telling,
            Command::FillAfterCancel(on) => faults.fill_after_cancel = on,
            Command::RefuseModify(count) => faults.refuse_modify = count,
            Command::Inactive(idle, count) => faults.idle = Some((idle, count)),
            Command::End(telling) => faults.end = telling,
            Command::PermZero(on) => faults.perm_zero = on,
            Command::SecondPerm(count) => faults.second_perm = count,
            Command::WhatIfPlaced(count) => faults.what_if_placed = count,
            Command::Pacing(limit) => faults.pacing = limit,
            Command::Latency(ns) => faults.latency = ns,
            action => return self.act(action),
        }
        ok()
    }

    fn act(&mut self, action: Command) -> Result<String, String> {
        match action {
            Command::DropAll => self.drop_all(),
            Command::LineLost => {
                self.faults.line = Line::Lost;
                self.notice_all(1100, "Connectivity between IBKR and Trader Workstation has been lost.");
            }
            Command::LineRestored { data_lost } => self.line_restored(data_lost),
            Command::Correct { price, qty } => return self.correct(price, qty).map_err(str::to_owned),
            Command::Activate => {
                for perm in self.orders.live(|order| order.status == Status::Inactive && order.terms.transmit) {
                    if let Some(order) = self.orders.by_perm.get_mut(&perm) {
                        (order.status, order.why_held) = (Status::PreSubmitted, "");
                    }
                    self.tell_order(perm);
                    self.work(perm);
                }
            }
            Command::Restart => {
                self.expire_day_orders();
                self.drop_all();
                self.lingering.clear();
            }
            Command::Close => self.close_market(),
            Command::Manual { action, qty, symbol, limit } => return self.manual(&action, qty, &symbol, limit),
            Command::Notice { code, text } => self.notice_all(code, &text),
            Command::Reset => {
                if self.faults.line == Line::Lost {
                    self.line_restored(false);
                }
                self.faults = Faults::default();
            }
            Command::Status => return Ok(self.status()),
            // Switches were set before.
            _ => (),
        }
        Ok("done".to_owned())
    }

    fn drop_all(&mut self) {
        let sessions: Vec<_> = self.sessions.keys().copied().collect();
        for session in sessions {
            self.close(session);
        }
    }

    fn line_restored(&mut self, data_lost: bool) {
        self.faults.line = Line::Up;
        if data_lost {
            self.subscriptions.clear();
            self.notice_all(1101, "Connectivity between IBKR and Trader Workstation has been restored - data lost.");
        } else {
            self.notice_all(1102, "Connectivity between IBKR and Trader Workstation has been restored - data maintained.");
        }
        self.release_due();
    }

    fn status(&self) -> String {
        let clients: Vec<String> = self.sessions.values().filter_map(|session| session.client).map(|client| client.to_string()).collect();
        format!(
            "clients {} orders {} working {} executions {} next id {} not understood {} faults {:?}",
            if clients.is_empty() { "none".to_owned() } else { clients.join(",") },
            self.orders.by_perm.len(),
            self.orders.working().count(),
            self.executions.len(),
            self.order_ids.saturating_add(1),
            self.unknown_requests,
            self.faults
        )
    }
}
