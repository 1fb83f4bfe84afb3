//! Lines about executions after they came, about rates and about days.

use super::parse::Line;
use super::run::Run;
use crate::fixture::{OTHER_ACCOUNT, OTHER_USER};
use oms_engine::input::InputBody;
use oms_model::command::{Actor, BookOn, Command, Correction, ExecutionRef, Figures, NewExecution, NewGroup, OrderRef};
use oms_model::instrument::{Account, Currency};
use oms_model::report::{ReportBody, VenueFill};
use oms_model::{ClOrdId, ExecId, Liquidity, Mic, Notional, OrderId, Reversal, Side, Symbol, WireId};

const REASON: &str = "as the script says";

impl Run {
    /// Does what a line about books says; `None` where the verb is another.
    pub(super) fn books(&mut self, verb: &str, line: &mut Line<'_>) -> Option<String> {
        Some(match verb {
            "bust" | "correct" | "commission" => self.venue_says_later(verb, line),
            "book" => self.book(line),
            "take-back" | "whack" | "amend" => self.amend(verb, line),
            "stray" => self.stray(line),
            "dismiss" => {
                let (venue, exec_id) = self.suspended(line);
                self.ask(Command::DismissSuspense { venue, exec_id, reason: REASON.to_owned() })
            }
            "rate" => {
                let (from, to, rate) = (currency(line), currency(line), line.value());
                self.ask(Command::SetFxRate { from, to, rate })
            }
            "cost-method" => {
                let method = line.value();
                self.ask(Command::SetCostMethod(method))
            }
            "close-day" => {
                let day = self.desk.now.day();
                self.ask(Command::CloseDay { day });
                self.desk.advance(0);
                String::new()
            }
            "open-account" => {
                let name = "other".to_owned();
                let account = Account { account_id: OTHER_ACCOUNT, name, currency: Currency::USD, active: true, ..Account::default() };
                self.ask(Command::OpenAccount(account))
            }
            "group" => self.group(line),
            "ungroup" => {
                let id = line.word().to_owned();
                let group = OrderRef::ClOrdId(ClOrdId::new(&id).unwrap());
                self.ask(Command::UngroupOrders { group, reason: REASON.to_owned() });
                id
            }
            "propose" => {
                let id = line.word().to_owned();
                let group = OrderRef::ClOrdId(ClOrdId::new(&id).unwrap());
                self.ask(Command::ProposeAllocation { group });
                id
            }
            "approve" | "disapprove" => self.decide(verb, line),
            "held" => {
                let (account, symbol) = (line.word().to_owned(), line.word().to_owned());
                format!("held {account} {symbol}")
            }
            "overfilled" => verb.to_owned(),
            _ => return None,
        })
    }

    /// `group ID MEMBER... [STP|MANUAL] [@ PRICE] [in other]`.
    fn group(&mut self, line: &mut Line<'_>) -> String {
        let id = line.word().to_owned();
        let mut new = NewGroup { cl_ord_id: Some(ClOrdId::new(&id).unwrap()), ..NewGroup::default() };
        while let Some(word) = line.words.pop_front() {
            match word {
                "@" => new.price = Some(line.value()),
                "in" => new.account_id = Some(if line.word() == "other" { OTHER_ACCOUNT } else { crate::fixture::ACCOUNT }),
                _ => match word.parse() {
                    Ok(mode) => new.mode = mode,
                    Err(_) => new.members.push(OrderRef::ClOrdId(ClOrdId::new(word).unwrap())),
                },
            }
        }
        self.ask(Command::GroupOrders(Box::new(new)));
        id
    }

    /// `approve GROUP [by other]`, `disapprove GROUP`: what waits of the group.
    fn decide(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let id = line.word().to_owned();
        let state = self.desk.engine.state();
        let group = self.node(&id).and_then(|order| state.group(order.order_id));
        let alloc_id = group.and_then(|group| group.proposed.as_deref()).map(|p| p.allocation.alloc_id).unwrap_or_default();
        let other = line.take("by") && line.word() == "other";
        let actor = if other { Actor { user_id: OTHER_USER, ..crate::fixture::actor() } } else { crate::fixture::actor() };
        let command = match verb {
            "approve" => Command::ApproveAllocation { alloc_id },
            _ => Command::RejectAllocation { alloc_id, reason: REASON.to_owned() },
        };
        let output = self.desk.input(actor, InputBody::Command { command, idempotency: None });
        self.remember(&output);
        id
    }

    pub(super) fn ask(&mut self, command: Command) -> String {
        let output = self.desk.command(command);
        self.remember(&output);
        String::new()
    }

    /// The venue's own id of a reversal or correction: the next one of the script where none is given.
    fn own_id(&mut self, line: &mut Line<'_>) -> ExecId {
        if line.take("by") { line.value() } else { ExecId::new(&format!("R{}", self.next_exec())).unwrap() }
    }

