//! The evidence pack: what was in force between two moments, what was changed, what was breached, and that stopping works.
//!
//! For the annual reviews that SEC Rule 15c3-5(e) and RTS 6 article 9 ask for, and, for one closed day, the compliance
//! snapshot of that day. It is made of the log alone, and says where in the log it ends and with which hashes, so that
//! whoever has the log can check it.

use crate::catalog::Catalog;
use crate::json::Writer;
use crate::json::events::write_event;
use crate::json::orders::check_fields;
use oms_model::event::{Batch, Event};
use oms_model::limit::{CheckResult, Scope, Verdict};
use oms_model::{Code, OrderId, Refusal, Seq, Time, UserId};
use std::collections::BTreeMap;

/// The most entries of one pack; a longer period is asked for in parts.
pub const MAX_ENTRIES: usize = 100_000;

/// What an event is evidence of; `None` for what happens to orders every day.
#[must_use]
pub const fn section(event: &Event) -> Option<Section> {
    match event {
        Event::RiskLimitSet(_)
        | Event::RiskLimitRemoved(_)
        | Event::LimitRequired(_)
        | Event::RiskCurrencySet(_)
        | Event::LimitScheduled(_)
        | Event::LimitScheduleMoved(_)
        | Event::RiskImported(_) => Some(Section::Limits),
        Event::RiskBreached(_) | Event::InFlightRuleSet(_) => Some(Section::InFlight),
        Event::OverrideGranted(_)
        | Event::OverrideConsented(_)
        | Event::OverrideRevoked(_)
        | Event::OverrideExpired(_)
        | Event::OverrideRuleSet(_)
        | Event::RiskOverridden(_) => Some(Section::Overrides),
        Event::RestrictionSet(_)
        | Event::RestrictionRemoved(_)
        | Event::LocateSet(_)
        | Event::ShortSaleStateSet(_)
        | Event::SelfMatchRuleSet(_)
        | Event::StrategyEnvelopeSet(_)
        | Event::PriceBandSet(_)
        | Event::PriceBandRemoved(_)
        | Event::ShortSaleTriggered(_)
        | Event::SorPolicySet(_) => Some(Section::Rules),
        Event::ShadowRulesSet(_) | Event::ShadowRulesRemoved(_) | Event::ShadowRulesPromoted(_) => Some(Section::Shadow),
        Event::KillSwitchEngaged(_)
        | Event::KillSwitchConfirmed(_)
        | Event::KillSwitchReleased(_)
        | Event::TradingStateSet(_)
        | Event::DeadManArmed(_)
        | Event::DeadManDisarmed(_)
        | Event::DeadManFired(_) => Some(Section::Stops),
        Event::BreakerSet(_) | Event::BreakerRemoved(_) | Event::BreakerMoved(_) | Event::ThrottleTripped(_) | Event::ThrottleReset(_) => {
            Some(Section::Breakers)
        }
        Event::OrderHeld(_) | Event::OrderReleased(_) => Some(Section::Approvals),
        Event::OrderAnomaly(_) | Event::ExecutionUnmatched(_) => Some(Section::Anomalies),
        _ => None,
    }
}

/// A part of the pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Limits that were set and taken away.
    Limits,
    /// Lists, locates, rules, bounds of strategies, routing policies.
    Rules,
    /// What became of orders that executions took beyond a limit.
    InFlight,
    /// Leaves that were granted to break a rule, and what used them.
    Overrides,
    /// Rules in shadow, and who made them live.
    Shadow,
    /// Kill switches, trading states and dead-man switches.
    Stops,
    /// Breakers and throttles.
    Breakers,
    /// Orders that waited for a second person, and what became of them.
    Approvals,
    /// What was raised for a person to look at.
    Anomalies,
}

impl Section {
    /// Every part.
    pub const ALL: [Self; 9] = [
        Self::Limits,
        Self::Rules,
        Self::InFlight,
        Self::Overrides,
        Self::Shadow,
        Self::Stops,
        Self::Breakers,
        Self::Approvals,
        Self::Anomalies,
    ];

    /// Its name in the pack.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limits => "limit_changes",
            Self::Rules => "rule_changes",
            Self::InFlight => "in_flight",
            Self::Overrides => "overrides",
            Self::Shadow => "shadow",
            Self::Stops => "stops",
            Self::Breakers => "breakers",
            Self::Approvals => "approvals",
            Self::Anomalies => "anomalies",
        }
    }
}

/// A check that did not pass.
struct Breach {
    seq: Seq,
    time: Time,
    order_id: OrderId,
    user_id: UserId,
    result: CheckResult,
}

/// A kill switch from when it was engaged.
struct Stop {
    scope: Scope,
    reason: String,
    by: UserId,
    engaged_at: Time,
    confirmed_at: Option<Time>,
    released_at: Option<Time>,
}

