//! What people do about executions: they book what was told by telephone, book wrongly and undo it, take back what the
//! market took back, correct charges, decide about suspense and record rates.

use super::World;
use super::clients::price;
use crate::fixture::{ACCOUNT, OTHER_ACCOUNT, VENUES, dec};
use crate::simulator::node::Asker;
use crate::simulator::rng::Rng;
use oms_model::command::{BookOn, Command, Correction, ExecutionRef, Figures, NewExecution, OrderRef};
use oms_model::instrument::Currency;
use oms_model::report::VenueFill;
use oms_model::{AccountId, ExecId, InstrumentId, Mic, Notional, Order, OrderId, Qty, Reversal, Side, Symbol, Time, WireId};

/// What a person booked, or tried to.
#[derive(Clone, Debug)]
pub(super) struct ByHand {
    execution: ExecutionRef,
    /// On a part at a venue, which knows nothing of it: it is undone in the end.
    pub wrong: bool,
}

fn symbol_of(instrument: InstrumentId) -> Symbol {
    Symbol::new(if instrument.0 == 0 { "XYZ" } else { "ABC" }).unwrap_or_default()
}

fn some_account(rng: &mut Rng) -> AccountId {
    rng.pick(&[ACCOUNT, OTHER_ACCOUNT])
}

fn booking(on: BookOn, exec_id: ExecId, venue: Option<Mic>, fill: &VenueFill, at: Time) -> Command {
    let figures = Figures::Given {
        exec_id: Some(exec_id),
        venue,
        last_qty: fill.last_qty,
        last_px: fill.last_px,
        fee: fill.fee_per_unit.notional(fill.last_qty).unwrap_or(Notional::ZERO),
        liquidity: fill.liquidity,
        transact_time: Some(at),
    };
    Command::CreateExecution(Box::new(NewExecution { on, figures, reason: "told by telephone".into() }))
}

impl World {
    pub(super) fn desk(&mut self, rng: &mut Rng) {
        let command = match rng.below(14) {
            0..=2 => self.by_telephone(rng),
            3 => self.booked_wrongly(rng),
            4 | 5 => Some(self.booked_on_account(rng)),
            6 | 7 => self.booked_directly(rng),
            8 | 9 => self.undone(rng),
            10 => self.charge_corrected(rng),
            11 => Some(rate(rng)),
            _ => self.suspense_decided(rng),
        };
        if let Some(command) = command {
            self.ask(command, rng);
        }
    }

    fn new_exec(&mut self, kind: &str) -> ExecId {
        self.serial += 1;
        ExecId::new(&format!("{kind}-{}", self.serial)).unwrap_or_default()
    }

    fn leg(&self, first: &WireId) -> Option<&Order> {
        first.parts().and_then(|(id, _)| self.node.as_ref()?.engine.state().order(id))
    }

    /// What a venue did and our books do not show yet: an execution, or that one was taken back.
    fn by_telephone(&self, rng: &mut Rng) -> Option<Command> {
        let venue = self.venues.get(&rng.pick(&VENUES))?;
        if rng.chance(400) {
            let books = &self.orders.books;
            let due: Vec<_> =
                venue.busted().filter_map(|id| books.standing_all().find(|(_, b)| b.venue == venue.mic && b.exec_id == *id)).collect();
            let ((account_id, instrument), booked) = *due.get(rng.place(due.len()))?;
            let (exec_id, symbol) = (booked.exec_id.clone(), symbol_of(instrument));
            let execution = ExecutionRef { exec_id, symbol, account_id: Some(account_id), venue: Some(venue.mic) };
            return Some(taken_back(execution, Reversal::Bust));
        }
        let told = |(_, fill): &&(Time, VenueFill)| !self.orders.books.knows(venue.mic, &fill.exec_id);
        let all = venue.book.iter().flat_map(|held| held.fills.iter().filter(told).map(move |(at, fill)| (held, *at, fill)));
        let untold: Vec<_> = all.collect();
        let (held, at, fill) = *untold.get(rng.place(untold.len()))?;
        let leg = self.leg(&held.first)?.order_id;
        Some(booking(BookOn::Order(OrderRef::Id(leg)), fill.exec_id.clone(), None, fill, at))
    }

