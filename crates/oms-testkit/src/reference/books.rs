//! The books as the durable facts tell them: every execution that stands, whose it is, and the positions that follow.
//!
//! Nothing is kept up to date here: a position is worked out from all of its executions whenever somebody asks.

mod plain;

use crate::hold;
use oms_engine::State;
use oms_model::event::{
    Allocation, Batch, CommissionRecorded, DayClosed, Event, ExecutionCorrected, ExecutionRecorded, ExecutionReversed, ExecutionUnmatched,
    PositionFrozen, SuspenseResolved,
};
use oms_model::instrument::Currency;
use oms_model::position::Position;
use oms_model::{AccountId, Anomaly, CostMethod, ExecId, InstrumentId, Mic, OrderId, Time};
use plain::Plain;
use std::collections::{BTreeMap, BTreeSet};

/// Whose, and in what.
type Key = (AccountId, InstrumentId);

/// One entry of the books.
#[derive(Clone, Debug)]
pub struct Booked {
    /// The venue's id of it.
    pub exec_id: ExecId,
    /// Where.
    pub venue: Mic,
    /// The order that was executed.
    pub order_id: OrderId,
    /// When, by the venue's clock.
    pub at: Time,
    /// Bought, not sold.
    pub is_buy: bool,
    /// How much, in 10^-9.
    pub qty: i128,
    /// At which price, in 10^-9.
    pub price: i128,
    /// The charge, in 10^-18, as it stands.
    pub fee: i128,
    /// The charge that counts on the day of this entry; what came later on a closed one is an entry of its own.
    counted_fee: i128,
    /// A person booked it.
    pub manual: bool,
    /// How many days had been closed when it was booked.
    day: u32,
    /// It is an entry against one of a closed day.
    against: bool,
    /// It was taken back after its day had been closed.
    gone: bool,
    /// An allocation moved it.
    moved: bool,
    /// It was corrected after its day had been closed, and counts on the day of the correction.
    restated: bool,
}

impl Booked {
    fn key(&self) -> (u32, Time, &ExecId, Mic, OrderId, bool) {
        (self.day, self.at, &self.exec_id, self.venue, self.order_id, self.is_buy)
    }

    /// Whether it counts and can be taken back.
    #[must_use]
    pub fn stands(&self) -> bool {
        !self.against && !self.gone && !self.moved
    }

    /// Whether it was corrected after its day had been closed.
    #[must_use]
    pub const fn is_restated(&self) -> bool {
        self.restated
    }

    /// Its value, in 10^-18.
    #[must_use]
    pub const fn value(&self) -> i128 {
        self.qty * self.price
    }
}

/// The books.
#[derive(Clone, Debug, Default)]
pub struct Books {
    method: CostMethod,
    entries: BTreeMap<Key, Vec<Booked>>,
    /// Every execution that was ever booked, is in suspense, or was taken back before it came.
    seen: BTreeSet<(Mic, ExecId)>,
    /// Orders that a person ever booked on.
    by_hand: BTreeSet<OrderId>,
    /// What was taken back: it is not booked again.
    dead: BTreeSet<(Mic, ExecId)>,
    /// The venues' own ids of reversals and corrections.
    references: BTreeSet<(Mic, ExecId)>,
    /// What venues said that executions cost, in their currency.
    charges: BTreeSet<(Mic, ExecId, Currency, i128)>,
    suspense: Vec<ExecutionUnmatched>,
    dismissed: BTreeSet<(Mic, ExecId)>,
    /// Executions of which something came into suspense that a venue said of them.
    told_of: BTreeSet<(Mic, ExecId)>,
    /// What a venue said of an execution that is not in the books, which was raised.
    raised: u32,
    days: u32,
    closed_day: u32,
    frozen: Vec<PositionFrozen>,
    /// How each position stood when the last day was closed.
    at_close: BTreeMap<Key, (i128, i128)>,
    rates: BTreeMap<(Currency, Currency), i128>,
    /// Positions as whoever follows the log knows them: from the last that was said, first in first out.
    shown: BTreeMap<Key, Position>,
    /// The suspense that the next execution was taken out of.
    resolving: Option<ExecutionUnmatched>,
    /// What the last allocation of each group moved.
    allocated: BTreeMap<OrderId, Vec<(Key, Booked)>>,
}

