//! What a venue says about its executions after it told them: that they never were, were otherwise, or what they cost.
//!
//! An execution is corrected once at most, and either corrected or charged for: which of two such claims is the newer
//! one, their reports do not say.

use super::{Held, Scene, Venue};
use crate::fixture::dec;
use crate::simulator::coverage::Mark;
use oms_model::instrument::Currency;
use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{ExecId, Notional, Price, Qty, Time, WireId};
use oms_runtime::port::VenueState;

/// What an execution cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    pub commission: Notional,
    pub currency: Currency,
}

impl Held {
    /// Whether something that was executed of it no longer is.
    pub fn is_reopened(&self, venue: &Venue) -> bool {
        self.ever.iter().any(|fill| venue.busted.contains(&fill.exec_id) || venue.corrected.contains(&fill.exec_id))
    }
}

impl Venue {
    /// Says something about one of its executions since `since`, by chance.
    pub fn later(&mut self, since: Time, scene: &mut Scene<'_>) {
        let fills = |at: usize| (0..self.book[at].fills.len()).map(move |nth| (at, nth));
        let recent = |&(at, nth): &(usize, usize)| self.book[at].fills[nth].0 >= since;
        let all: Vec<(usize, usize)> = (0..self.book.len()).flat_map(fills).filter(recent).collect();
        if all.is_empty() || scene.rng.chance(40) {
            return self.bust_of_nothing(scene);
        }
        // The latest are the likeliest.
        let newest = if scene.rng.chance(600) { all.len().saturating_sub(3) } else { 0 };
        let (at, nth) = scene.rng.pick(&all[newest..]);
        let exec_id = self.book[at].fills[nth].1.exec_id.clone();
        match scene.rng.below(10) {
            0..=3 => self.bust(at, nth, scene),
            4..=6 if !self.corrected.contains(&exec_id) && !self.charged.contains_key(&exec_id) => self.correct(at, nth, scene),
            7..=9 if !self.corrected.contains(&exec_id) && !self.charged.contains_key(&exec_id) => self.charge(at, nth, scene),
            _ => (),
        }
    }

    fn say(&mut self, at: Time, body: ReportBody, scene: &mut Scene<'_>) {
        self.said_later.push(Report { venue: self.mic, transact_time: at, body: body.clone() });
        scene.coverage.faults += 1;
        if self.line {
            self.outbox.push_back(Report { venue: self.mic, transact_time: at, body });
        }
    }

    fn new_id(&mut self, kind: &str) -> ExecId {
        self.execs += 1;
        ExecId::new(&format!("{}-{kind}{}", self.mic, self.execs)).unwrap_or_default()
    }

    fn bust(&mut self, at: usize, nth: usize, scene: &mut Scene<'_>) {
        let exec_id = self.new_id("B");
        let held = &mut self.book[at];
        let (time, fill) = held.fills.remove(nth);
        held.cum = held.cum.saturating_sub(fill.last_qty);
        let works_again = held.state == VenueState::Filled;
        if works_again {
            held.state = VenueState::Live;
        }
        let at_once = held.at_once;
        let wire_id = held.first.clone();
        self.busted.insert(fill.exec_id.clone());
        self.say(time, ReportBody::Busted { wire_id, exec_ref: fill.exec_id, exec_id, text: "erroneous".into() }, scene);
        if works_again && at_once {
            self.end(at, VenueState::Canceled, scene);
        }
    }

    /// An execution that never was is taken back.
    fn bust_of_nothing(&mut self, scene: &mut Scene<'_>) {
        let (exec_ref, exec_id) = (self.new_id("N"), self.new_id("B"));
        let known = (!self.book.is_empty() && scene.rng.chance(700)).then(|| self.book[scene.rng.place(self.book.len())].first.clone());
        let wire_id = known.unwrap_or_else(|| WireId::new(&format!("other-{exec_id}")).unwrap_or_default());
        self.say(scene.now, ReportBody::Busted { wire_id, exec_ref, exec_id, text: "of nothing".into() }, scene);
    }

    fn correct(&mut self, at: usize, nth: usize, scene: &mut Scene<'_>) {
        let exec_id = self.new_id("C");
        let held = &mut self.book[at];
        let (time, old) = held.fills[nth].clone();
        // An order that has ended gets no more than it had; one that works, no more than it was for.
        let room = if held.is_live() { held.open() } else { Qty::ZERO };
        let most = u64::try_from(old.last_qty.saturating_add(room).raw() / 1_000_000_000).unwrap_or(1);
        let units = i64::try_from(1 + scene.rng.below(most)).unwrap_or(1);
        let last_qty = if scene.rng.chance(400) { old.last_qty } else { Qty::from_units(units).unwrap_or(old.last_qty) };
        let cents = i64::try_from(scene.rng.below(7)).unwrap_or(0) - 3;
        let last_px = Price::from_raw(old.last_px.raw() + cents * 10_000_000);
        let fill = VenueFill { last_qty, last_px, ..old.clone() };
        held.fills[nth].1 = fill.clone();
        held.ever.push(fill.clone());
        held.cum = held.cum.saturating_sub(old.last_qty).saturating_add(last_qty);
        match held.state {
            VenueState::Filled if held.cum < held.qty => held.state = VenueState::Live,
            VenueState::Live if held.cum >= held.qty => held.state = VenueState::Filled,
            _ => (),
        }
        let ends = held.at_once && held.is_live();
        // It names the order as it stands now, as an execution does.
        let wire_id = held.current.clone();
        self.corrected.insert(old.exec_id.clone());
        let fill = VenueFill { exec_id, ..fill };
        self.say(time, ReportBody::Corrected { wire_id, exec_ref: old.exec_id, fill, text: "misreported".into() }, scene);
        if ends {
            self.end(at, VenueState::Canceled, scene);
        }
    }

    /// What an execution of somebody else's cost.
    pub(super) fn charge_of_foreign(&self, wire_id: WireId, fill: &VenueFill, scene: &mut Scene<'_>) -> ReportBody {
        let (exec_id, (commission, currency)) = (fill.exec_id.clone(), some_charge(scene));
        ReportBody::Commission { wire_id, exec_id, commission, currency }
    }

    fn charge(&mut self, at: usize, nth: usize, scene: &mut Scene<'_>) {
        let held = &self.book[at];
        let (time, exec_id, wire_id) = (held.fills[nth].0, held.fills[nth].1.exec_id.clone(), held.first.clone());
        let (commission, currency) = some_charge(scene);
        self.charged.insert(exec_id.clone(), Charge { commission, currency });
        scene.coverage.mark(Mark::Charged);
        self.say(time, ReportBody::Commission { wire_id, exec_id, commission, currency }, scene);
    }

    /// Everything that it said about executions after it had told them.
    pub fn said_later(&self) -> &[Report] {
        &self.said_later
    }

    /// The executions that it took back.
    pub fn busted(&self) -> impl Iterator<Item = &ExecId> {
        self.busted.iter()
    }

    /// What it said that an execution cost.
    pub fn charge_of(&self, exec_id: &ExecId) -> Option<Charge> {
        self.charged.get(exec_id).copied()
    }
}

fn some_charge(scene: &mut Scene<'_>) -> (Notional, Currency) {
    let currency = if scene.rng.chance(700) { Currency::USD } else { Currency(*b"EUR") };
    (dec(scene.rng.pick(&["0.35", "1", "2.5", "-0.2"])), currency)
}