    fn venue_says_later(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let (id, venue, wire_id) = if line.take("stray") {
            (String::new(), line.value(), stray_id())
        } else {
            let (id, leg, venue, _) = self.leg(line.word());
            (id, venue, WireId::derive(leg, 0))
        };
        let exec_ref: ExecId = line.value();
        let body = match verb {
            "bust" => ReportBody::Busted { wire_id, exec_ref, exec_id: self.own_id(line), text: REASON.to_owned() },
            "correct" => {
                let last_qty = line.value();
                assert!(line.take("@"), "a price follows");
                let last_px = line.value();
                let fee_per_unit = crate::fixture::dec("0.003");
                let fill = VenueFill { exec_id: self.own_id(line), last_qty, last_px, liquidity: Liquidity::Removed, fee_per_unit };
                ReportBody::Corrected { wire_id, exec_ref, fill, text: REASON.to_owned() }
            }
            _ => ReportBody::Commission { wire_id, exec_id: exec_ref, commission: line.value(), currency: currency(line) },
        };
        self.desk.report(venue, body);
        id
    }

    /// `book A1 | A1.2 | account SYMBOL buy|sell` and then `QTY @ PRICE [exec ID] [ago SECONDS]` or `suspense VENUE EXEC`.
    fn book(&mut self, line: &mut Line<'_>) -> String {
        let word = line.word().to_owned();
        let (id, on) = match word.as_str() {
            "account" => {
                let symbol: Symbol = line.value();
                let side = if line.word() == "buy" { Side::Buy } else { Side::Sell };
                (String::new(), BookOn::Account { account_id: None, symbol, side })
            }
            _ if word.contains('.') => {
                let (id, leg, _, _) = self.leg(&word);
                (id, BookOn::Order(OrderRef::Id(leg)))
            }
            _ => (word.clone(), BookOn::Order(OrderRef::ClOrdId(ClOrdId::new(&word).unwrap()))),
        };
        let figures = if line.take("suspense") {
            let (venue, exec_id) = self.suspended(line);
            Figures::Suspense { venue, exec_id }
        } else {
            let last_qty = line.value();
            assert!(line.take("@"), "a price follows");
            let last_px = line.value();
            let exec_id = line.take("exec").then(|| line.value());
            let transact_time = line.take("ago").then(|| self.desk.now.plus(-1_000_000_000 * line.value::<i64>()));
            let (fee, liquidity) = (Notional::ZERO, Liquidity::Removed);
            Figures::Given { exec_id, venue: None, last_qty, last_px, fee, liquidity, transact_time }
        };
        self.ask(Command::CreateExecution(Box::new(NewExecution { on, figures, reason: REASON.to_owned() })));
        id
    }

    /// `VENUE EXEC`, or `VENUE charge`: the oldest charge that waits, whose id is ours.
    fn suspended(&self, line: &mut Line<'_>) -> (Mic, ExecId) {
        let venue = line.value();
        if !line.take("charge") {
            return (venue, line.value());
        }
        let charge = self.desk.engine.state().suspense().find(|one| one.venue == venue && one.is_charge());
        (venue, charge.expect("a charge waits").exec_id.clone())
    }

    /// `take-back SYMBOL EXEC`, `whack SYMBOL EXEC`, `amend SYMBOL EXEC [qty QTY] [px PRICE] [fee MONEY]`.
    fn amend(&mut self, verb: &str, line: &mut Line<'_>) -> String {
        let symbol = line.value();
        let execution = Box::new(ExecutionRef { exec_id: line.value(), symbol, ..ExecutionRef::default() });
        let reason = REASON.to_owned();
        let mut correction = Correction::default();
        while let Some(word) = line.words.pop_front() {
            match word {
                "qty" => correction.last_qty = Some(line.value()),
                "px" => correction.last_px = Some(line.value()),
                "fee" => correction.fee = Some(line.value()),
                other => panic!("cannot read {other:?}"),
            }
        }
        self.ask(match verb {
            "take-back" => Command::ReverseExecution { execution, reversal: Reversal::Bust, reason },
            "whack" => Command::ReverseExecution { execution, reversal: Reversal::Whack, reason },
            _ => Command::CorrectExecution { execution, correction, reason },
        })
    }

    /// `stray VENUE EXEC QTY @ PRICE`: a fill of an order that is not ours.
    fn stray(&mut self, line: &mut Line<'_>) -> String {
        let (venue, exec_id): (Mic, ExecId) = (line.value(), line.value());
        let last_qty = line.value();
        assert!(line.take("@"), "a price follows");
        let fill = VenueFill { exec_id, last_qty, last_px: line.value(), ..VenueFill::default() };
        self.desk.report(venue, ReportBody::Fill { wire_id: stray_id(), fill });
        String::new()
    }
}

/// The id of an order that is not ours.
fn stray_id() -> WireId {
    WireId::derive(OrderId::from_u128(1), 0)
}

fn currency(line: &mut Line<'_>) -> Currency {
    Currency(line.word().as_bytes().try_into().expect("three letters"))
}