impl Books {
    /// A batch is durable.
    pub fn durable(&mut self, batch: &Batch) {
        for (at, event) in batch.events.iter().enumerate() {
            let next = batch.events.get(at + 1);
            self.event(event, next, batch.time);
        }
        hold!(20, self.resolving.is_none(), "an execution left suspense and is booked nowhere");
    }

    fn event(&mut self, event: &Event, next: Option<&Event>, now: Time) {
        match event {
            Event::ExecutionRecorded(e) => self.recorded(e, next),
            Event::ExecutionBusted(e) | Event::ExecutionWhacked(e) => self.reversed(e, now),
            Event::ExecutionCorrected(e) => self.corrected(e, now),
            Event::CommissionRecorded(e) => self.charged(e, now),
            Event::ExecutionUnmatched(e) => {
                let charge = e.exec_ref.as_ref().zip(e.commission_currency);
                let waits =
                    |(exec_id, currency)| self.suspense.iter().any(|one| one.is_charge_of(e.venue, exec_id, e.commission, currency));
                hold!(16, !charge.is_some_and(waits), "a charge for {:?} of {} is in suspense twice", e.exec_ref, e.venue);
                let known = self.suspense.iter().any(|known| (known.venue, &known.exec_id) == (e.venue, &e.exec_id));
                hold!(16, !known, "execution {} of {} is in suspense twice", e.exec_id, e.venue);
                self.seen.insert((e.venue, e.exec_id.clone()));
                self.told_of.extend(e.exec_ref.clone().map(|told| (e.venue, told)));
                self.suspense.push((**e).clone());
            }
            Event::SuspenseResolved(e) => self.resolved(e),
            Event::AllocationBooked(e) => self.allocation(e, now),
            Event::PositionChanged(e) => {
                self.position((e.account_id, e.instrument_id)).hold_same(self.method, e, "as it was said");
                self.shown.insert((e.account_id, e.instrument_id), (**e).clone());
            }
            Event::PositionFrozen(e) => self.frozen.push((**e).clone()),
            Event::DayClosed(e) => self.day_closed(*e),
            Event::FxRateSet(e) => {
                self.rates.remove(&(e.to, e.from));
                self.rates.insert((e.from, e.to), e.rate.raw());
            }
            Event::CostMethodSet(e) => self.method = e.method,
            Event::OrderAnomaly(e) if e.anomaly == Anomaly::UnknownExecution => self.raised += 1,
            _ => (),
        }
    }

    fn recorded(&mut self, e: &ExecutionRecorded, next: Option<&Event>) {
        let id = (e.venue, e.exec_id.clone());
        let known = self.standing(e.venue, &e.exec_id).is_some();
        hold!(16, !known, "execution {} of {} is booked twice", e.exec_id, e.venue);
        hold!(17, !self.dead.contains(&id), "execution {} of {} was taken back and is booked again", e.exec_id, e.venue);
        if let Some(told) = self.resolving.take() {
            let same = (told.venue, &told.exec_id, told.last_qty, told.last_px, told.transact_time)
                == (e.venue, &e.exec_id, e.last_qty, e.last_px, e.transact_time);
            hold!(20, same, "execution {} left suspense with other figures than it came with", e.exec_id);
        }
        self.seen.insert(id);
        if e.manual {
            self.by_hand.insert(e.order_id);
        }
        let booked = Booked {
            exec_id: e.exec_id.clone(),
            venue: e.venue,
            order_id: e.order_id,
            at: e.transact_time,
            is_buy: e.side.is_buy(),
            qty: e.last_qty.raw(),
            price: e.last_px.raw().into(),
            fee: e.fee.raw(),
            counted_fee: e.fee.raw(),
            manual: e.manual,
            day: self.days,
            against: false,
            gone: false,
            moved: false,
            restated: false,
        };
        let key = (e.account_id, e.instrument_id);
        self.entries.entry(key).or_default().push(booked);
        // Where the position is not said, it follows: the execution is simply the last one.
        if !matches!(next, Some(Event::PositionChanged(_))) {
            let (account_id, instrument_id) = key;
            let position = self.shown.entry(key).or_insert_with(|| Position { account_id, instrument_id, ..Position::default() });
            position.book(e.side.is_buy(), e.last_qty, e.last_px, e.fee);
        }
    }