    /// An execution that no venue made, on a part at one.
    fn booked_wrongly(&mut self, rng: &mut Rng) -> Option<Command> {
        let exec_id = self.new_exec("TEL");
        let venue = self.venues.get(&rng.pick(&VENUES))?;
        let from = venue.book.len().saturating_sub(4);
        let held = venue.book.get(from + rng.place(venue.book.len() - from))?;
        let leg = self.leg(&held.first)?;
        let execution = ExecutionRef {
            exec_id: exec_id.clone(),
            symbol: held.symbol.clone(),
            account_id: Some(leg.account_id),
            venue: Some(venue.mic),
        };
        let on = BookOn::Order(OrderRef::Id(leg.order_id));
        let fill = VenueFill { last_qty: dec(rng.pick(&["10", "50", "100"])), last_px: price(rng), ..VenueFill::default() };
        self.by_hand.push(ByHand { execution, wrong: true });
        Some(booking(on, exec_id, None, &fill, self.now))
    }

    fn booked_on_account(&mut self, rng: &mut Rng) -> Command {
        let exec_id = self.new_exec("ACC");
        let (account, symbol) = (some_account(rng), Symbol::new(rng.pick(&["XYZ", "ABC"])).unwrap_or_default());
        let venue = rng.chance(300).then(|| rng.pick(&VENUES));
        let account_id = Some(account);
        let execution =
            ExecutionRef { exec_id: exec_id.clone(), symbol: symbol.clone(), account_id, venue: Some(venue.unwrap_or_default()) };
        self.by_hand.push(ByHand { execution, wrong: false });
        let on = BookOn::Account { account_id, symbol, side: rng.pick(&[Side::Buy, Side::Sell]) };
        let (last_qty, fee_per_unit) = (dec(rng.pick(&["10", "30", "100"])), dec(rng.pick(&["0", "0.01"])));
        let fill = VenueFill { last_qty, last_px: price(rng), fee_per_unit, ..VenueFill::default() };
        // It may have been before what the books show.
        let ago = i64::try_from(rng.below(3_600_000_000_000)).unwrap_or(0);
        booking(on, exec_id, venue, &fill, self.now.plus(-ago))
    }

    /// On an order that somebody works, of which something is with no part.
    fn booked_directly(&mut self, rng: &mut Rng) -> Option<Command> {
        let exec_id = self.new_exec("DIR");
        let entries = self.node.as_ref()?.engine.state().orders_sorted();
        let free = |order: &Order| !order.is_leg() && !order.state.is_done() && order.place_qty < order.order_qty;
        let all: Vec<&Order> = entries.iter().map(|entry| &entry.order).filter(|order| free(order)).collect();
        let order = *all.get(rng.place(all.len()))?;
        let execution = ExecutionRef {
            exec_id: exec_id.clone(),
            symbol: symbol_of(order.instrument_id),
            account_id: Some(order.account_id),
            venue: Some(Mic::default()),
        };
        let (on, last_px) = (BookOn::Order(OrderRef::Id(order.order_id)), order.price.unwrap_or_else(|| price(rng)));
        let fill = VenueFill { last_qty: dec(rng.pick(&["5", "10", "50"])), last_px, ..VenueFill::default() };
        self.by_hand.push(ByHand { execution, wrong: false });
        Some(booking(on, exec_id, None, &fill, self.now))
    }

    fn undone(&self, rng: &mut Rng) -> Option<Command> {
        let ByHand { execution, .. } = self.by_hand.get(rng.place(self.by_hand.len()))?.clone();
        if rng.chance(500) {
            return Some(taken_back(execution, Reversal::Whack));
        }
        let last_qty = rng.chance(500).then(|| dec::<Qty>(rng.pick(&["5", "20", "60"])));
        let last_px = rng.chance(500).then(|| price(rng));
        let fee = rng.chance(300).then(|| dec::<Notional>("0.5"));
        let correction = Correction { last_qty, last_px, fee };
        Some(Command::CorrectExecution { execution: Box::new(execution), correction, reason: "misheard".into() })
    }