/// What was found so far.
#[derive(Default)]
pub struct Evidence {
    entries: BTreeMap<Section, Vec<(Seq, Batch)>>,
    breaches: Vec<Breach>,
    stops: Vec<Stop>,
    orders: u64,
    judged: u64,
    refused: u64,
    count: usize,
}

impl Evidence {
    /// Looks at the next batch.
    ///
    /// # Errors
    /// `HISTORY_TOO_FAR` where the pack would have more than [`MAX_ENTRIES`].
    pub fn take(&mut self, batch: &Batch) -> Result<(), Refusal> {
        for (seq, event) in batch.numbered() {
            self.count_event(seq, batch, event);
            if let Some(section) = section(event) {
                // One event with its envelope: its place and who caused it.
                let Batch { time, command_id, actor, trace_id, .. } = *batch;
                let one = Batch { first_seq: seq, time, command_id, actor, trace_id, events: vec![event.clone()] };
                self.entries.entry(section).or_default().push((seq, one));
                self.count += 1;
            }
        }
        if self.count > MAX_ENTRIES {
            let text = format!("the pack would have more than {MAX_ENTRIES} entries; ask for a shorter period");
            return Err(Refusal::new(Code::HistoryTooFar, text).with("most", MAX_ENTRIES));
        }
        Ok(())
    }

    fn count_event(&mut self, seq: Seq, batch: &Batch, event: &Event) {
        match event {
            Event::OrderCreated(e) => self.orders += u64::from(e.parent_order_id.is_none()),
            Event::OrderRejected(e) => self.refused += u64::from(e.by == oms_model::EndedBy::Risk),
            Event::RiskChecked(e) => {
                self.judged += 1;
                let failed =
                    e.results.iter().filter(|result| matches!(result.verdict, Verdict::Fail | Verdict::Warn | Verdict::Overridden));
                for result in failed {
                    let (order_id, user_id) = (e.order_id, batch.actor.user_id);
                    self.breaches.push(Breach { seq, time: batch.time, order_id, user_id, result: *result });
                    self.count += 1;
                }
            }
            Event::KillSwitchEngaged(e) => self.stops.push(Stop {
                scope: e.scope,
                reason: e.reason.clone(),
                by: batch.actor.user_id,
                engaged_at: batch.time,
                confirmed_at: None,
                released_at: None,
            }),
            Event::KillSwitchConfirmed(e) => {
                if let Some(stop) = self.open_stop(e.scope) {
                    stop.confirmed_at = Some(batch.time);
                }
            }
            Event::KillSwitchReleased(e) => {
                if let Some(stop) = self.open_stop(e.scope) {
                    stop.released_at = Some(batch.time);
                }
            }
            _ => (),
        }
    }

    fn open_stop(&mut self, scope: Scope) -> Option<&mut Stop> {
        self.stops.iter_mut().rev().find(|stop| stop.scope == scope && stop.released_at.is_none())
    }

    /// Writes it, within an object that is open.
    pub fn write(&self, w: &mut Writer, catalog: &Catalog) {
        let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
        for breach in &self.breaches {
            *codes.entry(breach.result.code.map_or(breach.result.verdict.as_str(), |code| code.as_str())).or_default() += 1;
        }
        w.number("orders", self.orders);
        w.number("judged", self.judged);
        w.number("refused", self.refused);
        w.object_at("breaches_by_code", |w| codes.iter().for_each(|(code, count)| w.number(code, *count)));
        w.array_at("breaches", &self.breaches, |w, breach| w.object(|w| breach_fields(w, breach, catalog)));
        w.array_at("kill_switches", &self.stops, |w, stop| w.object(|w| stop_fields(w, stop, catalog)));
        for section in Section::ALL {
            let entries = self.entries.get(&section).map_or(&[][..], |entries| entries);
            w.array_at(section.name(), entries, |w, (seq, batch)| {
                batch.events.iter().for_each(|event| write_event(w, *seq, batch, event, catalog));
            });
        }
    }
}

fn breach_fields(w: &mut Writer, breach: &Breach, catalog: &Catalog) {
    w.number("sequence", breach.seq.0);
    w.time("time", breach.time);
    w.text("order_id", breach.order_id);
    w.text("user_id", breach.user_id);
    check_fields(w, &breach.result, catalog);
}

fn stop_fields(w: &mut Writer, stop: &Stop, catalog: &Catalog) {
    let after = |at: Option<Time>| at.map(|at| at.since(stop.engaged_at).max(0));
    w.string("scope", &catalog.scope_text(stop.scope));
    w.string("reason", &stop.reason);
    w.text("engaged_by", stop.by);
    w.time("engaged_at", stop.engaged_at);
    w.time_or_null("confirmed_at", stop.confirmed_at);
    w.number_or_null("confirmed_after_ns", after(stop.confirmed_at));
    w.time_or_null("released_at", stop.released_at);
}