    fn find(&mut self, key: Key, venue: Mic, exec_id: &ExecId, order_id: OrderId) -> Option<usize> {
        let entries = self.entries.get(&key)?;
        entries.iter().rposition(|known| known.stands() && (known.venue, &known.exec_id, known.order_id) == (venue, exec_id, order_id))
    }

    /// Takes the entry at `at` out: of the open day as if it had never been, of a closed one by an entry against it.
    fn take_out(&mut self, key: Key, at: usize, now: Time) {
        let Some(entries) = self.entries.get_mut(&key) else { return };
        if entries[at].day == self.days {
            entries.remove(at);
            if entries.is_empty() {
                self.entries.remove(&key);
            }
            return;
        }
        entries[at].gone = true;
        let old = entries[at].clone();
        entries.push(Booked { at: now, is_buy: !old.is_buy, counted_fee: -old.fee, day: self.days, against: true, gone: false, ..old });
    }

    fn reversed(&mut self, e: &ExecutionReversed, now: Time) {
        if let Some(reference) = &e.reference {
            let new = self.references.insert((e.venue, reference.clone()));
            hold!(16, new, "reversal {reference} of {} counts twice", e.venue);
        }
        let id = (e.venue, e.exec_id.clone());
        self.seen.insert(id.clone());
        let key = (e.account_id, e.instrument_id);
        let found = self.find(key, e.venue, &e.exec_id, e.order_id);
        if e.last_qty.is_zero() {
            let open = found.and_then(|at| self.entries.get(&key).map(|entries| entries[at].day));
            let reversible = open.is_some_and(|day| day + 1 >= self.days);
            hold!(17, !reversible, "execution {} is in the books and its reversal takes nothing back", e.exec_id);
            if found.is_none() {
                self.dead.insert(id);
            }
            return;
        }
        let known = found.and_then(|at| self.entries.get(&key).map(|entries| entries[at].clone()));
        let same = known.as_ref().is_some_and(|known| {
            (known.qty, known.price, known.fee, known.is_buy) == (e.last_qty.raw(), e.last_px.raw().into(), e.fee.raw(), e.side.is_buy())
        });
        hold!(17, same, "execution {} is taken back with other figures than it has: {known:?}", e.exec_id);
        if let Some(at) = found {
            self.take_out(key, at, now);
        }
        self.dead.insert(id);
    }

    fn corrected(&mut self, e: &ExecutionCorrected, now: Time) {
        if let Some(reference) = &e.reference {
            let new = self.references.insert((e.venue, reference.clone()));
            hold!(16, new, "correction {reference} of {} counts twice", e.venue);
        }
        let key = (e.account_id, e.instrument_id);
        let found = self.find(key, e.venue, &e.exec_id, e.order_id);
        let known = found.and_then(|at| self.entries.get(&key).map(|entries| entries[at].clone()));
        let same = known.as_ref().is_some_and(|known| (known.qty, known.price) == (e.old_qty.raw(), e.old_px.raw().into()));
        hold!(17, same, "execution {} is corrected from other figures than it has: {known:?}", e.exec_id);
        let (Some(at), Some(known)) = (found, known) else { return };
        let changed = Booked { qty: e.last_qty.raw(), price: e.last_px.raw().into(), fee: e.fee.raw(), ..known };
        self.change(key, at, changed, now);
    }

