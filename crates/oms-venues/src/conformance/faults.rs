//! The rules of the port when everything goes wrong.

use std::collections::BTreeMap;

use oms_model::report::{Report, ReportBody, VenueFill};
use oms_model::{ExecId, Qty, Side, WireId};
use oms_runtime::port::{Answer, Handed, VenueOrder, VenueState};

use super::{
    Outcome, Rig, Violation, cancel_of, cents, complete, equal, executions, expect, fills, known, limit, replace_of, send, shares, story,
    traded, violated, wire,
};
use crate::paper::faults::{Faults, Link};
use crate::paper::prng::Prng;

const CERTAIN: u32 = 1_000_000;

/// While the line is down nothing is sent and questions fail: that is not an empty answer. When it
/// is up again the answers are complete.
///
/// # Errors
/// What was found wrong; so for every case.
pub fn outage_is_not_empty(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, Some((cents(2000), shares(500))));
    let order = limit(rig, 1, Side::Buy, 300, 2000);
    send(rig, &order)?;
    rig.set_faults(Faults { accepted_in_doubt_ppm: CERTAIN, ..Faults::outage() });
    let reports = rig.settle();
    equal("answers over a cut line", story(&reports, &order.wire_id), vec![])?;
    expect(reports.iter().any(|r| matches!(r.body, ReportBody::SessionDown { .. })), || "no SessionDown".to_owned())?;
    failed(rig.port().query(&order.wire_id))?;
    failed(rig.port().open_orders())?;
    failed(rig.port().executions_since(oms_model::Time(i64::MIN)))?;
    let unsent = limit(rig, 2, Side::Buy, 300, 2000);
    let handed = rig.port().send(&unsent);
    expect(matches!(handed, Handed::NotSent(_)), || format!("handed over on a cut line: {handed:?}"))?;
    rig.set_faults(Faults::none());
    // Only who has reconciled may say that a session is up.
    let reports = rig.settle();
    expect(reports.iter().all(|r| r.body != ReportBody::SessionUp), || "the port claims SessionUp".to_owned())?;
    equal("taken before the line broke", known(rig, 1)?.state, VenueState::Filled)?;
    equal("not sent", complete(rig.port().query(&unsent.wire_id))?, None)
}

fn failed<T: std::fmt::Debug>(answer: Answer<T>) -> Outcome {
    match answer {
        Answer::Failed(_) => Ok(()),
        other => violated(format!("an answer over a line that carries none: {other:?}")),
    }
}

/// On a half-open line sending seems to work; questions fail. What became of the orders is known
/// afterwards, and does not change any more.
///
/// # Errors
/// As above.
pub fn half_open_is_not_empty(rig: &mut dyn Rig) -> Outcome {
    rig.set_faults(Faults { link: Link::HalfOpen, ..Faults::none() });
    for id in 1..=20 {
        let order = limit(rig, id, Side::Buy, 100, 1990);
        send(rig, &order)?;
    }
    let answers = rig.settle();
    expect(answers.iter().all(|r| r.body.wire_id().is_none()), || format!("answers over a half-open line: {answers:?}"))?;
    failed(rig.port().query(&wire(1, 0)))?;
    rig.set_faults(Faults::none());
    rig.settle();
    let mut lost = false;
    for id in 1..=20 {
        let there = complete(rig.port().query(&wire(id, 0)))?.is_some();
        expect(!(lost && there), || format!("order {id} arrived though one before it was lost"))?;
        lost |= !there;
    }
    expect(lost, || "a half-open line lost nothing in twenty".to_owned())
}

/// An answer that broke off says so.
///
/// # Errors
/// As above.
pub fn incomplete_is_not_complete(rig: &mut dyn Rig) -> Outcome {
    let order = limit(rig, 1, Side::Buy, 100, 1990);
    send(rig, &order)?;
    rig.settle();
    rig.set_faults(Faults { incomplete_ppm: CERTAIN, ..Faults::none() });
    let answer = rig.port().query(&order.wire_id);
    expect(matches!(answer, Answer::Incomplete(_)), || format!("query: {answer:?}"))?;
    let answer = rig.port().open_orders();
    expect(matches!(answer, Answer::Incomplete(_)), || format!("open orders: {answer:?}"))?;
    let answer = rig.port().executions_since(oms_model::Time(i64::MIN));
    expect(matches!(answer, Answer::Incomplete(_)), || format!("executions: {answer:?}"))
}

/// A fill that is reported twice has one exec id and one content.
///
/// # Errors
/// As above.
pub fn duplicates_carry_the_same_exec_id(rig: &mut dyn Rig) -> Outcome {
    rig.set_faults(Faults { duplicate_ppm: CERTAIN, ..Faults::none() });
    rig.quote(Side::Sell, Some((cents(2000), shares(500))));
    let order = limit(rig, 1, Side::Buy, 300, 2000);
    send(rig, &order)?;
    let fills = fills(&rig.settle());
    equal("fill reports", fills.len(), 2)?;
    equal("the second", fills.get(1), fills.first())?;
    equal("executions", executions(rig)?.len(), 1)
}

