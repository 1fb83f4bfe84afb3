//! The end of a run: faults stop, and everything must come to rest and agree.

use super::World;
use crate::fixture::VENUES;
use crate::hold;
use crate::simulator::node::Asker;
use crate::simulator::plan::Rates;
use crate::simulator::rng::Rng;
use oms_model::command::Command;
use oms_model::limit::Scope;
use oms_model::report::{Report, ReportBody};
use oms_model::{InstrumentId, TradingState};

/// So many turns are enough for everything to come to rest.
const MOST_TURNS: u32 = 400;
/// Virtual time of a turn, nanoseconds.
const TURN_NS: i64 = 200_000_000;

impl World {
    /// Faults stop. Everything is resolved, agrees with the venues and survives one more restart.
    pub fn quiet(&mut self) {
        let mut rng = Rng::new(7);
        self.notes.add(|| "faults stop".to_owned());
        self.rates = Rates { commit: 1_000, follow: 1_000, take: 1_000, report: 1_000, arrived: 1_000, ..Rates::default() };
        self.new_sessions(&mut rng);
        self.settle(&mut rng);
        self.put_right(&mut rng);
        self.hold_agreed();
        for at in 0..self.answers.asked.len() {
            // A key that is no longer kept is a new question.
            if self.answers.asked[at].key.is_some() && self.answers.keeps_all(self.now) {
                self.ask_again(at);
            }
        }
        self.settle(&mut rng);
        self.put_right(&mut rng);
        self.hold_killed(&mut rng);
        self.wind_down(&mut rng);
        self.hold_live();
        self.snapshot();
        self.restart(true, &mut rng);
        self.settle(&mut rng);
        self.hold_agreed();
        self.hold_live();
    }

    /// The next session of every venue: what its reports did not bring is found out.
    fn new_sessions(&mut self, rng: &mut Rng) {
        for mic in VENUES {
            self.with_venue(mic, rng, |venue, scene| {
                venue.break_line(scene);
                venue.line = true;
            });
            let body = ReportBody::SessionDown { reason: "a new session".to_owned() };
            if let Some(node) = self.node.as_mut() {
                node.door.push_back(Report { venue: mic, transact_time: self.now, body });
            }
        }
    }

    /// Lets everything go on until nothing is under way.
    pub(super) fn settle(&mut self, rng: &mut Rng) {
        for _ in 0..MOST_TURNS {
            self.timers();
            self.commit();
            self.follow(rng);
            for mic in VENUES {
                self.work(mic, rng);
                self.with_venue(mic, rng, |venue, scene| {
                    venue.decide_all(scene);
                    venue.take_all(scene);
                });
            }
            for mic in VENUES {
                let Some(venue) = self.venues.get_mut(&mic) else { continue };
                let reports = std::mem::take(&mut venue.outbox);
                if let Some(node) = self.node.as_mut() {
                    node.door.extend(reports);
                }
            }
            self.pump_door(usize::MAX, rng);
            if self.is_at_rest() {
                return;
            }
            self.now = self.now.plus(TURN_NS);
            for instrument in [InstrumentId(0), InstrumentId(1)] {
                self.quote_all(instrument);
            }
        }
        panic!("invariant 6: nothing more goes wrong and this does not end: {:?}", self.unresolved());
    }

    fn unresolved(&self) -> Vec<String> {
        let Some(node) = self.node.as_ref() else { return Vec::new() };
        let entries = node.engine.state().orders_sorted();
        let open = entries.iter().filter(|entry| entry.order.extras.doubt.is_some() || entry.is_unanswered()).map(|entry| {
            let order = &entry.order;
            format!("{} {} at {:?} pending {} doubt {:?}", order.order_id, order.state, order.venue, order.pending, order.extras.doubt)
        });
        let down = VENUES.iter().filter(|mic| !node.gateway.is_up(**mic)).map(|mic| format!("{mic} is not up"));
        open.chain(down).collect()
    }

    fn is_at_rest(&self) -> bool {
        let Some(node) = self.node.as_ref() else { return false };
        let state = node.engine.state();
        let quiet = self.venues.values().all(|venue| venue.inbox.is_empty() && venue.outbox.is_empty());
        let settled = state.orders_sorted().iter().all(|entry| entry.order.extras.doubt.is_none() && !entry.is_unanswered());
        let due = node.engine.next_deadline().is_some_and(|due| due <= self.now);
        let up = state.venues().all(|venue| venue.connected);
        quiet && settled && up && !due && node.is_clean() && node.feed.is_empty() && node.door.is_empty() && node.gateway.is_idle()
    }

    /// Nothing works in a scope whose kill switch is engaged, but for orders whose cancel was refused and reported so;
    /// and those are canceled when it is engaged once more.
    fn hold_killed(&mut self, rng: &mut Rng) {
        let open = self.orders.open_though_killed(true);
        hold!(28, open.is_empty(), "these work although a kill switch covers them: {open:?}");
        let killed: Vec<Scope> = self.orders.killed().collect();
        for scope in killed {
            self.command(Command::EngageKillSwitch { scope, reason: "again".into() }, None, Asker::Nobody);
        }
        self.settle(rng);
        self.share_all_out(rng);
        if let Some(node) = self.node.as_ref() {
            let engaging: Vec<Scope> = node.engine.state().risk().engaging().map(|(scope, _)| scope).collect();
            hold!(28, engaging.is_empty(), "nothing works any more and {engaging:?} are not confirmed");
        }
        let open = self.orders.open_though_killed(false);
        hold!(28, open.is_empty(), "these work although a kill switch covers them and was engaged again: {open:?}");
    }

    /// Everything is taken back; then nothing is reserved.
    fn wind_down(&mut self, rng: &mut Rng) {
        let killed: Vec<Scope> = self.orders.killed().collect();
        for scope in killed {
            self.command(Command::ReleaseKillSwitch { scope, reason: "end".into() }, None, Asker::Nobody);
        }
        let active = Command::SetTradingState { scope: Scope::Tenant, state: TradingState::Active, reason: "end".into() };
        self.command(active, None, Asker::Nobody);
        self.settle(rng);
        self.command(Command::MassCancel { scope: Scope::Tenant }, None, Asker::Nobody);
        self.settle(rng);
        self.share_all_out(rng);
        self.hold_agreed();
        let Some(node) = self.node.as_ref() else { return };
        let state = node.engine.state();
        hold!(23, state.open_roots() == 0, "{} orders are open after all were canceled", state.open_roots());
        let risk = state.risk().parts();
        let working = risk.holdings.iter().filter(|one| !one.held.buy_qty.is_zero() || !one.held.sell_qty.is_zero()).count();
        hold!(23, risk.open.is_empty() && working == 0, "reserved with nothing open: {:?} {:?}", risk.open, risk.holdings);
    }
}