    /// Of the open day an entry is as if it had always been so; of a closed one there is an entry against it and a new one,
    /// or where only the charge changed, the difference.
    fn change(&mut self, key: Key, at: usize, changed: Booked, now: Time) {
        let days = self.days;
        let Some(entries) = self.entries.get_mut(&key) else { return };
        let old = entries[at].clone();
        if old.day == days {
            entries[at] = Booked { counted_fee: changed.fee, ..changed };
        } else if (old.qty, old.price) == (changed.qty, changed.price) {
            let counted_fee = changed.fee - old.fee;
            entries[at].fee = changed.fee;
            entries.push(Booked { qty: 0, counted_fee, at: now, day: days, against: true, ..old });
        } else {
            self.take_out(key, at, now);
            let counted_fee = changed.fee;
            self.entries.entry(key).or_default().push(Booked { at: now, day: days, counted_fee, restated: true, ..changed });
        }
    }

    fn charged(&mut self, e: &CommissionRecorded, now: Time) {
        let (key, told) = ((e.account_id, e.instrument_id), e.commission.raw());
        let fee = match e.rate {
            None => told,
            Some(rate) => {
                let known = self.rate(e.currency, Currency::USD);
                hold!(22, known == Some(rate.raw()), "a charge in {} came at {rate}, the rate is {known:?}", e.currency.as_str());
                // Rounded towards zero, as division of integers does.
                told / ONE * rate.raw() + told % ONE * rate.raw() / ONE
            }
        };
        hold!(22, e.fee.raw() == fee, "a charge of {} {} counts as {}", e.commission, e.currency.as_str(), e.fee);
        // A venue charges once; what it says again comes at no other rate.
        let news = self.charges.insert((e.venue, e.exec_id.clone(), e.currency, told));
        hold!(16, news, "a charge of {} {} for execution {} counts twice", e.commission, e.currency.as_str(), e.exec_id);
        let found = self.find(key, e.venue, &e.exec_id, e.order_id);
        hold!(17, found.is_some(), "a charge for execution {}, which is not in the books", e.exec_id);
        let known = found.and_then(|at| self.entries.get(&key).map(|entries| (at, entries[at].clone())));
        if let Some((at, known)) = known {
            self.change(key, at, Booked { fee, ..known }, now);
        }
    }

    fn rate(&self, from: Currency, to: Currency) -> Option<i128> {
        let other_way = || self.rates.get(&(to, from)).map(|rate| ONE * ONE / rate);
        self.rates.get(&(from, to)).copied().or_else(other_way)
    }

    fn resolved(&mut self, e: &SuspenseResolved) {
        let at = self.suspense.iter().position(|known| (known.venue, &known.exec_id) == (e.venue, &e.exec_id));
        hold!(20, at.is_some(), "execution {} of {} was decided about and was not in suspense", e.exec_id, e.venue);
        let Some(at) = at else { return };
        let told = self.suspense.remove(at);
        if e.account_id.is_some() && told.is_charge() {
            // It is booked with the execution that it is for.
            let charged = told.exec_ref.as_ref().and_then(|exec_id| self.standing(e.venue, exec_id));
            hold!(22, charged.is_some(), "a charge left suspense for {:?}, which is not in the books", told.exec_ref);
        } else if e.account_id.is_some() {
            self.resolving = Some(told);
        } else {
            self.dismissed.insert((e.venue, e.exec_id.clone()));
        }
    }

    /// What was shared out before leaves, what is shared out now comes: from the group's account to each member's.
    fn allocation(&mut self, e: &Allocation, now: Time) {
        for (key, old) in self.allocated.remove(&e.group_order_id).unwrap_or_default() {
            let same = |known: &Booked| known.moved && !known.gone && !known.against && known.key() == old.key();
            let at = self.entries.get(&key).and_then(|entries| entries.iter().rposition(same));
            hold!(21, at.is_some(), "what group {} shared out is not in the books", e.group_order_id);
            if let Some(at) = at {
                self.take_out(key, at, now);
            }
        }
        let mut moves = Vec::new();
        for (member, share) in e.members.iter().zip(&e.shares).filter(|(member, _)| member.account_id != e.account_id) {
            for (part, qty, price) in lots(share.qty.raw(), share.notional.raw()) {
                let exec_id = ExecId::new(&format!("AL-{:032x}-{part}", share.order_id.as_u128())).unwrap_or_default();
                for (account_id, is_buy) in [(member.account_id, e.side.is_buy()), (e.account_id, !e.side.is_buy())] {
                    let booked = Booked {
                        exec_id: exec_id.clone(),
                        venue: Mic::from_u32(0),
                        order_id: share.order_id,
                        at: e.transact_time,
                        is_buy,
                        qty,
                        price,
                        fee: 0,
                        counted_fee: 0,
                        manual: false,
                        day: self.days,
                        against: false,
                        gone: false,
                        moved: true,
                        restated: false,
                    };
                    moves.push(((account_id, e.instrument_id), booked));
                }
            }
        }
        for (key, booked) in &moves {
            self.entries.entry(*key).or_default().push(booked.clone());
        }
        self.allocated.insert(e.group_order_id, moves);
    }