/// Nothing is lost at the venue when every answer is lost on the way.
///
/// # Errors
/// As above.
pub fn lost_answers_are_found_by_asking(rig: &mut dyn Rig) -> Outcome {
    rig.set_faults(Faults { lost_ppm: CERTAIN, ..Faults::none() });
    rig.quote(Side::Sell, Some((cents(2000), shares(100))));
    let order = limit(rig, 1, Side::Buy, 300, 2000);
    send(rig, &order)?;
    rig.settle();
    let request = cancel_of(rig, 1, 1, 0);
    equal("handing over", rig.port().cancel(&request), Handed::Over)?;
    let reports = rig.settle();
    expect(reports.iter().all(|r| r.body.wire_id().is_none()), || format!("not lost: {reports:?}"))?;
    let order = known(rig, 1)?;
    equal("state", order.state, VenueState::Canceled)?;
    equal("quantity", traded(&order.fills), shares(100))?;
    equal("executions", executions(rig)?.len(), 1)
}

/// Whatever the order in which answers come, they are the same answers.
///
/// # Errors
/// As above.
pub fn late_and_reordered_answers_say_the_same(rig: &mut dyn Rig) -> Outcome {
    let half = CERTAIN / 2;
    rig.set_faults(Faults { late_ppm: half, late_ns: 5_000_000, reorder_ppm: half, ..Faults::none() });
    let mut reports = Vec::new();
    for id in 1..=30 {
        rig.quote(Side::Sell, Some((cents(2000), shares(100))));
        let order = limit(rig, id, Side::Buy, 100, 2000);
        send(rig, &order)?;
    }
    // Each quote stood for one order: the others follow as the market does.
    reports.extend(rig.settle());
    rig.quote(Side::Sell, Some((cents(2000), shares(10_000))));
    reports.extend(rig.settle());
    for id in 1..=30 {
        let mut found = story(&reports, &wire(id, 0));
        found.sort_unstable();
        equal("answers, sorted", found, vec!["accepted", "fill"])?;
    }
    let told: BTreeMap<ExecId, VenueFill> = fills(&reports).into_iter().map(|(_, f)| (f.exec_id.clone(), f)).collect();
    let kept = executions(rig)?.into_iter().map(|(exec_id, (_, fill))| (exec_id, fill)).collect();
    equal("executions", told, kept)
}

/// A venue that refuses everything remembers what it refused.
///
/// # Errors
/// As above.
pub fn reject_storm_refuses_and_remembers(rig: &mut dyn Rig) -> Outcome {
    rig.set_faults(Faults { reject_ppm: CERTAIN, ..Faults::none() });
    rig.quote(Side::Sell, Some((cents(2000), shares(500))));
    for id in 1..=10 {
        let order = limit(rig, id, Side::Buy, 100, 2000);
        send(rig, &order)?;
        equal("story", story(&rig.settle(), &order.wire_id), vec!["rejected"])?;
        equal("state", known(rig, id)?.state, VenueState::Rejected)?;
    }
    equal("executions", executions(rig)?.len(), 0)
}

/// After a restart every order, request and execution is as it was, and ids are still taken.
///
/// # Errors
/// As above.
pub fn restart_remembers_everything(rig: &mut dyn Rig) -> Outcome {
    rig.quote(Side::Sell, Some((cents(2000), shares(150))));
    for (id, qty, price) in [(1, 100, 2000), (2, 100, 2000), (3, 100, 1980)] {
        let order = limit(rig, id, Side::Buy, qty, price);
        send(rig, &order)?;
    }
    rig.settle();
    let replace = replace_of(rig, 3, 1, 0, 200, 1985);
    equal("handing over", rig.port().replace(&replace), Handed::Over)?;
    let canceled = limit(rig, 4, Side::Buy, 100, 1980);
    send(rig, &canceled)?;
    let cancel = cancel_of(rig, 4, 1, 0);
    equal("handing over", rig.port().cancel(&cancel), Handed::Over)?;
    rig.settle();
    let before: Vec<VenueOrder> = (1..=4).map(|id| known(rig, id)).collect::<Result<_, _>>()?;
    let executed = executions(rig)?;
    rig.restart();
    rig.settle();
    let after: Vec<VenueOrder> = (1..=4).map(|id| known(rig, id)).collect::<Result<_, _>>()?;
    equal("orders", after, before)?;
    equal("executions", executions(rig)?, executed)?;
    equal("open orders", complete(rig.port().open_orders())?.len(), 2)?;
    let again = limit(rig, 1, Side::Buy, 100, 2000);
    send(rig, &again)?;
    equal("an id of before", story(&rig.settle(), &again.wire_id), vec!["rejected"])?;
    rig.quote(Side::Sell, Some((cents(1985), shares(1000))));
    rig.settle();
    equal("works on", known(rig, 3)?.state, VenueState::Filled)?;
    equal("works on", known(rig, 2)?.state, VenueState::Filled)
}