    /// What a venue's execution cost is known better here.
    fn charge_corrected(&mut self, rng: &mut Rng) -> Option<Command> {
        let all: Vec<_> = self.orders.books.standing_all().filter(|(_, booked)| !booked.manual).collect();
        let ((account_id, instrument), booked) = *all.get(rng.place(all.len()))?;
        let (exec_id, symbol) = (booked.exec_id.clone(), symbol_of(instrument));
        let execution = ExecutionRef { exec_id, symbol, account_id: Some(account_id), venue: Some(booked.venue) };
        self.charged_by_hand.insert((booked.venue, booked.exec_id.clone()));
        let correction = Correction { fee: Some(dec(rng.pick(&["0.1", "0.7"]))), ..Correction::default() };
        Some(Command::CorrectExecution { execution: Box::new(execution), correction, reason: "as billed".into() })
    }

    /// An execution that matched no order is booked on the account that it belongs to, or dismissed.
    fn suspense_decided(&self, rng: &mut Rng) -> Option<Command> {
        let waiting = self.orders.books.suspense();
        let waits = waiting.get(rng.place(waiting.len()))?;
        let (venue, exec_id, reason) = (waits.venue, waits.exec_id.clone(), String::from("looked up"));
        let truth = self.venues.get(&venue)?.book.iter().find(|held| held.fills.iter().any(|(_, fill)| fill.exec_id == exec_id));
        let booked = self.orders.books.standing(venue, &exec_id).is_some();
        let figures = Figures::Suspense { venue, exec_id: exec_id.clone() };
        let on = match truth {
            Some(held) if !booked => {
                let leg = self.leg(&held.first).map(|leg| leg.order_id);
                let account_id = held.first.parts().and_then(|(id, _)| self.orders.account_of(id));
                let on_account = || BookOn::Account { account_id, symbol: held.symbol.clone(), side: held.side };
                leg.map_or_else(on_account, |id: OrderId| BookOn::Order(OrderRef::Id(id)))
            }
            // It is somebody else's, and now and then we take it all the same.
            None if waits.exec_ref.is_none() && rng.chance(300) && self.foreign.contains(&(venue, exec_id.clone())) => {
                BookOn::Account { account_id: Some(some_account(rng)), symbol: symbol_of(InstrumentId(0)), side: Side::Buy }
            }
            _ => return Some(Command::DismissSuspense { venue, exec_id, reason }),
        };
        Some(Command::CreateExecution(Box::new(NewExecution { on, figures, reason })))
    }

    /// The day is closed; not more often than executions can be taken back in.
    pub(super) fn close_day(&mut self, rng: &mut Rng) {
        if rng.chance(500) {
            // The next one begins.
            let ns = 86_400_000_000_000 - self.now.0.rem_euclid(86_400_000_000_000);
            self.now = self.now.plus(ns + 50_000_000_000_000);
            self.refresh_quotes(rng);
        }
        self.closes.push(self.now);
        self.ask(Command::CloseDay { day: self.now.day() }, rng);
    }

    /// Since when executions can still be taken back: those of the open day and of the last closed one.
    pub(super) fn reversible_since(&self) -> Time {
        self.closes.len().checked_sub(2).map_or(Time(i64::MIN), |at| self.closes[at])
    }

    /// What was booked wrongly on parts at venues is undone.
    pub(super) fn put_right(&mut self, rng: &mut Rng) {
        let wrong: Vec<ExecutionRef> =
            self.by_hand.iter().filter(|by_hand| by_hand.wrong).map(|by_hand| by_hand.execution.clone()).collect();
        for execution in wrong {
            self.command(taken_back(execution, Reversal::Whack), None, Asker::Nobody);
        }
        self.settle(rng);
        self.share_all_out(rng);
    }
}

fn taken_back(execution: ExecutionRef, reversal: Reversal) -> Command {
    Command::ReverseExecution { execution: Box::new(execution), reversal, reason: "it was not so".into() }
}

fn rate(rng: &mut Rng) -> Command {
    let eur = Currency(*b"EUR");
    let (from, to) = rng.pick(&[(eur, Currency::USD), (eur, Currency::USD), (Currency::USD, eur)]);
    Command::SetFxRate { from, to, rate: dec(rng.pick(&["1.1", "1.25", "0.9", "0.7"])) }
}