    /// A position from all of its executions: day after day, each in the order of their own times.
    fn position(&self, key: Key) -> Plain {
        let mut plain = Plain::default();
        let mut all: Vec<&Booked> = self.entries.get(&key).into_iter().flatten().collect();
        all.sort_by(|a, b| a.key().cmp(&b.key()));
        for booked in all {
            plain.book(self.method, booked.is_buy, booked.qty, booked.price, booked.counted_fee);
        }
        plain
    }

    fn day_closed(&mut self, e: DayClosed) {
        hold!(42, e.day > self.closed_day, "day {} is closed after {}", e.day, self.closed_day);
        let frozen = std::mem::take(&mut self.frozen);
        hold!(42, usize::try_from(e.positions) == Ok(frozen.len()), "{} positions are frozen, the day says {}", frozen.len(), e.positions);
        let keys: Vec<Key> = self.entries.keys().copied().collect();
        for key in keys {
            let plain = self.position(key);
            let before = self.at_close.insert(key, (plain.realized, plain.fees)).unwrap_or_default();
            let traded = self.entries.get(&key).is_some_and(|entries| entries.iter().any(|booked| booked.day == self.days));
            let told = frozen.iter().find(|told| (told.account_id, told.instrument_id) == key);
            hold!(42, told.is_some() || (plain.qty() == 0 && !traded), "position {key:?} is not frozen");
            let Some(told) = told else { continue };
            let figures = [told.cost, told.realized, told.fees, told.day_realized, told.day_fees].map(oms_model::Notional::raw);
            let cost = plain.open_cost(self.method);
            let wanted = [cost, plain.realized, plain.fees, plain.realized - before.0, plain.fees - before.1];
            hold!(22, told.qty.raw() == plain.qty() && figures == wanted, "position {key:?} is frozen as {told:?}, it is {wanted:?}");
            let open = told.mark.map(|mark| i128::from(mark.raw()) * plain.qty() - cost);
            hold!(
                22,
                told.unrealized.map(oms_model::Notional::raw) == open,
                "open profit of {key:?} is frozen as {:?}, it is {open:?}",
                told.unrealized
            );
        }
        self.closed_day = e.day;
        self.days += 1;
    }

    /// An execution that stands.
    #[must_use]
    pub fn standing(&self, venue: Mic, exec_id: &ExecId) -> Option<&Booked> {
        self.standing_all().map(|(_, booked)| booked).find(|booked| booked.venue == venue && booked.exec_id == *exec_id)
    }

    /// Every execution that stands, with whose it is.
    pub fn standing_all(&self) -> impl Iterator<Item = (Key, &Booked)> {
        let all = self.entries.iter().flat_map(|(key, entries)| entries.iter().map(|booked| (*key, booked)));
        all.filter(|(_, booked)| booked.stands())
    }

    /// Whether a person ever booked on this order.
    #[must_use]
    pub fn is_by_hand(&self, order_id: OrderId) -> bool {
        self.by_hand.contains(&order_id)
    }

    /// Whether it was ever booked, put in suspense or taken back.
    #[must_use]
    pub fn knows(&self, venue: Mic, exec_id: &ExecId) -> bool {
        self.seen.contains(&(venue, exec_id.clone()))
    }