/// A long script under every fault: each intent is at most one order, NOT_SENT and "never seen"
/// stay so, no execution is lost or told in two ways.
///
/// # Errors
/// As above.
pub fn every_fault_at_once(rig: &mut dyn Rig) -> Outcome {
    let mut storm = Storm { rng: Prng::new(0x5eed), orders: BTreeMap::new(), reports: Vec::new() };
    for round in 0..40 {
        storm.round(rig, round)?;
        if round % 10 == 9 {
            rig.restart();
        }
    }
    rig.set_faults(Faults::none());
    storm.reports.extend(rig.settle());
    storm.check(rig)
}

struct Storm {
    rng: Prng,
    /// What handing each order over said.
    orders: BTreeMap<u128, Handed>,
    reports: Vec<Report>,
}

impl Storm {
    fn round(&mut self, rig: &mut dyn Rig, round: u128) -> Outcome {
        rig.set_faults(self.faults());
        for nth in 0..10 {
            let id = round * 10 + nth + 1;
            let price = cents(1990 + i64::try_from(self.rng.below(20)).unwrap_or(0));
            rig.quote(Side::Sell, Some((price, shares(100 + i64::try_from(self.rng.below(300)).unwrap_or(0)))));
            let order = limit(rig, id, Side::Buy, 200, 2000);
            let handed = rig.port().send(&order);
            self.orders.insert(id, handed);
            if self.rng.chance(300_000) {
                let request = cancel_of(rig, id, 1, 0);
                rig.port().cancel(&request);
            } else if self.rng.chance(300_000) {
                let request = replace_of(rig, id, 1, 0, 300, 2001);
                rig.port().replace(&request);
            }
            if self.rng.chance(200_000) {
                rig.trade(price, shares(50));
            }
        }
        self.reports.extend(rig.settle());
        Ok(())
    }

    fn faults(&mut self) -> Faults {
        let link = match self.rng.below(6) {
            0 => Link::Down,
            1 => Link::HalfOpen,
            _ => Link::Up,
        };
        Faults {
            link,
            lost_ppm: 200_000,
            late_ppm: 200_000,
            late_ns: 3_000_000,
            duplicate_ppm: 300_000,
            reorder_ppm: 300_000,
            reject_ppm: 100_000,
            spike_ns: 1_000_000,
            broken_send_ppm: 200_000,
            incomplete_ppm: 0,
            accepted_in_doubt_ppm: 500_000,
        }
    }

    fn check(&self, rig: &mut dyn Rig) -> Outcome {
        let executed = executions(rig)?;
        let mut by_order: BTreeMap<WireId, Qty> = BTreeMap::new();
        for (wire_id, fill) in executed.values() {
            let sum = by_order.entry(wire_id.clone()).or_default();
            *sum = sum.saturating_add(fill.last_qty);
        }
        let open = complete(rig.port().open_orders())?;
        for (&id, handed) in &self.orders {
            let wire_id = wire(id, 0);
            let found = complete(rig.port().query(&wire_id))?;
            let working = open.iter().filter(|order| order.wire_id == wire_id).count();
            let traded_qty = by_order.get(&wire_id).copied().unwrap_or_default();
            check_order(id, handed, found.as_ref(), working, traded_qty)?;
        }
        for (_, fill) in fills(&self.reports) {
            let kept = executed.get(&fill.exec_id).map(|(_, fill)| fill);
            equal("an execution as reported and as kept", kept, Some(&fill))?;
        }
        expect(!executed.is_empty(), || "the script traded nothing".to_owned())
    }
}

fn check_order(id: u128, handed: &Handed, found: Option<&VenueOrder>, working: usize, traded_qty: Qty) -> Result<(), Violation> {
    let Some(order) = found else {
        equal("working copies of an unknown order", working, 0)?;
        return equal("executions of an unknown order", traded_qty, Qty::ZERO);
    };
    expect(!matches!(handed, Handed::NotSent(_)), || format!("order {id} was not sent and is there: {order:?}"))?;
    equal("working copies", working, usize::from(order.state == VenueState::Live))?;
    equal("executions against the order's own", traded_qty, traded(&order.fills))?;
    expect(traded_qty <= order.order_qty, || format!("order {id} is overfilled: {order:?}"))?;
    let filled = order.state == VenueState::Filled;
    equal("filled exactly when wholly executed", filled, traded_qty == order.order_qty)
}