    /// Whether it waits for a person's decision.
    #[must_use]
    pub fn is_in_suspense(&self, venue: Mic, exec_id: &ExecId) -> bool {
        self.suspense.iter().any(|known| known.venue == venue && known.exec_id == *exec_id)
    }

    /// Whether something that a venue said of an execution waits for a person, or waited.
    #[must_use]
    pub fn ever_told_of(&self, venue: Mic, exec_id: &ExecId) -> bool {
        self.told_of.contains(&(venue, exec_id.clone()))
    }

    /// What waits for a person's decision, oldest first.
    #[must_use]
    pub fn suspense(&self) -> &[ExecutionUnmatched] {
        &self.suspense
    }

    /// Whether a person found that it is not ours.
    #[must_use]
    pub fn is_dismissed(&self, venue: Mic, exec_id: &ExecId) -> bool {
        self.dismissed.contains(&(venue, exec_id.clone()))
    }

    /// How often something was raised that a venue said of an execution that is not in the books.
    #[must_use]
    pub const fn raised(&self) -> u32 {
        self.raised
    }

    /// How many days were closed.
    #[must_use]
    pub const fn days(&self) -> u32 {
        self.days
    }

    /// Whether the day of an execution is open, or was the last one to be closed.
    #[must_use]
    pub const fn is_reversible(&self, booked: &Booked) -> bool {
        booked.day + 1 >= self.days
    }

    /// Whether the day of an execution is open.
    #[must_use]
    pub const fn is_open(&self, booked: &Booked) -> bool {
        booked.day == self.days
    }

    /// The engine's state says what the books say.
    pub fn hold_in(&self, state: &State) {
        for key in self.entries.keys() {
            let position = state.position(key.0, key.1);
            hold!(21, position.is_some(), "position {key:?} is missing");
            let Some(position) = position else { continue };
            self.position(*key).hold_same(self.method, position, "in the state");
            let shown = self.shown.get(key);
            hold!(42, self.method != CostMethod::Fifo || shown == Some(position), "position {key:?} is {position:?}, shown is {shown:?}");
        }
        hold!(21, state.positions().count() == self.entries.len(), "there is a position without executions");
        let suspense: Vec<&ExecutionUnmatched> = state.suspense().collect();
        hold!(20, suspense.iter().copied().eq(&self.suspense), "in suspense is {suspense:?}, by the log {:?}", self.suspense);
        let rates: BTreeMap<(Currency, Currency), i128> = state.fx_rates().map(|rate| ((rate.from, rate.to), rate.rate.raw())).collect();
        hold!(42, rates == self.rates, "rates are {rates:?}, by the log {:?}", self.rates);
        hold!(
            42,
            state.last_close().0 == self.closed_day,
            "the last closed day is {}, by the log {}",
            state.last_close().0,
            self.closed_day
        );
        self.hold_moved();
    }

    /// What allocations move leaves one account and comes to another: over all accounts it is nothing.
    fn hold_moved(&self) {
        let mut sums: BTreeMap<InstrumentId, (i128, i128)> = BTreeMap::new();
        for ((_, instrument), entries) in &self.entries {
            for booked in entries.iter().filter(|booked| booked.moved) {
                let sign = if booked.is_buy { 1 } else { -1 };
                let sum = sums.entry(*instrument).or_default();
                (sum.0, sum.1) = (sum.0 + sign * booked.qty, sum.1 + sign * booked.value());
            }
        }
        hold!(21, sums.values().all(|sum| *sum == (0, 0)), "allocations make or lose something: {sums:?}");
    }
}

const ONE: i128 = 1_000_000_000;

/// A share as entries of whole prices: so much at the price below the average, the rest at the next one.
fn lots(qty: i128, value: i128) -> Vec<(&'static str, i128, i128)> {
    if qty == 0 {
        return Vec::new();
    }
    let (price, above) = (value / qty, value % qty);
    [("1", qty - above, price), ("2", above, price + 1)].into_iter().filter(|(_, qty, _)| *qty > 0).collect()
}
